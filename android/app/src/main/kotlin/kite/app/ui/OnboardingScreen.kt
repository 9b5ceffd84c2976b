package kite.app.ui

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.padding
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.collectAsState
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateMapOf
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.setValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.font.FontFamily
import androidx.compose.ui.text.font.FontWeight
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp
import kite.app.model.MAINNET
import kite.app.model.OnboardingModel
import kite.app.model.OnboardingState
import kite.app.model.OnboardingStep
import kite.app.model.WalletModel

/** The first start: a new wallet, whose words are shown once and confirmed, or one that its words bring back. */
@Composable
internal fun OnboardingScreen(wallet: WalletModel, model: OnboardingModel) {
    val state by model.state.collectAsState()
    when (val step = state.step) {
        OnboardingStep.Welcome -> Welcome(wallet, model, state)
        OnboardingStep.Restoring -> Restoring(wallet, model, state)
        is OnboardingStep.Words -> NewWords(model, step.words)
        is OnboardingStep.Confirming -> Confirming(model, step)
    }
}

@Composable
private fun Welcome(wallet: WalletModel, model: OnboardingModel, state: OnboardingState) {
    Middle {
        Mark()
        Text(
            "Lightning money that only you hold", style = MaterialTheme.typography.headlineMedium,
            fontWeight = FontWeight.SemiBold, textAlign = TextAlign.Center,
        )
        Muted("Your keys and channels live on this device. No account, no one in between.", align = TextAlign.Center)
        MainButton("Create a new wallet", state.isBusy, "Making the wallet…") { wallet.act { model.create() } }
        OtherButton("Restore from 12 words", isEnabled = !state.isBusy) { model.beginRestoring() }
        Trouble(state.failure)
        if (wallet.state.value.network != MAINNET) {
            Muted("For trying out: the coins on this network have no value.", align = TextAlign.Center)
        }
    }
}

@Composable
private fun Restoring(wallet: WalletModel, model: OnboardingModel, state: OnboardingState) {
    // Not kept by the system when the app is ended: these are the keys to the money.
    var words by remember { mutableStateOf("") }
    LocalDevice.current.Secret()
    Page("Restore a wallet", model::back) {
        CodeField("The 12 words, in order", words, "abandon ability able …") { words = it }
        Trouble(state.failure)
        Caution(
            "Never use the same words in two places at once: channels would be lost.",
            "The words bring back your keys and your on-chain coins. Open channels and the history live only on the " +
                "device they were made on.",
        )
        MainButton("Restore the wallet", state.isBusy, "Restoring…", isEnabled = words.isNotBlank()) {
            wallet.act { model.restore(words) }
        }
    }
}

@Composable
private fun NewWords(model: OnboardingModel, words: List<String>) {
    Page("Write down these 12 words", back = null) {
        Text("On paper, in this order. With them you get your keys back when this device is lost. Whoever reads them can take your money.")
        WordList(words)
        Muted("Open channels and the history live on this device only: the words do not bring them back.")
        MainButton("I have written them down") { model.written() }
        OtherButton("Later") { model.later() }
    }
}

@Composable
private fun Confirming(model: OnboardingModel, step: OnboardingStep.Confirming) {
    val typed = remember(step.asked) { mutableStateMapOf<Int, String>() }
    LocalDevice.current.Secret()
    Page("Check your words", model::back) {
        Muted("Enter three of them from your paper.")
        for (place in step.asked) {
            val wrong = place in step.wrong
            CodeField(
                "Word ${place + 1}", typed[place].orEmpty(), "", lines = 1, isWrong = wrong,
                hint = if (wrong) "This is another word. Look at your paper again." else null,
            ) { typed[place] = it }
        }
        MainButton("Finish", isEnabled = step.asked.all { !typed[it].isNullOrBlank() }) { model.confirm(typed) }
    }
}

/** The words in two columns, each with its place. Nobody can take a picture of them. */
@Composable
internal fun WordList(words: List<String>) {
    LocalDevice.current.Secret()
    Group {
        Row(horizontalArrangement = Arrangement.spacedBy(12.dp)) {
            for (column in words.withIndex().chunked(if (hasLargeLetters) words.size else (words.size + 1) / 2)) {
                Column(Modifier.weight(1f)) {
                    for ((place, word) in column) {
                        Row(Modifier.padding(vertical = 5.dp).semantics(mergeDescendants = true) {}) {
                            Muted("${place + 1}", Modifier.padding(end = 10.dp))
                            Text(word, fontFamily = FontFamily.Monospace, fontWeight = FontWeight.Medium)
                        }
                    }
                }
            }
        }
    }
}
