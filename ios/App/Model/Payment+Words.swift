import Foundation
import Kite

extension Payment {
    var createdAt: Date {
        Date(timeIntervalSince1970: TimeInterval(createdAtSecs))
    }

    /// What kind it is, in a word or two.
    var title: String {
        switch kind {
        case .lightning, .onchain: direction == .incoming ? "Received" : "Sent"
        case .channelOpen: "Channel opened"
        case .channelClose: "Channel closed"
        }
    }

    var statusText: String {
        switch status {
        case .pending where kind != .lightning: "waits for a block"
        case .pending: direction == .incoming ? "waiting" : "not sent yet"
        case .inFlight: "on its way"
        case .succeeded: "done"
        case .failed: "failed"
        case .expired: "expired"
        }
    }
}

extension Channel {
    var stateText: String {
        switch state {
        case .opening: "being opened"
        case .pending: "\(confirmations) of \(confirmationsNeeded) blocks"
        case .ready: usable ? "ready" : "waiting for the other node"
        case .closing: "closing"
        case .closed: "closed"
        case .failed: "failed"
        }
    }
}
