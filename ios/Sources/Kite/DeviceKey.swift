import Foundation

/// Where a secret is kept on this device so that nobody else reads it, such as a ``KeychainItem``.
public protocol SecretStore: Sendable {
    /// The secret; unset if there is none.
    func find() throws(SecretStoreError) -> Data?

    /// Keeps a secret. False if there is one already, which stays.
    func add(_ secret: Data) throws(SecretStoreError) -> Bool
}

/// The store of secrets cannot be used now.
public struct SecretStoreError: Error, Equatable, LocalizedError {
    /// What the platform said, such as the status of a call to the Keychain.
    public let reason: String

    public init(reason: String) {
        self.reason = reason
    }

    public var errorDescription: String? {
        "the store of secrets cannot be used now: \(reason)"
    }
}

/// The device key cannot be had, and without it the wallet on this device cannot be opened. Nothing was changed.
public enum DeviceKeyError: Error, Equatable, LocalizedError {
    /// There is none: the wallet's data came from another device, or the app's secrets were removed.
    case missing
    /// What is kept is no key.
    case damaged
    /// The store cannot be used now: try again, once the device was unlocked.
    case unavailable(SecretStoreError)

    public var errorDescription: String? {
        switch self {
        case .missing: "the key of this device is gone: restore the wallet from its words"
        case .damaged: "the key of this device is damaged: restore the wallet from its words"
        case let .unavailable(error): error.errorDescription
        }
    }
}

/// The storage key of a wallet on this device, for ``Wallet/createWithDeviceKey(config:deviceKey:mnemonic:)`` and
/// ``Wallet/openWithDeviceKey(config:deviceKey:)``: 32 random bytes. Several processes may use it at once, as an app and its
/// extension do.
public struct DeviceKey: Sendable {
    private static let byteCount = 32
    private let store: any SecretStore

    public init(in store: any SecretStore) {
        self.store = store
    }

    /// The key in hexadecimal, of a wallet that is there: none is made.
    public func find() throws(DeviceKeyError) -> String {
        guard let key = try read() else { throw DeviceKeyError.missing }
        return try hex(key)
    }

    /// The key in hexadecimal, for a wallet that is made now: made at the first call, and kept before it is returned.
    public func findOrMake() throws(DeviceKeyError) -> String {
        if let key = try read() { return try hex(key) }
        var random = SystemRandomNumberGenerator()
        let fresh = Data((0..<Self.byteCount).map { _ in UInt8.random(in: .min ... .max, using: &random) })
        let isKept: Bool
        do {
            isKept = try store.add(fresh)
        } catch {
            throw .unavailable(error)
        }
        // Another thread or process may have been faster: its key is the one.
        return isKept ? try hex(fresh) : try find()
    }

    private func read() throws(DeviceKeyError) -> Data? {
        do {
            return try store.find()
        } catch {
            throw .unavailable(error)
        }
    }

    private func hex(_ key: Data) throws(DeviceKeyError) -> String {
        guard key.count == Self.byteCount else { throw .damaged }
        return key.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
