package kite.app.platform

import android.app.Activity
import android.app.KeyguardManager
import android.content.Context
import android.content.Intent
import android.hardware.biometrics.BiometricManager.Authenticators
import android.hardware.biometrics.BiometricPrompt
import android.os.Build
import android.os.CancellationSignal
import androidx.annotation.RequiresApi
import kite.app.model.Authenticator
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/** Recognises the person by finger or face, or by the code of the device. */
internal class DeviceOwner(context: Context) : Authenticator {
    private val guard = context.getSystemService(KeyguardManager::class.java)
    private var activity: Activity? = null
    private var confirm: (Intent) -> Unit = {}
    private var answer: CompletableDeferred<Boolean>? = null

    /** Questions are asked over this activity, which starts the intents of older systems. */
    fun askOver(activity: Activity, confirm: (Intent) -> Unit) {
        this.activity = activity
        this.confirm = confirm
    }

    /** The activity has gone, and no question can be asked over it. */
    fun forget(activity: Activity) {
        if (this.activity !== activity) return
        this.activity = null
        answer?.complete(false)
    }

    /** How a question of an older system was answered. */
    fun confirmed(isOwner: Boolean) {
        answer?.complete(isOwner)
    }

    override fun canTell(): Boolean = guard.isDeviceSecure

    override suspend fun authenticate(reason: String): Boolean = withContext(Dispatchers.Main) {
        if (!canTell()) return@withContext true
        val over = activity ?: return@withContext false
        val asked = CompletableDeferred<Boolean>().also { answer = it }
        try {
            if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) prompt(over, reason, asked) else askForCode(reason)
            asked.await()
        } finally {
            answer = null
        }
    }

    @RequiresApi(Build.VERSION_CODES.R)
    private fun prompt(over: Activity, reason: String, asked: CompletableDeferred<Boolean>) {
        val told = object : BiometricPrompt.AuthenticationCallback() {
            override fun onAuthenticationSucceeded(result: BiometricPrompt.AuthenticationResult) {
                asked.complete(true)
            }

            override fun onAuthenticationError(code: Int, message: CharSequence) {
                asked.complete(false)
            }
        }
        BiometricPrompt.Builder(over)
            .setTitle(reason)
            .setAllowedAuthenticators(Authenticators.BIOMETRIC_WEAK or Authenticators.DEVICE_CREDENTIAL)
            .build()
            .authenticate(CancellationSignal(), over.mainExecutor, told)
    }

    /** Before Android 11 the prompt did not take the code of the device everywhere; the system's own question did. */
    @Suppress("DEPRECATION")
    private fun askForCode(reason: String) = confirm(guard.createConfirmDeviceCredentialIntent(reason, null))
}
