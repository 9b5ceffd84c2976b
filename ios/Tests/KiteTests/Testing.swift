import Foundation
import XCTest

@testable import Kite

let words = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
let key = String(repeating: "5a", count: 31) + "01"

/// Nothing listens there: a wallet that is not started works without a network.
let nowhere = "http://127.0.0.1:9"

/// A test case with a folder of its own.
class WalletTestCase: XCTestCase {
    private(set) var folder = URL(fileURLWithPath: "/")

    override func setUpWithError() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("kite-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    override func tearDownWithError() throws {
        try FileManager.default.removeItem(at: folder)
    }

    func config(_ esploraUrl: String = nowhere, named name: String = "wallet") -> WalletConfig {
        WalletConfig(network: "regtest", data: folder.appendingPathComponent(name).path, esploraUrl: esploraUrl)
    }

    func create() async throws -> Wallet {
        try await Wallet.createWithDeviceKey(config: config(), deviceKey: key, mnemonic: nil)
    }

    /// Opened as soon as whatever had it open before has let it go.
    func openSoon() async throws -> Wallet {
        try await until("the wallet can be opened", secs: 20) { [config = config()] in
            do {
                return try await Wallet.openWithDeviceKey(config: config, deviceKey: key)
            } catch WalletError.AlreadyOpen {
                return nil
            }
        }
    }
}

struct NotInTime: Error, CustomStringConvertible {
    let description: String
}

/// Waits until `look` finds something.
func until<T: Sendable>(_ what: String, secs: Int = 60, look: () async throws -> T?) async throws -> T {
    for _ in 0..<secs * 10 {
        if let found = try await look() { return found }
        try await Task.sleep(for: .milliseconds(100))
    }
    throw NotInTime(description: "not within \(secs) s: \(what)")
}

/// What `body` gives; unset if it takes longer, in which case it is cancelled.
func within<T: Sendable>(_ time: Duration, _ body: @escaping @Sendable () async throws -> T) async throws -> T? {
    try await withThrowingTaskGroup(of: T?.self) { group in
        group.addTask {
            do {
                return try await body()
            } catch is CancellationError {
                return nil
            }
        }
        group.addTask {
            try? await Task.sleep(for: time)
            return nil
        }
        let first = try await group.next() ?? nil
        group.cancelAll()
        if let first { return first }
        // It may have come at the last moment: an event that is passed by is told to nobody else.
        return try await group.next() ?? nil
    }
}

/// The error of the wallet that `body` ends with.
func caught(
    file: StaticString = #filePath, line: UInt = #line, _ body: () async throws -> Void
) async throws -> WalletError? {
    do {
        try await body()
    } catch let error as WalletError {
        return error
    }
    XCTFail("nothing was thrown", file: file, line: line)
    return nil
}

extension Wallet {
    /// All that is told from now on, until the end of the wallet or of the task.
    func allEvents() async throws -> [EventEnvelope] {
        var all: [EventEnvelope] = []
        for try await told in events { all.append(told) }
        return all
    }
}
