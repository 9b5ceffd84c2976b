import Kite
import SwiftUI

/// The words, the lock, notifications, and what the wallet is.
struct SettingsView: View {
    @Environment(WalletModel.self) private var wallet
    @Environment(Notifications.self) private var notifications
    @State private var words: [String] = []
    @State private var failure: Explanation?

    var body: some View {
        NavigationStack {
            Form {
                Section("Backup") {
                    Button("Show the 12 words") { Task { await show() } }
                    ForEach(Array(words.enumerated()), id: \.offset) { Text("\($0.offset + 1). \($0.element)") }
                    if !words.isEmpty, !wallet.hasConfirmedWords {
                        Button("I have written them down") { wallet.hasConfirmedWords = true }
                    }
                }
                Section {
                    Toggle("Ask who is there", isOn: asks)
                } header: {
                    Text("Lock")
                } footer: {
                    Text("By face, finger or code, whenever the app comes to the front.")
                }
                Section {
                    Button("Receive behind a locked screen") { Task { await notifications.allow() } }
                    if let token = notifications.token { ShareLink("Share the token for notifications", item: token) }
                    if let failure = notifications.failure { ExplanationView(failure) }
                } footer: {
                    Text("A notification then wakes the wallet for the moment in which a payment comes.")
                }
                if let failure { ExplanationView(failure) }
                if let info = wallet.snapshot?.info {
                    Section("About") {
                        LabeledContent("Network", value: info.network)
                        LabeledContent("Newest block", value: String(info.height))
                        LabeledContent("Connected nodes", value: String(info.peers))
                        LabeledContent("Version", value: info.version)
                        Text(info.nodeId).font(.caption.monospaced()).textSelection(.enabled)
                        if let error = info.chainError { Text(error).foregroundStyle(.orange) }
                    }
                }
            }
            .navigationTitle("Settings")
            .onDisappear { words = [] }
        }
    }

    private var asks: Binding<Bool> {
        Binding(get: { wallet.asksWhoIsThere }, set: { asks in Task { await wallet.ask(asks) } })
    }

    private func show() async {
        do {
            words = try await wallet.words()
        } catch {
            failure = Explanation(error)
        }
    }
}
