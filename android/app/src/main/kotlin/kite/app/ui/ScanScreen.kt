package kite.app.ui

import androidx.compose.foundation.layout.aspectRatio
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.material3.MaterialTheme
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.remember
import androidx.compose.runtime.setValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.draw.clip
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.semantics
import kite.app.model.Explanation

/** The camera, until it sees a QR code. */
@Composable
internal fun ScanScreen(back: () -> Unit, found: (String) -> Unit) {
    var isRefused by remember { mutableStateOf(false) }
    Page("Scan a code", back) {
        if (isRefused) {
            Trouble(Explanation("The camera cannot be used.", "Allow it in the system's settings, or go back and paste the text."))
        } else {
            LocalDevice.current.Camera(
                Modifier.fillMaxWidth().aspectRatio(3f / 4f).clip(MaterialTheme.shapes.medium)
                    .semantics { contentDescription = "Camera picture" },
                found,
            ) { isRefused = true }
            Muted("Hold the code in front of the camera.")
        }
        OtherButton("Cancel") { back() }
    }
}
