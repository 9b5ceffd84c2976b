package kite.app.ui

import androidx.compose.foundation.BorderStroke
import androidx.compose.foundation.background
import androidx.compose.foundation.clickable
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.FlowRow
import androidx.compose.foundation.layout.PaddingValues
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.Spacer
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.layout.width
import androidx.compose.foundation.layout.widthIn
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.shape.CircleShape
import androidx.compose.foundation.verticalScroll
import androidx.compose.material3.Button
import androidx.compose.material3.ButtonDefaults
import androidx.compose.material3.Card
import androidx.compose.material3.CircularProgressIndicator
import androidx.compose.material3.IconButton
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.OutlinedButton
import androidx.compose.material3.Scaffold
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.CompositionLocalProvider
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.draw.clip
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.platform.LocalDensity
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.font.FontFamily
import androidx.compose.ui.text.font.FontWeight
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.Density
import androidx.compose.ui.unit.dp
import kite.app.model.Explanation

private val WIDEST = 560.dp

/** A screen over the tabs, with a way back if there is one. */
@Composable
internal fun Page(title: String, back: (() -> Unit)?, content: @Composable ColumnScope.() -> Unit) {
    if (back != null) LocalDevice.current.OnBack(back)
    Scaffold { within -> Box(Modifier.padding(within)) { Scrolling(title, back, content = content) } }
}

/** A title and what belongs to it, as long as it may be. */
@Composable
internal fun Scrolling(
    title: String,
    back: (() -> Unit)? = null,
    action: @Composable () -> Unit = {},
    content: @Composable ColumnScope.() -> Unit,
) {
    Column(Modifier.fillMaxSize().verticalScroll(rememberScrollState()), horizontalAlignment = Alignment.CenterHorizontally) {
        Column(
            Modifier.widthIn(max = WIDEST).fillMaxWidth().padding(horizontal = 16.dp, vertical = 8.dp),
            verticalArrangement = Arrangement.spacedBy(16.dp),
        ) {
            Row(Modifier.heightIn(min = 56.dp), verticalAlignment = Alignment.CenterVertically) {
                if (back != null) IconButton(back) { Drawn(Drawing.BACK, description = "Back") }
                Title(title, Modifier.weight(1f).padding(start = if (back == null) 0.dp else 4.dp))
                action()
            }
            content()
            Spacer(Modifier.size(8.dp))
        }
    }
}

@Composable
internal fun Title(text: String, modifier: Modifier = Modifier) =
    Text(text, modifier.semantics { heading() }, style = MaterialTheme.typography.headlineSmall, fontWeight = FontWeight.SemiBold)

/** A card with a heading, if it has one. */
@Composable
internal fun Group(heading: String? = null, trailing: String? = null, content: @Composable ColumnScope.() -> Unit) {
    Card(Modifier.fillMaxWidth(), shape = MaterialTheme.shapes.medium, colors = cardColors()) {
        Column(Modifier.padding(16.dp), verticalArrangement = Arrangement.spacedBy(12.dp)) {
            if (heading != null) {
                FlowRow(Modifier.fillMaxWidth(), horizontalArrangement = Arrangement.SpaceBetween) {
                    Text(heading, Modifier.semantics { heading() }, style = MaterialTheme.typography.titleMedium, fontWeight = FontWeight.SemiBold)
                    if (trailing != null) Text(trailing, style = MaterialTheme.typography.titleMedium)
                }
            }
            content()
        }
    }
}

/** A label and what it says; under each other where they do not fit side by side. */
@Composable
internal fun Fact(label: String, value: String, strong: Boolean = false) {
    FlowRow(
        Modifier.fillMaxWidth().semantics(mergeDescendants = true) {},
        horizontalArrangement = Arrangement.SpaceBetween,
    ) {
        Muted(label, Modifier.padding(end = 16.dp))
        Text(value, fontWeight = if (strong) FontWeight.SemiBold else null)
    }
}

/** A long text of letters and digits under its label; a touch copies it. */
@Composable
internal fun CopyFact(label: String, text: String) {
    val device = LocalDevice.current
    Row(
        Modifier.fillMaxWidth().clip(MaterialTheme.shapes.small)
            .clickable(onClickLabel = "Copy") { device.copy(text) }.padding(vertical = 4.dp),
        verticalAlignment = Alignment.CenterVertically,
    ) {
        Column(Modifier.weight(1f)) {
            Muted(label)
            Text(text, style = MaterialTheme.typography.bodyMedium, fontFamily = FontFamily.Monospace)
        }
        Drawn(Drawing.COPY, Modifier.padding(start = 12.dp).size(20.dp), tint = MaterialTheme.colorScheme.primary)
    }
}

@Composable
internal fun Muted(text: String, modifier: Modifier = Modifier, align: TextAlign? = null) =
    Text(text, modifier, color = MaterialTheme.colorScheme.onSurfaceVariant, textAlign = align)

/** What went wrong, and what can be done now. It is read aloud when it appears. */
@Composable
internal fun Trouble(explanation: Explanation?) {
    if (explanation == null) return
    val scheme = MaterialTheme.colorScheme
    Warning(explanation.what, explanation.next, scheme.errorContainer, scheme.onErrorContainer)
}

