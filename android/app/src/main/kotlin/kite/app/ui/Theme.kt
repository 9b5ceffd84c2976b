package kite.app.ui

import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Shapes
import androidx.compose.material3.darkColorScheme
import androidx.compose.material3.lightColorScheme
import androidx.compose.runtime.Composable
import androidx.compose.runtime.CompositionLocalProvider
import androidx.compose.runtime.Immutable
import androidx.compose.runtime.staticCompositionLocalOf
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.unit.dp

/** What Material has no name for. Every pair of a colour and its ground can be read by everyone (WCAG AA). */
@Immutable
internal class MoreColors(val good: Color, val goodSoft: Color, val warn: Color, val warnSoft: Color, val theirs: Color)

internal val LocalMoreColors = staticCompositionLocalOf { MORE_LIGHT }

/** The colours of Kite, the same as the web page's. */
@Composable
internal fun KiteTheme(isDark: Boolean, content: @Composable () -> Unit) {
    CompositionLocalProvider(LocalMoreColors provides if (isDark) MORE_DARK else MORE_LIGHT) {
        MaterialTheme(if (isDark) DARK else LIGHT, shapes = SHAPES, content = content)
    }
}

private val SHAPES = Shapes(medium = RoundedCornerShape(16.dp), small = RoundedCornerShape(11.dp))

private val MORE_LIGHT =
    MoreColors(Color(0xFF0B7048), Color(0xFFDFF5EA), Color(0xFF7D4B00), Color(0xFFFDF0DA), Color(0xFFB4BDF3))
private val MORE_DARK =
    MoreColors(Color(0xFF55D49C), Color(0xFF12301F), Color(0xFFF2C069), Color(0xFF33270F), Color(0xFF3B4684))

private val LIGHT = lightColorScheme(
    primary = Color(0xFF3246D3), onPrimary = Color.White,
    primaryContainer = Color(0xFFE6E9FD), onPrimaryContainer = Color(0xFF2737B4),
    secondary = Color(0xFF535C6E), onSecondary = Color.White,
    secondaryContainer = Color(0xFFE6E9FD), onSecondaryContainer = Color(0xFF2737B4),
    background = Color(0xFFF3F4F8), onBackground = Color(0xFF12151D),
    surface = Color(0xFFF3F4F8), onSurface = Color(0xFF12151D),
    surfaceVariant = Color(0xFFECEEF4), onSurfaceVariant = Color(0xFF535C6E),
    surfaceContainer = Color.White, surfaceContainerLow = Color.White,
    surfaceContainerHigh = Color.White, surfaceContainerHighest = Color(0xFFECEEF4), surfaceContainerLowest = Color.White,
    outline = Color(0xFF8B93A5), outlineVariant = Color(0xFFDCDFE8),
    error = Color(0xFFB1231B), onError = Color.White,
    errorContainer = Color(0xFFFDE8E6), onErrorContainer = Color(0xFFB1231B),
)

private val DARK = darkColorScheme(
    primary = Color(0xFF93A3FF), onPrimary = Color(0xFF0D1017),
    primaryContainer = Color(0xFF232A4D), onPrimaryContainer = Color(0xFFB0BCFF),
    secondary = Color(0xFFA0A9BB), onSecondary = Color(0xFF0D1017),
    secondaryContainer = Color(0xFF232A4D), onSecondaryContainer = Color(0xFFB0BCFF),
    background = Color(0xFF0D1017), onBackground = Color(0xFFEEF0F6),
    surface = Color(0xFF0D1017), onSurface = Color(0xFFEEF0F6),
    surfaceVariant = Color(0xFF1F2430), onSurfaceVariant = Color(0xFFA0A9BB),
    surfaceContainer = Color(0xFF161A23), surfaceContainerLow = Color(0xFF161A23),
    surfaceContainerHigh = Color(0xFF1F2430), surfaceContainerHighest = Color(0xFF1F2430),
    surfaceContainerLowest = Color(0xFF0D1017),
    outline = Color(0xFF707A8F), outlineVariant = Color(0xFF2A303D),
    error = Color(0xFFFF938A), onError = Color(0xFF0D1017),
    errorContainer = Color(0xFF3B1917), onErrorContainer = Color(0xFFFF938A),
)
