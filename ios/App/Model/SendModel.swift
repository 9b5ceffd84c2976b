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

    init(wallet: WalletModel) {
        self.wallet = wallet
    }

    /// Takes what was scanned or pasted, and reviews it at once.
    func take(_ text: String) async {
        self.text = text
        await review()
    }

    func review() async {
        await attempt {
            let amountMsat = try Amounts.read(self.amount).map { $0 * 1_000 }
            let request = SendRequest(input: self.text, amountMsat: amountMsat)
            self.step = .reviewing(try await self.wallet.open().prepareSend(request: request))
        }
    }

    /// Pays what was reviewed. Called twice, it pays once: the quote names the payment.
    func pay() async {
        guard case let .reviewing(quote) = step else { return }
        step = .paying(quote)
        await attempt {
            let wallet = try self.wallet.open()
            let begun = try await wallet.send(quote: quote)
            let payment = try await wallet.outcome(of: begun, withinSecs: Self.outcomeSecs)
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
