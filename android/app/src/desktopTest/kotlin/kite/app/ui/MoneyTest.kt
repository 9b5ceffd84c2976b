package kite.app.ui

import kite.app.TestDevice
import kite.app.model.Amounts
import kite.wallet.World
import kite.wallet.until
import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.ClassRule
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder

/** Money comes, is put into a channel, paid, received and taken out again, by touching the screens; with real nodes. */
class MoneyTest {
    @get:Rule
    val folder = TemporaryFolder()

    @Test
    fun moneyComesAndGoes() {
        val wallet = TestDevice(folder.root, world.esploraUrl).start()
        runBlocking {
            wallet.comeToFront()
            wallet.create()
            wallet.begin(confirmed = true)
        }
        onScreen(wallet) {
            suspend fun mine() {
                world.mine()
                wallet.lookNow()
            }
            // Coins come.
            touch("Show my address")
            touch("Copy")
            runBlocking { world.fund(device.clipboard!!, FUNDS_SAT) }
            touchDrawing("Back")
            seesWhile("Put some into a channel") { mine() }

            // A channel is opened.
            touch("Open a channel")
            device.clipboard = "${world.nodeId("alice")}@${world.address("alice")}"
            touch("Paste")
            type("Amount", "9000000")
            touch("Review")
            sees("Lower the amount")
            picture("open-channel-too-much")
            type("Amount", "500 000")
            touch("Review")
            sees("Network fee")
            picture("open-channel-review")
            touch("Open the channel")
            sees("Waiting for blocks")
            picture("channel-opening")
            seesWhile("Ready") { mine() }

            // An invoice is paid.
            touch("Wallet")
            touch("Send")
            val invoice = runBlocking { world.invoice("carol", PAID_MSAT, "a pot of darjeeling") }
            device.clipboard = "lightning:$invoice"
            seesWhile("You pay at most") {
                // The graph may still be on its way from the peer.
                touch("Paste")
            }
            sees("a pot of darjeeling")
            picture("review")
            touch("Change the fee limit")
            type("Fee at most", "1000")
            touch("Set")
            sees(Amounts.ofMsat(PAID_MSAT + 1_000_000uL))
            touch("Pay ${Amounts.ofMsat(PAID_MSAT)}")
            sees("Proof of payment")
            sees("3 hops")
            picture("paid")
            val preimage = wallet.state.value.snapshot!!.payments.first { it.preimage != null }.preimage!!
            touch(preimage)
            assertEquals(preimage, device.clipboard)
            touch("Done")
            touch("Send")
            device.clipboard = invoice
            touch("Paste")
            sees("It was not paid a second time.")
            touchDrawing("Back")

            // Coins are sent.
            touch("Send")
            device.clipboard = ADDRESS
            touch("Paste")
            type("Amount", "20 000")
            touch("Review")
            sees("You pay")
            for (limit in listOf("Fee at most", "You pay at most")) seesNo(limit)
            picture("review-onchain")
            touch("Pay ${Amounts.ofSat(20_000uL)}")
            sees("Waiting for a block")
            picture("sent-onchain")
            runBlocking {
                until("its block is seen") {
                    mine()
                    Unit.takeIf { !isThere("Waiting for a block") }
                }
            }
            touch("Done")

            // One is received.
            touch("Receive")
            type("Amount", "7000")
            type("What for", "a scone")
            touch("Make the invoice")
            sees("Waiting to be paid")
            seesDrawing("QR code of the invoice for")
            picture("receive")
            touch("Share")
            seesWhile("Done") {
                // What was paid before is alice's to spend a round trip later.
                runCatching { world.pay("alice", device.shared.last()) }
            }
            picture("received")
            touch("Done")
            picture("home")
            touch("History")
            sees("a scone")
            picture("history")
            touch("Sent")
            seesNo("a scone")

            // The channel is closed.
            touch("Channels")
            touch("Ready")
            sees("Funding transaction")
            picture("channel")
            touch("Close this channel")
            sees("come back on-chain")
            picture("channel-close")
            touch("Close the channel")
            seesWhile("Closing transaction") { mine() }
            picture("channel-closing")
            touchDrawing("Back")
            seesWhile("Past channels") { mine() }
            touch("Wallet")
            sees("Back on-chain")
            picture("home-closed")
        }
        runBlocking { wallet.leaveFront() }
        assertTrue(wallet.log.lines.value.any { "payment received" in it })
    }

    companion object {
        private const val FUNDS_SAT = 1_000_000
        private const val PAID_MSAT = 20_000_000uL
        private const val ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"

        @ClassRule
        @JvmField
        internal val world = World()
    }
}
