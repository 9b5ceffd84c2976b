import Foundation
import Kite

/// What happened, in a sentence, and what the person can do now.
struct Explanation: Error, Equatable {
    let what: String
    let next: String

    /// Says what an error means. Anything may be given; what is not known is shown as it is.
    init(_ error: any Error) {
        switch error {
        case let error as Explanation: self = error
        case let error as WalletError: self.init(walletError: error)
        case let error as DeviceKeyError: self.init(deviceKeyError: error)
        case let error as Amounts.Unreadable: self.init(error.localizedDescription, "Change the amount.")
        default: self.init("Something went wrong: \(error.localizedDescription)", "Try again; if it stays, start the app again.")
        }
    }

    /// Says why a payment failed.
    init(_ failure: PaymentFailure) {
        let nothing = "Nothing was paid."
        switch failure.code {
        case "recipient_refused": self.init("The payee refused the payment.", "\(nothing) Ask for a new invoice.")
        case "invoice_expired": self.init("The invoice expired before it was paid.", "\(nothing) Ask for a new one.")
        case "timeout": self.init("No way worked in the time given.", "\(nothing) You can try again.")
        case "all_routes_failed": self.init("Every way that was tried failed.", "\(nothing) Try again later, or a smaller amount.")
        default: self.init("The payment failed: \(failure.reason)", "\(nothing) You can try again.")
        }
    }

    init(_ what: String, _ next: String) {
        self.what = what
        self.next = next
    }

    private init(deviceKeyError error: DeviceKeyError) {
        switch error {
        case .missing, .damaged:
            self.init(
                "The key that opens this wallet is not on this device.",
                "Restore the wallet from its 12 words. Channels of the other device are closed by it, not by this one.")
        case .unavailable: self.init(error.localizedDescription, "Unlock the device and try again.")
        }
    }

    private init(walletError error: WalletError) {
        let what = error.localizedDescription.asSentence
        switch error {
        case .InvalidInput: self.init(what, "Check it and try again.")
        case .InvalidInvoice: self.init(what, "Copy it again in full, or ask for a new one.")
        case .InvoiceExpired: self.init("This invoice has expired.", "Ask the payee for a new one. Nothing was paid.")
        case .WrongNetwork: self.init(what, "Ask for an invoice on the network of this wallet.")
        case .AmountRequired: self.init("This invoice leaves the amount open.", "Enter how much to pay.")
        case let .AmountOutOfRange(minMsat, maxMsat):
            self.init(
                "The amount must be between \(Amounts.text(msat: minMsat)) and \(Amounts.text(msat: maxMsat)).",
                "Change the amount.")
        case let .InsufficientFunds(neededMsat, availableMsat):
            self.init(
                "This needs \(Amounts.text(msat: neededMsat)), fee included, and you can spend \(Amounts.text(msat: availableMsat)).",
                "Lower the amount. A small reserve always stays in each channel.")
        case let .FeeTooHigh(cheapestMsat, limitMsat):
            self.init(
                "The cheapest way costs \(Amounts.text(msat: cheapestMsat)), and your limit is \(Amounts.text(msat: limitMsat)).",
                "Nothing was paid. Try again later.")
        case .NoRoute: self.init(what, "Nothing was paid. Try a smaller amount, or later.")
        case .AlreadyPaid: self.init("You have paid this invoice before.", "It was not paid a second time.")
        case .InFlight: self.init("This invoice is being paid already.", "Wait for its outcome; it will not be paid twice.")
        case .NotFound: self.init(what, "Go back and choose another one.")
        case .NotConnected: self.init("The other node is not connected.", "The wallet keeps trying. Try again in a moment.")
        case .ConnectionFailed: self.init(what, "Check the address, and that the node is running.")
        case .ChainUnavailable: self.init(what, "Your money is safe. The wallet tries again by itself.")
        case .StoreUnavailable: self.init(what, "Free some space on this device, then start the app again.")
        case .StoreFull: self.init(what, "Free some space on this device, then start the app again. Nothing is lost.")
        case .StoreNewer: self.init("A newer version of the app has stored this wallet.", "Update the app. Nothing is lost.")
        case .StoreDamaged: self.init(what, "Do not delete the app. Start it again once; if this stays, seek help.")
        case .WrongPassphrase: self.init("The key of this device opens another wallet.", "Restore the wallet from its words.")
        case .AlreadyOpen: self.init("The wallet is receiving a payment in the background.", "Try again in a moment.")
        case .AlreadyExists: self.init("There is a wallet on this device already.", "Start the app again.")
        case .NoWallet: self.init("There is no wallet on this device.", "Create one, or restore one from its words.")
        case .LeaseLost: self.init("A copy has taken over this wallet.", "This one has stopped, so that the two cannot contradict each other.")
        case .NotSynced: self.init("The wallet is still catching up with the Bitcoin network.", "Wait a moment and try again.")
        case .MainnetNotAccepted:
            self.init("Kite is young with real bitcoin, and you have not accepted that yet.", "Read what it means, and decide.")
        case .Refused: self.init(what, "Change the request, or try again later.")
        case .Stopped: self.init("The wallet has stopped.", "Start the app again. What was stored is safe.")
        case .Timeout: self.init("There is no answer yet.", "It may still go through: look at the history first.")
        }
    }
}

extension String {
    /// A reason of the wallet as a sentence that can stand beside others.
    var asSentence: String {
        let text = prefix(1).uppercased() + dropFirst()
        return text.last.map { ".!?".contains($0) } ?? true ? text : text + "."
    }
}
