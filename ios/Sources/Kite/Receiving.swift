import Foundation

/// What came while a wallet was open for a moment.
public struct Received: Equatable, Sendable {
    /// How much, in millisatoshi; 0 if nothing came in time.
    public let amountMsat: UInt64
    /// The payments, as ``Wallet/getPayment(id:)`` knows them, in the order in which they came.
    public let paymentIds: [String]
}

extension Wallet {
    /// Receives what waits for a wallet: opens it, connects to its peers, waits for a payment and until nothing is under way any
    /// more, and stops it. For a process that lives for a moment, such as a notification extension.
    ///
    /// It may be used beside the app: a wallet is open once, and this throws ``WalletError/AlreadyOpen`` if the app has it open,
    /// which then receives the payment itself. No event is handled here: the app is told of all that happened when it opens the
    /// wallet again.
    ///
    /// - Parameters:
    ///   - time: after which it ends with what has come. Stopping the wallet takes a moment more.
    /// - Returns: what came; nothing, if it took longer.
    /// - Throws: ``WalletError`` if the wallet cannot be opened or fails, and `CancellationError` if the task is cancelled. The
    ///   wallet is stopped in any case.
    public static func receive(config: WalletConfig, deviceKey: String, within time: Duration) async throws -> Received {
        let end = ContinuousClock.now + time
        let wallet = try await openWithDeviceKey(config: config, deviceKey: deviceKey)
        let payments = IncomingPayments()
        let outcome: Result<Void, any Error>
        do {
            try await payments.ignore(whatCameBeforeTo: wallet)
            await wallet.setListener(listener: payments)
            try await wallet.start()
            try await payments.wait(on: wallet, until: end)
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        await wallet.stop()
        try outcome.get()
        return payments.received
    }
}

/// Notes the payments that come from now on.
private final class IncomingPayments: EventListener {
    private static let pause = Duration.milliseconds(50)
    private let sinceSecs = UInt64(Date().timeIntervalSince1970)
    private let earlier = Locked<Set<String>>([])
    private let payments = Locked<[(id: String, amountMsat: UInt64)]>([])

    /// What the app has not dealt with yet is told again: it is older, or of this very second and in the history.
    func ignore(whatCameBeforeTo wallet: Wallet) async throws {
        let filter = PaymentFilter(direction: .incoming, limit: 100)
        let ids = try await wallet.listPayments(filter: filter).filter { $0.status == .succeeded }.map(\.id)
        earlier.withLock { $0.formUnion(ids) }
    }

    func onEvent(event told: EventEnvelope) {
        guard case let .paymentReceived(id, _, amountMsat) = told.event, told.timeSecs >= sinceSecs else { return }
        if earlier.withLock({ $0.contains(id) }) { return }
        payments.withLock { $0.append((id, amountMsat)) }
    }

    var received: Received {
        payments.withLock { payments in
            Received(amountMsat: payments.reduce(0) { $0 + $1.amountMsat }, paymentIds: payments.map(\.id))
        }
    }

    /// Waits for the first one, then until whatever else is under way is through.
    func wait(on wallet: Wallet, until end: ContinuousClock.Instant) async throws {
        while ContinuousClock.now < end {
            if received.amountMsat > 0, try await wallet.safeToClose().safe { return }
            try await Task.sleep(for: Self.pause)
        }
    }
}
