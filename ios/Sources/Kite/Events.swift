import Foundation

extension Wallet {
    /// What the wallet tells, in order, for one `for try await` at a time. Use this or ``setListener(listener:)`` or
    /// ``nextEvent()``.
    ///
    /// A stored event counts as handled once the next one is asked for, so when the body of the loop is through with it, and not
    /// before: if the body throws or leaves the loop, the task is cancelled or the process ends, the event comes again in the
    /// next loop, also after the wallet was opened again. So an event may come twice, as it does if the wallet ends within half
    /// a second after it was handled: ``EventEnvelope/seq`` tells.
    ///
    /// The loop ends after ``Event/stopped(reason:)``, and when the app stops the wallet while an event is dealt with. It throws
    /// ``EventsInUse`` if the events of this wallet are being read already, `CancellationError` if the task is cancelled, and
    /// ``WalletError/Stopped(reason:)``, `LeaseLost` or `StoreUnavailable` if the end was told to someone before.
    public var events: Events {
        Events(wallet: self)
    }
}

/// The events of this wallet are being read already: they go to one reader.
public struct EventsInUse: Error, Equatable, LocalizedError {
    public var errorDescription: String? {
        "the events of this wallet are being read already: let one loop deal with all of them"
    }
}

/// The events of a wallet: see ``Wallet/events``.
public struct Events: AsyncSequence, Sendable {
    public typealias Element = EventEnvelope

    let wallet: Wallet

    public func makeAsyncIterator() -> Iterator {
        Iterator(wallet: wallet)
    }

    public struct Iterator: AsyncIteratorProtocol {
        let wallet: Wallet
        private var reader: Reader?
        private var told: EventEnvelope?
        private var hasEnded = false

        init(wallet: Wallet) {
            self.wallet = wallet
        }

        public mutating func next() async throws -> EventEnvelope? {
            if hasEnded { return nil }
            if reader == nil { reader = try Reader.first(of: wallet) }
            if let told, try await hasEnded(after: told) {
                hasEnded = true
                reader = nil
                return nil
            }
            told = nil
            told = try await wallet.nextEvent()
            return told
        }

        /// Says that this event was handled. True if nothing comes after it: it comes again where the app has stopped the wallet.
        private func hasEnded(after told: EventEnvelope) async throws -> Bool {
            if case .stopped = told.event { return true }
            // Passing news have no number, and nothing of them is stored.
            if told.seq == 0 { return false }
            do {
                try await wallet.eventHandled(seq: told.seq)
                return false
            } catch WalletError.Stopped {
                return true
            }
        }
    }
}

/// Whoever reads the events of a wallet, as long as it lives.
private final class Reader {
    private static let read = Locked<Set<ObjectIdentifier>>([])
    private let wallet: Wallet

    static func first(of wallet: Wallet) throws(EventsInUse) -> Reader {
        guard read.withLock({ $0.insert(ObjectIdentifier(wallet)).inserted }) else { throw EventsInUse() }
        return Reader(of: wallet)
    }

    private init(of wallet: Wallet) {
        self.wallet = wallet
    }

    deinit {
        _ = Self.read.withLock { $0.remove(ObjectIdentifier(wallet)) }
    }
}
