import Kite
import SwiftUI

/// Paying: scan or paste, review, pay.
struct SendView: View {
    @Environment(\.dismiss) private var dismiss
    @State private var send: SendModel
    @State private var isScanning = false

    init(wallet: WalletModel) {
        _send = State(initialValue: SendModel(wallet: wallet))
    }

    var body: some View {
        NavigationStack {
            Form {
                switch send.step {
                case .entering: entering
                case let .reviewing(quote): review(quote)
                case .paying: ProgressView("Paying…")
                case let .sent(payment): PaymentDetails(payment: send.asOfNow(payment))
                }
                if let failure = send.failure { ExplanationView(failure) }
            }
            .navigationTitle("Send")
            .toolbar {
                ToolbarItem(placement: .cancellationAction) { Button("Close") { dismiss() } }
            }
            .sheet(isPresented: $isScanning) {
                ScannerView { text in
                    isScanning = false
                    Task { await send.take(text) }
                }
            }
        }
    }

    @ViewBuilder private var entering: some View {
        Section {
            Button("Scan a code", systemImage: "qrcode.viewfinder") { isScanning = true }
            TextField("Invoice or address", text: $send.text, axis: .vertical)
                .textInputAutocapitalization(.never)
                .autocorrectionDisabled()
            TextField("Amount in sat, if it names none", text: $send.amount).keyboardType(.numberPad)
        }
        Button("Review") { Task { await send.review() } }.disabled(send.text.isEmpty || send.isBusy)
    }

    @ViewBuilder private func review(_ quote: Quote) -> some View {
        Section {
            LabeledContent("Amount", value: Amounts.text(msat: quote.amountMsat))
            if quote.kind == .lightning {
                LabeledContent("Fee, about", value: Amounts.text(msat: quote.feeEstimateMsat))
                LabeledContent("Fee, at most", value: Amounts.text(msat: quote.maxFeeMsat))
            } else {
                LabeledContent("Fee", value: Amounts.text(msat: quote.feeEstimateMsat))
            }
            if let description = quote.description, !description.isEmpty { LabeledContent("For", value: description) }
            LabeledContent("To") { Text(quote.recipient).font(.caption.monospaced()) }
        }
        Button("Pay") { Task { await send.pay() } }.buttonStyle(.borderedProminent)
        Button("Back") { send.back() }
    }
}
