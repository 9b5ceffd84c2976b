package kite.wallet

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

internal const val WORDS =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"

/** Nothing listens there: a wallet that is not started works without a network. */
internal const val NOWHERE = "http://127.0.0.1:9"

internal fun config(folder: java.io.File, esploraUrl: String = NOWHERE) =
    WalletConfig("regtest", folder.resolve("wallet").path, esploraUrl, null)

/** Runs a test to its end, which must come in time. */
internal fun test(secs: Int = 60, body: suspend CoroutineScope.() -> Unit) =
    limited(secs + 10) { runBlocking { withTimeout(secs.seconds, body) } }

/** Ends the process, and says where it was, if `body` does not end: what hangs in the library cannot be interrupted. */
internal fun <T> limited(secs: Int, body: () -> T): T {
    val limit = thread(isDaemon = true) {
        try {
            Thread.sleep(secs * 1_000L)
        } catch (_: InterruptedException) {
            return@thread
        }
        for ((thread, stack) in Thread.getAllStackTraces()) System.err.println("$thread\n  ${stack.joinToString("\n  ")}")
        System.err.println("no end within $secs s")
        Runtime.getRuntime().halt(124)
    }
    return try {
        body()
    } finally {
        limit.interrupt()
    }
}

/** Waits until `look` finds something. */
internal suspend fun <T : Any> until(what: String, secs: Int = 60, look: suspend () -> T?): T {
    repeat(secs * 10) {
        look()?.let { return it }
        delay(100.milliseconds)
    }
    throw AssertionError("not within $secs s: $what")
}

/** The error of this kind that `body` ends with. */
internal suspend inline fun <reified E : Throwable> caught(body: suspend () -> Unit): E {
    try {
        body()
    } catch (error: Throwable) {
        if (error is E) return error
        throw error
    }
    throw AssertionError("no ${E::class.simpleName} was thrown")
}
