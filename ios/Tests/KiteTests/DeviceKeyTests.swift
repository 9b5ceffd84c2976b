import XCTest

@testable import Kite

/// The key in a store of secrets, with memory in place of the Keychain.
final class DeviceKeyTests: WalletTestCase {
    private final class Memory: SecretStore {
        private let secret: Locked<Data?>

        init(_ secret: Data? = nil) {
            self.secret = Locked(secret)
        }

        func find() throws(SecretStoreError) -> Data? {
            secret.withLock { $0 }
        }

        func add(_ fresh: Data) throws(SecretStoreError) -> Bool {
            secret.withLock { secret in
                guard secret == nil else { return false }
                secret = fresh
                return true
            }
        }
    }

    private struct LockedDevice: SecretStore {
        static let error = SecretStoreError(reason: "the device was not unlocked yet")

        func find() throws(SecretStoreError) -> Data? { throw Self.error }

        func add(_: Data) throws(SecretStoreError) -> Bool { throw Self.error }
    }

    private func caught(_ body: () throws(DeviceKeyError) -> Void) -> DeviceKeyError? {
        do {
            try body()
            return nil
        } catch {
            return error
        }
    }

    func testItOpensAWallet() async throws {
        let store = Memory()
        let made = try DeviceKey(in: store).findOrMake()
        let wallet = try await Wallet.createWithDeviceKey(config: config(), deviceKey: made, mnemonic: nil)
        let nodeId = try await wallet.info().nodeId
        await wallet.stop()
        let found = try DeviceKey(in: store).find()
        let again = try await Wallet.openWithDeviceKey(config: config(), deviceKey: found)
        let same = try await again.info().nodeId
        XCTAssertEqual(same, nodeId)
        await again.stop()
    }

    func testItIsRandomAndTheSameEachTime() throws {
        let store = Memory()
        let made = try DeviceKey(in: store).findOrMake()
        XCTAssertNotNil(made.wholeMatch(of: /[0-9a-f]{64}/))
        XCTAssertEqual(try DeviceKey(in: store).findOrMake(), made)
        XCTAssertEqual(try DeviceKey(in: store).find(), made)
        XCTAssertNotEqual(try DeviceKey(in: Memory()).findOrMake(), made)
    }

    func testManyTasksGetTheSameOne() async throws {
        let store = Memory()
        let keys = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<64 { group.addTask { try DeviceKey(in: store).findOrMake() } }
            return try await group.reduce(into: [String]()) { $0.append($1) }
        }
        XCTAssertEqual(keys.count, 64)
        XCTAssertEqual(Set(keys).count, 1)
    }

    func testAKeyThatIsGoneIsNotReplaced() throws {
        let store = Memory()
        XCTAssertEqual(caught { () throws(DeviceKeyError) in _ = try DeviceKey(in: store).find() }, .missing)
        XCTAssertNil(try store.find())
        XCTAssertTrue(DeviceKeyError.missing.localizedDescription.contains("words"))
    }

    func testADamagedKeyIsNotReplaced() throws {
        for bytes in [0, 31, 33] {
            let store = Memory(Data(count: bytes))
            XCTAssertEqual(caught { () throws(DeviceKeyError) in _ = try DeviceKey(in: store).findOrMake() }, .damaged)
            XCTAssertEqual(try store.find(), Data(count: bytes))
        }
    }

    func testAStoreThatCannotBeReadNowSaysSo() {
        let unavailable = DeviceKeyError.unavailable(LockedDevice.error)
        let key = DeviceKey(in: LockedDevice())
        XCTAssertEqual(caught { () throws(DeviceKeyError) in _ = try key.findOrMake() }, unavailable)
        XCTAssertEqual(caught { () throws(DeviceKeyError) in _ = try key.find() }, unavailable)
        XCTAssertTrue(unavailable.localizedDescription.contains("not unlocked"))
    }
}
