import SwiftUI

/// Nothing of the wallet, until its owner is recognised.
struct LockView: View {
    @Environment(WalletModel.self) private var wallet
    @Environment(\.scenePhase) private var scenePhase

    var body: some View {
        VStack(spacing: 24) {
            Image(systemName: "lock.fill").font(.largeTitle).accessibilityHidden(true)
            Text("The wallet is locked")
            Button("Unlock") { Task { await wallet.unlock() } }.buttonStyle(.borderedProminent)
        }
        // The question can only be asked in front.
        .task(id: scenePhase) { if scenePhase == .active { await wallet.unlock() } }
    }
}
