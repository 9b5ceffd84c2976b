package kite.wallet

import example.pay
import java.io.File
import kotlinx.coroutines.delay
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import org.json.JSONObject

/** What a step says, and what it gives. */
internal typealias Fields = Map<String, Any?>

/** Lives through the scenarios with one wallet after the other. */
internal class ScenarioLife(private val world: World, private val folder: File, varying: List<String>) {
    private var wallet: Wallet? = null
    private val variables = world.peers.mapValuesTo(mutableMapOf<String, Any?>()) { (_, peer) -> peer.toMap() }
    private val log = ScenarioLog(varying)

    /** Takes every step of a scenario and gives its log. */
    suspend fun live(scenario: Fields): String {
        for ((number, step) in scenario.list("steps").withIndex()) {
            try {
                val given = take(step)
                step["as"]?.let { variables[it as String] = given }
            } catch (error: Exception) {
                throw AssertionError("step ${number + 1}, $step: $error", error)
            }
        }
        return log.take()
    }

    private suspend fun take(step: Fields): Any? {
        val varies = step["varies"].let { it as? List<*> }.orEmpty().map { it as String }
        step["hear"]?.let { expected ->
            val told = hear()
            val event = plain(told.event)
            check(matches(resolved(expected), event)) { "the next event is $event" }
            log.write(mapOf("hear" to event, "seq" to plain(told.seq)), varies)
            return told.event
        }
        step["world"]?.let { path ->
            val given = askWorld(path as String, resolved(step["with"] ?: emptyMap<String, Any?>()).fields())
            log.write(mapOf("world" to path), varies)
            return given
        }
        step["example"]?.let { name ->
            val given = example(name as String, resolved(step["with"]).fields())
            check(matches(resolved(step["expect"] ?: emptyMap<String, Any?>()), plain(given))) { "it gives $given" }
            log.write(mapOf("example" to name, "gives" to plain(given)), varies)
            return given
        }
        return askWallet(step, varies)
    }

    private suspend fun askWallet(step: Fields, varies: List<String>): Any? {
        val patient = "until" in step
        val call = step.text(if (patient) "until" else "do")
        val end = TimeSource.Monotonic.markNow() + if (patient) PATIENCE else 0.seconds
        while (true) {
            // Looks at the chain now, and not when it would anyway. What is wrong is told by the call itself.
            if (patient) runCatching { wallet?.refresh() }
            val with = resolved(step["with"] ?: emptyMap<String, Any?>()).fields()
            var failure: Fields? = null
            val given = try {
                call(call, with).takeIf { it != Unit }
            } catch (error: WalletException) {
                failure(error).also { failure = it }
            }
            val expected = when {
                failure != null -> "fails" in step && matches(resolved(step["fails"]), failure)
                else -> "fails" !in step && ("expect" !in step || matches(resolved(step["expect"]), plain(given)))
            }
            val outcome = mapOf("do" to call, (if (failure == null) "gives" else "fails") to plain(given))
            if (expected) {
                log.write(outcome, varies)
                return given
            }
            check(end.hasNotPassedNow()) { "$outcome" }
            delay(PAUSE)
        }
    }

    private suspend fun call(name: String, with: Fields): Any? {
        val config = config(with["config"]?.fields().orEmpty())
        return when (name) {
            "version" -> version()
            "checkMnemonic" -> checkMnemonic(with.text("words"))
            "walletExists" -> walletExists(config)
            "create" -> hold(Wallet.create(config, with.text("passphrase"), with.textOrNull("mnemonic")))
            "createWithDeviceKey" ->
                hold(Wallet.createWithDeviceKey(config, with.text("deviceKey"), with.textOrNull("mnemonic")))
            "open" -> hold(Wallet.open(config, with.text("passphrase")))
            "openWithDeviceKey" -> hold(Wallet.openWithDeviceKey(config, with.text("deviceKey")))
            else -> checkNotNull(wallet) { "no wallet is open" }.call(name, with)
        }
    }

    private fun hold(opened: Wallet) {
        wallet = opened
    }

    private suspend fun example(name: String, with: Fields): Payment {
        check(name == "pay") { "no example is named $name" }
        val peer = with.text("nodeId") to with.text("address")
        return pay(config(emptyMap()), with.text("passphrase"), peer.first, peer.second, with.text("invoice"))
    }

    /** The app's own settings, with those that the step names in their place. */
    private fun config(other: Fields) = WalletConfig(
        network = other.textOrNull("network") ?: "regtest",
        data = folder.resolve(other.textOrNull("data") ?: "wallet").path,
        esploraUrl = other.textOrNull("esploraUrl") ?: world.esploraUrl,
    )

    /** The next event but for passing news, which depend on the network. It is handled. */
    private suspend fun hear(): EventEnvelope {
        val wallet = checkNotNull(wallet) { "no wallet is open" }
        val end = TimeSource.Monotonic.markNow() + PATIENCE
        while (true) {
            val told = withTimeoutOrNull(1.seconds) { wallet.nextEvent() }
            if (told == null) {
                check(end.hasNotPassedNow()) { "no event comes" }
                runCatching { wallet.refresh() }
                continue
            }
            if (told.seq > 0uL) wallet.eventHandled(told.seq)
            if (told.seq > 0uL || told.event is Event.Stopped) return told
        }
    }

