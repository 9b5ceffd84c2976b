import XCTest

@testable import Kite

/// Making, opening and closing, without a network.
final class WalletTests: WalletTestCase {
    func testFunctionsNeedNoWallet() async throws {
        XCTAssertNotNil(version().wholeMatch(of: /\d+\.\d+\.\d+/))
        try checkMnemonic(words: words)
        let refused = try await caught { try checkMnemonic(words: "abandon abandon") }
        guard case let .InvalidInput(field, reason) = refused else { return XCTFail("\(String(describing: refused))") }
        XCTAssertEqual(field, "mnemonic")
        XCTAssertFalse(reason.isEmpty)
        XCTAssertEqual(refused?.localizedDescription, "mnemonic: \(reason)")
    }

    func testAWalletIsMadeStoppedAndOpenedAgain() async throws {
        let config = config()
        let none = try await walletExists(config: config)
        XCTAssertFalse(none)
        let wallet = try await Wallet.create(config: config, passphrase: "tea", mnemonic: words)
        let info = try await wallet.info()
        XCTAssertEqual(info.network, "regtest")
        XCTAssertEqual(info.nodeId.count, 66)
        let shown = try await wallet.mnemonic(passphrase: "tea")
        XCTAssertEqual(shown, words)
        let balance = try await wallet.balance()
        XCTAssertEqual(balance.totalMsat, 0)
        let address = try await wallet.newAddress()
        XCTAssertTrue(address.hasPrefix("bcrt1"))
        let second = try await caught { _ = try await Wallet.open(config: config, passphrase: "tea") }
        XCTAssertEqual(second, .AlreadyOpen)
        await wallet.stop()

        guard case let .Stopped(reason) = try await caught({ _ = try await wallet.info() }) else { return XCTFail() }
        XCTAssertTrue(reason.contains("open it again"), reason)
        let wrong = try await caught { _ = try await Wallet.open(config: config, passphrase: "coffee") }
        XCTAssertEqual(wrong, .WrongPassphrase)
        let there = try await caught { _ = try await Wallet.create(config: config, passphrase: "tea", mnemonic: nil) }
        XCTAssertEqual(there, .AlreadyExists)
        let again = try await Wallet.open(config: config, passphrase: "tea")
        let same = try await again.info()
        XCTAssertEqual(same.nodeId, info.nodeId)
        await again.stop()
    }

    func testMainnetAndAMissingWalletAreRefused() async throws {
        var config = config()
        let none = try await caught { [config] in _ = try await Wallet.open(config: config, passphrase: "tea") }
        XCTAssertEqual(none, .NoWallet)
        config.network = "bitcoin"
        let mainnet = try await caught { [config] in
            _ = try await Wallet.create(config: config, passphrase: "tea", mnemonic: nil)
        }
        XCTAssertEqual(mainnet, .MainnetNotAccepted)
    }

    func testTextsAreRead() async throws {
        let wallet = try await create()
        let address = try await wallet.newAddress()
        let parsed = try wallet.parse(text: " bitcoin:\(address)?amount=0.00000001 ")
        guard case let .bitcoinAddress(_, amountSat, _, _) = parsed else { return XCTFail("\(parsed)") }
        XCTAssertEqual(amountSat, 1)
        let nodeId = try await wallet.info().nodeId
        guard case .nodeAddress = try wallet.parse(text: nodeId) else { return XCTFail() }
        let refused = try await caught { _ = try wallet.parse(text: "no invoice") }
        XCTAssertFalse(try XCTUnwrap(refused).localizedDescription.isEmpty)
        await wallet.stop()
    }

    func testErrorsSayWhatTheyAreAbout() async throws {
        let wallet = try await create()
        let unknown = try await caught { _ = try await wallet.getPayment(id: String(repeating: "ab", count: 16)) }
        XCTAssertEqual(unknown, .NotFound(what: "payment"))
        XCTAssertEqual(unknown?.localizedDescription, "there is no such payment")
        let tooLong = InvoiceRequest(amountMsat: 1_000, description: String(repeating: "x", count: 2_000))
        guard case .InvalidInput = try await caught({ _ = try await wallet.makeInvoice(request: tooLong) }) else {
            return XCTFail()
        }
        await wallet.stop()
    }

    func testTheEndIsTold() async throws {
        let wallet = try await create()
        await wallet.stop()
        let told = try await wallet.allEvents()
        XCTAssertEqual(told.map(\.event), [.stopped(reason: "closed")])
        XCTAssertEqual(told.first?.seq, 0)
        guard case .Stopped = try await caught({ _ = try await wallet.allEvents() }) else { return XCTFail() }
    }

    func testAListenerHearsOfTheEnd() async throws {
        final class Listener: EventListener {
            let told: AsyncStream<EventEnvelope>.Continuation
            init(_ told: AsyncStream<EventEnvelope>.Continuation) { self.told = told }
            func onEvent(event: EventEnvelope) { told.yield(event) }
        }
        let wallet = try await create()
        let (replaced, toReplaced) = AsyncStream<EventEnvelope>.makeStream()
        let (told, toListener) = AsyncStream<EventEnvelope>.makeStream()
        await wallet.setListener(listener: Listener(toReplaced))
        await wallet.setListener(listener: Listener(toListener))
        await wallet.stop()
        let first = await told.first { _ in true }
        XCTAssertEqual(first?.event, .stopped(reason: "closed"))
        toReplaced.finish()
        let none = await replaced.first { _ in true }
        XCTAssertNil(none, "a listener that was replaced is told nothing")
    }

    func testTwoWalletsInOneProcessAreApart() async throws {
        let (one, other) = (config(named: "one"), config(named: "other"))
        let first = try await Wallet.createWithDeviceKey(config: one, deviceKey: key, mnemonic: nil)
        let second = try await Wallet.createWithDeviceKey(config: other, deviceKey: key, mnemonic: nil)
        let ids = try await [first.info().nodeId, second.info().nodeId]
        XCTAssertNotEqual(ids[0], ids[1])
        let invoice = try await first.makeInvoice(request: InvoiceRequest(amountMsat: 1_000, description: "tea"))
        let unknown = try await caught { _ = try await second.getPayment(id: invoice.paymentId) }
        XCTAssertEqual(unknown, .NotFound(what: "payment"))
        await first.stop()
        let still = try await second.info().nodeId
        XCTAssertEqual(still, ids[1])
        await second.stop()
    }
}
