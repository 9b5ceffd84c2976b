package kite.wallet

import java.io.File
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import kotlin.concurrent.thread
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder

/** The key in its file, encrypted with Java's own AES in place of Android's. */
class DeviceKeyTest {
    @get:Rule
    val folder = TemporaryFolder()

    private val file get() = File(folder.root, "key")

    private class JavaKey : WrappingKey {
        private var key: SecretKey? = null

        override fun find() = key

        override fun make(): SecretKey {
            check(key == null) { "a key that is needed is replaced" }
            return KeyGenerator.getInstance("AES").apply { init(256) }.generateKey().also { key = it }
        }
    }

    @Test
    fun itOpensAWallet() = test {
        val wrapping = JavaKey()
        val wallet = Wallet.createWithDeviceKey(config(folder.root), DeviceKey(file, wrapping).hex(), null)
        val nodeId = wallet.info().nodeId
        wallet.stop()
        val again = Wallet.openWithDeviceKey(config(folder.root), DeviceKey(file, wrapping).hex())
        assertEquals(nodeId, again.info().nodeId)
        again.stop()
    }

    @Test
    fun theFileDoesNotShowIt() {
        val hex = DeviceKey(file, JavaKey()).hex()
        assertTrue(hex, Regex("[0-9a-f]{64}").matches(hex))
        val bytes = file.readBytes().joinToString("") { "%02x".format(it) }
        assertFalse(bytes.contains(hex))
        assertNotEquals(hex, DeviceKey(File(folder.root, "other"), JavaKey()).hex())
    }

    @Test
    fun manyThreadsGetTheSameOne() {
        val wrapping = JavaKey()
        val keys = java.util.concurrent.ConcurrentLinkedQueue<String>()
        List(16) { thread { keys += DeviceKey(file, wrapping).hex() } }.forEach { it.join() }
        assertEquals(16, keys.size)
        assertEquals(1, keys.toSet().size)
    }

    @Test
    fun aKeyThatIsGoneIsNotReplaced() {
        DeviceKey(file, JavaKey()).hex()
        val before = file.readBytes()
        val gone = assertThrows(DeviceKeyException::class.java) { DeviceKey(file, JavaKey()).hex() }
        assertTrue(gone.message, gone.message!!.contains("words"))
        assertTrue(before.contentEquals(file.readBytes()))
    }

    @Test
    fun aDamagedFileIsNotReplaced() {
        val wrapping = JavaKey()
        DeviceKey(file, wrapping).hex()
        val whole = file.readBytes()
        for (at in whole.indices) {
            val damaged = whole.copyOf().also { it[at] = (it[at].toInt() xor 1).toByte() }
            file.writeBytes(damaged)
            assertThrows(DeviceKeyException::class.java) { DeviceKey(file, wrapping).hex() }
            assertTrue(damaged.contentEquals(file.readBytes()))
        }
        file.writeBytes(whole + 0)
        assertThrows(DeviceKeyException::class.java) { DeviceKey(file, wrapping).hex() }
    }

    @Test
    fun anUnfinishedFileIsWrittenAgain() {
        val wrapping = JavaKey()
        DeviceKey(file, wrapping).hex()
        file.writeBytes(file.readBytes().copyOf(59))
        val hex = DeviceKey(file, wrapping).hex()
        assertEquals(hex, DeviceKey(file, wrapping).hex())
    }
}
