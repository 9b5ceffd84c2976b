import Kite
import SwiftUI

/// The first start: a new wallet, or one that its words bring back.
struct OnboardingView: View {
    @Environment(WalletModel.self) private var wallet
    @State private var words = ""
    @State private var failure: Explanation?
    @State private var isBusy = false

    var body: some View {
        NavigationStack {
            Form {
                Section {
                    Button("Create a wallet") { create(nil) }
                } footer: {
                    Text("Its keys are made on this device and stay here. Its 12 words, under Settings, are the backup.")
                }
                Section("Restore from words") {
                    TextField("12 words", text: $words, axis: .vertical)
                        .textInputAutocapitalization(.never)
                        .autocorrectionDisabled()
                    Button("Restore") { create(words) }.disabled(words.isEmpty)
                }
                if let failure { ExplanationView(failure) }
            }
            .disabled(isBusy)
            .navigationTitle("Kite")
        }
    }

    private func create(_ words: String?) {
        isBusy = true
        failure = nil
        Task {
            do {
                try await wallet.create(words: words)
            } catch {
                failure = Explanation(error)
            }
            isBusy = false
        }
    }
}
