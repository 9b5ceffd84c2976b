package kite.wallet

import java.io.File
import java.io.FileOutputStream
import java.io.IOException
import java.security.GeneralSecurityException
import java.security.SecureRandom
import javax.crypto.Cipher
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec

/** The key that a [DeviceKey] is encrypted with, in a place that does not give it away. */
public interface WrappingKey {
    /** The key; `null` if none was made yet. */
    @Throws(GeneralSecurityException::class)
    public fun find(): SecretKey?

    /** Makes the key. Called only if there is none, and nothing that needs it. */
    @Throws(GeneralSecurityException::class)
    public fun make(): SecretKey
}

/** The device key cannot be had, and without it the wallet on this device cannot be opened. Nothing was changed. */
public class DeviceKeyException(message: String, cause: Throwable? = null) : Exception(message, cause)

/**
 * The storage key of a wallet on this device, for [Wallet.createWithDeviceKey] and [Wallet.openWithDeviceKey]: random, and
 * encrypted in a file. One process at a time may use the file.
 *
 * Without the file the wallet cannot be opened. Keep the file where the wallet's data is, outside of backups: neither is
 * of use on another device.
 *
 * @param file where it is kept; its folder must exist.
 * @param wrapping what it is encrypted with; on Android, a `KeystoreKey`.
 */
public class DeviceKey(private val file: File, private val wrapping: WrappingKey) {
    /**
     * The key in hexadecimal, made at the first call and on disk before it is returned.
     *
     * @throws DeviceKeyException if there is a file that cannot be decrypted: its key is gone, or the file is damaged.
     * @throws IOException if the file cannot be read or written.
     * @throws GeneralSecurityException if the key store does not work now.
     */
    @Throws(DeviceKeyException::class, IOException::class, GeneralSecurityException::class)
    public fun hex(): String = synchronized(ONE_AT_A_TIME) {
        // What is shorter was never handed out: the process ended while it was written.
        val key = if (file.length() < FILE_BYTES) make() else read()
        key.joinToString("") { byte -> "%02x".format(byte) }
    }

    private fun make(): ByteArray {
        val key = ByteArray(KEY_BYTES).also { SecureRandom().nextBytes(it) }
        val cipher = Cipher.getInstance(CIPHER)
        // Android's key store chooses the nonce itself.
        cipher.init(Cipher.ENCRYPT_MODE, wrapping.find() ?: wrapping.make())
        val sealed = cipher.iv + cipher.doFinal(key)
        check(sealed.size == FILE_BYTES) { "the cipher made ${sealed.size} bytes" }
        FileOutputStream(file).use { out ->
            out.write(sealed)
            out.fd.sync()
        }
        return key
    }

    private fun read(): ByteArray {
        val sealed = file.readBytes()
        val secret = wrapping.find() ?: throw DeviceKeyException("the key of this device is gone: $ADVICE")
        val cipher = Cipher.getInstance(CIPHER)
        try {
            cipher.init(Cipher.DECRYPT_MODE, secret, GCMParameterSpec(TAG_BITS, sealed, 0, NONCE_BYTES))
            return cipher.doFinal(sealed, NONCE_BYTES, sealed.size - NONCE_BYTES)
        } catch (error: GeneralSecurityException) {
            throw DeviceKeyException("${file.name} cannot be decrypted: $ADVICE", error)
        }
    }

    private companion object {
        const val CIPHER = "AES/GCM/NoPadding"
        const val KEY_BYTES = 32
        const val NONCE_BYTES = 12
        const val TAG_BITS = 128
        const val FILE_BYTES = NONCE_BYTES + KEY_BYTES + TAG_BITS / 8
        const val ADVICE = "restore the wallet from its words"
        val ONE_AT_A_TIME = Any()
    }
}
