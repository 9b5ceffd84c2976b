package kite.app.ui

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.FlowRow
import androidx.compose.material3.FilterChip
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.ui.unit.dp
import kite.app.model.Snapshot
import kite.wallet.Direction

/** Every payment, the newest first. */
@Composable
internal fun HistoryScreen(snapshot: Snapshot, route: Route) {
    var shown by rememberSaveable { mutableStateOf<Direction?>(null) }
    Scrolling("History") {
        Choice(listOf(null to "All", Direction.OUTGOING to "Sent", Direction.INCOMING to "Received"), shown) { shown = it }
        val payments = snapshot.payments.filter { shown == null || it.direction == shown }
        Group {
            if (payments.isEmpty()) Muted("Nothing here yet.")
            for (payment in payments) PaymentLine(payment) { route.go(Place.OfPayment(payment.id)) }
        }
    }
}

/** One of a few. */
@Composable
internal fun <T> Choice(ways: List<Pair<T, String>>, chosen: T, choose: (T) -> Unit) {
    FlowRow(horizontalArrangement = Arrangement.spacedBy(8.dp)) {
        for ((way, text) in ways) FilterChip(way == chosen, { choose(way) }, { Text(text) })
    }
}
