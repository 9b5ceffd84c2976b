import Foundation
import Kite
import XCTest

@testable import AppModel

/// The app without its views, and without a network. It is on the main actor alone, which XCTest cannot know.
@MainActor
final class WalletModelTests: XCTestCase, @unchecked Sendable {
    private final class Person: Authenticator, @unchecked Sendable {
        var isKnown = true
        var asked: [String] = []

        func authenticate(reason: String) async -> Bool {
            asked.append(reason)
            return isKnown
        }
    }

    private final class Memory: SecretStore, @unchecked Sendable {
        private let lock = NSLock()
        private var secret: Data?

        func find() throws(SecretStoreError) -> Data? { lock.withLock { secret } }

        func add(_ fresh: Data) throws(SecretStoreError) -> Bool {
            lock.withLock {
                guard secret == nil else { return false }
                secret = fresh
                return true
            }
        }
    }

    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kite-app-\(UUID().uuidString)")
    private let suite = "kite-app-\(UUID().uuidString)"
    private let person = Person()
    private let secrets = Memory()

    override func tearDown() async throws {
        UserDefaults.standard.removePersistentDomain(forName: suite)
        try? FileManager.default.removeItem(at: folder)
    }

    private func started(network: String = "regtest", secrets: (any SecretStore)? = nil) throws -> WalletModel {
        let installation = Installation(
            folder: folder, secrets: secrets ?? self.secrets, network: network, esploraUrl: "http://127.0.0.1:9")
        let settings = try XCTUnwrap(UserDefaults(suiteName: suite))
        return WalletModel(installation: installation, authenticator: person, settings: settings)
    }

    func testAWalletIsMadeAndComesBackWhenTheAppDoes() async throws {
        let app = try started()
        await app.comeToFront()
        XCTAssertEqual(app.phase, .onboarding)
        try await app.create()
        XCTAssertEqual(app.phase, .running)
        XCTAssertFalse(app.hasConfirmedWords)
        let nodeId = app.snapshot?.info.nodeId
        XCTAssertEqual(nodeId?.count, 66)
        let words = try await app.words()
        XCTAssertEqual(words.count, 12)

        await app.leaveFront()
        XCTAssertThrowsError(try app.open())
        // In the background another process may have it.
        let other = try await Wallet.openWithDeviceKey(config: app.installation.config, deviceKey: secrets.key())
        let coming = Task { await app.comeToFront() }
        try await Task.sleep(for: .milliseconds(300))
        await other.stop()
        await coming.value
        XCTAssertEqual(app.phase, .running)
        XCTAssertEqual(app.snapshot?.info.nodeId, nodeId)
        await app.leaveFront()
    }

    func testWordsBringAWalletBack() async throws {
        let app = try started()
        await app.comeToFront()
        do {
            try await app.create(words: "abandon abandon")
            XCTFail("two words")
        } catch WalletError.InvalidInput {}
        XCTAssertNil(try secrets.find(), "no key without a wallet")
        let words = Array(repeating: "Abandon", count: 11).joined(separator: ", ") + "\nabout "
        try await app.create(words: words)
        XCTAssertEqual(app.phase, .running)
        XCTAssertTrue(app.hasConfirmedWords)
        let shown = try await app.words()
        XCTAssertEqual(shown.last, "about")
        await app.leaveFront()
    }

    func testTheLockAsksWhoIsThere() async throws {
        let app = try started()
        await app.comeToFront()
        try await app.create()
        XCTAssertFalse(app.isLocked)
        person.isKnown = false
        await app.ask(true)
        XCTAssertFalse(app.asksWhoIsThere, "nobody locks out whoever cannot come back")
        let hidden = try await app.words()
        XCTAssertEqual(hidden, [])
        person.isKnown = true
        await app.ask(true)
        await app.leaveFront()
        XCTAssertTrue(app.isLocked)
        await app.comeToFront()
        XCTAssertEqual(app.phase, .running, "payments go on behind the lock")
        XCTAssertTrue(app.isLocked)
        person.isKnown = false
        await app.unlock()
        XCTAssertTrue(app.isLocked)
        person.isKnown = true
        await app.unlock()
        XCTAssertFalse(app.isLocked)
        await app.leaveFront()
        XCTAssertTrue(try started().isLocked, "a new start asks, too")
    }

