import Foundation

/// What an error means, in words for the owner: `localizedDescription`. The words are those of the library.
extension WalletError: LocalizedError {
    public var errorDescription: String? {
        switch self {
        case let .InvalidInput(field, reason): "\(field): \(reason)"
        case let .InvalidInvoice(reason): "\(reason)"
        case .InvoiceExpired: "the invoice expired: ask for a new one"
        case let .WrongNetwork(expected, found): "this is for \(found), and the wallet is on \(expected)"
        case .AmountRequired: "the invoice names no amount: choose one"
        case let .AmountOutOfRange(minMsat, maxMsat): "the amount must be between \(minMsat) and \(maxMsat) msat"
        case let .InsufficientFunds(neededMsat, availableMsat):
            "\(neededMsat) msat are needed and \(availableMsat) msat can be spent"
        case let .FeeTooHigh(cheapestMsat, limitMsat):
            "the fee of \(cheapestMsat) msat is above the limit of \(limitMsat) msat"
        case let .NoRoute(reason): "no route to the recipient: \(reason)"
        case .AlreadyPaid: "this invoice was already paid"
        case .InFlight: "this invoice is being paid already"
        case let .NotFound(what): "there is no such \(what)"
        case .NotConnected: "the peer is not connected: connect to it first"
        case let .ConnectionFailed(reason): "the peer could not be reached: \(reason)"
        case let .ChainUnavailable(reason): "the chain server cannot be used: \(reason)"
        case let .StoreUnavailable(reason): "the wallet's data cannot be read or written: \(reason)"
        case let .StoreDamaged(reason): "the wallet's data is damaged: \(reason)"
        case .WrongPassphrase: "the passphrase is wrong"
        case .AlreadyOpen: "this wallet is open in another tab or process"
        case .AlreadyExists: "there is a wallet already"
        case .NoWallet: "there is no wallet yet"
        case .LeaseLost: "another tab or process has taken this wallet over"
        case .NotSynced: "the wallet has not caught up with the chain yet: wait for it"
        case .MainnetNotYet: "this version works on test networks only: main net opens once every coin can be recovered"
        case let .Refused(reason): "\(reason)"
        case let .Stopped(reason): "the wallet was stopped: \(reason)"
        case .Timeout: "it is not decided yet: it goes on, and an event will tell"
        }
    }
}
