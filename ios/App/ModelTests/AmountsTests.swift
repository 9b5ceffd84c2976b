import XCTest

@testable import AppModel

final class AmountsTests: XCTestCase {
    func testAmountsAreWrittenInGroupsOfThree() {
        XCTAssertEqual(Amounts.text(sat: 0), "0 sat")
        XCTAssertEqual(Amounts.text(sat: 999), "999 sat")
        XCTAssertEqual(Amounts.text(sat: 1_234_567), "1\u{202f}234\u{202f}567 sat")
        XCTAssertEqual(Amounts.text(msat: 1_000), "1 sat")
        XCTAssertEqual(Amounts.text(msat: 1_234_050), "1\u{202f}234.05 sat")
        XCTAssertEqual(Amounts.text(msat: 1), "0.001 sat")
    }

    func testWhatIsTypedIsRead() throws {
        XCTAssertNil(try Amounts.read("  "))
        XCTAssertEqual(try Amounts.read("12 000"), 12_000)
        XCTAssertEqual(try Amounts.read("12'000"), 12_000)
        XCTAssertEqual(try Amounts.read("1\u{202f}000"), 1_000)
        for wrong in ["0", "-1", "1.5", "1,5", "a", "٣", "2100000000000001", "99999999999999999999999"] {
            XCTAssertThrowsError(try Amounts.read(wrong), wrong) { XCTAssertFalse($0.localizedDescription.isEmpty) }
        }
    }
}
