package kite.app.ui

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp
import kite.app.model.Amounts
import kite.app.model.Snapshot
import kite.app.model.Times
import kite.app.model.closedByText
import kite.app.model.comingBack
import kite.app.model.explain
import kite.app.model.headline
import kite.app.model.statusText
import kite.wallet.Payment
import kite.wallet.PaymentKind
import kite.wallet.PaymentStatus

/** A payment of the history. */
@Composable
internal fun PaymentScreen(id: String, snapshot: Snapshot, route: Route) {
    Page("Payment", route::back) {
        val payment = snapshot.payments.firstOrNull { it.id == id }
        if (payment == null) Muted("It is not among the last payments any more.") else PaymentInFull(payment, snapshot)
    }
}

/** Everything about a payment, its outcome first. */
@Composable
internal fun PaymentInFull(payment: Payment, snapshot: Snapshot) {
    Outcome(payment, snapshot)
    payment.failure?.let { Trouble(explain(it)) }
    Group {
        payment.feeMsat?.let { Fact("Fee", Amounts.ofMsat(it)) }
        payment.hops?.let { Fact("Route", if (it == 1u) "1 hop" else "$it hops") }
        payment.tookMillis?.let { Fact("Time taken", Times.took(it)) }
        if (payment.status != PaymentStatus.SUCCEEDED) Fact("Status", payment.statusText)
        payment.confirmations?.let { Fact("Blocks", it.toString()) }
        payment.description?.takeIf { it.isNotEmpty() }?.let { Fact(if (payment.close == null) "For" else "Why", it) }
        payment.close?.let { close ->
            Fact("Closed by", close.closedByText)
            if (close.amountSat > 0uL) Fact("Still to come", Amounts.ofSat(close.amountSat))
            for (txid in close.claimTxids) CopyFact("Claimed by the transaction", txid)
        }
        payment.note?.takeIf { it.isNotEmpty() }?.let { Fact("Note", it) }
        Fact("Begun", Times.inFull(payment.createdAtSecs))
        payment.settledAtSecs?.let { Fact("Done", Times.inFull(it)) }
        payment.preimage?.let { CopyFact("Proof of payment (preimage)", it) }
        payment.paymentHash?.let { CopyFact("Payment hash", it) }
        payment.txid?.let { CopyFact("Transaction", it) }
    }
}

@Composable
private fun Outcome(payment: Payment, snapshot: Snapshot) {
    val scheme = MaterialTheme.colorScheme
    Column(
        Modifier.fillMaxWidth().semantics(mergeDescendants = true) { liveRegion = LiveRegionMode.Polite },
        Arrangement.spacedBy(8.dp), Alignment.CenterHorizontally,
    ) {
        when (payment.status) {
            PaymentStatus.SUCCEEDED -> Emblem(Drawing.CHECK, LocalMoreColors.current.goodSoft, LocalMoreColors.current.good)
            PaymentStatus.FAILED -> Emblem(Drawing.CROSS, scheme.errorContainer, scheme.onErrorContainer)
            else -> Emblem(payment.drawing, scheme.surfaceVariant, scheme.onSurfaceVariant)
        }
        Text(payment.headline, Modifier.semantics { heading() }, style = MaterialTheme.typography.titleLarge)
        BigAmount(Amounts.ofMsat(payment.amountMsat))
        val close = payment.close
        when {
            close != null -> Muted(close.comingBack(snapshot.info.height), align = TextAlign.Center)
            payment.kind == PaymentKind.CHANNEL_OPEN && payment.status != PaymentStatus.FAILED ->
                Muted("From your on-chain coins into the channel: it stays yours.", align = TextAlign.Center)
        }
    }
}
