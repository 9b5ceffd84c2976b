import Foundation
import Kite

extension Installation {
    /// The installation that the app and its extension share, as their Info.plist names it. The folder is there afterwards, out of
    /// backups, and readable from the first unlock on.
    static func shared(bundle: Bundle = .main) throws -> Installation {
        let group: String = try bundle.setting("KiteAppGroup")
        guard let container = FileManager.default.containerURL(forSecurityApplicationGroupIdentifier: group) else {
            throw Explanation("The app has no folder to keep a wallet in.", "Build it with the app group \(group) of your team.")
        }
        var folder = container.appendingPathComponent("Wallet", isDirectory: true)
        let protection = [FileAttributeKey.protectionKey: FileProtectionType.completeUntilFirstUserAuthentication]
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true, attributes: protection)
        var values = URLResourceValues()
        // An old copy of channels must never be used.
        values.isExcludedFromBackup = true
        try folder.setResourceValues(values)
        return Installation(
            folder: folder,
            secrets: KeychainItem(account: "wallet", accessGroup: try bundle.setting("KiteKeychainGroup")),
            network: try bundle.setting("KiteNetwork"),
            esploraUrl: try bundle.setting("KiteEsploraURL"))
    }
}

extension Bundle {
    fileprivate func setting(_ key: String) throws -> String {
        guard let value = object(forInfoDictionaryKey: key) as? String, !value.isEmpty else {
            throw Explanation("The app does not say which wallet it has.", "Set \(key) in its Info.plist.")
        }
        return value
    }
}
