import Foundation
import Kite
import Observation

/// Paying: a text, a review with every number, then the payment.
@MainActor @Observable
final class SendModel {
    enum Step: Equatable {
        case entering
        case reviewing(Quote)
        case paying(Quote)
        /// Its outcome, or how it stands: it may still be on its way.
        case sent(Payment)
    }

    var text = ""
    var amount = ""
    private(set) var step = Step.entering
    private(set) var failure: Explanation?
    private(set) var isBusy = false

    private static let outcomeSecs: UInt32 = 60
    private let wallet: WalletModel
    private let open: @MainActor () throws -> Wallet
    /// What was reviewed, as it was typed.
    private var input = ""

    /// - Parameter open: the wallet that pays, if it is not the one of the app.
    init(wallet: WalletModel, open: (@MainActor () throws -> Wallet)? = nil) {
        self.wallet = wallet
        self.open = open ?? { try wallet.open() }
    }

    /// Takes what was scanned or pasted, and reviews it at once.
    func take(_ text: String) async {
        self.text = text
        await review()
    }

    func review() async {
        await attempt {
            let amountMsat = try Amounts.read(self.amount).map { $0 * 1_000 }
            let input = self.text.trimmingCharacters(in: .whitespacesAndNewlines)
            let name = self.wallet.unsettled[input]
            let request = SendRequest(input: input, amountMsat: amountMsat, idempotencyKey: name)
            let quote = try await self.open().prepareSend(request: request)
            if name != nil, let amountMsat, quote.amountMsat != amountMsat {
                // The wallet tells of the payment of this name: it was made. Another amount is another payment, if it is meant.
                self.wallet.unsettled[input] = nil
                throw Explanation(
                    "Your earlier payment of \(Amounts.text(msat: quote.amountMsat)) has gone out after all.",
                    "Look at it in the history. Review again only to pay more on top.")
            }
            self.input = input
            self.step = .reviewing(quote)
        }
    }

    /// Pays what was reviewed. Called twice, or after another review of the same, it pays once until there is an outcome.
    func pay() async {
        guard case let .reviewing(quote) = step else { return }
        let input = input
        step = .paying(quote)
        // Before it is asked for: the answer may be lost, and the payment made all the same.
        wallet.unsettled[input] = quote.idempotencyKey
        await attempt {
            let open = try self.open()
            let begun = try await open.send(quote: quote)
            let payment = try await open.outcome(of: begun, withinSecs: Self.outcomeSecs)
            if payment.hasOutcome { self.wallet.unsettled[input] = nil }
            self.step = .sent(payment)
            self.failure = payment.failure.map(Explanation.init)
        }
        // Whatever went wrong, the same quote can be tried again.
        if step == .paying(quote) { step = .reviewing(quote) }
        await wallet.refresh()
    }

    /// What was sent, as the wallet says it by now.
    func asOfNow(_ payment: Payment) -> Payment {
        guard payment.settledAtSecs == nil else { return payment }
        return wallet.snapshot?.payments.first { $0.id == payment.id } ?? payment
    }

    func back() {
        step = .entering
        failure = nil
    }

    private func attempt(_ body: () async throws -> Void) async {
        isBusy = true
        failure = nil
        do {
            try await body()
        } catch {
            failure = Explanation(error)
        }
        isBusy = false
    }
}

extension Payment {
    /// Whether it is decided. A transaction is, once it is stored: it is published until it is in a block.
    fileprivate var hasOutcome: Bool { kind != .lightning || status == .succeeded || status == .failed }
}

extension Wallet {
    /// How a payment ends. A transaction is sent at once: its block may take an hour. What is on its way for longer than this
    /// goes on by itself, and is given as it stands; reviewed and paid anew, it could be paid twice.
    func outcome(of begun: Payment, withinSecs secs: UInt32) async throws -> Payment {
        guard begun.kind == .lightning else { return begun }
        do {
            return try await waitPayment(id: begun.id, timeoutSecs: secs)
        } catch WalletError.Timeout {
            return try await getPayment(id: begun.id)
        }
    }
}
