package kite.app.platform

import android.Manifest.permission.CAMERA
import android.app.Activity
import android.content.ClipData
import android.content.ClipboardManager
import android.content.Intent
import android.content.pm.PackageManager.PERMISSION_GRANTED
import android.view.WindowManager.LayoutParams.FLAG_SECURE
import androidx.activity.compose.BackHandler
import androidx.activity.compose.rememberLauncherForActivityResult
import androidx.activity.result.contract.ActivityResultContracts.RequestPermission
import androidx.compose.runtime.Composable
import androidx.compose.runtime.DisposableEffect
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.setValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.viewinterop.AndroidView
import kite.app.ui.Device

/** The phone, as the screens want it. */
internal class AndroidDevice(private val activity: Activity) : Device {
    private val clipboard = activity.getSystemService(ClipboardManager::class.java)

    /** How many parts of the screen are secret. */
    private var secrets = 0

    override fun copy(text: String) = clipboard.setPrimaryClip(ClipData.newPlainText("Kite", text))

    override fun pasted(): String? =
        clipboard.primaryClip?.takeIf { it.itemCount > 0 }?.getItemAt(0)?.coerceToText(activity)?.toString()

    override fun share(text: String) {
        val intent = Intent(Intent.ACTION_SEND).setType("text/plain").putExtra(Intent.EXTRA_TEXT, text)
        activity.startActivity(Intent.createChooser(intent, null))
    }

    @Composable
    override fun Camera(modifier: Modifier, found: (String) -> Unit, refused: () -> Unit) {
        var isAllowed by remember { mutableStateOf(activity.checkSelfPermission(CAMERA) == PERMISSION_GRANTED) }
        val asking = rememberLauncherForActivityResult(RequestPermission()) { if (it) isAllowed = true else refused() }
        LaunchedEffect(Unit) { if (!isAllowed) asking.launch(CAMERA) }
        if (isAllowed) AndroidView({ CameraView(it, found, refused) }, modifier, onRelease = CameraView::close)
    }

    @Composable
    override fun Secret() {
        DisposableEffect(Unit) {
            if (secrets++ == 0) activity.window.addFlags(FLAG_SECURE)
            onDispose { if (--secrets == 0) activity.window.clearFlags(FLAG_SECURE) }
        }
    }

    @Composable
    override fun OnBack(back: () -> Unit) = BackHandler(onBack = back)
}
