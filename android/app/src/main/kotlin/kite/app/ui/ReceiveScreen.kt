package kite.app.ui

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.widthIn
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.collectAsState
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.text.font.FontWeight
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp
import kite.app.model.Amounts
import kite.app.model.ReceiveModel
import kite.app.model.ReceiveState
import kite.app.model.ReceiveWay
import kite.app.model.Snapshot
import kite.app.model.Times
import kite.app.model.WalletModel
import kite.app.model.nowSecs
import kite.wallet.Invoice

/** Being paid: an invoice as a code that turns into "received", or an address. */
@Composable
internal fun ReceiveScreen(wallet: WalletModel, model: ReceiveModel, snapshot: Snapshot, route: Route) {
    val state by model.state.collectAsState()
    Page("Receive", route::back) {
        val (invoice, payment) = state.invoice to state.payment
        if (payment == null) Choice(ReceiveWay.entries.map { it to it.text }, state.way, model::choose)
        when {
            state.way == ReceiveWay.ONCHAIN -> Onchain(model, state)
            payment != null -> {
                PaymentInFull(payment, snapshot)
                MainButton("Done") { route.back() }
                OtherButton("Make another one") { model.again() }
            }
            invoice != null -> ToBePaid(model, state, invoice)
            else -> Asking(wallet, model, state, snapshot)
        }
    }
}

@Composable
private fun Asking(wallet: WalletModel, model: ReceiveModel, state: ReceiveState, snapshot: Snapshot) {
    var amount by rememberSaveable { mutableStateOf("") }
    var reason by rememberSaveable { mutableStateOf("") }
    val receivable = snapshot.balance.receivableMsat
    if (receivable == 0uL) {
        Caution(
            "You cannot receive over Lightning yet.",
            "It takes a channel with room on the other side: open one, and pay something with it first.",
        )
    }
    AmountField("Amount", amount, "Up to ${Amounts.ofMsat(receivable)}. Leave it empty to let the payer choose.") { amount = it }
    TextField("What for", reason, "The payer sees it.") { reason = it }
    Trouble(state.failure)
    MainButton("Make the invoice", state.isBusy, "Making it…") { wallet.act { model.makeInvoice(amount, reason) } }
}

@Composable
private fun ToBePaid(model: ReceiveModel, state: ReceiveState, invoice: Invoice) {
    val device = LocalDevice.current
    val amount = invoice.amountMsat?.let { Amounts.ofMsat(it) } ?: "Any amount"
    LaunchedEffect(invoice) { model.waitForPayment() }
    Group {
        Column(Modifier.fillMaxWidth(), Arrangement.spacedBy(12.dp), Alignment.CenterHorizontally) {
            Text(amount, style = MaterialTheme.typography.headlineMedium, fontWeight = FontWeight.SemiBold)
            if (state.reason.isNotEmpty()) Muted(state.reason, align = TextAlign.Center)
            QrPicture(invoice.qrText, "QR code of the invoice for ${amount.lowercase()}", Modifier.widthIn(max = 360.dp))
            Muted("Waiting to be paid, ${Times.span(invoice.expiresAtSecs.toLong() - nowSecs().toLong())} left", align = TextAlign.Center)
        }
        CopyShare(invoice.invoice, device)
    }
    Trouble(state.failure)
    OtherButton("Make another one") { model.again() }
}

@Composable
private fun Onchain(model: ReceiveModel, state: ReceiveState) {
    LaunchedEffect(model) { model.makeAddress() }
    Trouble(state.failure)
    val address = state.address ?: return
    Group {
        Column(Modifier.fillMaxWidth(), Arrangement.spacedBy(12.dp), Alignment.CenterHorizontally) {
            QrPicture("BITCOIN:${address.uppercase()}", "QR code of the address", Modifier.widthIn(max = 360.dp))
        }
        CopyFact("Address", address)
        CopyShare(address, LocalDevice.current)
    }
    Muted("For bitcoin transactions. Coins arrive with the next block; use each address once.")
}

@Composable
private fun CopyShare(text: String, device: Device) {
    SideBySide(
        { OtherButton("Copy", Drawing.COPY, it) { device.copy(text) } },
        { OtherButton("Share", Drawing.SHARE, it) { device.share(text) } },
    )
}
