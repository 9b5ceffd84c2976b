@_exported import Foundation

public final class CGImage {}

public final class CIImage {
    public var extent: CGRect { fatalError() }
}

public final class CIFilter {
    public init?(name: String, parameters: [String: Any]?) { fatalError() }
    public var outputImage: CIImage? { fatalError() }
}

public final class CIContext {
    public init() { fatalError() }
    public func createCGImage(_ image: CIImage, from: CGRect) -> CGImage? { fatalError() }
}
