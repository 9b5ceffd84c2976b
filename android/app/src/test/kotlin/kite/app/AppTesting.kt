package kite.app

import java.io.File
import java.util.concurrent.ConcurrentHashMap
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import kite.app.model.Authenticator
import kite.app.model.Installation
import kite.app.model.Settings
import kite.app.model.WalletModel
import kite.wallet.NOWHERE
import kite.wallet.WrappingKey
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob

/** A device to run the app on: its disk, its key store and whoever holds it. */
internal class TestDevice(private val folder: File, private val esploraUrl: String = NOWHERE) {
    val person = Person()
    private val keys = ConcurrentHashMap<String, JavaKey>()
    private val remembered = ConcurrentHashMap<String, String>()

    /** The app, started once more. */
    fun start(): WalletModel {
        val installation = Installation(folder, mapOf("regtest" to esploraUrl, "bitcoin" to NOWHERE)) { name ->
            keys.getOrPut(name) { JavaKey() }
        }
        val settings = object : Settings {
            override fun get(key: String) = remembered[key]

            override fun set(key: String, value: String) {
                remembered[key] = value
            }
        }
        return WalletModel(installation, person, settings, CoroutineScope(SupervisorJob() + Dispatchers.Default))
    }

    /** The key store was emptied, as when a phone's data is moved to another one. */
    fun loseKeys() = keys.clear()

    /** Who holds the device, and what they were asked. */
    class Person : Authenticator {
        @Volatile var isKnown = true
        @Volatile var hasCode = true
        val asked = mutableListOf<String>()

        /** Why the device cannot ask them. */
        @Volatile var refusal: Exception? = null

        /** What they wait for before they answer. */
        var hesitation = CompletableDeferred(Unit)

        override fun canTell() = hasCode

        override suspend fun authenticate(reason: String): Boolean {
            asked += reason
            hesitation.await()
            refusal?.let { throw it }
            return isKnown
        }
    }

    /** Java's AES in place of Android's. */
    private class JavaKey : WrappingKey {
        private var key: SecretKey? = null

        override fun find() = key

        override fun make(): SecretKey =
            KeyGenerator.getInstance("AES").apply { init(256) }.generateKey().also { key = it }
    }
}
