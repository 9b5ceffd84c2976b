package kite.app.model

import kite.wallet.Event
import kite.wallet.EventEnvelope
import kite.wallet.PaymentFailure

/** How a notice sounds. */
enum class Tone { PLAIN, GOOD, BAD }

/** A line about something that happened. */
data class Notice(val seq: ULong, val text: String, val tone: Tone)

/** The line for an event; null for those that only make the screens refresh. */
fun notice(told: EventEnvelope): Notice? {
    val (text, tone) = when (val event = told.event) {
        is Event.PaymentReceived -> "Received ${Amounts.ofMsat(event.amountMsat)}." to Tone.GOOD
        is Event.PaymentSent -> "The payment has arrived." to Tone.GOOD
        is Event.PaymentFailed ->
            explain(PaymentFailure(event.code, event.reason)).let { "${it.what} ${it.next}" } to Tone.BAD
        is Event.ChannelPending -> "The channel is being opened. It is usable after a few blocks." to Tone.PLAIN
        is Event.ChannelReady -> "The channel is ready." to Tone.GOOD
        is Event.ChannelClosed ->
            "A channel closes; ${Amounts.ofSat(event.amountSat)} come back on-chain." to Tone.PLAIN
        is Event.ChannelOpenFailed -> "The channel could not be opened: ${event.reason}".asSentence() to Tone.BAD
        is Event.OnchainReceived -> when {
            event.confirmed -> "${Amounts.ofSat(event.amountSat)} arrived on-chain." to Tone.GOOD
            else -> "${Amounts.ofSat(event.amountSat)} are on their way on-chain." to Tone.PLAIN
        }
        is Event.OnchainSent -> if (event.confirmed) "The on-chain transaction is in a block." to Tone.GOOD else return null
        is Event.ActionRequired -> event.what.asSentence() to Tone.BAD
        is Event.Synced, is Event.PeerConnected, is Event.PeerDisconnected, is Event.Stopped -> return null
    }
    return Notice(told.seq, text, tone)
}
