package kite.wallet

import java.util.concurrent.CountDownLatch
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel as Queue
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.ClassRule
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Pays and is paid over TCP by nodes that nobody here wrote, and hears of it. */
class PaymentTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val config get() = config(folder.root, world.esploraUrl)

    private suspend fun create() = Wallet.createWithDeviceKey(config, KEY, null)

    private suspend fun fund(wallet: Wallet) {
        world.fund(wallet.newAddress(), FUNDS_SAT)
        world.mine()
        until("the coins are seen") {
            wallet.refresh()
            wallet.balance().takeIf { it.onchainSat == FUNDS_SAT.toULong() }
        }
    }

    private suspend fun openChannel(wallet: Wallet) {
        wallet.connectPeer(world.nodeId("alice"), world.address("alice"))
        val request = OpenChannelRequest(world.nodeId("alice"), CHANNEL_SAT, null)
        assertTrue(wallet.estimateOpenChannel(request).feeSat > 0uL)
        wallet.openChannel(request)
        suspend fun state(wanted: ChannelState): Channel? {
            wallet.refresh()
            return wallet.listChannels().singleOrNull { it.state == wanted }
        }
        until("the channel waits for blocks") { state(ChannelState.PENDING) }
        until("the channel is ready") {
            // The funding transaction may still be on its way to the miner.
            world.mine()
            state(ChannelState.READY)
        }
    }

    private suspend fun pay(wallet: Wallet, invoice: String): Payment {
        val request = SendRequest(invoice, null, null, 30u, null, null)
        val quote = until("there is a route") {
            try {
                wallet.prepareSend(request)
            } catch (_: WalletException.NoRoute) {
                // The graph is still on its way from the peer.
                null
            }
        }
        assertEquals(PAID_MSAT, quote.amountMsat)
        val paid = wallet.waitPayment(wallet.send(quote).id, 60u)
        assertEquals("${paid.failure}", PaymentStatus.SUCCEEDED, paid.status)
        assertTrue("$paid", paid.feeMsat!! in 1uL..quote.maxFeeMsat)
        assertEquals(paid.id, caught<WalletException.AlreadyPaid> { wallet.prepareSend(request) }.id)
        return paid
    }

    private suspend fun bePaid(wallet: Wallet): Payment {
        val asked = wallet.makeInvoice(InvoiceRequest(RECEIVED_MSAT, "a scone", null))
        assertNull("a waiting call is cancelled", withTimeoutOrNull(50.milliseconds) { wallet.waitPayment(asked.paymentId, 60u) })
        until("alice pays", 10) {
            try {
                world.pay("alice", asked.invoice)
            } catch (_: World.Refused) {
                // A payment is known to have succeeded a round trip before its amount can be spent by the other side.
                null
            }
        }
        return wallet.waitPayment(asked.paymentId, 60u).also { assertEquals(PaymentStatus.SUCCEEDED, it.status) }
    }

    /** What is stored and was not handled would come at once. */
    private suspend fun assertTellsNothing(wallet: Wallet) =
        assertNull(withTimeoutOrNull(500.milliseconds) { wallet.nextEvent() })

    @Test
    fun paysAndIsPaidAndTheFlowTellsAllOfIt() = test(300) {
        val wallet = create()
        val told = Queue<EventEnvelope>(Queue.UNLIMITED)
        val collector = launch { wallet.events().collect { told.send(it) } }
        wallet.start()
        fund(wallet)
        openChannel(wallet)
        val paid = pay(wallet, world.invoice("carol", PAID_MSAT, "a pot of darjeeling"))
        assertEquals(3u, paid.hops)
        val before = wallet.balance().totalMsat
        val received = bePaid(wallet)
        assertEquals(before + RECEIVED_MSAT, wallet.balance().totalMsat)
        delay(GATHERED)
        wallet.stop()
        collector.join()
        told.close()

        val all = buildList { for (envelope in told) add(envelope) }
        val events = all.map { it.event }
        assertEquals(Event.Stopped("closed"), events.last())
        val stored = all.map { it.seq }.filter { it > 0uL }
        assertEquals("once each, in order", stored.distinct().sorted(), stored)
        val ready = events.filterIsInstance<Event.ChannelReady>().single()
        assertEquals(world.nodeId("alice"), ready.nodeId)
        val sent = events.filterIsInstance<Event.PaymentSent>().single()
        assertEquals(paid.id to paid.preimage, sent.id to sent.preimage)
        val gotten = events.filterIsInstance<Event.PaymentReceived>().single()
        assertEquals(received.id to RECEIVED_MSAT, gotten.id to gotten.amountMsat)
        assertTrue(events.indexOf(ready) < events.indexOf(sent) && events.indexOf(sent) < events.indexOf(gotten))

        // All of it was handled: nothing comes again.
        val again = Wallet.openWithDeviceKey(config, KEY)
        assertEquals(paid.preimage, again.getPayment(paid.id).preimage)
        assertTellsNothing(again)
        again.stop()
    }

    @Test
    fun anEventWhoseCollectorThrowsComesAgain() = test(120) {
        val wallet = create()
        wallet.start()
        fund(wallet)
        suspend fun failsAt(wallet: Wallet): EventEnvelope {
            var told: EventEnvelope? = null
            val failed = caught<ArithmeticException> {
                wallet.events().collect {
                    if (it.seq > 0uL) {
                        told = it
                        throw ArithmeticException("the app's own fault")
                    }
                }
            }
            assertEquals("the app's own fault", failed.message)
            return told!!
        }
        val first = failsAt(wallet)
        assertTrue("$first", first.event is Event.OnchainReceived)
        assertEquals(first, failsAt(wallet))

        val cancelled = launch { wallet.events().collect { Queue<Unit>().receive() } }
        delay(100.milliseconds)
        cancelled.cancelAndJoin()
        wallet.stop()

        val again = Wallet.openWithDeviceKey(config, KEY)
        assertEquals(first.seq, failsAt(again).seq)
        val handled = mutableListOf<ULong>()
        val collector = launch { again.events().collect { handled += it.seq } }
        until("it is handled") { handled.firstOrNull { it == first.seq } }
        delay(GATHERED)
        again.stop()
        collector.join()
        val last = Wallet.openWithDeviceKey(config, KEY)
        assertTellsNothing(last)
        last.stop()
    }

    @Test
    fun aListenerThatThrowsOrTakesItsTimeHearsTheRestInOrderAndHoldsUpNoCall() = test(120) {
        val wallet = create()
        val (told, goOn) = Queue<Event>(Queue.UNLIMITED) to CountDownLatch(1)
        wallet.setListener(object : EventListener {
            override fun onEvent(event: EventEnvelope) {
                told.trySend(event.event)
                when (event.event) {
                    is Event.Synced -> throw ArithmeticException("the app's own fault")
                    is Event.PeerConnected -> goOn.await()
                    else -> {}
                }
            }
        })
        wallet.start()
        assertEquals(Event.Synced, told.receive())
        wallet.connectPeer(world.nodeId("alice"), world.address("alice"))
        assertEquals(Event.PeerConnected(world.nodeId("alice")), told.receive())
        // The listener has not returned.
        assertTrue(wallet.listPeers().single().connected)
        wallet.makeInvoice(InvoiceRequest(1_000uL, "tea", null))
        wallet.disconnectPeer(world.nodeId("alice"))
        assertTrue(told.tryReceive().isFailure)
        goOn.countDown()
        assertEquals(Event.PeerDisconnected(world.nodeId("alice")), told.receive())
        wallet.stop()
        assertEquals(Event.Stopped("closed"), told.receive())
    }

    companion object {
        private const val FUNDS_SAT = 1_000_000
        private const val CHANNEL_SAT = 500_000uL
        private const val PAID_MSAT = 20_000_000uL
        private const val RECEIVED_MSAT = 7_000_000uL

        /** What nobody waits for, as that an event was handled, is gathered for half a second before it is written. */
        private val GATHERED = 1.seconds
        private val KEY = "5a".repeat(31) + "01"

        @ClassRule
        @JvmField
        internal val world = World()
    }
}
