package kite.app.ui

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.safeDrawingPadding
import androidx.compose.foundation.layout.widthIn
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.key
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.dp
import kite.app.model.Notice
import kite.app.model.Tone
import kotlinx.coroutines.delay
import kotlin.time.Duration.Companion.seconds

private const val MOST = 3
private val SHOWN = 8.seconds

/** Short lines over the screen about what happened. A touch takes one away; what is bad stays until then. */
@Composable
internal fun Notices(notices: List<Notice>, dismiss: (Notice) -> Unit, modifier: Modifier) {
    // Over the bar at the bottom: the way back stays free.
    val place = modifier.safeDrawingPadding().padding(bottom = 80.dp).widthIn(max = 560.dp).padding(12.dp)
    Column(place, Arrangement.spacedBy(8.dp)) {
        for (notice in notices.takeLast(MOST)) key(notice) { Line(notice) { dismiss(notice) } }
    }
}

@Composable
private fun Line(notice: Notice, dismiss: () -> Unit) {
    if (notice.tone != Tone.BAD) {
        LaunchedEffect(notice) {
            delay(SHOWN)
            dismiss()
        }
    }
    val (scheme, more) = MaterialTheme.colorScheme to LocalMoreColors.current
    val (ground, color) = when (notice.tone) {
        Tone.GOOD -> more.goodSoft to more.good
        Tone.BAD -> scheme.errorContainer to scheme.onErrorContainer
        Tone.PLAIN -> scheme.inverseSurface to scheme.inverseOnSurface
    }
    Surface(
        dismiss, Modifier.fillMaxWidth(),
        shape = MaterialTheme.shapes.small, color = ground, contentColor = color, shadowElevation = 6.dp,
    ) {
        Row(
            Modifier.padding(14.dp).semantics { liveRegion = LiveRegionMode.Polite },
            Arrangement.spacedBy(10.dp), Alignment.CenterVertically,
        ) {
            Drawn(if (notice.tone == Tone.BAD) Drawing.WARNING else Drawing.CHECK)
            Text(notice.text, Modifier.weight(1f))
            Drawn(Drawing.CROSS, description = "Dismiss")
        }
    }
}
