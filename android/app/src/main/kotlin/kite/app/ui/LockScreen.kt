package kite.app.ui

import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.ui.Modifier
import androidx.compose.ui.text.style.TextAlign
import kite.app.model.Explanation
import kite.app.model.MAINNET
import kite.app.model.WalletModel

/** Nothing of the wallet, until its owner is recognised. */
@Composable
internal fun LockScreen(wallet: WalletModel, trouble: Explanation?) {
    LaunchedEffect(wallet) { wallet.unlock() }
    Middle {
        Emblem(Drawing.LOCK)
        Title("The wallet is locked")
        Trouble(trouble)
        MainButton("Unlock", modifier = Modifier) { wallet.act { wallet.unlock() } }
    }
}

/** The wallet was stopped, or cannot be opened. */
@Composable
internal fun HaltedScreen(wallet: WalletModel, explanation: Explanation) {
    Middle {
        Trouble(explanation)
        MainButton("Try again") { wallet.act { wallet.comeToFront() } }
        val another = wallet.networks.firstOrNull { it != wallet.state.value.network && it != MAINNET }
        if (another != null) OtherButton("Use the wallet on $another") { wallet.act { wallet.choose(another) } }
    }
}

/** What to know before real bitcoin is put into something young. */
@Composable
internal fun YoungScreen(wallet: WalletModel, sentences: List<String>) {
    Page("This is real bitcoin, and Kite is young", back = null) {
        Muted("Put in only what you could bear to lose. Before you go on, know this:")
        Group { for (sentence in sentences) Text(sentence, textAlign = TextAlign.Start) }
        MainButton("I have read it and go on") { wallet.act { wallet.acceptYoung() } }
        val another = wallet.networks.firstOrNull { it != wallet.state.value.network }
        if (another != null) OtherButton("Rather try it on $another") { wallet.act { wallet.choose(another) } }
    }
}
