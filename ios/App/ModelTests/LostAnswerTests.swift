import Foundation
import Kite
import XCTest

@testable import AppModel

/// A payment is stored, and its answer does not arrive: the system stops the app in between.
@MainActor
final class LostAnswerTests: XCTestCase, @unchecked Sendable {
    /// Pays as the wallet does: a name pays once, and whoever asks for it again is told what it paid.
    private final class Losing: Wallet, @unchecked Sendable {
        var loses = true
        private(set) var made: [(name: String, amountMsat: UInt64)] = []

        init() {
            super.init(noHandle: NoHandle())
        }

        required init(unsafeFromHandle handle: UInt64) {
            fatalError("there is no wallet behind it")
        }

        override func prepareSend(request: SendRequest) async throws -> Quote {
            let before = made.first { $0.name == request.idempotencyKey }
            guard let amountMsat = before?.amountMsat ?? request.amountMsat else { throw WalletError.AmountRequired }
            return Quote(
                input: request.input, kind: .onchain, amountMsat: amountMsat, feeEstimateMsat: 1_000, maxFeeMsat: 1_000,
                minAmountMsat: 1_000, maxAmountMsat: 100_000_000, idempotencyKey: request.idempotencyKey ?? UUID().uuidString,
                timeoutSecs: 60)
        }

        override func send(quote: Quote) async throws -> Payment {
            let name = quote.idempotencyKey
            if !made.contains(where: { $0.name == name }) { made.append((name, quote.amountMsat)) }
            if loses { throw WalletError.Stopped(reason: "the app was not in front") }
            let paid = made.first { $0.name == name }
            return Payment(
                id: name, kind: .onchain, direction: .outgoing, status: .pending,
                amountMsat: paid?.amountMsat ?? 0, createdAtSecs: 1)
        }
    }

    private let losing = Losing()
    private let suite = "kite-app-\(UUID().uuidString)"

    private struct Nobody: Authenticator {
        func authenticate(reason: String) async -> Bool { false }
    }

    private struct Nothing: SecretStore {
        func find() throws(SecretStoreError) -> Data? { nil }

        func add(_ fresh: Data) throws(SecretStoreError) -> Bool { false }
    }

    private func started() throws -> WalletModel {
        let installation = Installation(
            folder: FileManager.default.temporaryDirectory, secrets: Nothing(), network: "regtest",
            esploraUrl: "http://127.0.0.1:9")
        return WalletModel(
            installation: installation, authenticator: Nobody(), settings: try XCTUnwrap(UserDefaults(suiteName: suite)))
    }

    override func tearDown() async throws {
        UserDefaults.standard.removePersistentDomain(forName: suite)
    }

    private func review(_ sat: String, with app: WalletModel) async -> SendModel {
        let send = SendModel(wallet: app) { self.losing }
        send.amount = sat
        await send.take(" bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080 ")
        return send
    }

    private func reviewAndLose(_ sat: String, with app: WalletModel) async -> SendModel {
        let send = await review(sat, with: app)
        losing.loses = true
        await send.pay()
        XCTAssertNotNil(send.failure, "the answer is lost")
        losing.loses = false
        send.back()
        return send
    }

    private func assertSent(_ send: SendModel, sat: UInt64, line: UInt = #line) {
        guard case let .sent(payment) = send.step else { return XCTFail("\(send.step)", line: line) }
        XCTAssertEqual(payment.amountMsat, sat * 1_000, line: line)
    }

    func testAPaymentWhoseAnswerIsLostIsMadeOnceThoughItIsReviewedAnew() async throws {
        let app = try started()
        let send = await reviewAndLose("20000", with: app)
        await send.review()
        await send.pay()
        assertSent(send, sat: 20_000)
        XCTAssertEqual(losing.made.count, 1)

        // It has its outcome, and the same can be paid again. This time the screen is left, too.
        _ = await reviewAndLose("20000", with: app)
        XCTAssertEqual(losing.made.count, 2)
        let reopened = await review("20000", with: app)
        await reopened.pay()
        assertSent(reopened, sat: 20_000)
        XCTAssertEqual(losing.made.count, 2)
    }

    func testAnotherAmountIsAnotherPaymentAfterTheOneWhoseAnswerWasLostIsTold() async throws {
        let app = try started()
        _ = await reviewAndLose("20000", with: app)
        let send = await review("30000", with: app)
        XCTAssertEqual(send.step, .entering, "nothing to pay with one touch")
        XCTAssertEqual(send.failure?.what.contains(Amounts.text(sat: 20_000)), true)
        XCTAssertEqual(losing.made.count, 1)
        await send.review()
        await send.pay()
        assertSent(send, sat: 30_000)
        XCTAssertEqual(losing.made.map(\.amountMsat), [20_000_000, 30_000_000])
    }
}
