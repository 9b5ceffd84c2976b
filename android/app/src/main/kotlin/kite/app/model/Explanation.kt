package kite.app.model

import kite.wallet.DeviceKeyException
import kite.wallet.PaymentFailure
import kite.wallet.WalletException

/** What happened, in a sentence, and what the person can do now. */
data class Explanation(val what: String, val next: String)

/** An error that comes with its own words. */
class Explained(val explanation: Explanation) : Exception(explanation.what) {
    constructor(what: String, next: String) : this(Explanation(what, next))
}

/** Says what an error means. Anything may be given; what is not known is shown as it is. */
fun explain(error: Throwable): Explanation = when (error) {
    is Explained -> error.explanation
    is WalletException -> explain(error)
    is Unreadable -> Explanation(error.message.orEmpty(), "Change the amount.")
    is DeviceKeyException -> Explanation(
        "The key that opens this wallet is not on this device.",
        "Delete this app's data in the system's settings, then restore the wallet from its 12 words.",
    )
    else -> Explanation(
        "Something went wrong: ${error.message ?: error.toString()}".asSentence(),
        "Try again; if it stays, start the app again.",
    )
}

/** Says why a payment failed. */
fun explain(failure: PaymentFailure): Explanation {
    val nothing = "Nothing was paid."
    return when (failure.code) {
        "recipient_refused" -> Explanation("The payee refused the payment.", "$nothing Ask for a new invoice.")
        "invoice_expired" -> Explanation("The invoice expired before it was paid.", "$nothing Ask for a new one.")
        "timeout" -> Explanation("No way worked in the time given.", "$nothing You can try again.")
        "all_routes_failed" ->
            Explanation("Every way that was tried failed.", "$nothing Try again later, or a smaller amount.")
        else -> Explanation("The payment failed: ${failure.reason}".asSentence(), "$nothing You can try again.")
    }
}

private fun explain(error: WalletException): Explanation {
    val what = error.message.orEmpty().asSentence()
    return when (error) {
        is WalletException.InvalidInput -> Explanation(what, "Check it and try again.")
        is WalletException.InvalidInvoice -> Explanation(what, "Copy it again in full, or ask for a new one.")
        is WalletException.InvoiceExpired ->
            Explanation("This invoice has expired.", "Ask the payee for a new one. Nothing was paid.")
        is WalletException.WrongNetwork -> Explanation(what, "Ask for an invoice on the network of this wallet.")
        is WalletException.AmountRequired -> Explanation("This invoice leaves the amount open.", "Enter how much to pay.")
        is WalletException.AmountOutOfRange -> Explanation(
            "The amount must be between ${Amounts.ofMsat(error.minMsat)} and ${Amounts.ofMsat(error.maxMsat)}.",
            "Change the amount.",
        )
        is WalletException.InsufficientFunds -> Explanation(
            "This needs ${Amounts.ofMsat(error.neededMsat)}, fee included, and you can spend " +
                "${Amounts.ofMsat(error.availableMsat)}.",
            "Lower the amount. A small reserve always stays in each channel.",
        )
        is WalletException.FeeTooHigh -> Explanation(
            "The cheapest way costs ${Amounts.ofMsat(error.cheapestMsat)}, and your limit is " +
                "${Amounts.ofMsat(error.limitMsat)}.",
            "Nothing was paid. Raise the limit, or try again later.",
        )
        is WalletException.NoRoute -> Explanation(what, "Nothing was paid. Try a smaller amount, or later.")
        is WalletException.AlreadyPaid ->
            Explanation("You have paid this invoice before.", "It was not paid a second time.")
        is WalletException.InFlight ->
            Explanation("This invoice is being paid already.", "Wait for its outcome; it will not be paid twice.")
        is WalletException.NotFound -> Explanation(what, "Go back and choose another one.")
        is WalletException.NotConnected ->
            Explanation("The other node is not connected.", "The wallet keeps trying. Try again in a moment.")
        is WalletException.ConnectionFailed -> Explanation(what, "Check the address, and that the node is running.")
        is WalletException.ChainUnavailable ->
            Explanation(what, "Your money is safe. The wallet tries again by itself.")
        is WalletException.StoreUnavailable ->
            Explanation(what, "Free some space on this device, then start the app again.")
        is WalletException.StoreFull ->
            Explanation(what, "Free some space on this device, then start the app again. Nothing is lost.")
        is WalletException.StoreNewer ->
            Explanation("A newer version of the app has stored this wallet.", "Update the app. Nothing is lost.")
        is WalletException.StoreDamaged ->
            Explanation(what, "Do not delete the app. Start it again once; if this stays, seek help.")
        is WalletException.WrongPassphrase -> Explanation(
            "The key of this device opens another wallet.",
            "Delete this app's data in the system's settings, then restore the wallet from its 12 words.",
        )
        is WalletException.AlreadyOpen ->
            Explanation("The wallet is still open elsewhere on this device.", "Try again in a moment.")
        is WalletException.AlreadyExists ->
            Explanation("There is a wallet on this device already.", "Start the app again.")
        is WalletException.NoWallet ->
            Explanation("There is no wallet on this device.", "Create one, or restore one from its words.")
        is WalletException.LeaseLost -> Explanation(
            "A copy has taken over this wallet.",
            "This one has stopped, so that the two cannot contradict each other.",
        )
        is WalletException.NotSynced -> Explanation(
            "The wallet is still catching up with the Bitcoin network.",
            "Wait a moment and try again.",
        )
        is WalletException.MainnetNotAccepted -> Explanation(
            "Kite is young with real bitcoin, and you have not accepted that yet.",
            "Read what it means, and decide.",
        )
        is WalletException.Refused -> Explanation(what, "Change the request, or try again later.")
        is WalletException.Stopped ->
            Explanation("The wallet has stopped.", "Start the app again. What was stored is safe.")
        is WalletException.Timeout ->
            Explanation("There is no answer yet.", "It may still go through: look at the history first.")
    }
}

/** A reason of the wallet as a sentence that can stand beside others. */
fun String.asSentence(): String {
    val text = replaceFirstChar(Char::uppercase)
    return if (text.isEmpty() || text.last() in ".!?") text else "$text."
}
