package kite.app.model

import java.security.SecureRandom
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update

/** Where the owner of a new wallet is. */
sealed interface OnboardingStep {
    /** A new wallet, or one that its words bring back? */
    data object Welcome : OnboardingStep

    /** The words of a wallet are typed in. */
    data object Restoring : OnboardingStep

    /** The words of the new wallet, to be written down. Without a text of its own: words belong into no log. */
    class Words(val words: List<String>) : OnboardingStep

    /** Some of the words are asked for, by their places from 0. */
    class Confirming(val words: List<String>, val asked: List<Int>, val wrong: Set<Int> = emptySet()) : OnboardingStep
}

/** The first start as its screen sees it. */
class OnboardingState(
    val step: OnboardingStep = OnboardingStep.Welcome,
    val failure: Explanation? = null,
    val isBusy: Boolean = false,
)

/** The first start: a new wallet, whose words are shown once and confirmed, or one that its words bring back. */
class OnboardingModel(private val wallet: WalletModel) {
    private val mutable = MutableStateFlow(OnboardingState())

    /** What the screen shows. */
    val state: StateFlow<OnboardingState> = mutable.asStateFlow()

    /** Makes a wallet, and shows its words. */
    suspend fun create() = attemptAt(OnboardingStep.Welcome) {
        wallet.create()
        if (wallet.state.value.phase == Phase.Onboarding) go(OnboardingStep.Words(wallet.newWords()))
    }

    /** Goes to where the words are typed in. */
    fun beginRestoring() = go(OnboardingStep.Restoring)

    /** Brings back the wallet of these words. */
    suspend fun restore(typed: String) = attemptAt(OnboardingStep.Restoring) {
        val words = wordsIn(typed)
        if (words.size != WORDS) {
            throw Explained("There must be $WORDS words; these are ${words.size}.", "Enter them in their order, with spaces.")
        }
        wallet.create(words.joinToString(" "))
        go(OnboardingStep.Welcome)
    }

    /** The words are on paper: asks for three of them. */
    fun written() {
        val words = (state.value.step as? OnboardingStep.Words)?.words ?: return
        val asked = words.indices.shuffled(SecureRandom()).take(ASKED).sorted()
        go(OnboardingStep.Confirming(words, asked))
    }

    /** Compares what was typed, by place, with the words. If all are right, the wallet is shown. */
    fun confirm(typed: Map<Int, String>) {
        val step = state.value.step as? OnboardingStep.Confirming ?: return
        val wrong = step.asked.filterTo(mutableSetOf()) { wordsIn(typed[it].orEmpty()) != listOf(step.words[it]) }
        if (wrong.isNotEmpty()) return go(OnboardingStep.Confirming(step.words, step.asked, wrong))
        wallet.begin(confirmed = true)
        go(OnboardingStep.Welcome)
    }

    /** The words are written down later: the wallet reminds of them. */
    fun later() {
        wallet.begin(confirmed = false)
        go(OnboardingStep.Welcome)
    }

    /** One step back. */
    fun back() = when (val step = state.value.step) {
        is OnboardingStep.Confirming -> go(OnboardingStep.Words(step.words))
        is OnboardingStep.Restoring -> go(OnboardingStep.Welcome)
        else -> Unit
    }

    private fun go(step: OnboardingStep) = mutable.update { OnboardingState(step, isBusy = it.isBusy) }

    private suspend fun attemptAt(step: OnboardingStep, body: suspend () -> Unit) {
        mutable.value = OnboardingState(step, isBusy = true)
        val failure = attempt(body)
        mutable.update { OnboardingState(it.step, failure) }
    }

    private companion object {
        const val WORDS = 12
        const val ASKED = 3
    }
}

/** The words of a text, however they were typed or pasted. */
internal fun wordsIn(text: String): List<String> = text.lowercase().split(Regex("[^a-z]+")).filter { it.isNotEmpty() }
