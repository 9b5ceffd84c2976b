package kite.app.model

import kite.wallet.Balance
import kite.wallet.Channel
import kite.wallet.Info
import kite.wallet.Payment

/** Everything of the wallet that the screens show, as of the last refresh. */
data class Snapshot(
    val info: Info,
    val balance: Balance,
    val channels: List<Channel>,
    val payments: List<Payment>,
)

/** What the app is doing. */
sealed interface Phase {
    /** The wallet is being opened. */
    data object Starting : Phase

    /** The owner must read what is young about Kite with real bitcoin, and accept it. */
    data class Young(val sentences: List<String>) : Phase

    /** There is no wallet yet, or its words are being written down. */
    data object Onboarding : Phase

    /** The wallet runs. */
    data object Running : Phase

    /** The wallet was stopped, or cannot be opened. */
    data class Halted(val explanation: Explanation) : Phase
}

/** The app as the screens see it. */
data class WalletState(
    val network: String,
    val phase: Phase = Phase.Starting,
    /** Nothing of the wallet is shown until the person was recognised. */
    val isLocked: Boolean = false,
    val asksWhoIsThere: Boolean = false,
    /** Why the person could not be asked who they are. */
    val lockTrouble: Explanation? = null,
    val hasConfirmedWords: Boolean = false,
    val snapshot: Snapshot? = null,
    val notices: List<Notice> = emptyList(),
)
