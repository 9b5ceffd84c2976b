package kite.app.ui

import androidx.compose.foundation.background
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.shape.CircleShape
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.unit.dp

/** A word on how something stands. */
@Composable
internal fun Badge(text: String, isGood: Boolean) {
    val more = LocalMoreColors.current
    val (ground, color) = if (isGood) more.goodSoft to more.good else more.warnSoft to more.warn
    Text(
        text, Modifier.background(ground, CircleShape).padding(horizontal = 12.dp, vertical = 4.dp),
        color = color, style = MaterialTheme.typography.labelLarge,
    )
}
