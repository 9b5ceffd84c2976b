package kite.app.ui

import androidx.compose.material3.AlertDialog
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.material3.TextButton
import androidx.compose.runtime.Composable
import androidx.compose.runtime.collectAsState
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.setValue
import kite.app.model.Amounts
import kite.app.model.ChannelsModel
import kite.app.model.Explanation
import kite.app.model.Snapshot
import kite.app.model.WalletModel
import kite.app.model.backAtLeast
import kite.app.model.closedByText
import kite.app.model.mayClose
import kite.app.model.mayCloseAlone
import kite.app.model.stateInFull
import kite.wallet.Channel
import kite.wallet.ClosedBy

private enum class Closing { TOGETHER, ALONE }

/** Everything about a channel, and its end. */
@Composable
internal fun ChannelScreen(wallet: WalletModel, model: ChannelsModel, id: String, snapshot: Snapshot, route: Route) {
    val state by model.state.collectAsState()
    var asks by remember { mutableStateOf<Closing?>(null) }
    val channel = snapshot.channels.firstOrNull { it.id == id }
    Page("Channel", route::back) {
        if (channel == null) return@Page Muted("This channel is not listed any more.")
        Group {
            ChannelBadge(channel)
            if (channel.state in SHOWING_SIDES) Sides(channel)
            channel.stateInFull(snapshot.info.height)?.let { Muted(it) }
        }
        if (channel.close?.closedBy == ClosedBy.CHEATER) {
            Trouble(
                Explanation(
                    "The other node tried to take what is not its own.",
                    "Keep this wallet open: all of the channel is being claimed for you.",
                ),
            )
        }
        Facts(channel)
        Trouble(state.failure)
        if (channel.mayClose && !state.isDone) {
            OtherButton("Close this channel", isEnabled = !state.isBusy) { asks = Closing.TOGETHER }
        }
        if (channel.mayCloseAlone) {
            OtherButton("Close without the other node", isEnabled = !state.isBusy) { asks = Closing.ALONE }
        }
    }
    val closing = asks
    if (channel != null && closing != null) {
        AskToClose(channel, closing, { asks = null }) {
            asks = null
            wallet.act { model.close(channel, alone = closing == Closing.ALONE) }
        }
    }
}

@Composable
private fun Facts(channel: Channel) {
    Group {
        Fact("Capacity", Amounts.ofSat(channel.capacitySat))
        Fact("In flight", Amounts.ofMsat(channel.inFlightMsat))
        Fact("Reserve, yours at closing", Amounts.ofSat(channel.reserveSat))
        Fact("Opened by", if (channel.isOpener) "You" else "The other node")
        channel.close?.let { Fact("Closed by", it.closedByText) }
        CopyFact("Node", channel.nodeId)
        channel.fundingTxid?.let { CopyFact("Funding transaction", it) }
        channel.closingTxid?.let { CopyFact("Closing transaction", it) }
        channel.close?.claimTxids.orEmpty().forEach { CopyFact("Claimed by the transaction", it) }
    }
}

@Composable
private fun AskToClose(channel: Channel, closing: Closing, leave: () -> Unit, close: () -> Unit) {
    val together = closing == Closing.TOGETHER
    AlertDialog(
        onDismissRequest = leave,
        title = { Text(if (together) "Close this channel?" else "Close it without the other node?") },
        text = {
            Text(
                if (together) {
                    "${channel.backAtLeast} It takes a block until you can use the coins. You can no longer pay or be " +
                        "paid through this channel then."
                } else {
                    "Do this only if the other node does not answer any more. Closing together is faster and costs less.\n\n" +
                        "Your coins come back on-chain after about a day or more, less network fees. This wallet has to " +
                        "be opened then to claim them.\n\nIt cannot be taken back."
                },
            )
        },
        confirmButton = {
            TextButton(close) {
                Text(if (together) "Close the channel" else "Close it alone", color = MaterialTheme.colorScheme.error)
            }
        },
        dismissButton = { TextButton(leave) { Text("Keep it") } },
    )
}
