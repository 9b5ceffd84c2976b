import Foundation
import XCTest

@testable import Kite

/// Wallets that earlier versions and other machines have written, as files.
final class OldStoreTests: WalletTestCase {
    func testEveryWalletOfBeforeOpensAsItWas() async throws {
        let stores = URL(fileURLWithPath: #filePath + "/../../../../scenarios/stores").standardizedFileURL
        let folders = try FileManager.default.contentsOfDirectory(at: stores, includingPropertiesForKeys: nil)
        XCTAssertFalse(folders.isEmpty)
        for store in folders {
            let text = try Data(contentsOf: store.appendingPathComponent("expected.json"))
            let expected = try JSONDecoder().decode(Json.self, from: text)
            let config = config(named: store.lastPathComponent)
            try FileManager.default.createDirectory(atPath: config.data, withIntermediateDirectories: true)
            let copy = URL(fileURLWithPath: config.data).appendingPathComponent("wallet.sqlite")
            try FileManager.default.copyItem(at: store.appendingPathComponent("wallet.sqlite"), to: copy)
            guard case let .text(passphrase) = expected["passphrase"] else { return XCTFail(store.lastPathComponent) }
            let found = try await seen(config, passphrase)
            XCTAssertEqual(found, expected, store.lastPathComponent)
        }
    }

    /// What an owner sees who is offline.
    private func seen(_ config: WalletConfig, _ passphrase: String) async throws -> Json {
        let wallet = try await Wallet.open(config: config, passphrase: passphrase)
        let channels: [Json] = try await wallet.listChannels().map {
            .object(["fundingTxid": $0.fundingTxid.map(Json.text) ?? .null, "capacitySat": .number($0.capacitySat)])
        }
        let payments: [Json] = try await wallet.listPayments(filter: PaymentFilter(limit: 100)).map {
            .object(["id": .text($0.id), "amountMsat": .number($0.amountMsat)])
        }
        let seen = Json.object([
            "passphrase": .text(passphrase),
            "mnemonic": .text(try await wallet.mnemonic(passphrase: passphrase)),
            "nodeId": .text(try await wallet.info().nodeId),
            "totalMsat": .number(try await wallet.balance().totalMsat),
            "channels": .list(channels),
            "payments": .list(payments),
        ])
        await wallet.stop()
        return seen
    }
}
