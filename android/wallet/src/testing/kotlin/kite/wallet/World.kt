package kite.wallet

import java.io.File
import java.net.HttpURLConnection
import java.net.URI
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import org.json.JSONObject
import org.junit.rules.ExternalResource

/** The regtest world with real nodes, for all tests of a class; blocks come when a test asks for them. */
internal class World : ExternalResource() {
    private lateinit var process: Process
    private lateinit var described: JSONObject

    override fun before() {
        process = ProcessBuilder(program(), "--block-secs", "0")
            .redirectInput(File("/dev/null"))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start()
        val line = limited(120) { process.inputStream.bufferedReader().readLine() }
        described = JSONObject(checkNotNull(line) { "the devnet ended with ${process.waitFor()}" })
    }

    override fun after() {
        process.destroy()
        check(process.waitFor(30, TimeUnit.SECONDS)) { "the devnet does not end" }
    }

    val peers: Map<String, JSONObject> by lazy {
        val list = described.getJSONArray("peers")
        (0 until list.length()).map(list::getJSONObject).associateBy { it.getString("name") }
    }

    val esploraUrl: String get() = described.getString("esplora_url")

    fun nodeId(peer: String): String = peers.getValue(peer).getString("node_id")

    fun address(peer: String): String = peers.getValue(peer).getString("address")

    suspend fun mine() = post("/regtest/mine/1")

    suspend fun fund(address: String, sats: Int) = post("/faucet", "address" to address, "sats" to sats)

    suspend fun invoice(peer: String, amountMsat: ULong, description: String): String =
        post("/peers/$peer/invoice", "amount_msat" to amountMsat.toLong(), "description" to description)
            .getString("invoice")

    /** Pays, to the end: a payment that failed is refused, and may be tried again. */
    suspend fun pay(peer: String, invoice: String): JSONObject =
        post("/peers/$peer/pay", "invoice" to invoice).also { payment ->
            if (payment.optString("status") != "succeeded") throw Refused("$payment")
        }

    private suspend fun post(path: String, vararg body: Pair<String, Any>) = post(path, JSONObject(mapOf(*body)))

    suspend fun post(path: String, body: JSONObject): JSONObject = withContext(Dispatchers.IO) {
        val url = URI(described.getString("control_url") + path).toURL()
        val connection = url.openConnection() as HttpURLConnection
        connection.requestMethod = "POST"
        connection.doOutput = true
        connection.readTimeout = 90_000
        connection.setRequestProperty("content-type", "application/json")
        connection.outputStream.use { it.write(body.toString().toByteArray()) }
        val code = connection.responseCode
        if (code != 200) {
            throw Refused("$path: $code ${connection.errorStream?.reader()?.readText()}")
        }
        JSONObject(connection.inputStream.reader().readText())
    }

    /** The world does not do what it was asked for. */
    class Refused(message: String) : Exception(message)

    private companion object {
        fun program(): String = checkNotNull(System.getProperty("kite.devnet")) {
            "these tests need the devnet: `cargo xtask test kotlin` starts them with it"
        }
    }
}
