package kite.app.ui

import androidx.compose.foundation.clickable
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.FlowRow
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.draw.clip
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.text.font.FontWeight
import androidx.compose.ui.unit.dp
import kite.app.model.Times
import kite.app.model.about
import kite.app.model.amountText
import kite.app.model.isIncoming
import kite.app.model.nowSecs
import kite.app.model.onlyMoves
import kite.app.model.title
import kite.wallet.Payment
import kite.wallet.PaymentStatus

/** One payment in a line; a touch shows all of it. */
@Composable
internal fun PaymentLine(payment: Payment, open: () -> Unit) {
    Row(
        Modifier.fillMaxWidth().clip(MaterialTheme.shapes.small).clickable(onClick = open).padding(vertical = 4.dp),
        Arrangement.spacedBy(12.dp), Alignment.CenterVertically,
    ) {
        val (ground, color) = payment.colors
        Emblem(payment.drawing, ground, color, side = 40)
        FlowRow(Modifier.weight(1f), Arrangement.SpaceBetween) {
            Column(Modifier.padding(end = 12.dp)) {
                Text(payment.title, fontWeight = FontWeight.Medium)
                val time = Times.ago(payment.settledAtSecs ?: payment.createdAtSecs, nowSecs())
                Text(
                    listOf(payment.about, time).filter { it.isNotEmpty() }.joinToString(" · "),
                    color = MaterialTheme.colorScheme.onSurfaceVariant, style = MaterialTheme.typography.bodyMedium,
                )
            }
            Text(
                payment.amountText,
                color = when {
                    payment.status != PaymentStatus.SUCCEEDED -> MaterialTheme.colorScheme.onSurfaceVariant
                    payment.isIncoming && !payment.onlyMoves -> LocalMoreColors.current.good
                    else -> MaterialTheme.colorScheme.onSurface
                },
                fontWeight = FontWeight.Medium,
            )
        }
    }
}

internal val Payment.drawing: Drawing
    get() = when {
        status == PaymentStatus.FAILED || status == PaymentStatus.EXPIRED -> Drawing.CROSS
        status != PaymentStatus.SUCCEEDED -> Drawing.CLOCK
        onlyMoves -> Drawing.CHANNELS
        isIncoming -> Drawing.RECEIVE
        else -> Drawing.SEND
    }

private val Payment.colors: Pair<Color, Color>
    @Composable get() {
        val scheme = MaterialTheme.colorScheme
        return when {
            status == PaymentStatus.FAILED -> scheme.errorContainer to scheme.onErrorContainer
            status != PaymentStatus.SUCCEEDED -> scheme.surfaceVariant to scheme.onSurfaceVariant
            isIncoming && !onlyMoves -> LocalMoreColors.current.goodSoft to LocalMoreColors.current.good
            else -> scheme.primaryContainer to scheme.onPrimaryContainer
        }
    }
