package kite.wallet

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import kotlinx.coroutines.yield
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import kotlin.time.Duration.Companion.milliseconds

/** Many callers, callers that leave, and wallets that are forgotten. */
class BusyTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val config get() = config(folder.root)

    private suspend fun create() = Wallet.createWithDeviceKey(config, KEY, null)

    /** Opened as soon as whatever had it open before has let it go. */
    private suspend fun openSoon() = until("the wallet can be opened", 20) {
        System.gc()
        try {
            Wallet.openWithDeviceKey(config, KEY)
        } catch (_: WalletException.AlreadyOpen) {
            null
        }
    }

    @Test
    fun manyThreadsCallAtOnce() = test {
        val wallet = create()
        val nodeId = wallet.info().nodeId
        val addresses = (1..CALLERS).map { number ->
            async(Dispatchers.IO) {
                assertEquals(nodeId, wallet.info().nodeId)
                val invoice = wallet.makeInvoice(InvoiceRequest(number.toULong() * 1_000uL, "tea $number", null))
                assertEquals(number.toULong() * 1_000uL, (wallet.parse(invoice.invoice) as Parsed.Bolt11).invoice.amountMsat)
                wallet.newAddress()
            }
        }.awaitAll()
        assertEquals(CALLERS, addresses.toSet().size)
        assertEquals(CALLERS, wallet.listPayments(PaymentFilter(limit = CALLERS.toUInt(), beforeSecs = null, direction = null)).size)
        wallet.stop()
    }

    @Test
    fun aWaitingCallIsCancelled() = test {
        val wallet = create()
        repeat(50) { assertNull(withTimeoutOrNull(2.milliseconds) { wallet.nextEvent() }) }
        val waiting = (1..50).map { launch(Dispatchers.IO) { wallet.nextEvent() } }
        yield()
        waiting.forEach { it.cancelAndJoin() }
        assertTrue(waiting.all { it.isCancelled })
        assertEquals(0uL, wallet.balance().totalMsat)
        wallet.stop()
    }

    @Test
    fun aCollectorThatLeavesMakesRoomForTheNext() = test {
        val wallet = create()
        val first = launch { wallet.events().collect {} }
        yield()
        caught<IllegalStateException> { wallet.events().collect {} }
        assertTrue("the first one goes on", first.isActive)
        first.cancelAndJoin()
        val told = mutableListOf<Event>()
        val second = launch { wallet.events().collect { told += it.event } }
        wallet.stop()
        second.join()
        assertFalse(second.isCancelled)
        assertEquals(listOf<Event>(Event.Stopped("closed")), told)
    }

    @Test
    fun stoppingEndsEveryWaitingCall() = test {
        val wallet = create()
        val waiting = (1..20).map {
            async(Dispatchers.IO) {
                try {
                    while (wallet.nextEvent().event !is Event.Stopped) { /* the next one */ }
                } catch (_: WalletException.Stopped) {
                    // One of them is told of the end.
                }
            }
        }
        wallet.stop()
        waiting.awaitAll()
        openSoon().stop()
    }

    @Test
    fun aWalletClosedWhileBusyEndsWithItsLastCall() = test {
        val wallet = create()
        val nodeId = wallet.info().nodeId
        val waiting = launch(Dispatchers.IO) { wallet.nextEvent() }
        val busy = (1..CALLERS).map {
            async(Dispatchers.IO) {
                try {
                    wallet.newAddress()
                } catch (closed: IllegalStateException) {
                    // What was not under way yet is refused; a cancelled call would be another error.
                    if (closed is CancellationException) throw closed
                    null
                }
            }
        }
        wallet.close()
        val addresses = busy.awaitAll().filterNotNull()
        assertEquals(addresses.size, addresses.toSet().size)
        caught<IllegalStateException> { wallet.info() }
        waiting.cancelAndJoin()
        val again = openSoon()
        assertEquals(nodeId, again.info().nodeId)
        again.stop()
    }

    @Test
    fun twoWalletsLiveInOneProcess() = test {
        val other = config(folder.newFolder())
        val wallets = listOf(create(), Wallet.createWithDeviceKey(other, KEY, null))
        val invoices = wallets.map { wallet ->
            async(Dispatchers.IO) { (1..10).map { wallet.makeInvoice(InvoiceRequest(1_000uL, "tea $it", null)).paymentHash } }
        }.awaitAll()
        assertEquals(20, invoices.flatten().toSet().size)
        assertEquals(2, wallets.map { it.info().nodeId }.toSet().size)
        caught<WalletException.AlreadyOpen> { Wallet.openWithDeviceKey(other, KEY) }
        wallets[0].stop()
        assertEquals(10, wallets[1].listPayments(PaymentFilter(null, 100u, null)).size)
        wallets[1].stop()
    }

    @Test
    fun aForgottenWalletIsGivenBack() = test {
        val nodeId = create().info().nodeId
        val again = openSoon()
        assertEquals(nodeId, again.info().nodeId)
        again.stop()
    }

    private companion object {
        const val CALLERS = 64
        val KEY = "5a".repeat(31) + "01"
    }
}
