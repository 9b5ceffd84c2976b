package kite.app.platform

import android.annotation.SuppressLint
import android.content.Context
import android.graphics.ImageFormat
import android.graphics.SurfaceTexture
import android.hardware.camera2.CameraAccessException
import android.hardware.camera2.CameraCaptureSession
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraDevice
import android.hardware.camera2.CameraManager
import android.hardware.camera2.CaptureRequest
import android.media.ImageReader
import android.os.Handler
import android.os.HandlerThread
import android.util.Size
import android.view.Surface
import android.view.TextureView
import kite.app.model.QrCode

/**
 * What the camera at the back sees, until that is a QR code. It must be allowed before.
 *
 * @param found told once, on the thread of the screen; so is `refused` if there is no camera, or another app has it.
 */
@SuppressLint("ViewConstructor", "MissingPermission")
internal class CameraView(context: Context, private val found: (String) -> Unit, private val refused: () -> Unit) :
    TextureView(context), TextureView.SurfaceTextureListener {
    private val manager = context.getSystemService(CameraManager::class.java)

    /** Opening a camera takes a while, and so does reading a picture. */
    private val thread = HandlerThread("camera").apply { start() }
    private val handler = Handler(thread.looper)
    private var camera: CameraDevice? = null
    private var pictures: ImageReader? = null
    @Volatile private var isOver = false

    init {
        surfaceTextureListener = this
    }

    /** The camera is another app's from now on. */
    fun close() {
        isOver = true
        handler.post {
            camera?.close()
            pictures?.close()
            thread.quitSafely()
        }
    }

    override fun onSurfaceTextureAvailable(texture: SurfaceTexture, width: Int, height: Int) {
        handler.post {
            try {
                open(texture)
            } catch (_: CameraAccessException) {
                give(up = refused)
            }
        }
    }

    override fun onSurfaceTextureSizeChanged(texture: SurfaceTexture, width: Int, height: Int) = Unit

    override fun onSurfaceTextureUpdated(texture: SurfaceTexture) = Unit

    override fun onSurfaceTextureDestroyed(texture: SurfaceTexture): Boolean {
        close()
        return true
    }

    private fun open(texture: SurfaceTexture) {
        if (isOver) return
        val id = manager.cameraIdList.firstOrNull { facing(it) == CameraCharacteristics.LENS_FACING_BACK }
            ?: manager.cameraIdList.firstOrNull() ?: return give(up = refused)
        val size = size(id)
        texture.setDefaultBufferSize(size.width, size.height)
        val reader = ImageReader.newInstance(size.width, size.height, ImageFormat.YUV_420_888, 2)
        reader.setOnImageAvailableListener(::look, handler)
        pictures = reader
        val told = object : CameraDevice.StateCallback() {
            override fun onOpened(device: CameraDevice) {
                // Closed while it opened: nobody else knows of it.
                if (isOver) return device.close()
                camera = device
                watch(device, listOf(Surface(texture), reader.surface))
            }

            override fun onDisconnected(device: CameraDevice) = lose(device)

            override fun onError(device: CameraDevice, error: Int) = lose(device)
        }
        manager.openCamera(id, told, handler)
    }

    /** Both what is shown and what is read. The newer way to say so is of Android 9. */
    @Suppress("DEPRECATION")
    private fun watch(device: CameraDevice, surfaces: List<Surface>) {
        val request = device.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW).apply {
            surfaces.forEach(::addTarget)
            set(CaptureRequest.CONTROL_AF_MODE, CaptureRequest.CONTROL_AF_MODE_CONTINUOUS_PICTURE)
        }
        val told = object : CameraCaptureSession.StateCallback() {
            override fun onConfigured(session: CameraCaptureSession) {
                // A session of a camera that was closed meanwhile refuses everything.
                if (!isOver) session.setRepeatingRequest(request.build(), null, handler)
            }

            override fun onConfigureFailed(session: CameraCaptureSession) = give(up = refused)
        }
        device.createCaptureSession(surfaces, told, handler)
    }

    private fun lose(device: CameraDevice) {
        device.close()
        give(up = refused)
    }

    private fun look(reader: ImageReader) {
        val text = reader.acquireLatestImage()?.use { picture ->
            val plane = picture.planes[0]
            val bytes = ByteArray(plane.buffer.remaining()).also { plane.buffer.get(it) }
            QrCode.read(bytes, plane.rowStride, picture.width, picture.height)
        }
        if (text != null) give { found(text) }
    }

    /** Tells the screen, once. */
    private fun give(up: () -> Unit) {
        post {
            if (isOver) return@post
            close()
            up()
        }
    }

    private fun facing(id: String) = manager.getCameraCharacteristics(id)[CameraCharacteristics.LENS_FACING]

    /** The largest picture that is read in no time, of the shape that it is shown in. */
    private fun size(id: String): Size {
        val map = manager.getCameraCharacteristics(id)[CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP]
        val sizes = map?.getOutputSizes(ImageFormat.YUV_420_888).orEmpty()
        return sizes.filter { it.width * 3 == it.height * 4 && it.width <= WIDEST }.maxByOrNull { it.width }
            ?: sizes.minByOrNull { it.width } ?: Size(640, 480)
    }

    private companion object {
        const val WIDEST = 1_280
    }
}