    private suspend fun askWorld(path: String, body: Fields): Fields {
        val end = TimeSource.Monotonic.markNow() + WORLD_PATIENCE
        while (true) {
            try {
                return world.post(path, JSONObject(body)).toMap()
            } catch (refused: World.Refused) {
                if (end.hasPassedNow()) throw refused
                delay(PAUSE)
            }
        }
    }

    /** The same with each `$name` and `$name.field` replaced by what it stands for. */
    private fun resolved(value: Any?): Any? = when {
        value is Map<*, *> -> value.mapValues { (_, field) -> resolved(field) }
        value is List<*> -> value.map { resolved(it) }
        value is String && value.startsWith('$') -> {
            val path = value.drop(1).split('.')
            check(path.first() in variables) { "no variable is named ${path.first()}" }
            path.drop(1).fold(variables[path.first()]) { found, part -> plain(found).fields()[part] }
        }
        else -> value
    }

    private companion object {
        val PATIENCE = 60.seconds

        /** A payment is known to one side a round trip before the other can spend it. */
        val WORLD_PATIENCE = 10.seconds
        val PAUSE = 100.milliseconds
    }
}

private suspend fun Wallet.call(name: String, with: Fields): Any? = when (name) {
    "balance" -> balance()
    "closeChannel" -> closeChannel(with.text("id"))
    "connectPeer" -> connectPeer(with.text("nodeId"), with.text("address"))
    "disconnectPeer" -> disconnectPeer(with.text("nodeId"))
    "estimateOpenChannel" -> estimateOpenChannel(openChannelRequest(with))
    "fees" -> fees()
    "forceCloseChannel" -> forceCloseChannel(with.text("id"))
    "getPayment" -> getPayment(with.text("id"))
    "info" -> info()
    "listChannels" -> listChannels()
    "listPayments" -> with.getValue("filter").fields().let {
        val direction = it.textOrNull("direction")?.let { named -> Direction.valueOf(named.uppercase()) }
        listPayments(PaymentFilter(direction, it.uint("limit")!!, it.ulong("beforeSecs")))
    }
    "listPeers" -> listPeers()
    "makeInvoice" -> with.getValue("request").fields().let {
        makeInvoice(InvoiceRequest(it.ulong("amountMsat"), it.text("description"), it.uint("expirySecs")))
    }
    "mnemonic" -> mnemonic(with.text("passphrase"))
    "mnemonicWithDeviceKey" -> mnemonicWithDeviceKey(with.text("deviceKey"))
    "newAddress" -> newAddress()
    "openChannel" -> openChannel(openChannelRequest(with))
    "parse" -> parse(with.text("text"))
    "prepareSend" -> with.getValue("request").fields().let {
        prepareSend(
            SendRequest(
                input = it.text("input"),
                amountMsat = it.ulong("amountMsat"),
                maxFeeMsat = it.ulong("maxFeeMsat"),
                timeoutSecs = it.uint("timeoutSecs"),
                idempotencyKey = it.textOrNull("idempotencyKey"),
                note = it.textOrNull("note"),
            ),
        )
    }
    "refresh" -> refresh()
    "safeToClose" -> safeToClose()
    "send" -> send(with["quote"] as? Quote ?: lightningQuote(with.getValue("quote").fields()))
    "sendOnchain" -> with.getValue("request").fields().let {
        val key = it.textOrNull("idempotencyKey")
        sendOnchain(OnchainRequest(it.text("address"), it.ulong("amountSat"), it.uint("feerateSatPerVb"), key))
    }
    "start" -> start()
    "stop" -> stop()
    "waitPayment" -> waitPayment(with.text("id"), with.uint("timeoutSecs")!!)
    else -> error("no call is named $name")
}

/** One that no call has given. */
private fun lightningQuote(it: Fields) = Quote(
    input = it.text("input"),
    kind = QuoteKind.valueOf(it.text("kind").uppercase()),
    amountMsat = it.ulong("amountMsat")!!,
    feeEstimateMsat = it.ulong("feeEstimateMsat")!!,
    maxFeeMsat = it.ulong("maxFeeMsat")!!,
    minAmountMsat = it.ulong("minAmountMsat")!!,
    maxAmountMsat = it.ulong("maxAmountMsat")!!,
    idempotencyKey = it.text("idempotencyKey"),
    timeoutSecs = it.uint("timeoutSecs")!!,
)

private fun openChannelRequest(with: Fields) = with.getValue("request").fields().let {
    OpenChannelRequest(it.text("nodeId"), it.ulong("amountSat")!!, it.uint("feerateSatPerVb"))
}

/** Of an object the named fields, of a list every entry. Null is unset. */
private fun matches(expected: Any?, found: Any?): Boolean = when {
    expected is Map<*, *> && found is Map<*, *> -> expected.all { (name, value) -> matches(value, found[name]) }
    expected is List<*> && found is List<*> ->
        expected.size == found.size && expected.zip(found).all { (one, other) -> matches(one, other) }
    expected is Number && found is Number -> expected.toString() == found.toString()
    else -> expected == found
}

@Suppress("UNCHECKED_CAST") // JSON names its fields by texts.
private fun Any?.fields() = this as Fields

private fun Fields.list(name: String) = (getValue(name) as List<*>).map { it.fields() }

private fun Fields.text(name: String) = getValue(name) as String

private fun Fields.textOrNull(name: String) = this[name] as String?

private fun Fields.uint(name: String) = this[name]?.toString()?.toUInt()

private fun Fields.ulong(name: String) = this[name]?.toString()?.toULong()
