package kite.app.ui

import androidx.compose.foundation.Image
import androidx.compose.foundation.layout.size
import androidx.compose.material3.MaterialTheme
import androidx.compose.runtime.Composable
import androidx.compose.runtime.remember
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.SolidColor
import androidx.compose.ui.graphics.StrokeCap
import androidx.compose.ui.graphics.vector.ImageVector
import androidx.compose.ui.graphics.vector.addPathNodes
import androidx.compose.ui.graphics.vector.group
import androidx.compose.ui.unit.dp

/** The kite. */
@Composable
internal fun Mark() {
    val (sail, fold) = MaterialTheme.colorScheme.primary to MaterialTheme.colorScheme.onPrimaryContainer
    Image(remember(sail, fold) { kite(sail, fold) }, contentDescription = null, Modifier.size(88.dp))
}

private fun kite(sail: Color, fold: Color) = ImageVector.Builder("mark", 88.dp, 88.dp, 50f, 50f).group(translationX = -9f, translationY = -6f) {
    addPath(addPathNodes("M34 9 52 27 31 43 16 24z"), fill = SolidColor(sail))
    addPath(addPathNodes("M34 9 31 43 16 24z"), fill = SolidColor(fold))
    addPath(
        addPathNodes("M31 43c-9 2-3 9-11 11"), stroke = SolidColor(sail), strokeLineWidth = 2.5f,
        strokeLineCap = StrokeCap.Round,
    )
}.build()
