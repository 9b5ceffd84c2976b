package kite.app.ui

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.material3.Card
import androidx.compose.material3.CardDefaults
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.material3.TextButton
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.dp
import kite.app.model.Amounts
import kite.app.model.ChannelsModel
import kite.app.model.MAINNET
import kite.app.model.NextStep
import kite.app.model.ReceiveModel
import kite.app.model.ReceiveWay
import kite.app.model.SendModel
import kite.app.model.Snapshot
import kite.app.model.WalletModel
import kite.app.model.WalletState
import kite.app.model.asSentence
import kite.app.model.nextStep
import kite.wallet.Balance

private const val LAST = 5

/** The wallet at a glance: what can be spent and received, what is elsewhere, and the last payments. */
@Composable
internal fun HomeScreen(wallet: WalletModel, state: WalletState, snapshot: Snapshot, route: Route) {
    Scrolling("Kite", action = { if (state.network != MAINNET) Badge(state.network, isGood = false) }) {
        Spendable(snapshot.balance)
        SideBySide(
            { MainButton("Send", drawing = Drawing.SEND, modifier = it) { route.go(Place.Send(SendModel(wallet))) } },
            { OtherButton("Receive", Drawing.RECEIVE, it) { route.go(Place.Receive(ReceiveModel(wallet))) } },
        )
        snapshot.info.chainError?.let {
            Caution(it.asSentence(), "Your money is safe. The wallet tries again by itself; what you see may be old.")
        }
        if (!state.hasConfirmedWords) {
            Caution("Your 12 words are not confirmed yet.", "Without them nothing brings your keys back: see Settings.")
        }
        snapshot.nextStep?.let { Next(it, wallet, route) }
        Parts(snapshot.balance)
        Group("Last payments") {
            if (snapshot.payments.isEmpty()) Muted("Nothing yet. What you pay and receive appears here.")
            for (payment in snapshot.payments.take(LAST)) PaymentLine(payment) { route.go(Place.OfPayment(payment.id)) }
            if (snapshot.payments.size > LAST) TextButton({ route.choose(Tab.HISTORY) }) { Text("All payments") }
        }
    }
}

@Composable
private fun Spendable(balance: Balance) {
    val colors = CardDefaults.cardColors(MaterialTheme.colorScheme.primary, MaterialTheme.colorScheme.onPrimary)
    Card(Modifier.fillMaxWidth(), shape = MaterialTheme.shapes.medium, colors = colors) {
        Column(Modifier.padding(20.dp), verticalArrangement = Arrangement.spacedBy(8.dp)) {
            Column(Modifier.semantics(mergeDescendants = true) {}) {
                Text("You can spend")
                BigAmount(Amounts.ofMsat(balance.spendableMsat))
            }
            Text("You can receive ${Amounts.ofMsat(balance.receivableMsat)}")
        }
    }
}

@Composable
private fun Next(step: NextStep, wallet: WalletModel, route: Route) {
    Group(step.title) {
        Muted(step.text)
        when (step.action) {
            NextStep.Action.OPEN_CHANNEL -> OtherButton("Open a channel") { route.go(Place.OpenChannel(ChannelsModel(wallet))) }
            NextStep.Action.SHOW_ADDRESS ->
                OtherButton("Show my address") { route.go(Place.Receive(ReceiveModel(wallet, ReceiveWay.ONCHAIN))) }
            null -> Unit
        }
    }
}

@Composable
private fun Parts(balance: Balance) {
    var why by rememberSaveable { mutableStateOf(false) }
    Group("All your money", Amounts.ofMsat(balance.totalMsat)) {
        Fact("On-chain", Amounts.ofSat(balance.onchainSat))
        if (balance.reservedSat > 0uL) Fact("of that kept for closing channels", Amounts.ofSat(balance.reservedSat))
        if (balance.onchainPendingSat > 0uL) Fact("On-chain, waiting for a block", Amounts.ofSat(balance.onchainPendingSat))
        Fact("In flight", Amounts.ofMsat(balance.inFlightMsat))
        Fact("In closing channels", Amounts.ofSat(balance.closingSat))
        if (why) {
            Muted(
                "Lightning spends what is in your channels. Each channel keeps a small reserve of yours until it closes, " +
                    "the other node limits how much may be on its way at once, money in flight is not yours to use yet, " +
                    "and on-chain coins become spendable here when you open a channel with them.",
            )
        } else {
            TextButton({ why = true }) { Text("Why can I not spend all of it?") }
        }
    }
}
