package kite.app.model

import com.google.zxing.BarcodeFormat
import com.google.zxing.BinaryBitmap
import com.google.zxing.DecodeHintType
import com.google.zxing.EncodeHintType
import com.google.zxing.LuminanceSource
import com.google.zxing.PlanarYUVLuminanceSource
import com.google.zxing.ReaderException
import com.google.zxing.common.HybridBinarizer
import com.google.zxing.qrcode.QRCodeReader
import com.google.zxing.qrcode.decoder.ErrorCorrectionLevel
import com.google.zxing.qrcode.encoder.Encoder

/** The dots of a QR code. */
class QrCode(text: String) {
    private val matrix = Encoder.encode(text, ErrorCorrectionLevel.M, mapOf(EncodeHintType.CHARACTER_SET to "UTF-8")).matrix

    /** How many dots each side has. */
    val size: Int = matrix.width

    /** Whether this dot is dark. */
    fun isDark(x: Int, y: Int): Boolean = matrix[x, y].toInt() == 1

    companion object {
        /** How many light dots a reader needs around it. */
        const val QUIET: Int = 4

        private val HINTS = mapOf(
            DecodeHintType.POSSIBLE_FORMATS to listOf(BarcodeFormat.QR_CODE),
            DecodeHintType.TRY_HARDER to true,
        )

        /**
         * The text of the QR code in a grey picture, as the first plane of a camera's picture is; null if it shows none.
         *
         * @param stride how many bytes a row takes.
         */
        fun read(luminance: ByteArray, stride: Int, width: Int, height: Int): String? {
            val rows = luminance.size / stride
            val picture = PlanarYUVLuminanceSource(luminance, stride, rows, 0, 0, width, minOf(height, rows), false)
            return read(picture) ?: read(picture.invert())
        }

        private fun read(picture: LuminanceSource): String? =
            try {
                QRCodeReader().decode(BinaryBitmap(HybridBinarizer(picture)), HINTS).text
            } catch (_: ReaderException) {
                null
            }
    }
}
