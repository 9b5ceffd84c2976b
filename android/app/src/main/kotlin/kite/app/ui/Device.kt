package kite.app.ui

import androidx.compose.runtime.Composable
import androidx.compose.runtime.staticCompositionLocalOf
import androidx.compose.ui.Modifier

/** What the screens want of the device that they are on. */
interface Device {
    /** Puts a text into the clipboard. */
    fun copy(text: String)

    /** The text in the clipboard; null if there is none. */
    fun pasted(): String?

    /** Offers a text to other apps. */
    fun share(text: String)

    /** The camera, until it sees a QR code. `refused` if it may not or cannot be used. */
    @Composable
    fun Camera(modifier: Modifier, found: (String) -> Unit, refused: () -> Unit)

    /** While this is on the screen, nobody can take a picture of it. */
    @Composable
    fun Secret()

    /** What the device's own way back does, while this is on the screen. */
    @Composable
    fun OnBack(back: () -> Unit)
}

internal val LocalDevice = staticCompositionLocalOf<Device> { error("the screens are on no device") }
