package kite.wallet

import java.lang.reflect.Modifier
import java.math.BigInteger

/** The log in the one form that it has in every language. `varying` names fields whose values differ from run to run. */
internal class ScenarioLog(private val varying: List<String>) {
    private val words = mutableMapOf<String, Int>()
    private val lines = mutableListOf<String>()

    fun write(line: Any?, varies: List<String>) {
        lines += json(line, (varying + varies).toSet())
    }

    /** What was written since it was taken last. */
    fun take(): String = lines.joinToString("") { "$it\n" }.also { lines.clear() }

    /** JSON with its fields in order and without what is unset. */
    private fun json(value: Any?, varies: Set<String>): String = when (value) {
        is Map<*, *> -> value.filterValues { it != null }.mapKeys { (name, _) -> name as String }.toSortedMap()
            .map { (name, field) -> quoted(name) + ":" + if (name in varies) quoted("*") else json(field, varies) }
            .joinToString(",", "{", "}")
        is List<*> -> value.joinToString(",", "[", "]") { json(it, varies) }
        is String -> quoted(Regex("[0-9A-Za-z]+").replace(value) { named(it.value) })
        else -> value.toString()
    }

    private fun quoted(text: String) = "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\""

    /** The n-th random word is `<n>`: hashes, keys and ids; regtest addresses and invoices. */
    private fun named(word: String) =
        if (RANDOM.matches(word)) "<${words.getOrPut(word) { words.size + 1 }}>" else word

    private companion object {
        val RANDOM = Regex("[0-9a-f]{32,}|(?=.{20})(bcrt1|lnbcrt).*", RegexOption.IGNORE_CASE)
    }
}

/** An answer as TypeScript has it. */
internal fun plain(value: Any?): Any? = when (value) {
    null, is String, is Boolean, is BigInteger, is Int -> value
    is ULong, is UInt -> BigInteger(value.toString())
    is Enum<*> -> value.name.split('_').joinToString("") { it.lowercase().replaceFirstChar(Char::uppercase) }.startingLow()
    is List<*> -> value.map { plain(it) }
    is Map<*, *> -> value
    is Event, is Parsed -> mapOf("type" to value.javaClass.simpleName.startingLow()) + fields(value)
    else -> fields(value)
}

/** An error as TypeScript has it: its kind, its fields and its message. */
internal fun failure(error: WalletException): Fields =
    mapOf("kind" to error.javaClass.simpleName.startingLow(), "message" to error.message) + fields(error)

private fun fields(value: Any): Fields =
    value.javaClass.declaredFields.filterNot { Modifier.isStatic(it.modifiers) }.associate { field ->
        field.isAccessible = true
        field.name to when (val content = field.get(value)) {
            // The JVM has no unsigned types of its own; the API has no other.
            is Long -> plain(content.toULong())
            is Int -> plain(content.toUInt())
            else -> plain(content)
        }
    }

private fun String.startingLow() = replaceFirstChar(Char::lowercase)
