package kite.app.model

import java.text.SimpleDateFormat
import java.util.Date
import java.util.Locale
import kite.wallet.Event
import kite.wallet.EventEnvelope
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update

/**
 * What happened since the app was started, for a report of a fault: events and errors, without amounts, node ids, words,
 * keys and invoices. It stays in memory.
 */
class Log {
    private val mutable = MutableStateFlow(emptyList<String>())

    /** The lines, the oldest first. */
    val lines: StateFlow<List<String>> = mutable.asStateFlow()

    internal fun add(text: String) {
        val time = SimpleDateFormat("yyyy-MM-dd HH:mm:ss", Locale.ROOT).format(Date())
        mutable.update { (it + "$time $text").takeLast(MOST) }
    }

    internal fun add(told: EventEnvelope) = add("event ${told.seq}: ${inShort(told.event)}")

    internal fun add(error: Throwable) = add("error: ${error.message ?: error.toString()}")

    private fun inShort(event: Event): String = when (event) {
        is Event.PaymentSent -> "payment sent, ${event.id}"
        is Event.PaymentFailed -> "payment failed, ${event.id}: ${event.code}, ${event.reason}"
        is Event.PaymentReceived -> "payment received, ${event.id}"
        is Event.ChannelPending -> "channel pending, ${event.channelId}"
        is Event.ChannelReady -> "channel ready, ${event.channelId}"
        is Event.ChannelClosed -> "channel closed, ${event.channelId}: ${event.reason}"
        is Event.ChannelOpenFailed -> "channel not opened: ${event.reason}"
        is Event.OnchainReceived -> "coins ${if (event.confirmed) "received" else "coming"}, ${event.txid}"
        is Event.OnchainSent -> "coins ${if (event.confirmed) "sent" else "leaving"}, ${event.txid}"
        is Event.ActionRequired -> "action required: ${event.what}"
        is Event.Synced -> "synced"
        is Event.PeerConnected -> "a node connected"
        is Event.PeerDisconnected -> "a node disconnected"
        is Event.Stopped -> "stopped: ${event.reason}"
    }

    private companion object {
        const val MOST = 500
    }
}
