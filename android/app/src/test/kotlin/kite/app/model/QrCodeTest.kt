package kite.app.model

import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test

/** What is drawn is what a camera reads. */
class QrCodeTest {
    private class Picture(val stride: Int, val width: Int, val height: Int) {
        val grey = ByteArray(stride * height) { LIGHT }

        fun read() = QrCode.read(grey, stride, width, height)
    }

    private fun photograph(code: QrCode, dot: Int, turned: Boolean = false, inverted: Boolean = false): Picture {
        val side = (code.size + 2 * QrCode.QUIET) * dot
        // A camera's rows may be longer than they are wide.
        val picture = Picture(side + 16, side, side)
        for (y in 0 until side) for (x in 0 until side) {
            val (column, row) = (x / dot - QrCode.QUIET) to (y / dot - QrCode.QUIET)
            val within = column in 0 until code.size && row in 0 until code.size
            val dark = within && if (turned) code.isDark(row, code.size - 1 - column) else code.isDark(column, row)
            picture.grey[y * picture.stride + x] = if (dark != inverted) DARK else LIGHT
        }
        return picture
    }

    @Test
    fun aCodeIsReadAsItWasWritten() {
        for (text in listOf("lnbcrt20u1p", "BITCOIN:BCRT1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KYGT080", INVOICE, "tea for 2 € · 茶")) {
            assertEquals(text, photograph(QrCode(text), dot = 4).read())
        }
    }

    @Test
    fun theCameraMayBeTurnedOrTheScreenDark() {
        assertEquals(INVOICE, photograph(QrCode(INVOICE), dot = 3, turned = true).read())
        assertEquals(INVOICE, photograph(QrCode(INVOICE), dot = 3, inverted = true).read())
    }

    @Test
    fun aPictureWithoutACodeIsReadAsNothing() {
        assertNull(Picture(640, 640, 480).read())
        val noise = Picture(656, 640, 480).also { java.util.Random(7).nextBytes(it.grey) }
        assertNull(noise.read())
    }

    @Test
    fun aLongInvoiceStaysReadable() = assertTrue(QrCode(INVOICE).size < 90)

    private companion object {
        const val DARK: Byte = 20
        const val LIGHT: Byte = 120
        val INVOICE = "LNBCRT200U1" + "P4XQ9ZRY2K7".repeat(25)
    }
}
