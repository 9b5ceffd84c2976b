import UIKit

/// Some seconds more for what the app must finish when it leaves the front.
@MainActor
final class InBackground {
    private var token = UIBackgroundTaskIdentifier.invalid

    static func finish(_ what: String, _ body: @escaping @MainActor () async -> Void) {
        let time = InBackground(what)
        Task {
            await body()
            time.end()
        }
    }

    private init(_ what: String) {
        token = UIApplication.shared.beginBackgroundTask(withName: what) { self.end() }
    }

    private func end() {
        guard token != .invalid else { return }
        UIApplication.shared.endBackgroundTask(token)
        token = .invalid
    }
}
