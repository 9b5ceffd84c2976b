@_exported import Foundation

public enum LAPolicy { case deviceOwnerAuthentication, deviceOwnerAuthenticationWithBiometrics }

public final class LAContext {
    public init() { fatalError() }
    public func evaluatePolicy(_ policy: LAPolicy, localizedReason: String) async throws -> Bool { fatalError() }
}
