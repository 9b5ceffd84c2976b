@_exported import Foundation
@_exported import UIKit

public struct AVMediaType: Sendable { public static let video = AVMediaType() }
public struct AVLayerVideoGravity: Sendable { public static let resizeAspectFill = AVLayerVideoGravity() }

open class AVCaptureInput {}
open class AVCaptureOutput {}
public final class AVCaptureConnection {}

public final class AVCaptureDevice {
    public static func `default`(for type: AVMediaType) -> AVCaptureDevice? { fatalError() }
    public static func requestAccess(for type: AVMediaType) async -> Bool { fatalError() }
}

public final class AVCaptureDeviceInput: AVCaptureInput {
    public init(device: AVCaptureDevice) throws { fatalError() }
}

public final class AVCaptureSession: @unchecked Sendable {
    public init() { fatalError() }
    public func canAddInput(_ input: AVCaptureInput) -> Bool { fatalError() }
    public func canAddOutput(_ output: AVCaptureOutput) -> Bool { fatalError() }
    public func addInput(_ input: AVCaptureInput) { fatalError() }
    public func addOutput(_ output: AVCaptureOutput) { fatalError() }
    public func startRunning() { fatalError() }
    public func stopRunning() { fatalError() }
}

public final class AVCaptureVideoPreviewLayer: CALayer {
    public init(session: AVCaptureSession) { fatalError() }
    public var videoGravity: AVLayerVideoGravity { get { fatalError() } set { fatalError() } }
}

open class AVMetadataObject {
    public struct ObjectType: Sendable { public static let qr = ObjectType() }
}

public final class AVMetadataMachineReadableCodeObject: AVMetadataObject {
    public var stringValue: String? { fatalError() }
}

public protocol AVCaptureMetadataOutputObjectsDelegate: AnyObject {
    func metadataOutput(
        _ output: AVCaptureMetadataOutput, didOutput objects: [AVMetadataObject], from connection: AVCaptureConnection)
}

public final class AVCaptureMetadataOutput: AVCaptureOutput {
    public override init() { fatalError() }
    public func setMetadataObjectsDelegate(_ delegate: (any AVCaptureMetadataOutputObjectsDelegate)?, queue: DispatchQueue?) {
        fatalError()
    }
    public var metadataObjectTypes: [AVMetadataObject.ObjectType]! { get { fatalError() } set { fatalError() } }
}
