import UIKit

/// Some seconds more for what the app must finish when it leaves the front.
@MainActor
enum InBackground {
    static func finish(_ what: String, _ body: @escaping @MainActor () async -> Void) {
        let application = UIApplication.shared
        var token = UIBackgroundTaskIdentifier.invalid
        let end = {
            guard token != .invalid else { return }
            application.endBackgroundTask(token)
            token = .invalid
        }
        token = application.beginBackgroundTask(withName: what, expirationHandler: end)
        Task {
            await body()
            end()
        }
    }
}
