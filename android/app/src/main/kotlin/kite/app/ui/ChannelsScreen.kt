package kite.app.ui

import androidx.compose.foundation.background
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.FlowRow
import androidx.compose.foundation.layout.fillMaxHeight
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.height
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.shape.CircleShape
import androidx.compose.material3.Card
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.material3.TextButton
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.draw.clip
import androidx.compose.ui.text.font.FontWeight
import androidx.compose.ui.unit.dp
import kite.app.model.Amounts
import kite.app.model.ChannelsModel
import kite.app.model.Snapshot
import kite.app.model.WalletModel
import kite.app.model.isOver
import kite.app.model.stateInFull
import kite.app.model.stateText
import kite.wallet.Channel
import kite.wallet.ChannelState

/** The channels: how much is on which side, and how they stand. */
@Composable
internal fun ChannelsScreen(wallet: WalletModel, snapshot: Snapshot, route: Route) {
    val (past, live) = snapshot.channels.partition { it.isOver }
    fun opening() = route.go(Place.OpenChannel(ChannelsModel(wallet)))
    Scrolling("Channels", action = { TextButton(::opening) { Drawn(Drawing.PLUS); Text("Open") } }) {
        if (live.isEmpty()) {
            Group(if (past.isEmpty()) "No channel yet" else "No open channel") {
                Muted(
                    "A channel is your line to the Lightning network: you put coins in, pay from it in an instant, and " +
                        "close it to get the rest back.",
                )
                OtherButton("Open a channel", act = ::opening)
            }
        }
        for (channel in live) ChannelCard(channel, snapshot) { route.go(Place.OfChannel(channel.id, ChannelsModel(wallet))) }
        if (past.isNotEmpty()) Muted("Past channels")
        for (channel in past) ChannelCard(channel, snapshot) { route.go(Place.OfChannel(channel.id, ChannelsModel(wallet))) }
    }
}

@Composable
private fun ChannelCard(channel: Channel, snapshot: Snapshot, open: () -> Unit) {
    Card(open, Modifier.fillMaxWidth(), shape = MaterialTheme.shapes.medium, colors = cardColors()) {
        Column(Modifier.padding(16.dp), verticalArrangement = Arrangement.spacedBy(12.dp)) {
            FlowRow(Modifier.fillMaxWidth(), Arrangement.SpaceBetween) {
                Text(shortId(channel.nodeId), fontWeight = FontWeight.SemiBold)
                ChannelBadge(channel)
            }
            if (channel.state in SHOWING_SIDES) Sides(channel)
            channel.stateInFull(snapshot.info.height)?.let { Muted(it) }
        }
    }
}

internal val SHOWING_SIDES = setOf(ChannelState.READY, ChannelState.OPENING, ChannelState.PENDING)

@Composable
internal fun ChannelBadge(channel: Channel) =
    Badge(channel.stateText, isGood = channel.state == ChannelState.READY && channel.usable)

/** What can be sent, beside what can be received. */
@Composable
internal fun Sides(channel: Channel) {
    val (ours, theirs) = channel.spendableMsat.toFloat() to channel.receivableMsat.toFloat()
    val share = if (ours + theirs > 0f) ours / (ours + theirs) else 0f
    Box(Modifier.fillMaxWidth().height(8.dp).clip(CircleShape).background(LocalMoreColors.current.theirs)) {
        Box(Modifier.fillMaxWidth(share).fillMaxHeight().background(MaterialTheme.colorScheme.primary))
    }
    FlowRow(Modifier.fillMaxWidth(), Arrangement.SpaceBetween) {
        Side("You can send", channel.spendableMsat, Alignment.Start)
        // Under the other one, it begins where that begins.
        Side("You can receive", channel.receivableMsat, if (hasLargeLetters) Alignment.Start else Alignment.End)
    }
}

@Composable
private fun Side(label: String, msat: ULong, alignment: Alignment.Horizontal) {
    Column(Modifier.padding(end = 8.dp), horizontalAlignment = alignment) {
        Muted(label)
        Text(Amounts.ofMsat(msat), fontWeight = FontWeight.Medium)
    }
}

/** First and last characters of a long id. */
internal fun shortId(id: String): String = if (id.length <= 17) id else "${id.take(8)}…${id.takeLast(8)}"
