package kite.app.model

import kite.wallet.ChannelState

/** What a wallet without a channel needs next, and the screen that helps. */
data class NextStep(val title: String, val text: String, val action: Action?) {
    /** Where the owner goes for it. */
    enum class Action { OPEN_CHANNEL, SHOW_ADDRESS }
}

/** What to do before this wallet can pay; null once it can. */
val Snapshot.nextStep: NextStep?
    get() {
        if (channels.any { it.state == ChannelState.READY }) return null
        val opening = channels.firstOrNull { it.state == ChannelState.OPENING || it.state == ChannelState.PENDING }
        return when {
            opening != null -> NextStep(
                "Your channel is being opened",
                "${opening.confirmations} of ${opening.confirmationsNeeded} blocks. You can pay as soon as it is ready.",
                null,
            )
            balance.onchainSat > 0uL -> NextStep(
                "Open a channel",
                "Your coins are on-chain. Put some into a channel to pay in an instant.",
                NextStep.Action.OPEN_CHANNEL,
            )
            balance.onchainPendingSat > 0uL -> NextStep(
                "Coins are on their way",
                "They count after the next block. Then you can open a channel with them.",
                null,
            )
            else -> NextStep(
                "Fill the wallet",
                "Send some coins to its on-chain address first. You open a channel with them next.",
                NextStep.Action.SHOW_ADDRESS,
            )
        }
    }
