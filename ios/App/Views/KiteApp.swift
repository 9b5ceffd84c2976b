import Kite
import SwiftUI
import UIKit

@main
struct KiteApp: App {
    @UIApplicationDelegateAdaptor private var notifications: Notifications
    @Environment(\.scenePhase) private var scenePhase
    @State private var wallet: WalletModel?
    @State private var problem: Explanation?

    var body: some Scene {
        WindowGroup {
            Group {
                if let wallet {
                    RootView().environment(wallet).environment(notifications)
                } else if let problem {
                    ExplanationView(problem).padding()
                } else {
                    ProgressView()
                }
            }
            .task { await begin() }
        }
        .onChange(of: scenePhase) { _, phase in
            guard let wallet else { return }
            switch phase {
            case .active: Task { await wallet.comeToFront() }
            case .background: InBackground.finish("stopping the wallet") { await wallet.leaveFront() }
            default: break
            }
        }
    }

    private func begin() async {
        guard wallet == nil else { return }
        do {
            let made = WalletModel(installation: try Installation.shared(), authenticator: DeviceOwner())
            wallet = made
            await made.comeToFront()
        } catch {
            problem = Explanation(error)
        }
    }
}
