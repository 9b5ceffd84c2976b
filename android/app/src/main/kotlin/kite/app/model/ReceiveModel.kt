package kite.app.model

import kite.wallet.Invoice
import kite.wallet.InvoiceRequest
import kite.wallet.Payment
import kite.wallet.WalletException
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update

/** How to be paid. */
enum class ReceiveWay(val text: String) { LIGHTNING("Lightning"), ONCHAIN("On-chain") }

/** Being paid as its screen sees it. */
data class ReceiveState(
    val way: ReceiveWay = ReceiveWay.LIGHTNING,
    val invoice: Invoice? = null,
    val reason: String = "",
    val payment: Payment? = null,
    val address: String? = null,
    val failure: Explanation? = null,
    val isBusy: Boolean = false,
)

/** Being paid: an invoice that turns into a payment, or an address. */
class ReceiveModel(private val wallet: WalletModel, way: ReceiveWay = ReceiveWay.LIGHTNING) {
    private val mutable = MutableStateFlow(ReceiveState(way))

    /** What the screen shows. */
    val state: StateFlow<ReceiveState> = mutable.asStateFlow()

    /** Lightning, or on-chain. */
    fun choose(way: ReceiveWay) = mutable.update { it.copy(way = way, failure = null) }

    /** Makes an invoice of the amount as typed; empty: the payer chooses. */
    suspend fun makeInvoice(amount: String, reason: String) = busy {
        val amountMsat = Amounts.read(amount)?.let { it * 1_000uL }
        val invoice = wallet.open().makeInvoice(InvoiceRequest(amountMsat, reason.trim(), null))
        mutable.update { it.copy(invoice = invoice, reason = reason.trim(), payment = null) }
    }

    /** Makes an address, once. */
    suspend fun makeAddress() {
        if (state.value.address != null) return
        busy {
            val address = wallet.open().newAddress()
            mutable.update { it.copy(address = address) }
        }
    }

    /** Waits until the invoice is paid or expires. Cancelled when its screen goes. */
    suspend fun waitForPayment() {
        val invoice = state.value.invoice ?: return
        while (state.value.payment == null && state.value.invoice == invoice) {
            val failure = attempt {
                try {
                    val payment = wallet.open().waitPayment(invoice.paymentId, WAIT_SECS)
                    mutable.update { if (it.invoice == invoice) it.copy(payment = payment) else it }
                    wallet.refresh()
                } catch (_: WalletException.Timeout) {
                    // It can still be paid.
                }
            }
            if (failure != null) return mutable.update { it.copy(failure = failure) }
        }
    }

    /** Forgets this invoice, for another one. It can still be paid. */
    fun again() = mutable.update { it.copy(invoice = null, payment = null, failure = null) }

    private suspend fun busy(body: suspend () -> Unit) {
        mutable.update { it.copy(failure = null, isBusy = true) }
        val failure = attempt(body)
        mutable.update { it.copy(failure = failure, isBusy = false) }
    }

    private companion object {
        const val WAIT_SECS = 20u
    }
}
