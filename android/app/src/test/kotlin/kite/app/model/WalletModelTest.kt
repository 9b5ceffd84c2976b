package kite.app.model

import kite.app.TestDevice
import kite.wallet.WORDS
import kite.wallet.WalletException
import kite.wallet.caught
import kite.wallet.test
import kite.wallet.until
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import kotlin.time.Duration.Companion.milliseconds

/** The app without its screens, and without a network. */
class WalletModelTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val device by lazy { TestDevice(folder.root) }
    private val person get() = device.person

    private suspend fun started() = device.start().also { it.comeToFront() }

    private suspend fun created() = started().also {
        it.create()
        it.begin(confirmed = false)
        assertEquals(Phase.Running, it.state.value.phase)
    }

    @Test
    fun aWalletIsMadeAndComesBackWhenTheAppDoes() = test {
        val app = started()
        assertEquals(Phase.Onboarding, app.state.value.phase)
        app.create()
        assertEquals("its words come first", Phase.Onboarding, app.state.value.phase)
        app.begin(confirmed = false)
        assertEquals(Phase.Running, app.state.value.phase)
        assertFalse(app.state.value.hasConfirmedWords)
        val nodeId = app.state.value.snapshot!!.info.nodeId
        assertEquals(66, nodeId.length)
        assertEquals(12, app.words().size)

        app.leaveFront()
        caught<WalletException.Stopped> { app.open() }
        app.comeToFront()
        assertEquals(Phase.Running, app.state.value.phase)
        assertEquals(nodeId, app.state.value.snapshot!!.info.nodeId)
        app.leaveFront()

        val again = started()
        assertEquals("a new start finds it", Phase.Running, again.state.value.phase)
        assertEquals(nodeId, again.state.value.snapshot!!.info.nodeId)
        again.leaveFront()
    }

    @Test
    fun theWordsAreShownOnceAndAskedFor() = test {
        val app = started()
        val onboarding = OnboardingModel(app)
        onboarding.create()
        val shown = (onboarding.state.value.step as OnboardingStep.Words).words
        assertEquals(12, shown.size)
        assertTrue("nobody is asked who they are before there is money", person.asked.isEmpty())

        // Whoever writes them on paper may lay the phone aside.
        app.leaveFront()
        app.comeToFront()
        assertEquals(Phase.Onboarding, app.state.value.phase)

        onboarding.written()
        val asked = (onboarding.state.value.step as OnboardingStep.Confirming).asked
        assertEquals(3, asked.toSet().size)
        onboarding.confirm(asked.associateWith { shown[it] } + (asked[1] to "wrong"))
        assertEquals(setOf(asked[1]), (onboarding.state.value.step as OnboardingStep.Confirming).wrong)
        assertFalse(app.state.value.hasConfirmedWords)
        onboarding.confirm(asked.associateWith { " ${shown[it].uppercase()} " })
        assertEquals(Phase.Running, app.state.value.phase)
        assertTrue(app.state.value.hasConfirmedWords)
        assertEquals(shown, app.words())
        app.leaveFront()
    }

    @Test
    fun wordsBringAWalletBack() = test {
        val app = started()
        val onboarding = OnboardingModel(app)
        onboarding.beginRestoring()
        onboarding.restore("abandon abandon")
        assertEquals("There must be 12 words; these are 2.", onboarding.state.value.failure?.what)
        onboarding.restore("abandon ".repeat(12))
        assertNotNull("their checksum is wrong", onboarding.state.value.failure)
        assertFalse("no key without a wallet", folder.root.list()!!.any { it.startsWith("key") })
        onboarding.restore(WORDS.replace(" ", ", ").replaceFirstChar(Char::uppercase) + "\n")
        assertNull(onboarding.state.value.failure)
        assertEquals(Phase.Running, app.state.value.phase)
        assertTrue(app.state.value.hasConfirmedWords)
        assertEquals(WORDS.split(' '), app.words())
        app.leaveFront()
    }

    @Test
    fun theLockAsksWhoIsThere() = test {
        val app = created()
        assertFalse(app.state.value.isLocked)
        person.isKnown = false
        app.ask(true)
        assertFalse("nobody locks out whoever cannot come back", app.state.value.asksWhoIsThere)
        assertEquals(emptyList<String>(), app.words())
        person.isKnown = true
        person.hasCode = false
        app.ask(true)
        assertFalse("a device that knows nobody cannot lock", app.state.value.asksWhoIsThere)
        person.hasCode = true
        app.ask(true)
        app.leaveFront()
        assertTrue(app.state.value.isLocked)
        app.comeToFront()
        assertEquals("payments go on behind the lock", Phase.Running, app.state.value.phase)
        assertTrue(app.state.value.isLocked)
        person.isKnown = false
        app.unlock()
        assertTrue(app.state.value.isLocked)
        person.isKnown = true
        app.unlock()
        assertFalse(app.state.value.isLocked)
        app.leaveFront()
        assertTrue("a new start asks, too", device.start().state.value.isLocked)
    }

    @Test
    fun aDeviceThatRefusesToAskRecognisesNobodyAndSaysSo() = test {
        val app = created()
        person.refusal = SecurityException("Must have USE_BIOMETRIC permission")
        app.ask(true)
        assertFalse(app.state.value.asksWhoIsThere)
        val told = app.state.value.lockTrouble?.what.orEmpty()
        assertTrue(told, "could not ask" in told && "USE_BIOMETRIC" in told)
        assertEquals(emptyList<String>(), app.words())

        person.refusal = null
        app.ask(true)
        assertTrue("the next question is asked", app.state.value.asksWhoIsThere)
        assertNull(app.state.value.lockTrouble)
        app.leaveFront()
        person.refusal = SecurityException("Must have USE_BIOMETRIC permission")
        app.comeToFront()
        app.unlock()
        assertTrue("and nobody comes in", app.state.value.isLocked)
        assertNotNull(app.state.value.lockTrouble)
        app.leaveFront()
    }

    @Test
    fun whoeverDoesNotComeBackFromTheQuestionHasLeft() = test {
        val app = created()
        app.ask(true)
        person.hesitation = CompletableDeferred()
        val words = async(start = CoroutineStart.UNDISPATCHED) { app.words() }
        assertEquals("Show the 12 words", person.asked.last())
        app.leaveFront()
        assertFalse("the question is no other app", app.state.value.isLocked)
        assertEquals(Phase.Running, app.state.value.phase)
        person.hesitation.complete(Unit)
        assertEquals("nobody is in front of them", emptyList<String>(), words.await())
        until("the wallet is let go") { app.state.value.takeIf { it.phase != Phase.Running } }
        assertTrue(app.state.value.isLocked)
        caught<WalletException.Stopped> { app.open() }

        app.comeToFront()
        person.hesitation = CompletableDeferred()
        val unlocking = launch(start = CoroutineStart.UNDISPATCHED) { app.unlock() }
        app.leaveFront()
        app.comeToFront()
        person.hesitation.complete(Unit)
        unlocking.join()
        assertFalse("they came back with the answer", app.state.value.isLocked)
        assertEquals(Phase.Running, app.state.value.phase)
        app.leaveFront()
        assertTrue("the next time they leave at once", app.state.value.isLocked)
    }

    @Test
    fun aWalletWithoutItsKeySaysSoAndStaysAsItIs() = test {
        val app = created()
        app.leaveFront()
        device.loseKeys()
        val elsewhere = started()
        val halted = elsewhere.state.value.phase as Phase.Halted
        assertTrue(halted.explanation.next, halted.explanation.next.contains("12 words"))
        assertTrue(elsewhere.log.lines.value.single().contains("error"))
        elsewhere.leaveFront()
    }

    @Test
    fun comingAndGoingQuicklyEndsWhereItShould() = test {
        val app = created()
        val hurry = List(10) { listOf(launch { app.leaveFront() }, launch { app.comeToFront() }) }.flatten()
        hurry.forEach { it.join() }
        app.leaveFront()
        caught<WalletException.Stopped> { app.open() }
        app.comeToFront()
        assertEquals(Phase.Running, app.state.value.phase)
        app.leaveFront()
    }

    @Test
    fun realBitcoinIsAskedForFirst() = test {
        val app = created()
        val nodeId = app.state.value.snapshot!!.info.nodeId
        app.choose(MAINNET)
        val young = app.state.value.phase as Phase.Young
        assertTrue(young.sentences.isNotEmpty())
        caught<WalletException.Stopped> { app.open() }
        app.acceptYoung()
        assertEquals(Phase.Onboarding, app.state.value.phase)
        app.create()
        app.begin(confirmed = true)
        assertEquals("bitcoin", app.state.value.snapshot!!.info.network)
        assertNotEquals("each network has a wallet of its own", nodeId, app.state.value.snapshot!!.info.nodeId)
        app.choose("regtest")
        assertEquals(nodeId, app.state.value.snapshot!!.info.nodeId)
        assertFalse(app.state.value.hasConfirmedWords)
        app.leaveFront()
    }

    @Test
    fun screensSayWhatIsWrong() = test {
        val app = created()
        val send = SendModel(app)
        send.read("no invoice")
        assertEquals(SendStep.Entering, send.state.value.step)
        assertNotNull(send.state.value.failure)
        send.read("02".repeat(33) + "@127.0.0.1:9735")
        assertNotNull(send.state.value.failure)
        val receive = ReceiveModel(app)
        receive.makeInvoice("1.5", "")
        assertEquals("Enter whole sat, without a point or comma.", receive.state.value.failure?.what)
        receive.makeInvoice("1 000", " tea ")
        assertEquals(1_000_000uL, receive.state.value.invoice?.amountMsat)
        assertEquals("tea", receive.state.value.reason)
        val waiting = launch { receive.waitForPayment() }
        delay(50.milliseconds)
        waiting.cancelAndJoin()
        assertNull(receive.state.value.failure)
        receive.choose(ReceiveWay.ONCHAIN)
        receive.makeAddress()
        assertTrue(receive.state.value.address!!.startsWith("bcrt1"))
        send.read(receive.state.value.address!!)
        assertTrue("${send.state.value}", send.state.value.step is SendStep.AskingAmount)
        send.setAmount("")
        assertEquals("Enter an amount in sat.", send.state.value.failure?.what)
        val channels = ChannelsModel(app)
        channels.review("alice", "20000")
        assertNotNull(channels.state.value.failure)
        channels.review("02".repeat(33) + "@127.0.0.1:9735", " ")
        assertEquals("A channel needs an amount.", channels.state.value.failure?.what)
        channels.openChannel()
        assertFalse(channels.state.value.isDone)
        app.leaveFront()
    }
}
