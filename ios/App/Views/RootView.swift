import SwiftUI

/// The screen for the phase that the wallet is in, behind the lock.
struct RootView: View {
    @Environment(WalletModel.self) private var wallet

    var body: some View {
        if wallet.isLocked {
            LockView()
        } else {
            switch wallet.phase {
            case .starting: ProgressView("Opening the wallet…")
            case .onboarding: OnboardingView()
            case .running: TabsView()
            case let .halted(explanation): HaltedView(explanation: explanation)
            }
        }
    }
}

private struct TabsView: View {
    var body: some View {
        TabView {
            HomeView().tabItem { Label("Wallet", systemImage: "bolt.fill") }
            HistoryView().tabItem { Label("History", systemImage: "clock") }
            ChannelsView().tabItem { Label("Channels", systemImage: "arrow.left.arrow.right") }
            SettingsView().tabItem { Label("Settings", systemImage: "gearshape") }
        }
        .overlay(alignment: .top) { NoticesView() }
    }
}

private struct HaltedView: View {
    @Environment(WalletModel.self) private var wallet
    let explanation: Explanation

    var body: some View {
        VStack(spacing: 24) {
            ExplanationView(explanation)
            Button("Try again") { Task { await wallet.comeToFront() } }.buttonStyle(.borderedProminent)
        }
        .padding()
    }
}
