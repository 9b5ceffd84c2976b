@_exported import Foundation
@_exported import CoreImage
@_exported import SwiftUI

@MainActor public protocol UIApplicationDelegate: NSObject {}

public struct UIBackgroundTaskIdentifier: Equatable, Sendable {
    public static let invalid = UIBackgroundTaskIdentifier()
}

@MainActor open class UIApplication: NSObject {
    public static var shared: UIApplication { fatalError() }
    public func beginBackgroundTask(
        withName name: String?, expirationHandler: (@MainActor @Sendable () -> Void)? = nil
    ) -> UIBackgroundTaskIdentifier { fatalError() }
    public func endBackgroundTask(_ identifier: UIBackgroundTaskIdentifier) { fatalError() }
    public func registerForRemoteNotifications() { fatalError() }
}

public final class UIImage: NSObject {
    public init(cgImage: CGImage) { fatalError() }
}

open class CALayer: NSObject {
    public var frame: CGRect { get { fatalError() } set { fatalError() } }
    public func addSublayer(_ layer: CALayer) { fatalError() }
}

@MainActor open class UIView: NSObject {
    public var layer: CALayer { fatalError() }
    public var bounds: CGRect { fatalError() }
}

@MainActor open class UIViewController: NSObject {
    public init(nibName: String?, bundle: Bundle?) { fatalError() }
    public required init?(coder: NSCoder) { fatalError() }
    public var view: UIView! { fatalError() }
    open func viewDidLoad() { fatalError() }
    open func viewDidLayoutSubviews() { fatalError() }
    open func viewWillAppear(_ animated: Bool) { fatalError() }
    open func viewDidDisappear(_ animated: Bool) { fatalError() }
}

public enum UIKeyboardType { case numberPad }

// What SwiftUI has for UIKit.

extension Image {
    public init(uiImage: UIImage) { fatalError() }
}

extension View {
    public func keyboardType(_ type: UIKeyboardType) -> some View { self }
}

@propertyWrapper @MainActor public struct UIApplicationDelegateAdaptor<Delegate: UIApplicationDelegate> {
    public init(_ type: Delegate.Type = Delegate.self) { fatalError() }
    public var wrappedValue: Delegate { fatalError() }
}

public struct UIViewControllerRepresentableContext<Representable> {}

@MainActor @preconcurrency public protocol UIViewControllerRepresentable: View where Body == Never {
    associatedtype Controller: UIViewController
    typealias Context = UIViewControllerRepresentableContext<Self>
    func makeUIViewController(context: Context) -> Controller
    func updateUIViewController(_ controller: Controller, context: Context)
}

extension UIViewControllerRepresentable {
    public var body: Never { fatalError() }
}