    func testAWalletWithoutItsKeySaysSoAndStaysAsItIs() async throws {
        let app = try started()
        await app.comeToFront()
        try await app.create()
        await app.leaveFront()
        let elsewhere = try started(secrets: Memory())
        await elsewhere.comeToFront()
        guard case let .halted(explanation) = elsewhere.phase else { return XCTFail("\(elsewhere.phase)") }
        XCTAssertTrue(explanation.next.contains("12 words"))
        await app.comeToFront()
        XCTAssertEqual(app.phase, .running)
        await app.leaveFront()
    }

    func testComingAndGoingQuicklyEndsWhereItShould() async throws {
        let app = try started()
        await app.comeToFront()
        try await app.create()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<10 {
                group.addTask { await app.leaveFront() }
                group.addTask { await app.comeToFront() }
            }
        }
        await app.leaveFront()
        XCTAssertThrowsError(try app.open())
        await app.comeToFront()
        XCTAssertEqual(app.phase, .running)
        await app.leaveFront()
    }

    func testWhatIsOnItsWayIsShownAsThat() async throws {
        let app = try started()
        await app.comeToFront()
        try await app.create()
        let wallet = try app.open()
        // An invoice that nobody pays stands for a payment whose outcome takes long.
        let asked = try await wallet.makeInvoice(request: InvoiceRequest(amountMsat: 1_000, description: "tea"))
        var payment = try await wallet.getPayment(id: asked.paymentId)
        let underWay = try await wallet.outcome(of: payment, withinSecs: 1)
        XCTAssertEqual(underWay, payment)
        XCTAssertEqual(payment.statusText, "waiting")
        // For a transaction nobody waits: this one does not exist, and asking for it would fail.
        payment.kind = .onchain
        payment.id = String(repeating: "00", count: 32)
        let sent = try await wallet.outcome(of: payment, withinSecs: 60)
        XCTAssertEqual(sent, payment)
        XCTAssertEqual(payment.statusText, "waits for a block")
        await app.leaveFront()
    }

    func testAReviewSaysWhoIsPaidAndTheBalanceWhatIsKept() async {
        var quote = Quote(
            input: "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", kind: .onchain, amountMsat: 1_000, feeEstimateMsat: 0, maxFeeMsat: 0,
            minAmountMsat: 1_000, maxAmountMsat: 1_000, idempotencyKey: "tea", timeoutSecs: 60)
        XCTAssertEqual(quote.recipient, quote.input, "an address")
        quote.payee = "02ab"
        XCTAssertEqual(quote.recipient, "02ab")

        var balance = Balance(
            totalMsat: 30_000_000, spendableMsat: 0, receivableMsat: 0, inFlightMsat: 0, closingSat: 0, onchainSat: 30_000,
            onchainPendingSat: 0, reservedSat: 0)
        XCTAssertEqual(balance.lines.map(\.label), ["You can receive", "On-chain", "All your money"])
        balance.reservedSat = 10_000
        XCTAssertEqual(
            balance.lines[2], Balance.Line(label: "of that kept for closing channels", text: Amounts.text(sat: 10_000)))
    }

    func testScreensSayWhatIsWrong() async throws {
        let app = try started()
        await app.comeToFront()
        try await app.create()
        let send = SendModel(wallet: app)
        await send.take("no invoice")
        XCTAssertEqual(send.step, .entering)
        XCTAssertNotNil(send.failure)
        let receive = ReceiveModel(wallet: app)
        receive.amount = "1.5"
        await receive.makeInvoice()
        XCTAssertEqual(receive.failure?.what, "Enter whole sat, without a point or comma.")
        receive.amount = "1 000"
        await receive.makeInvoice()
        XCTAssertEqual(receive.invoice?.amountMsat, 1_000_000)
        let waiting = Task { await receive.waitForPayment() }
        try await Task.sleep(for: .milliseconds(50))
        waiting.cancel()
        await waiting.value
        XCTAssertNil(receive.failure)
        receive.way = .onchain
        await receive.makeAddress()
        XCTAssertEqual(receive.address?.hasPrefix("bcrt1"), true)
        let channels = ChannelsModel(wallet: app)
        channels.node = "alice"
        channels.amount = "20000"
        let isOpening = await channels.openChannel()
        XCTAssertFalse(isOpening)
        XCTAssertNotNil(channels.failure)
        await app.leaveFront()
    }
}

extension SecretStore {
    fileprivate func key() throws -> String {
        try DeviceKey(in: self).find()
    }
}
