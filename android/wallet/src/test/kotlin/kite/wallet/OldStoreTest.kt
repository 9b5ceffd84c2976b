package kite.wallet

import java.io.File
import org.json.JSONArray
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder

/** Wallets that earlier versions and other machines have written, as files. */
class OldStoreTest {
    @get:Rule
    val folder = TemporaryFolder()

    @Test
    fun everyWalletOfBeforeOpensAsItWas() = test {
        val scenarios = checkNotNull(System.getProperty("kite.scenarios")) { "where are the scenarios?" }
        val stores = File(scenarios, "stores").listFiles(File::isDirectory).orEmpty()
        assertTrue(stores.isNotEmpty())
        for (store in stores) {
            val expected = JSONObject(store.resolve("expected.json").readText())
            val data = folder.newFolder(store.name)
            store.resolve("wallet.sqlite").copyTo(data.resolve("wallet.sqlite"))
            val found = seen(WalletConfig("regtest", data.path, NOWHERE, null), expected.getString("passphrase"))
            assertEquals(store.name, expected.toMap(), JSONObject(found.toString()).toMap())
        }
    }

    /** What an owner sees who is offline. */
    private suspend fun seen(config: WalletConfig, passphrase: String): JSONObject {
        val wallet = Wallet.open(config, passphrase)
        val channels = wallet.listChannels().map { mapOf("fundingTxid" to it.fundingTxid, "capacitySat" to it.capacitySat.toLong()) }
        val payments = wallet.listPayments(PaymentFilter(null, 100u, null))
            .map { mapOf("id" to it.id, "amountMsat" to it.amountMsat.toLong()) }
        val seen = JSONObject()
            .put("passphrase", passphrase)
            .put("mnemonic", wallet.mnemonic(passphrase))
            .put("nodeId", wallet.info().nodeId)
            .put("totalMsat", wallet.balance().totalMsat.toLong())
            .put("channels", JSONArray(channels))
            .put("payments", JSONArray(payments))
        wallet.stop()
        return seen
    }
}
