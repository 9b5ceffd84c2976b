package kite.wallet

import java.io.File
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder

/** The system ends an app whenever it likes. */
class KilledTest {
    @get:Rule
    val folder = TemporaryFolder()

    /** Several calls are under way whenever it is killed; what was answered before is there afterwards. */
    @Test
    fun anAppThatIsKilledInAnyCallLosesNothingThatItWasAnswered() = test(120) {
        Wallet.createWithDeviceKey(config(folder.root), KEY, null).stop()
        val told = mutableSetOf<String>()
        for (answers in listOf(1, 7, 40)) {
            val app = start()
            val lines = app.inputStream.bufferedReader().lineSequence().iterator()
            repeat(answers) { told += lines.next() }
            // Not `Process.destroyForcibly`, which closes the stream as well.
            app.toHandle().destroyForcibly()
            assertTrue("it is gone", app.waitFor(10, TimeUnit.SECONDS))
            // A line that it began is no answer.
            while (lines.hasNext()) lines.next().takeIf { it.length == ID_LENGTH }?.let { told += it }
            val wallet = Wallet.openWithDeviceKey(config(folder.root), KEY)
            val kept = wallet.listPayments(PaymentFilter(null, 1_000u, null)).map { it.id }.toSet()
            assertEquals(emptySet<String>(), told - kept)
            wallet.stop()
        }
        assertTrue("${told.size}", told.size >= 48)
    }

    private fun start(): Process {
        val library = System.getProperty("jna.library.path")
        val command = listOf(
            File(System.getProperty("java.home"), "bin/java").path,
            "-Djna.library.path=$library",
            KilledTest::class.java.name,
            folder.root.path,
        )
        val app = ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT)
        app.environment()["CLASSPATH"] = System.getProperty("java.class.path")
        return app.start()
    }

    companion object {
        private const val ID_LENGTH = 32
        private val KEY = "5a".repeat(31) + "01"

        /** The app: it makes invoices as fast as it can and prints the id of each. */
        @JvmStatic
        fun main(arguments: Array<String>) = runBlocking {
            val wallet = Wallet.openWithDeviceKey(config(File(arguments.single())), KEY)
            repeat(4) {
                launch(Dispatchers.IO) {
                    // An end of its own, should nobody kill it.
                    repeat(500) {
                        val invoice = wallet.makeInvoice(InvoiceRequest(1_000uL, "tea", null))
                        synchronized(this@Companion) { println(invoice.paymentId) }
                    }
                }
            }
        }
    }
}
