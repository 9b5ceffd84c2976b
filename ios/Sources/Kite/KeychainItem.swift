#if canImport(Security)
import Foundation
import Security

/// A secret in the Keychain of this device: not in backups, not on other devices, and readable from the first unlock after a
/// start on, also behind a locked screen: a wallet that is woken by a notification must be able to act for its channels.
public struct KeychainItem: SecretStore {
    private let account: String
    private let accessGroup: String?

    /// - Parameters:
    ///   - account: its name; one for each wallet of an app.
    ///   - accessGroup: the Keychain group that an app shares with its extensions, with the team's prefix; unset: the app's own.
    public init(account: String, accessGroup: String? = nil) {
        self.account = account
        self.accessGroup = accessGroup
    }

    public func find() throws(SecretStoreError) -> Data? {
        var query = attributes
        query[kSecReturnData as String] = true
        query[kSecMatchLimit as String] = kSecMatchLimitOne
        var found: CFTypeRef?
        let status = SecItemCopyMatching(query as CFDictionary, &found)
        switch status {
        case errSecSuccess: return found as? Data
        case errSecItemNotFound: return nil
        default: throw failure(status)
        }
    }

    public func add(_ secret: Data) throws(SecretStoreError) -> Bool {
        var item = attributes
        item[kSecValueData as String] = secret
        item[kSecAttrAccessible as String] = kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly
        let status = SecItemAdd(item as CFDictionary, nil)
        switch status {
        case errSecSuccess: return true
        case errSecDuplicateItem: return false
        default: throw failure(status)
        }
    }

    /// Forgets the secret: the wallet that it opens cannot be opened on this device any more.
    public func remove() throws(SecretStoreError) {
        let status = SecItemDelete(attributes as CFDictionary)
        guard status == errSecSuccess || status == errSecItemNotFound else { throw failure(status) }
    }

    private var attributes: [String: Any] {
        var attributes: [String: Any] = [
            kSecClass as String: kSecClassGenericPassword,
            kSecAttrService as String: "kite-wallet",
            kSecAttrAccount as String: account,
            // On a Mac, too, the Keychain that phones have.
            kSecUseDataProtectionKeychain as String: true,
        ]
        if let accessGroup { attributes[kSecAttrAccessGroup as String] = accessGroup }
        return attributes
    }

    private func failure(_ status: OSStatus) -> SecretStoreError {
        let text = SecCopyErrorMessageString(status, nil) as String?
        return SecretStoreError(reason: "Keychain \(status)\(text.map { ": \($0)" } ?? "")")
    }
}
#endif
