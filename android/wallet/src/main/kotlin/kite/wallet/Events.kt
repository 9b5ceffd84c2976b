package kite.wallet

import java.util.Collections
import java.util.WeakHashMap
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

private val collected: MutableSet<Wallet> =
    Collections.synchronizedSet(Collections.newSetFromMap(WeakHashMap<Wallet, Boolean>()))

/**
 * What the wallet tells, in order, while it is collected. Use this or [Wallet.setListener] or [Wallet.nextEvent].
 *
 * A stored event counts as handled once the collector has returned from it, and not before: if the collector throws, is
 * cancelled or its process ends, the event comes again at the next collection, also after the wallet was opened again. So
 * an event may come twice, as it does if the wallet ends within half a second after it was handled: [EventEnvelope.seq]
 * tells. It stays unhandled, too, where an operator such as `first` ends the
 * collection with it; with `buffer`, which returns before the event was dealt with, it is handled too early.
 *
 * The flow completes after [Event.Stopped], and when the app stops the wallet while an event is dealt with.
 *
 * @throws IllegalStateException if this wallet's events are being collected already.
 * @throws WalletException.Stopped and also `LeaseLost` or `StoreUnavailable`, if the end was told to someone before.
 */
public fun Wallet.events(): Flow<EventEnvelope> = flow {
    check(collected.add(this@events)) { "the events of this wallet are being collected already" }
    try {
        do {
            val told = nextEvent()
            emit(told)
        } while (handled(told) && told.event !is Event.Stopped)
    } finally {
        collected.remove(this@events)
    }
}

/** Says that this event was handled. False if the app has stopped the wallet: the event comes again when it is opened. */
private suspend fun Wallet.handled(told: EventEnvelope): Boolean =
    try {
        // Passing news have no number, and nothing of them is stored.
        if (told.seq > 0uL) eventHandled(told.seq)
        true
    } catch (_: WalletException.Stopped) {
        false
    }
