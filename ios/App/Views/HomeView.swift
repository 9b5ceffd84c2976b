import Kite
import SwiftUI

/// The wallet at a glance.
struct HomeView: View {
    private enum Sheet: String, Identifiable {
        case send, receive

        var id: Self { self }
    }

    @Environment(WalletModel.self) private var wallet
    @State private var sheet: Sheet?

    var body: some View {
        NavigationStack {
            List {
                if let snapshot = wallet.snapshot {
                    BalanceSection(balance: snapshot.balance)
                    Section {
                        Button("Send", systemImage: "arrow.up.right") { sheet = .send }
                        Button("Receive", systemImage: "arrow.down.left") { sheet = .receive }
                    }
                    if !wallet.hasConfirmedWords {
                        Text("Your 12 words are not confirmed yet. Without them nothing brings your keys back: see Settings.")
                            .foregroundStyle(.orange)
                    }
                    if let hint = nextStep(snapshot) { Text(hint).foregroundStyle(.secondary) }
                    Section("Last payments") {
                        ForEach(snapshot.payments.prefix(5), id: \.id) { PaymentRow(payment: $0) }
                        if snapshot.payments.isEmpty { Text("Nothing yet.").foregroundStyle(.secondary) }
                    }
                } else {
                    ProgressView()
                }
            }
            .navigationTitle("Wallet")
            .refreshable { await wallet.refresh() }
            .sheet(item: $sheet) { sheet in
                switch sheet {
                case .send: SendView(wallet: wallet)
                case .receive: ReceiveView(wallet: wallet)
                }
            }
        }
    }

    private func nextStep(_ snapshot: Snapshot) -> String? {
        if snapshot.channels.contains(where: { $0.state == .ready }) { return nil }
        if let opening = snapshot.channels.first(where: { $0.state == .opening || $0.state == .pending }) {
            return "Your channel is being opened: \(opening.confirmations) of \(opening.confirmationsNeeded) blocks."
        }
        if snapshot.balance.onchainSat > 0 { return "Open a channel with your coins to pay in an instant." }
        if snapshot.balance.onchainPendingSat > 0 { return "Coins are on their way. They count after the next block." }
        return "Send some coins to the address under Receive. You open a channel with them next."
    }
}

private struct BalanceSection: View {
    let balance: Balance

    var body: some View {
        Section {
            LabeledContent("You can spend") { Text(Amounts.text(msat: balance.spendableMsat)).font(.title2.bold()) }
            ForEach(balance.lines) { LabeledContent($0.label, value: $0.text) }
        }
    }
}
