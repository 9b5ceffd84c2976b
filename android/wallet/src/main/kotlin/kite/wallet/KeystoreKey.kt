package kite.wallet

import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import java.security.GeneralSecurityException
import java.security.KeyStore
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey

/**
 * A key in Android's Keystore: made there, used there, and never shown to the app. It can be used while the app runs, also
 * behind a locked screen: a wallet in the background must be able to act for its channels.
 *
 * @param alias its name in the Keystore; one for each wallet of an app.
 */
public class KeystoreKey(private val alias: String) : WrappingKey {
    @Throws(GeneralSecurityException::class)
    override fun find(): SecretKey? {
        val keystore = KeyStore.getInstance(PROVIDER)
        keystore.load(null)
        return keystore.getKey(alias, null) as SecretKey?
    }

    @Throws(GeneralSecurityException::class)
    override fun make(): SecretKey {
        val purposes = KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT
        val generator = KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, PROVIDER)
        generator.init(
            KeyGenParameterSpec.Builder(alias, purposes)
                .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
                .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
                .setKeySize(KEY_BITS)
                .build(),
        )
        return generator.generateKey()
    }

    private companion object {
        const val PROVIDER = "AndroidKeyStore"
        const val KEY_BITS = 256
    }
}
