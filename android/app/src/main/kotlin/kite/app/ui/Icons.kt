package kite.app.ui

import androidx.compose.material3.Icon
import androidx.compose.material3.LocalContentColor
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.SolidColor
import androidx.compose.ui.graphics.StrokeCap
import androidx.compose.ui.graphics.StrokeJoin
import androidx.compose.ui.graphics.vector.ImageVector
import androidx.compose.ui.graphics.vector.addPathNodes
import androidx.compose.ui.unit.dp

/** The drawings of the app: lines, the same as the web page's. */
internal enum class Drawing(path: String) {
    HOME("M4 11.5 12 5l8 6.5M6.5 10v9h11v-9"),
    CHANNELS("M4 8h13m0 0-3.5-3.5M17 8l-3.5 3.5M20 16H7m0 0 3.5-3.5M7 16l3.5 3.5"),
    HISTORY("M12 7.5V12l3 2M4.5 12a7.5 7.5 0 1 0 2.4-5.5M4.5 4.5v3.2h3.2"),
    SETTINGS("M4 7h9m5 0h2M4 17h3m5 0h8M15.5 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM9.5 19.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z"),
    SEND("M7 17 17 7M8.5 7H17v8.5"),
    RECEIVE("M17 7 7 17m8.5 0H7V8.5"),
    SCAN("M4 8.5V6a2 2 0 0 1 2-2h2.5m7 0H18a2 2 0 0 1 2 2v2.5m0 7V18a2 2 0 0 1-2 2h-2.5m-7 0H6a2 2 0 0 1-2-2v-2.5M4 12h16"),
    PASTE("M9 5H7a1.5 1.5 0 0 0-1.5 1.5v12A1.5 1.5 0 0 0 7 20h10a1.5 1.5 0 0 0 1.5-1.5v-12A1.5 1.5 0 0 0 17 5h-2M9 4h6v3H9z"),
    COPY("M9 9h10v11H9zM15 9V4H5v11h4"),
    SHARE("M12 15V4m0 0L8 8m4-4 4 4M5 12v7h14v-7"),
    CHECK("M5 12.5 10 17.5 19 7"),
    CROSS("M6 6l12 12M18 6 6 18"),
    CLOCK("M12 7.5V12l3 2M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16Z"),
    WARNING("M12 4 3 19.5h18zM12 10v4.5m0 2.5h.01"),
    BACK("M19 12H5m0 0 6-6m-6 6 6 6"),
    LOCK("M6.5 11h11v9h-11zM9 11V8a3 3 0 0 1 6 0v3"),
    PLUS("M12 5v14M5 12h14"),
    ;

    val vector: ImageVector by lazy {
        ImageVector.Builder(name, 24.dp, 24.dp, 24f, 24f).addPath(
            pathData = addPathNodes(path),
            stroke = SolidColor(Color.Black),
            strokeLineWidth = 1.8f,
            strokeLineCap = StrokeCap.Round,
            strokeLineJoin = StrokeJoin.Round,
        ).build()
    }
}

/** A drawing; screen readers pass over it unless it is described. */
@Composable
internal fun Drawn(
    drawing: Drawing,
    modifier: Modifier = Modifier,
    description: String? = null,
    tint: Color = LocalContentColor.current,
) = Icon(drawing.vector, description, modifier, tint)
