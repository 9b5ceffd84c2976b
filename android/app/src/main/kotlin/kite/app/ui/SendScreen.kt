package kite.app.ui

import androidx.compose.material3.Text
import androidx.compose.material3.TextButton
import androidx.compose.runtime.Composable
import androidx.compose.runtime.collectAsState
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import kite.app.model.Amounts
import kite.app.model.SendModel
import kite.app.model.SendState
import kite.app.model.SendStep
import kite.app.model.Snapshot
import kite.app.model.Times
import kite.app.model.WalletModel
import kite.app.model.nowSecs
import kite.wallet.Quote
import kite.wallet.QuoteKind

/** Paying: scan or paste, review every number, pay. */
@Composable
internal fun SendScreen(wallet: WalletModel, model: SendModel, snapshot: Snapshot, route: Route) {
    val state by model.state.collectAsState()
    when (val step = state.step) {
        SendStep.Entering -> Entering(wallet, model, state, route)
        is SendStep.AskingAmount -> AskingAmount(wallet, model, state, step, snapshot)
        is SendStep.Reviewing -> Reviewing(wallet, model, state, step.quote)
        is SendStep.Paying -> Page("Paying", route::back) {
            Paying(step.quote)
            MainButton("Back to the wallet") { route.back() }
        }
        is SendStep.Done -> Page("Payment", route::back) {
            // A transaction gets its block while somebody looks.
            val newest = snapshot.payments.firstOrNull { it.id == step.payment.id && step.payment.settledAtSecs == null }
            PaymentInFull(newest ?: step.payment, snapshot)
            if (step.payment.failure != null) OtherButton("Try again") { wallet.act { model.read(state.text) } }
            MainButton("Done") { route.back() }
        }
    }
}

@Composable
private fun Entering(wallet: WalletModel, model: SendModel, state: SendState, route: Route) {
    val device = LocalDevice.current
    var text by rememberSaveable { mutableStateOf(state.text) }
    var scans by rememberSaveable { mutableStateOf(false) }
    fun read(found: String) {
        text = found
        wallet.act { model.read(found) }
    }
    if (scans) {
        ScanScreen({ scans = false }) {
            scans = false
            read(it)
        }
        return
    }
    Page("Send", route::back) {
        CodeField("Invoice or address", text, "lnbc… or bc1…", lines = 4) { text = it }
        SideBySide(
            { OtherButton("Paste", Drawing.PASTE, it) { device.pasted()?.let(::read) } },
            { OtherButton("Scan", Drawing.SCAN, it) { scans = true } },
        )
        Trouble(state.failure)
        MainButton("Continue", state.isBusy, "Looking for a way…", isEnabled = text.isNotBlank()) { read(text) }
    }
}

@Composable
private fun AskingAmount(wallet: WalletModel, model: SendModel, state: SendState, step: SendStep.AskingAmount, snapshot: Snapshot) {
    var amount by rememberSaveable { mutableStateOf("") }
    Page("How much?", model::back) {
        Group {
            CopyFact("To", step.to)
            step.description?.takeIf { it.isNotEmpty() }?.let { Fact("For", it) }
        }
        val (spendable, onchain) = snapshot.balance.let { Amounts.ofMsat(it.spendableMsat) to Amounts.ofSat(it.onchainSat) }
        AmountField("Amount", amount, "You can spend $spendable, and $onchain on-chain.") { amount = it }
        Trouble(state.failure)
        MainButton("Review", state.isBusy, "Looking for a way…", isEnabled = amount.isNotBlank()) {
            wallet.act { model.setAmount(amount) }
        }
    }
}

@Composable
private fun Reviewing(wallet: WalletModel, model: SendModel, state: SendState, quote: Quote) {
    val isLightning = quote.kind == QuoteKind.LIGHTNING
    val expiry = quote.expiresAtSecs
    val expired = expiry != null && expiry <= nowSecs()
    Page("Review", model::back) {
        Group {
            BigAmount(Amounts.ofMsat(quote.amountMsat))
            CopyFact("To", quote.payee ?: quote.input)
            quote.description?.takeIf { it.isNotEmpty() }?.let { Fact("For", it) }
            Fact(if (isLightning) "Fee, about" else "Fee", Amounts.ofMsat(quote.feeEstimateMsat))
            if (isLightning) Fact("Fee at most", Amounts.ofMsat(quote.maxFeeMsat))
            quote.hops?.let { Fact("Route", if (it == 1u) "Direct" else "$it hops") }
            expiry?.let { Fact("Expires", if (expired) "now" else "in ${Times.span((it - nowSecs()).toLong())}") }
            val most = Amounts.ofMsat(quote.amountMsat + quote.maxFeeMsat)
            Fact(if (isLightning) "You pay at most" else "You pay", most, strong = true)
            if (isLightning) FeeCap(wallet, model, quote, state.isBusy)
        }
        Trouble(state.failure)
        if (expired) Caution("This invoice has expired.", "Ask the payee for a new one.")
        MainButton("Pay ${Amounts.ofMsat(quote.amountMsat)}", state.isBusy, isEnabled = !expired) { wallet.act { model.pay() } }
    }
}

@Composable
private fun FeeCap(wallet: WalletModel, model: SendModel, quote: Quote, isBusy: Boolean) {
    var changes by rememberSaveable { mutableStateOf(false) }
    var cap by rememberSaveable { mutableStateOf((quote.maxFeeMsat / 1_000uL).toString()) }
    if (!changes) return TextButton({ changes = true }) { Text("Change the fee limit") }
    AmountField("Fee at most", cap, null) { cap = it }
    OtherButton("Set", isEnabled = !isBusy) { wallet.act { model.setFeeCap(cap) } }
}

@Composable
private fun Paying(quote: Quote) {
    Group {
        BigAmount(Amounts.ofMsat(quote.amountMsat))
        MainButton("", isBusy = true, busyText = "On its way…") {}
        Muted("You may leave this screen or the app: the payment goes on when the wallet is open again, and is never paid twice.")
    }
}
