import Kite
import SwiftUI

/// Being paid: an invoice as a code that turns into "received", or an address.
struct ReceiveView: View {
    @Environment(\.dismiss) private var dismiss
    @State private var receive: ReceiveModel

    init(wallet: WalletModel) {
        _receive = State(initialValue: ReceiveModel(wallet: wallet))
    }

    var body: some View {
        NavigationStack {
            Form {
                Picker("Way", selection: $receive.way) {
                    ForEach(ReceiveModel.Way.allCases) { Text($0.rawValue).tag($0) }
                }
                .pickerStyle(.segmented)
                switch receive.way {
                case .lightning: lightning
                case .onchain: onchain
                }
                if let failure = receive.failure { ExplanationView(failure) }
            }
            .navigationTitle("Receive")
            .toolbar {
                ToolbarItem(placement: .cancellationAction) { Button("Close") { dismiss() } }
            }
        }
    }

    @ViewBuilder private var lightning: some View {
        if let payment = receive.payment {
            PaymentDetails(payment: payment)
            Button("New one") { receive.again() }
        } else if let invoice = receive.invoice {
            Section {
                QRCodeView(text: invoice.qrText)
                LabeledContent("Amount", value: invoice.amountMsat.map { Amounts.text(msat: $0) } ?? "any")
                ShareLink("Share", item: invoice.invoice)
            } footer: {
                Text("Waiting to be paid. With notifications the wallet receives behind a locked screen, too.")
            }
            .task { await receive.waitForPayment() }
            Button("New one") { receive.again() }
        } else {
            Section {
                TextField("Amount in sat; empty: the payer chooses", text: $receive.amount).keyboardType(.numberPad)
                TextField("What for", text: $receive.reason)
            }
            Button("Make the invoice") { Task { await receive.makeInvoice() } }
        }
    }

    @ViewBuilder private var onchain: some View {
        Section {
            if let address = receive.address {
                QRCodeView(text: "BITCOIN:\(address.uppercased())")
                Text(address).font(.body.monospaced()).textSelection(.enabled)
                ShareLink("Share", item: address)
            } else {
                ProgressView()
            }
        }
        .task { await receive.makeAddress() }
    }
}
