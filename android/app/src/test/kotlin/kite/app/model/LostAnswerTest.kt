package kite.app.model

import kite.app.TestDevice
import kite.wallet.Direction
import kite.wallet.Payment
import kite.wallet.PaymentFilter
import kite.wallet.PaymentKind
import kite.wallet.Quote
import kite.wallet.WalletException
import kite.wallet.WalletInterface
import kite.wallet.World
import kite.wallet.test
import kite.wallet.until
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertTrue
import org.junit.ClassRule
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder

/** A payment is stored, and its answer does not arrive: the system stops the app in between. */
class LostAnswerTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val app by lazy { TestDevice(folder.root, world.esploraUrl).start() }

    private class Losing(private val wallet: WalletInterface) : WalletInterface by wallet {
        override suspend fun send(quote: Quote): Payment {
            wallet.send(quote)
            throw WalletException.Stopped("the app was not in front")
        }
    }

    private suspend fun transactions() =
        app.open().listPayments(PaymentFilter(Direction.OUTGOING, 100u, null)).filter { it.kind == PaymentKind.ONCHAIN }

    private suspend fun awaitCoins() = until("the coins are in a block") {
        world.mine()
        app.lookNow()
        app.state.value.snapshot?.balance?.takeIf { it.onchainSat > 0uL && it.onchainPendingSat == 0uL }
    }

    private suspend fun SendModel.enter(amount: String) {
        read(ADDRESS)
        setAmount(amount)
    }

    private suspend fun SendModel.reviewAndLose(amount: String) {
        enter(amount)
        pay()
        assertTrue("${state.value}", state.value.step is SendStep.Reviewing)
        assertNotNull("the answer is lost", state.value.failure)
        back()
    }

    private fun SendModel.paid() = (state.value.step as SendStep.Done).payment

    @Test
    fun aPaymentWhoseAnswerIsLostIsMadeOnceThoughItIsReviewedAnew() = test(120) {
        app.comeToFront()
        app.create()
        app.begin(confirmed = true)
        // Two coins: while the change of one payment waits for its block, there is another one to pay a second time with.
        repeat(2) { world.fund(app.open().newAddress(), FUNDS_SAT) }
        awaitCoins()

        var loses = true
        val send = SendModel(app) { if (loses) Losing(app.open()) else app.open() }
        send.reviewAndLose("20000")
        val first = transactions().single()
        loses = false
        send.enter("20000")
        send.pay()
        assertEquals(first.id, send.paid().id)
        assertEquals(listOf(first.id), transactions().map { it.id })

        // It has its outcome, and the same can be paid again. This time the screen is left, too.
        awaitCoins()
        SendModel(app) { Losing(app.open()) }.reviewAndLose("20000")
        assertEquals(2, transactions().size)
        val reopened = SendModel(app)
        reopened.enter("20000")
        reopened.pay()
        assertEquals(2, transactions().size)
        assertTrue(reopened.paid().id != first.id)

        app.leaveFront()
    }

    @Test
    fun anotherAmountIsAnotherPaymentAfterTheOneWhoseAnswerWasLostIsTold() = test(120) {
        app.comeToFront()
        app.create()
        app.begin(confirmed = true)
        repeat(2) { world.fund(app.open().newAddress(), FUNDS_SAT) }
        awaitCoins()

        SendModel(app) { Losing(app.open()) }.reviewAndLose("20000")
        awaitCoins()
        val send = SendModel(app)
        send.enter("30000")
        assertTrue("nothing to pay with one touch", send.state.value.step is SendStep.AskingAmount)
        val told = send.state.value.failure?.what.orEmpty()
        assertTrue(told, Amounts.ofSat(20_000uL) in told)
        assertEquals(1, transactions().size)
        send.setAmount("30000")
        send.pay()
        assertEquals(30_000_000uL, send.paid().amountMsat)
        assertEquals(2, transactions().size)
        app.leaveFront()
    }

    companion object {
        private const val FUNDS_SAT = 1_000_000
        private const val ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"

        @ClassRule
        @JvmField
        internal val world = World()
    }
}
