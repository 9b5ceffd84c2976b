package kite.app.ui

import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.collectAsState
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import kite.app.model.Amounts
import kite.app.model.ChannelsModel
import kite.app.model.ChannelsState
import kite.app.model.OpeningReview
import kite.app.model.ReceiveModel
import kite.app.model.ReceiveWay
import kite.app.model.Snapshot
import kite.app.model.WalletModel

/** Opening a channel: with whom and how much, every number, then the channel. */
@Composable
internal fun OpenChannelScreen(wallet: WalletModel, model: ChannelsModel, snapshot: Snapshot, route: Route) {
    val state by model.state.collectAsState()
    LaunchedEffect(state.isDone) { if (state.isDone) route.choose(Tab.CHANNELS) }
    val review = state.review
    if (review == null) Asking(wallet, model, state, snapshot, route) else Reviewing(wallet, model, state, review)
}

@Composable
private fun Asking(wallet: WalletModel, model: ChannelsModel, state: ChannelsState, snapshot: Snapshot, route: Route) {
    val device = LocalDevice.current
    var node by rememberSaveable { mutableStateOf("") }
    var amount by rememberSaveable { mutableStateOf("") }
    var scans by rememberSaveable { mutableStateOf(false) }
    if (scans) {
        ScanScreen({ scans = false }) {
            scans = false
            node = it
        }
        return
    }
    Page("Open a channel", route::back) {
        if (snapshot.balance.onchainSat == 0uL) NoCoins(wallet, snapshot, route)
        CodeField("Address of the node", node, "02ab…@host:9735", hint = "Its id, an @, and where it is reached.") { node = it }
        SideBySide(
            { OtherButton("Paste", Drawing.PASTE, it) { device.pasted()?.let { pasted -> node = pasted } } },
            { OtherButton("Scan", Drawing.SCAN, it) { scans = true } },
        )
        AmountField("Amount", amount, "You have ${Amounts.ofSat(snapshot.balance.onchainSat)} on-chain.") { amount = it }
        Trouble(state.failure)
        MainButton("Review", state.isBusy, "Reckoning…", isEnabled = node.isNotBlank() && amount.isNotBlank()) {
            wallet.act { model.review(node, amount) }
        }
    }
}

@Composable
private fun NoCoins(wallet: WalletModel, snapshot: Snapshot, route: Route) {
    val pending = snapshot.balance.onchainPendingSat
    if (pending > 0uL) {
        return Caution(
            "Your coins wait for a block.",
            "${Amounts.ofSat(pending)} are on their way. A channel can be opened with them once they are in a block.",
        )
    }
    Caution("There are no coins on-chain yet.", "A channel is opened with them.")
    OtherButton("Show my address") { route.go(Place.Receive(ReceiveModel(wallet, ReceiveWay.ONCHAIN))) }
}

@Composable
private fun Reviewing(wallet: WalletModel, model: ChannelsModel, state: ChannelsState, review: OpeningReview) {
    val quote = review.quote
    Page("Review", model::back) {
        Group {
            BigAmount(Amounts.ofSat(quote.amountSat))
            CopyFact("With", review.request.nodeId)
            Fact("Network fee", Amounts.ofSat(quote.feeSat))
            Fact("Leaves your on-chain coins", Amounts.ofSat(quote.totalSat), strong = true)
            Fact("Reserve, yours at closing", Amounts.ofSat(quote.reserveSat))
            Fact("You can spend after", Amounts.ofMsat(quote.spendableAfterMsat))
        }
        Trouble(state.failure)
        MainButton("Open the channel", state.isBusy, "Opening…") { wallet.act { model.openChannel() } }
    }
}
