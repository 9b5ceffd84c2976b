import LocalAuthentication

/// Recognises the person by face or finger, or by the code of the device where those cannot be used.
struct DeviceOwner: Authenticator {
    func authenticate(reason: String) async -> Bool {
        (try? await LAContext().evaluatePolicy(.deviceOwnerAuthentication, localizedReason: reason)) ?? false
    }
}
