package kite.app.ui

import kite.app.TestDevice
import kite.app.model.Phase
import kite.app.model.WalletModel
import kite.wallet.WORDS
import kotlinx.coroutines.runBlocking
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder

/** The screens with the real wallet behind them, without a network. */
class ScreensTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val device by lazy { TestDevice(folder.root) }
    private val wallet by lazy { device.start() }

    @After
    fun stop() = runBlocking { wallet.leaveFront() }

    private fun inFront(body: Screen.(WalletModel) -> Unit) {
        runBlocking { wallet.comeToFront() }
        onScreen(wallet) { body(wallet) }
    }

    private fun created(body: Screen.(WalletModel) -> Unit) {
        runBlocking {
            wallet.comeToFront()
            wallet.create()
            wallet.begin(confirmed = false)
        }
        onScreen(wallet) { body(wallet) }
    }

    @Test
    fun aWalletIsCreatedAndItsWordsAreConfirmed() = inFront { wallet ->
        sees("Lightning money that only you hold")
        picture("welcome")
        touch("Create a new wallet")
        sees("Write down these 12 words")
        assertTrue("nobody photographs them", device.secrets > 0)
        picture("words")
        val words = runBlocking { wallet.words() }
        touch("I have written them down")
        sees("Check your words")
        val asked = words.indices.filter { isThere("Word ${it + 1}") }
        assertEquals(3, asked.size)
        for (place in asked) type("Word ${place + 1}", if (place == asked[0]) "wrong" else words[place])
        touch("Finish")
        sees("This is another word")
        picture("confirm")
        type("Word ${asked[0] + 1}", words[asked[0]])
        touch("Finish")
        sees("You can spend")
        assertEquals(0, device.secrets)
        assertTrue(wallet.state.value.hasConfirmedWords)
    }

    @Test
    fun wordsBringAWalletBack() = inFront { wallet ->
        touch("Restore from 12 words")
        type("The 12 words, in order", "abandon ability")
        touch("Restore the wallet")
        sees("There must be 12 words; these are 2.")
        picture("restore")
        type("The 12 words, in order", WORDS)
        touch("Restore the wallet")
        sees("You can spend")
        assertEquals(Phase.Running, wallet.state.value.phase)
    }

    @Test
    fun anEmptyWalletSaysWhatToDoNext() = created {
        sees("Fill the wallet")
        sees("Your 12 words are not confirmed yet.")
        picture("home-empty")
        touch("Show my address")
        sees("bcrt1")
        seesDrawing("QR code of the address")
        picture("receive-onchain")
        touch("Copy")
        assertTrue(device.clipboard!!.startsWith("bcrt1"))
        touchDrawing("Back")
        touch("Send")
        device.clipboard = "no invoice"
        touch("Paste")
        sees("Check it and try again.")
        picture("send-unreadable")
        touch("Scan")
        sees("Hold the code")
        device.show("02".repeat(33) + "@127.0.0.1:9735")
        sees("This is the address of a node")
        touch("Scan")
        device.refuseCamera()
        sees("The camera cannot be used.")
        picture("scan-refused")
        touch("Cancel")
        touchDrawing("Back")
        touch("Channels")
        sees("No channel yet")
        picture("channels-empty")
        touch("Open a channel")
        sees("There are no coins on-chain yet.")
        picture("open-channel")
    }

    @Test
    fun theLockHidesEverything() = created { wallet ->
        touch("Settings")
        picture("settings")
        touch("Ask who is there")
        sees("This wallet")
        runBlocking { wallet.leaveFront() }
        this@ScreensTest.device.person.isKnown = false
        sees("The wallet is locked")
        runBlocking { wallet.comeToFront() }
        seesNo("This wallet")
        picture("lock")
        this@ScreensTest.device.person.isKnown = true
        touch("Unlock")
        sees("This wallet")
    }

    @Test
    fun settingsShowTheWordsTheLogAndRealBitcoin() = created { wallet ->
        touch("Settings")
        touch("Show the words")
        sees("Hide them")
        assertTrue(device.secrets > 0)
        picture("settings-words")
        touch("I have written them down")
        assertTrue(wallet.state.value.hasConfirmedWords)
        touch("Show the log")
        picture("log")
        touch("Share")
        assertTrue(device.shared.single().startsWith("Kite "))
        assertFalse(device.shared.single().contains(wallet.state.value.snapshot!!.info.nodeId))
        touchDrawing("Back")
        touch("Bitcoin mainnet")
        sees("This is real bitcoin, and Kite is young")
        picture("young")
        touch("Rather try it on regtest")
        sees("You can spend")
    }

    @Test
    fun aWalletThatCannotBeOpenedSaysWhy() {
        runBlocking {
            wallet.comeToFront()
            wallet.create()
            wallet.begin(confirmed = true)
            wallet.leaveFront()
            device.loseKeys()
            wallet.comeToFront()
        }
        onScreen(wallet) {
            sees("The key that opens this wallet is not on this device.")
            picture("halted")
        }
    }
}
