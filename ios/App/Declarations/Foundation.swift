// What Apple's Foundation has and Linux's has not.

import Foundation

extension FileManager {
    func containerURL(forSecurityApplicationGroupIdentifier group: String) -> URL? { fatalError() }
}
