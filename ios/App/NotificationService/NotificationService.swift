import Kite
import UserNotifications

/// Woken by a notification with `mutable-content`: opens the wallet, receives the payment that waits for it, stops the wallet, and
/// says what came. Has 24 MB and about 30 seconds. While the app has the wallet open it does nothing: the app receives it then.
final class NotificationService: UNNotificationServiceExtension {
    /// Leaves the wallet some seconds to stop in.
    private static let time = Duration.seconds(22)
    private var receiving: Task<Void, Never>?

    override func didReceive(
        _ request: UNNotificationRequest, withContentHandler contentHandler: @escaping (UNNotificationContent) -> Void
    ) {
        receiving = Task {
            let received = try? await Self.receive()
            contentHandler(Self.content(for: received, instead: request.content))
        }
    }

    /// The wallet is stopped, and the notification is shown as it came if that takes too long.
    override func serviceExtensionTimeWillExpire() {
        receiving?.cancel()
    }

    private static func receive() async throws -> Received {
        let installation = try Installation.shared()
        let key = try installation.deviceKey.find()
        return try await Wallet.receive(config: installation.config, deviceKey: key, within: time)
    }

    private static func content(for received: Received?, instead original: UNNotificationContent) -> UNNotificationContent {
        guard let received, received.amountMsat > 0, let content = original.mutableCopy() as? UNMutableNotificationContent else {
            return original
        }
        content.title = "Received"
        content.body = Amounts.text(msat: received.amountMsat)
        return content
    }
}
