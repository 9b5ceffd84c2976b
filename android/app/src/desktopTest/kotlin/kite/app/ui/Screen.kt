package kite.app.ui

import androidx.compose.foundation.background
import androidx.compose.foundation.layout.Box
import androidx.compose.runtime.Composable
import androidx.compose.runtime.CompositionLocalProvider
import androidx.compose.runtime.DisposableEffect
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.setValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.geometry.Size
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.graphics.asSkiaBitmap
import androidx.compose.ui.platform.LocalDensity
import androidx.compose.ui.test.ExperimentalTestApi
import androidx.compose.ui.test.SkikoComposeUiTest
import androidx.compose.ui.test.assertIsDisplayed
import androidx.compose.ui.test.captureToImage
import androidx.compose.ui.test.hasClickAction
import androidx.compose.ui.test.hasSetTextAction
import androidx.compose.ui.test.hasText
import androidx.compose.ui.test.isRoot
import androidx.compose.ui.test.onAllNodesWithContentDescription
import androidx.compose.ui.test.onAllNodesWithText
import androidx.compose.ui.test.onNodeWithContentDescription
import androidx.compose.ui.test.performClick
import androidx.compose.ui.test.performScrollTo
import androidx.compose.ui.test.performTextReplacement
import androidx.compose.ui.test.v2.runSkikoComposeUiTest
import androidx.compose.ui.unit.Density
import java.io.File
import kite.app.model.WalletModel
import kotlinx.coroutines.runBlocking
import org.jetbrains.skia.EncodedImageFormat
import org.jetbrains.skia.Image

private const val WIDTH = 360f
private const val HEIGHT = 780f
private const val DENSITY = 2f

/** Shows the app on the screen of a phone, without a display, and lets a test touch it. */
@OptIn(ExperimentalTestApi::class)
internal fun onScreen(wallet: WalletModel, body: Screen.() -> Unit) =
    runSkikoComposeUiTest(Size(WIDTH * DENSITY, HEIGHT * DENSITY), Density(DENSITY)) {
        val screen = Screen(this)
        setContent {
            CompositionLocalProvider(LocalDensity provides Density(DENSITY, screen.fontScale)) {
                KiteApp(wallet, screen.device, screen.isDark)
            }
        }
        screen.body()
    }

/** What a person sees of the app, and touches. */
@OptIn(ExperimentalTestApi::class)
internal class Screen(private val test: SkikoComposeUiTest) {
    var isDark by mutableStateOf(false)
    var fontScale by mutableStateOf(1f)
    val device = Desk()

    /** Waits until this is to be read; the wallet may take its time. */
    fun sees(text: String, secs: Int = 30) {
        test.waitUntil("\"$text\" is on the screen", secs * 1_000L) {
            test.onAllNodesWithText(text, substring = true).fetchSemanticsNodes().isNotEmpty()
        }
    }

    fun isThere(text: String) = test.onAllNodesWithText(text).fetchSemanticsNodes().isNotEmpty()

    fun seesNo(text: String) = check(!isThere(text)) { "\"$text\" is on the screen" }

    fun touch(text: String) {
        dismissNotices()
        val buttons = test.onAllNodes(hasText(text) and hasClickAction())
        test.waitUntil("\"$text\" can be touched", PATIENCE_MILLIS) { buttons.fetchSemanticsNodes().isNotEmpty() }
        val button = buttons[0]
        // What is in a bar or a dialog does not scroll.
        runCatching { button.performScrollTo() }
        button.performClick()
        test.waitForIdle()
    }

    /** Waits while something else happens, such as blocks. */
    fun seesWhile(text: String, act: suspend () -> Unit) {
        repeat(ROUNDS) {
            runBlocking { act() }
            if (runCatching { sees(text, secs = 1) }.isSuccess) return
        }
        sees(text)
    }

    private fun dismissNotices() {
        while (true) {
            val notices = test.onAllNodesWithContentDescription("Dismiss")
            if (notices.fetchSemanticsNodes().isEmpty()) return
            notices[0].performClick()
            test.waitForIdle()
        }
    }

    fun touchDrawing(description: String) {
        dismissNotices()
        test.onNodeWithContentDescription(description).performClick()
        test.waitForIdle()
    }

    fun seesDrawing(description: String) {
        test.onNodeWithContentDescription(description, substring = true).assertIsDisplayed()
    }

    fun type(label: String, text: String) {
        sees(label)
        test.onNode(hasText(label) and hasSetTextAction()).performTextReplacement(text)
        test.waitForIdle()
    }

    /** Takes pictures of this, light and dark and with large letters, for whoever asked for them. */
    fun picture(name: String) {
        val folder = File(System.getProperty("kite.pictures") ?: return).also { it.mkdirs() }
        for ((look, dark, scale) in LOOKS) {
            isDark = dark
            fontScale = scale
            test.waitForIdle()
            // A dialog is a root of its own, over the others.
            val roots = test.onAllNodes(isRoot())
            val shown = roots[roots.fetchSemanticsNodes().lastIndex].captureToImage()
            val image = Image.makeFromBitmap(shown.asSkiaBitmap())
            val png = checkNotNull(image.encodeToData(EncodedImageFormat.PNG)) { "$name cannot be drawn" }
            File(folder, "$name$look.png").writeBytes(png.bytes)
        }
        isDark = false
        fontScale = 1f
        test.waitForIdle()
    }

    private companion object {
        const val ROUNDS = 60
        const val PATIENCE_MILLIS = 30_000L
        val LOOKS = listOf(Triple("", false, 1f), Triple("-dark", true, 1f), Triple("-large", false, 1.8f))
    }
}

/** The device of these tests: a clipboard that can be looked into, and a camera that sees what it is shown. */
internal class Desk : Device {
    var clipboard: String? = null
    val shared = mutableListOf<String>()
    var secrets by mutableStateOf(0)
    private var hold: ((String) -> Unit)? = null
    private var refuse: (() -> Unit)? = null

    override fun copy(text: String) {
        clipboard = text
    }

    override fun pasted() = clipboard

    override fun share(text: String) {
        shared += text
    }

    /** Holds a code in front of the camera. */
    fun show(code: String) = checkNotNull(hold) { "the camera is off" }(code)

    /** The person does not allow the camera. */
    fun refuseCamera() = checkNotNull(refuse) { "the camera is off" }()

    @Composable
    override fun Camera(modifier: Modifier, found: (String) -> Unit, refused: () -> Unit) {
        hold = found
        refuse = refused
        Box(modifier.background(Color.DarkGray))
    }

    @Composable
    override fun Secret() {
        DisposableEffect(Unit) {
            secrets++
            onDispose { secrets-- }
        }
    }

    @Composable
    override fun OnBack(back: () -> Unit) = Unit
}