/** Something to know before going on. */
@Composable
internal fun Caution(what: String, next: String) =
    LocalMoreColors.current.let { Warning(what, next, it.warnSoft, it.warn) }

@Composable
private fun Warning(what: String, next: String, ground: Color, color: Color) {
    Surface(
        Modifier.fillMaxWidth().semantics(mergeDescendants = true) { liveRegion = LiveRegionMode.Polite },
        shape = MaterialTheme.shapes.small, color = ground, contentColor = color,
    ) {
        Row(Modifier.padding(16.dp), horizontalArrangement = Arrangement.spacedBy(12.dp)) {
            Drawn(Drawing.WARNING)
            Column(verticalArrangement = Arrangement.spacedBy(4.dp)) {
                Text(what, fontWeight = FontWeight.SemiBold)
                Text(next)
            }
        }
    }
}

/** What the screen is for. While it is busy, it says so and cannot be touched. */
@Composable
internal fun MainButton(
    text: String,
    isBusy: Boolean = false,
    busyText: String = text,
    drawing: Drawing? = null,
    modifier: Modifier = Modifier.fillMaxWidth(),
    isEnabled: Boolean = true,
    act: () -> Unit,
) {
    Button(act, modifier.heightIn(min = 52.dp), enabled = isEnabled && !isBusy, shape = MaterialTheme.shapes.small) {
        if (isBusy) CircularProgressIndicator(Modifier.size(20.dp), strokeWidth = 2.dp) else drawing?.let { Drawn(it, Modifier.size(20.dp)) }
        if (isBusy || drawing != null) Spacer(Modifier.width(10.dp))
        Text(if (isBusy) busyText else text, style = MaterialTheme.typography.titleMedium, textAlign = TextAlign.Center)
    }
}

/** What can be done besides. */
@Composable
internal fun OtherButton(
    text: String,
    drawing: Drawing? = null,
    modifier: Modifier = Modifier.fillMaxWidth(),
    isEnabled: Boolean = true,
    act: () -> Unit,
) {
    OutlinedButton(
        act, modifier.heightIn(min = 52.dp), isEnabled, MaterialTheme.shapes.small,
        ButtonDefaults.outlinedButtonColors(contentColor = MaterialTheme.colorScheme.primary),
        border = BorderStroke(1.dp, MaterialTheme.colorScheme.outline.copy(alpha = if (isEnabled) 1f else 0.3f)),
        contentPadding = PaddingValues(horizontal = 12.dp),
    ) {
        drawing?.let {
            Drawn(it, Modifier.size(20.dp))
            Spacer(Modifier.width(10.dp))
        }
        Text(text, style = MaterialTheme.typography.titleMedium, textAlign = TextAlign.Center)
    }
}

/** Two buttons side by side; under each other where letters are large. */
@Composable
internal fun SideBySide(first: @Composable (Modifier) -> Unit, second: @Composable (Modifier) -> Unit) {
    val space = Arrangement.spacedBy(12.dp)
    if (hasLargeLetters) {
        Column(verticalArrangement = space) {
            first(Modifier.fillMaxWidth())
            second(Modifier.fillMaxWidth())
        }
    } else {
        Row(horizontalArrangement = space) {
            first(Modifier.weight(1f))
            second(Modifier.weight(1f))
        }
    }
}

/** An amount that is what the screen is about. */
@Composable
internal fun BigAmount(text: String) = AsLargeAsFits(most = 1.3f) {
    Text(text, style = MaterialTheme.typography.headlineLarge, fontWeight = FontWeight.SemiBold, textAlign = TextAlign.Center)
}

/** What has no room for larger letters than this many times. */
@Composable
internal fun AsLargeAsFits(most: Float, content: @Composable () -> Unit) {
    val here = LocalDensity.current
    val fitting = Density(here.density, minOf(here.fontScale, most))
    CompositionLocalProvider(LocalDensity provides fitting, content = content)
}

internal val hasLargeLetters: Boolean
    @Composable get() = LocalDensity.current.fontScale > 1.3f

/** A drawing on a round ground. */
@Composable
internal fun Emblem(
    drawing: Drawing,
    ground: Color = MaterialTheme.colorScheme.primaryContainer,
    color: Color = MaterialTheme.colorScheme.onPrimaryContainer,
    side: Int = 72,
) {
    Box(Modifier.size(side.dp).background(ground, CircleShape), Alignment.Center) {
        Drawn(drawing, Modifier.size((side / 2).dp), tint = color)
    }
}

/** Something takes its time. */
@Composable
internal fun Waiting(text: String) {
    Column(Modifier.fillMaxSize(), Arrangement.spacedBy(24.dp, Alignment.CenterVertically), Alignment.CenterHorizontally) {
        CircularProgressIndicator()
        Text(text, Modifier.semantics { liveRegion = LiveRegionMode.Polite })
    }
}

/** Something in the middle of an otherwise empty screen. */
@Composable
internal fun Middle(content: @Composable ColumnScope.() -> Unit) {
    Scaffold { within ->
        Column(
            Modifier.fillMaxSize().padding(within).verticalScroll(rememberScrollState()).padding(24.dp),
            Arrangement.spacedBy(20.dp, Alignment.CenterVertically), Alignment.CenterHorizontally, content,
        )
    }
}
