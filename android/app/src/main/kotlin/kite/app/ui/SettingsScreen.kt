package kite.app.ui

import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.selection.selectable
import androidx.compose.foundation.selection.toggleable
import androidx.compose.material3.RadioButton
import androidx.compose.material3.Switch
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.setValue
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.unit.dp
import kite.app.model.Explanation
import kite.app.model.MAINNET
import kite.app.model.Snapshot
import kite.app.model.WalletModel
import kite.app.model.WalletState
import kite.app.model.explain
import kite.app.model.networkName
import kite.wallet.Info
import kite.wallet.youngOnMainnet

/** The words, the lock, the network, and what this wallet is. */
@Composable
internal fun SettingsScreen(wallet: WalletModel, state: WalletState, snapshot: Snapshot, route: Route) {
    Scrolling("Settings") {
        Words(wallet, state)
        Group("Lock") {
            val canTell = wallet.canTell()
            Toggle("Ask who is there", state.asksWhoIsThere, canTell) { wallet.act { wallet.ask(it) } }
            Muted(
                if (canTell) {
                    "By finger, face or the code of the device, whenever the app comes to the front."
                } else {
                    "This device has no code yet. Set one in the system's settings first."
                },
            )
            Trouble(state.lockTrouble)
        }
        Group("Network") {
            for (network in wallet.networks) {
                Pick(networkName(network).replaceFirstChar(Char::uppercase), network == state.network) { wallet.act { wallet.choose(network) } }
            }
            Muted("Each network has a wallet of its own. The others stay as they are until you come back to them.")
        }
        if (state.network == MAINNET) {
            Group("Kite is young") { for (sentence in remember { youngOnMainnet() }) Text(sentence) }
        }
        About(wallet, snapshot.info)
        OtherButton("Show the log") { route.go(Place.ForLog) }
    }
}

@Composable
private fun Words(wallet: WalletModel, state: WalletState) {
    var words by remember { mutableStateOf(emptyList<String>()) }
    var failure by remember { mutableStateOf<Explanation?>(null) }
    Group("Your 12 words") {
        if (words.isEmpty()) {
            Muted("They bring back your keys and on-chain coins. Show them only when nobody looks over your shoulder.")
            OtherButton("Show the words") {
                wallet.act {
                    runCatching { wallet.words() }.onSuccess { words = it }.onFailure { failure = explain(it) }
                }
            }
        } else {
            WordList(words)
            if (!state.hasConfirmedWords) {
                MainButton("I have written them down") {
                    wallet.confirmWords()
                    words = emptyList()
                }
            }
            OtherButton("Hide them") { words = emptyList() }
        }
        Trouble(failure)
    }
}

@Composable
private fun Toggle(label: String, isOn: Boolean, isEnabled: Boolean, change: (Boolean) -> Unit) {
    Row(
        Modifier.fillMaxWidth().heightIn(min = 48.dp).toggleable(isOn, isEnabled, Role.Switch, onValueChange = change),
        verticalAlignment = Alignment.CenterVertically,
    ) {
        Text(label, Modifier.weight(1f))
        Switch(isOn, onCheckedChange = null, enabled = isEnabled)
    }
}

@Composable
private fun Pick(label: String, isChosen: Boolean, choose: () -> Unit) {
    Row(
        Modifier.fillMaxWidth().heightIn(min = 48.dp)
            .selectable(isChosen, role = Role.RadioButton) { if (!isChosen) choose() },
        verticalAlignment = Alignment.CenterVertically,
    ) {
        Text(label, Modifier.weight(1f))
        RadioButton(isChosen, onClick = null)
    }
}

@Composable
private fun About(wallet: WalletModel, info: Info) {
    Group("This wallet") {
        Fact("Newest block", "${info.height}" + if (info.synced) "" else ", catching up")
        Fact("Connected nodes", "${info.peers}")
        Fact("Version", info.version)
        CopyFact("Node id", info.nodeId)
        CopyFact("Chain server", wallet.chainServer)
    }
}
