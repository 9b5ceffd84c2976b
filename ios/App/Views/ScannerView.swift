import AVFoundation
import SwiftUI
import UIKit

/// The camera, until it sees a QR code.
struct ScannerView: View {
    let found: (String) -> Void
    @State private var isAllowed: Bool?

    var body: some View {
        Group {
            switch isAllowed {
            case true: CameraView(found: found).ignoresSafeArea()
            case false:
                ExplanationView(Explanation("The camera may not be used.", "Allow it in the system's settings, or paste the text."))
                    .padding()
            default: ProgressView()
            }
        }
        .task { isAllowed = await AVCaptureDevice.requestAccess(for: .video) }
    }
}

private struct CameraView: UIViewControllerRepresentable {
    let found: (String) -> Void

    func makeUIViewController(context: Context) -> CameraController {
        CameraController(found: found)
    }

    func updateUIViewController(_ controller: CameraController, context: Context) {}
}

private final class CameraController: UIViewController, AVCaptureMetadataOutputObjectsDelegate {
    private let session = AVCaptureSession()
    /// Starting and stopping a camera takes a while.
    private let queue = DispatchQueue(label: "kite.camera")
    private let found: (String) -> Void
    private var preview: AVCaptureVideoPreviewLayer?
    private var hasFound = false

    init(found: @escaping (String) -> Void) {
        self.found = found
        super.init(nibName: nil, bundle: nil)
    }

    @available(*, unavailable)
    required init?(coder: NSCoder) {
        fatalError("made in code only")
    }

    override func viewDidLoad() {
        super.viewDidLoad()
        let output = AVCaptureMetadataOutput()
        guard let camera = AVCaptureDevice.default(for: .video), let input = try? AVCaptureDeviceInput(device: camera),
            session.canAddInput(input), session.canAddOutput(output)
        else { return }
        session.addInput(input)
        session.addOutput(output)
        output.setMetadataObjectsDelegate(self, queue: .main)
        output.metadataObjectTypes = [.qr]
        let preview = AVCaptureVideoPreviewLayer(session: session)
        preview.videoGravity = .resizeAspectFill
        view.layer.addSublayer(preview)
        self.preview = preview
    }

    override func viewDidLayoutSubviews() {
        super.viewDidLayoutSubviews()
        preview?.frame = view.bounds
    }

    override func viewWillAppear(_ animated: Bool) {
        super.viewWillAppear(animated)
        let session = session
        queue.async { session.startRunning() }
    }

    override func viewDidDisappear(_ animated: Bool) {
        super.viewDidDisappear(animated)
        let session = session
        queue.async { session.stopRunning() }
    }

    func metadataOutput(
        _ output: AVCaptureMetadataOutput, didOutput objects: [AVMetadataObject], from connection: AVCaptureConnection
    ) {
        guard !hasFound, let code = objects.first as? AVMetadataMachineReadableCodeObject, let text = code.stringValue else { return }
        hasFound = true
        found(text)
    }
}
