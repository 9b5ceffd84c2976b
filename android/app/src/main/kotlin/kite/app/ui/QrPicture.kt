package kite.app.ui

import androidx.compose.foundation.Canvas
import androidx.compose.foundation.background
import androidx.compose.foundation.layout.aspectRatio
import androidx.compose.runtime.Composable
import androidx.compose.runtime.remember
import androidx.compose.ui.Modifier
import androidx.compose.ui.draw.clip
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.ui.geometry.Offset
import androidx.compose.ui.geometry.Size
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.dp
import kite.app.model.QrCode

/** A text as a QR code, black on white whatever the theme: readers need that. */
@Composable
internal fun QrPicture(text: String, description: String, modifier: Modifier = Modifier) {
    val code = remember(text) { QrCode(text) }
    Canvas(
        modifier.aspectRatio(1f).clip(RoundedCornerShape(12.dp)).background(Color.White)
            .semantics { contentDescription = description },
    ) {
        // Whole pixels: between dots of a broken size a reader sees lines.
        val dot = (size.width / (code.size + 2 * QrCode.QUIET)).toInt().coerceAtLeast(1)
        val edge = ((size.width - dot * code.size) / 2).toInt()
        for (y in 0 until code.size) {
            var x = 0
            while (x < code.size) {
                val from = x
                while (x < code.size && code.isDark(x, y)) x++
                val place = Offset((edge + from * dot).toFloat(), (edge + y * dot).toFloat())
                if (x > from) drawRect(Color.Black, place, Size(((x - from) * dot).toFloat(), dot.toFloat()))
                x++
            }
        }
    }
}
