package kite.app.model

import kite.wallet.Channel
import kite.wallet.ChannelClose
import kite.wallet.ChannelState
import kite.wallet.ClosedBy

private const val SECS_A_BLOCK = 600L

/** Whether nothing of it is left to come. A failed channel still holds coins. */
val Channel.isOver: Boolean
    get() = state == ChannelState.CLOSED || close?.let { it.amountSat == 0uL && it.confirmations > 0u } == true

/** How it stands, in a word. */
val Channel.stateText: String
    get() = when {
        isOver -> "Closed"
        state == ChannelState.READY -> if (usable) "Ready" else "Offline"
        state == ChannelState.CLOSING -> "Closing"
        state == ChannelState.FAILED -> "Failed"
        else -> "Opening"
    }

/** What that means now; null where the word says it all. */
fun Channel.stateInFull(height: UInt): String? = when (state) {
    ChannelState.OPENING -> "Agreeing with the other node on the new channel."
    ChannelState.PENDING -> "Waiting for blocks: $confirmations of $confirmationsNeeded."
    ChannelState.READY ->
        if (usable) null else "The other node is not connected. The wallet keeps trying; your money is safe."
    ChannelState.CLOSING -> close?.comingBack(height)
        ?: if (closingTxid != null) {
            "Your coins are back among the on-chain ones as soon as the closing transaction is in a block."
        } else {
            "Agreeing with the other node on how it is closed."
        }
    ChannelState.FAILED ->
        "${(closeReason ?: "it cannot be used any more").asSentence()} What is yours in it stays counted in your total."
    ChannelState.CLOSED -> closeReason?.asSentence()
}

/** Whether it can be closed together with the other node. */
val Channel.mayClose: Boolean get() = state == ChannelState.READY || state == ChannelState.PENDING

/** Whether it may be closed alone: where the other node does not answer, or nothing is agreed and published yet. */
val Channel.mayCloseAlone: Boolean
    get() = (state == ChannelState.CLOSING && closingTxid == null) || (mayClose && !usable)

/** The least that closing together brings back. Without something to send, nothing says that the reserve is filled. */
val Channel.backAtLeast: String
    get() = if (spendableMsat == 0uL) {
        "All that is yours in it comes back on-chain."
    } else {
        "At least about ${Amounts.ofMsat(spendableMsat + reserveSat * 1_000uL)} come back on-chain: what you can send, " +
            "and your reserve of ${Amounts.ofSat(reserveSat)}."
    }

/** What still comes back, and when. */
fun ChannelClose.comingBack(height: UInt): String {
    val expected = expectedHeight
    return when {
        amountSat == 0uL && confirmations == 0u ->
            "Your coins are among the on-chain ones as soon as the closing transaction is in a block."
        amountSat == 0uL -> "All that was yours is among your on-chain coins."
        expected == null ->
            "${Amounts.ofSat(amountSat)} come back as soon as the closing transaction is in a block."
        else -> {
            val blocks = maxOf(1L, expected.toLong() - height.toLong())
            val span = if (blocks == 1L) "the next block" else "$blocks blocks, about ${Times.span(blocks * SECS_A_BLOCK)}"
            "About ${Amounts.ofSat(amountSat)} come back by block $expected: in $span. Open this wallet now and then " +
                "until it is done: it then claims what is due."
        }
    }
}

/** Who closed it. */
val ChannelClose.closedByText: String
    get() = when (closedBy) {
        ClosedBy.BOTH -> "You and the other node"
        ClosedBy.WALLET -> "You alone"
        ClosedBy.PEER -> "The other node alone"
        ClosedBy.CHEATER -> "The other node, with an old state: it loses all of the channel to you"
        ClosedBy.UNKNOWN -> "A transaction that this wallet does not know"
    }
