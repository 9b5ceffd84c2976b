import Kite

/// A line about something that happened.
struct Notice: Equatable, Identifiable {
    enum Tone: Equatable { case plain, good, bad }

    let id: UInt64
    let text: String
    let tone: Tone

    /// The line for an event; unset for those that only make the screens refresh.
    init?(_ told: EventEnvelope) {
        guard let (text, tone) = Self.words(for: told.event) else { return nil }
        self.init(id: told.seq, text: text, tone: tone)
    }

    init(id: UInt64, text: String, tone: Tone) {
        self.id = id
        self.text = text
        self.tone = tone
    }

    private static func words(for event: Event) -> (String, Tone)? {
        switch event {
        case let .paymentReceived(_, _, amountMsat): ("Received \(Amounts.text(msat: amountMsat)).", .good)
        case .paymentSent: ("The payment has arrived.", .good)
        case let .paymentFailed(_, _, code, reason): (Explanation(PaymentFailure(code: code, reason: reason)).what, .bad)
        case .channelPending: ("The channel is being opened. It is usable after a few blocks.", .plain)
        case .channelReady: ("The channel is ready.", .good)
        case let .channelClosed(_, _, _, _, amountSat): ("A channel closes; \(Amounts.text(sat: amountSat)) come back on-chain.", .plain)
        case let .channelOpenFailed(_, reason): ("The channel could not be opened: \(reason)".asSentence, .bad)
        case let .onchainReceived(_, amountSat, true): ("\(Amounts.text(sat: amountSat)) arrived on-chain.", .good)
        case let .onchainReceived(_, amountSat, false): ("\(Amounts.text(sat: amountSat)) are on their way on-chain.", .plain)
        case .onchainSent(_, _, true): ("The on-chain transaction is in a block.", .good)
        case let .actionRequired(what): (what.asSentence, .bad)
        case .onchainSent, .synced, .peerConnected, .peerDisconnected, .stopped: nil
        }
    }
}
