import Foundation
import XCTest

@testable import Kite

/// The scenarios in Swift: see scenarios/README.md.
final class ScenarioTests: WorldTestCase {
    func testAWalletLivesThroughAllScenariosAndEachLogIsTheSharedOne() async throws {
        let scenarios = URL(fileURLWithPath: #filePath + "/../../../../scenarios").standardizedFileURL
        let files = try FileManager.default.contentsOfDirectory(at: scenarios, includingPropertiesForKeys: nil)
        let chapters = files.filter { $0.pathExtension == "json" }
        XCTAssertGreaterThan(chapters.count, 5)
        let varying = try text(of: scenarios.appendingPathComponent("varying.txt")).split(separator: "\n").map(String.init)
        let life = try ScenarioLife(in: world(), folder: folder, varying: Set(varying))
        for file in chapters.sorted(by: { number(of: $0) < number(of: $1) }) {
            let scenario = try JSONDecoder().decode(Scenario.self, from: Data(contentsOf: file))
            let log = try await life.live(scenario)
            let shared = try text(of: file.deletingPathExtension().appendingPathExtension("log"))
            // The first line that differs says it; two whole logs do not.
            for (found, expected) in zip(log.split(separator: "\n"), shared.split(separator: "\n")) where found != expected {
                return XCTAssertEqual(found, expected, file.lastPathComponent)
            }
            XCTAssertEqual(log, shared, file.lastPathComponent)
        }
    }

    private func text(of file: URL) throws -> String {
        try String(contentsOf: file, encoding: .utf8)
    }

    private func number(of file: URL) -> Int {
        Int(file.lastPathComponent.prefix { $0 != "-" }) ?? 0
    }
}
