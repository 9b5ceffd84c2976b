package kite.app.ui

import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.collectAsState
import androidx.compose.runtime.getValue
import androidx.compose.ui.text.font.FontFamily
import kite.app.model.WalletModel
import kite.wallet.version

/** What happened since the app was started, to be sent with a report of a fault. */
@Composable
internal fun LogScreen(wallet: WalletModel, route: Route) {
    val device = LocalDevice.current
    val lines by wallet.log.lines.collectAsState()
    Page("Log", route::back) {
        Muted("Events and errors since the app was started: no amounts, no words, no keys. It stays on this device until you share it.")
        OtherButton("Share", Drawing.SHARE) { device.share((listOf("Kite ${version()}") + lines).joinToString("\n")) }
        Group {
            if (lines.isEmpty()) Muted("Nothing yet.")
            for (line in lines.asReversed()) {
                Text(line, style = MaterialTheme.typography.bodySmall, fontFamily = FontFamily.Monospace)
            }
        }
    }
}
