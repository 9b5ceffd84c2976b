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
    ///   - time: after which it ends with what has come, whatever it waits for. Stopping the wallet takes a moment more: two
    ///     seconds at most, and what still holds it up then goes on without being waited for.
    /// - Returns: what came; nothing, if it took longer.
    /// - Throws: ``WalletError`` if the wallet cannot be opened or fails, and `CancellationError` if the task is cancelled. The
    ///   wallet is stopped in any case.
    public static func receive(config: WalletConfig, deviceKey: String, within time: Duration) async throws -> Received {
        let end = ContinuousClock.now + time
        let payments = IncomingPayments()
        let work = Task { try await receive(payments, config: config, deviceKey: deviceKey) }
        let limit = Task {
            try await Task.sleep(until: end, clock: .continuous)
            work.cancel()
        }
        defer { limit.cancel() }
        let outcome = await withTaskCancellationHandler {
            await work.outcome(by: end + stopping)
        } onCancel: {
            work.cancel()
        }
        try Task.checkCancellation()
        if case let .failure(error)? = outcome, !(error is CancellationError) { throw error }
        return payments.received
    }

    private static let stopping = Duration.seconds(2)

    /// What takes time, until it is done or its task is cancelled.
    private static func receive(_ payments: IncomingPayments, config: WalletConfig, deviceKey: String) async throws {
        let wallet = try await openWithDeviceKey(config: config, deviceKey: deviceKey)
        let outcome: Result<Void, any Error>
        do {
            // A folder that answers late may have opened it after all.
            try Task.checkCancellation()
            try await payments.ignore(whatCameBeforeTo: wallet)
            await wallet.setListener(listener: payments)
            try await wallet.start()
            try await payments.wait(on: wallet)
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        await wallet.stop()
        try outcome.get()
    }
}

extension Task where Success == Void, Failure == any Error {
    /// How it ends; unset if it has not by then.
    fileprivate func outcome(by end: ContinuousClock.Instant) async -> Result<Void, any Error>? {
        let waiting = Locked<CheckedContinuation<Result<Void, any Error>?, Never>?>(nil)
        return await withCheckedContinuation { continuation in
            waiting.withLock { $0 = continuation }
            @Sendable func tell(_ outcome: Result<Void, any Error>?) {
                // Whoever comes first.
                let first = waiting.withLock { waiting in
                    defer { waiting = nil }
                    return waiting
                }
                first?.resume(returning: outcome)
            }
            let limit = Task<Void, Never> {
                try? await Task<Never, Never>.sleep(until: end, clock: .continuous)
                tell(nil)
            }
            Task<Void, Never> {
                tell(await self.result)
                limit.cancel()
            }
        }
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
    func wait(on wallet: Wallet) async throws {
        while true {
            if received.amountMsat > 0, try await wallet.safeToClose().safe { return }
            try await Task.sleep(for: Self.pause)
        }
    }
}
