import Observation
import UIKit
import UserNotifications

/// What wakes the wallet behind a locked screen, once the owner allows it.
@MainActor @Observable
final class Notifications: NSObject, UIApplicationDelegate {
    /// What Apple's servers know this app by, in hexadecimal, for whoever sends the notifications.
    private(set) var token: String?
    private(set) var failure: Explanation?

    func allow() async {
        do {
            guard try await UNUserNotificationCenter.current().requestAuthorization(options: [.alert, .sound]) else {
                failure = Explanation("Notifications are not allowed.", "Allow them in the system's settings.")
                return
            }
            failure = nil
            UIApplication.shared.registerForRemoteNotifications()
        } catch {
            failure = Explanation(error)
        }
    }

    func application(_: UIApplication, didRegisterForRemoteNotificationsWithDeviceToken token: Data) {
        self.token = token.map { String(format: "%02x", $0) }.joined()
    }

    func application(_: UIApplication, didFailToRegisterForRemoteNotificationsWithError error: any Error) {
        failure = Explanation(error)
    }
}
