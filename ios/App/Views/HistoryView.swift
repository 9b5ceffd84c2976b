import Kite
import SwiftUI

/// Every payment, the newest first.
struct HistoryView: View {
    @Environment(WalletModel.self) private var wallet

    var body: some View {
        NavigationStack {
            List {
                ForEach(wallet.snapshot?.payments ?? [], id: \.id) { payment in
                    NavigationLink {
                        Form { PaymentDetails(payment: payment) }.navigationTitle("Payment")
                    } label: {
                        PaymentRow(payment: payment)
                    }
                }
                if wallet.snapshot?.payments.isEmpty == true { Text("What you pay and receive appears here.") }
            }
            .navigationTitle("History")
            .refreshable { await wallet.refresh() }
        }
    }
}

/// One payment in a line.
struct PaymentRow: View {
    let payment: Payment

    var body: some View {
        LabeledContent {
            Text((payment.direction == .incoming ? "+" : "−") + Amounts.text(msat: payment.amountMsat))
                .foregroundStyle(payment.status == .succeeded ? .primary : .secondary)
        } label: {
            Text(payment.description.flatMap { $0.isEmpty ? nil : $0 } ?? payment.title)
            Text("\(payment.statusText), \(payment.createdAt.formatted(.relative(presentation: .named)))")
        }
    }
}

/// Everything about a payment.
struct PaymentDetails: View {
    let payment: Payment

    var body: some View {
        Section {
            LabeledContent(payment.title, value: Amounts.text(msat: payment.amountMsat))
            LabeledContent("Status", value: payment.statusText)
            if let feeMsat = payment.feeMsat { LabeledContent("Fee", value: Amounts.text(msat: feeMsat)) }
            if let hops = payment.hops { LabeledContent("Hops", value: String(hops)) }
            if let description = payment.description, !description.isEmpty { LabeledContent("For", value: description) }
            LabeledContent("Begun", value: payment.createdAt.formatted())
        }
        if let failure = payment.failure { ExplanationView(Explanation(failure)) }
        LongText(label: "Proof of payment (preimage)", text: payment.preimage)
        LongText(label: "Payment hash", text: payment.paymentHash)
        LongText(label: "Transaction", text: payment.txid)
    }
}

private struct LongText: View {
    let label: String
    let text: String?

    var body: some View {
        if let text {
            Section(label) { Text(text).font(.caption.monospaced()).textSelection(.enabled) }
        }
    }
}
