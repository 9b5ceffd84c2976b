package kite.app.platform

import android.os.Bundle
import androidx.activity.ComponentActivity
import androidx.activity.compose.setContent
import androidx.activity.enableEdgeToEdge
import androidx.activity.result.contract.ActivityResultContracts.StartActivityForResult
import kite.app.ui.KiteApp
import kotlinx.coroutines.CoroutineStart.UNDISPATCHED

/** The app on the screen. The wallet runs while this is in front, and is stopped when it is not. */
class MainActivity : ComponentActivity() {
    private val app get() = application as KiteApplication
    private val confirming = registerForActivityResult(StartActivityForResult()) {
        app.owner.confirmed(it.resultCode == RESULT_OK)
    }

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        enableEdgeToEdge()
        app.owner.askOver(this, confirming::launch)
        setContent { KiteApp(app.wallet, AndroidDevice(this)) }
    }

    override fun onStart() {
        super.onStart()
        // At once, before the answer to a question that was asked over this activity.
        app.wallet.act(UNDISPATCHED) { app.wallet.comeToFront() }
    }

    override fun onStop() {
        super.onStop()
        app.wallet.act(UNDISPATCHED) { app.wallet.leaveFront() }
    }

    override fun onDestroy() {
        app.owner.forget(this)
        super.onDestroy()
    }
}
