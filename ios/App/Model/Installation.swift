import Foundation
import Kite

/// What the app and its notification extension share: where the wallet is, which one it is, and what opens it.
struct Installation: Sendable {
    /// Where both may read and write.
    let folder: URL
    let secrets: any SecretStore
    let network: String
    let esploraUrl: String

    var config: WalletConfig {
        WalletConfig(network: network, data: folder.appendingPathComponent("wallet-\(network)").path, esploraUrl: esploraUrl)
    }

    var deviceKey: DeviceKey {
        DeviceKey(in: secrets)
    }
}
