package kite.app.model

import kite.wallet.Parsed
import kite.wallet.Payment
import kite.wallet.PaymentKind
import kite.wallet.Quote
import kite.wallet.SendRequest
import kite.wallet.WalletException
import kite.wallet.WalletInterface
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update

/** Where a payment is. */
sealed interface SendStep {
    /** What to pay is scanned, pasted or typed. */
    data object Entering : SendStep

    /** The payee leaves the amount open. */
    data class AskingAmount(val to: String, val description: String?) : SendStep

    /** Every number, before anything is paid. */
    data class Reviewing(val quote: Quote) : SendStep

    /** It is on its way. */
    data class Paying(val quote: Quote) : SendStep

    /** Its outcome; a transaction is sent before it is in a block. */
    data class Done(val payment: Payment) : SendStep
}

/** Paying as its screen sees it. [text] is what was read last. */
data class SendState(
    val step: SendStep = SendStep.Entering,
    val text: String = "",
    val failure: Explanation? = null,
    val isBusy: Boolean = false,
)

/**
 * Paying: a text, a review with every number, then the payment.
 *
 * @param open the wallet that pays.
 */
class SendModel(private val wallet: WalletModel, private val open: () -> WalletInterface = wallet::open) {
    private val mutable = MutableStateFlow(SendState())
    private var request = SendRequest(input = "")
    private var isAmountOpen = false

    /** What the screen shows. */
    val state: StateFlow<SendState> = mutable.asStateFlow()

    /** Reads what was scanned, pasted or typed, and goes on to what it needs. */
    suspend fun read(text: String) = busy {
        mutable.update { it.copy(step = SendStep.Entering, text = text.trim()) }
        request = SendRequest(input = text.trim())
        when (val parsed = open().parse(request.input)) {
            is Parsed.Bolt11 -> {
                isAmountOpen = parsed.invoice.amountMsat == null
                if (isAmountOpen) askAmount(parsed.invoice.payee, parsed.invoice.description) else review()
            }
            is Parsed.BitcoinAddress -> {
                val sat = parsed.amountSat
                isAmountOpen = true
                if (sat == null) askAmount(parsed.address, parsed.label) else review(sat * 1_000uL)
            }
            is Parsed.NodeAddress ->
                throw Explained("This is the address of a node, not something to pay.", "Open a channel with it under Channels.")
        }
    }

    /** Takes the amount that the payee leaves open. */
    suspend fun setAmount(typed: String) = busy {
        val sat = Amounts.read(typed) ?: throw Unreadable("Enter an amount in sat.")
        review(sat * 1_000uL)
    }

    /** Takes the most that may be paid on top, and looks for a way again. */
    suspend fun setFeeCap(typed: String) = busy {
        val quote = (state.value.step as? SendStep.Reviewing)?.quote ?: return@busy
        val sat = if (typed.trim() == "0") 0uL else Amounts.read(typed) ?: throw Unreadable("Enter an amount in sat.")
        request = request.copy(maxFeeMsat = sat * 1_000uL)
        review(quote.amountMsat.takeIf { isAmountOpen })
    }

    /** Pays what was reviewed. Called twice, or after another review of the same, it pays once until there is an outcome. */
    suspend fun pay() {
        val quote = (state.value.step as? SendStep.Reviewing)?.quote ?: return
        val input = request.input
        mutable.update { it.copy(step = SendStep.Paying(quote)) }
        // Before it is asked for: the answer may be lost, and the payment made all the same.
        wallet.unsettled[input] = quote.idempotencyKey
        busy {
            val payment = outcome(open().send(quote))
            wallet.unsettled.remove(input, quote.idempotencyKey)
            mutable.update { it.copy(step = SendStep.Done(payment)) }
        }
        // Whatever went wrong, the same quote can be tried again.
        mutable.update { if (it.step == SendStep.Paying(quote)) it.copy(step = SendStep.Reviewing(quote)) else it }
        wallet.refresh()
    }

    /** One step back, to what was read. */
    fun back() = mutable.update { it.copy(step = SendStep.Entering, failure = null) }

    private fun askAmount(to: String, description: String?) =
        mutable.update { it.copy(step = SendStep.AskingAmount(to, description)) }

    private suspend fun review(amountMsat: ULong? = null) {
        val name = wallet.unsettled[request.input]
        val quote = open().prepareSend(request.copy(amountMsat = amountMsat, idempotencyKey = name))
        if (name != null && amountMsat != null && quote.amountMsat != amountMsat) {
            // The wallet tells of the payment of this name: it was made. Another amount is another payment, if it is meant.
            wallet.unsettled.remove(request.input, name)
            throw Explained(
                "Your earlier payment of ${Amounts.ofMsat(quote.amountMsat)} has gone out after all.",
                "Look at it in the history. Review again only to pay more on top.",
            )
        }
        mutable.update { it.copy(step = SendStep.Reviewing(quote)) }
    }

    /**
     * As long as it takes: the person may leave, and the payment goes on. A transaction is sent at once, and nobody waits here
     * for its block.
     */
    private suspend fun outcome(begun: Payment): Payment {
        if (begun.kind != PaymentKind.LIGHTNING) return begun
        while (true) {
            try {
                return open().waitPayment(begun.id, WAIT_SECS)
            } catch (_: WalletException.Timeout) {
                // It is still on its way.
            } catch (_: WalletException.Stopped) {
                wallet.awaitRunning()
            }
        }
    }

    private suspend fun busy(body: suspend () -> Unit) {
        mutable.update { it.copy(failure = null, isBusy = true) }
        val failure = attempt(body)
        mutable.update { it.copy(failure = failure, isBusy = false) }
    }

    private companion object {
        const val WAIT_SECS = 60u
    }
}
