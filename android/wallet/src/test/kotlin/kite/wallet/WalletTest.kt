package kite.wallet

import kotlinx.coroutines.CompletableDeferred
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder

/** Making, opening and closing, without a network. */
class WalletTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val config get() = config(folder.root)

    @Test
    fun functionsNeedNoWallet() = test {
        assertTrue(version(), Regex("""\d+\.\d+\.\d+""").matches(version()))
        checkMnemonic(WORDS)
        val refused = caught<WalletException.InvalidInput> { checkMnemonic("abandon abandon") }
        assertEquals("mnemonic", refused.field)
        assertTrue(refused.reason.isNotEmpty())
    }

    @Test
    fun aWalletIsMadeStoppedAndOpenedAgain() = test {
        assertFalse(walletExists(config))
        val wallet = Wallet.create(config, "tea", WORDS)
        val info = wallet.info()
        assertEquals("regtest", info.network)
        assertEquals(66, info.nodeId.length)
        assertEquals(WORDS, wallet.mnemonic("tea"))
        assertEquals(0uL, wallet.balance().totalMsat)
        assertTrue(wallet.newAddress().startsWith("bcrt1"))
        caught<WalletException.AlreadyOpen> { Wallet.open(config, "tea") }
        wallet.stop()

        val stopped = caught<WalletException.Stopped> { wallet.info() }
        assertTrue(stopped.reason, stopped.reason.contains("open it again"))
        assertTrue(walletExists(config))
        caught<WalletException.WrongPassphrase> { Wallet.open(config, "coffee") }
        caught<WalletException.AlreadyExists> { Wallet.create(config, "tea", null) }
        val again = Wallet.open(config, "tea")
        assertEquals(info.nodeId, again.info().nodeId)
        again.stop()
    }

    @Test
    fun mainnetAndAMissingWalletAreRefused() = test {
        caught<WalletException.MainnetNotAccepted> { Wallet.create(config.copy(network = "bitcoin"), "tea", null) }
        caught<WalletException.NoWallet> { Wallet.open(config, "tea") }
    }

    @Test
    fun textsAreRead() = test {
        val wallet = Wallet.create(config, "tea", null)
        val parsed = wallet.parse(" bitcoin:${wallet.newAddress()}?amount=0.00000001 ") as Parsed.BitcoinAddress
        assertEquals(1uL, parsed.amountSat)
        val node = wallet.parse(wallet.info().nodeId)
        assertTrue("$node", node is Parsed.NodeAddress)
        val refused: WalletException = caught { wallet.parse("no invoice") }
        // The compiler knows every kind of error, and what each one tells.
        val told = when (refused) {
            is WalletException.InvalidInvoice -> refused.reason
            is WalletException.InvalidInput -> refused.reason
            else -> throw refused
        }
        assertTrue(told.isNotEmpty())
        wallet.stop()
    }

    @Test
    fun errorsSayWhatTheyAreAbout() = test {
        val wallet = Wallet.create(config, "tea", null)
        val refused = caught<WalletException.NotFound> { wallet.getPayment("ab".repeat(16)) }
        assertEquals("payment", refused.what)
        assertEquals("there is no such payment", refused.message)
        assertEquals("${refused.javaClass.name}: there is no such payment", "$refused")
        caught<WalletException.InvalidInput> {
            wallet.makeInvoice(InvoiceRequest(1_000uL, "x".repeat(2_000), null))
        }
        wallet.stop()
    }

    @Test
    fun theEndIsTold() = test {
        val wallet = Wallet.create(config, "tea", null)
        wallet.stop()
        val told = mutableListOf<EventEnvelope>()
        wallet.events().collect { told += it }
        assertEquals(listOf<Event>(Event.Stopped("closed")), told.map { it.event })
        assertEquals(0uL, told.single().seq)
        caught<WalletException.Stopped> { wallet.events().collect {} }
    }

    @Test
    fun aListenerHearsOfTheEnd() = test {
        val wallet = Wallet.create(config, "tea", null)
        val told = CompletableDeferred<EventEnvelope>()
        wallet.setListener(object : EventListener {
            override fun onEvent(event: EventEnvelope) {
                throw ArithmeticException("a listener that was replaced is told nothing")
            }
        })
        wallet.setListener(object : EventListener {
            override fun onEvent(event: EventEnvelope) {
                told.complete(event)
            }
        })
        wallet.stop()
        assertEquals(Event.Stopped("closed"), told.await().event)
    }
}
