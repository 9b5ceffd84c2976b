import Foundation

/// Amounts as people read them, and as they type them.
enum Amounts {
    private static let thinSpace = "\u{202f}"
    private static let maxSat: UInt64 = 2_100_000_000_000_000

    /// What was typed cannot be used, in words for the person.
    struct Unreadable: Error, Equatable, LocalizedError {
        let errorDescription: String?
    }

    /// Millisatoshi as satoshi with their unit; thousandths only where there are any.
    static func text(msat: UInt64) -> String {
        let (sat, thousandths) = msat.quotientAndRemainder(dividingBy: 1_000)
        if thousandths == 0 { return "\(grouped(sat)) sat" }
        var fraction = String(1_000 + thousandths).dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        return "\(grouped(sat)).\(fraction) sat"
    }

    static func text(sat: UInt64) -> String {
        "\(grouped(sat)) sat"
    }

    /// Reads whole satoshi as typed, with spaces, apostrophes or underscores between digits. Unset for nothing.
    static func read(_ typed: String) throws(Unreadable) -> UInt64? {
        let digits = typed.filter { !$0.isWhitespace && !"_'\u{2019}\u{202f}".contains($0) }
        if digits.isEmpty { return nil }
        if digits.contains(where: { ".,".contains($0) }) {
            throw Unreadable(errorDescription: "Enter whole sat, without a point or comma.")
        }
        guard digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { throw Unreadable(errorDescription: "Use digits only.") }
        guard let sat = UInt64(digits), sat <= maxSat else {
            throw Unreadable(errorDescription: "There are not that many sat in the world.")
        }
        guard sat > 0 else { throw Unreadable(errorDescription: "The amount must be more than zero.") }
        return sat
    }

    private static func grouped(_ number: UInt64) -> String {
        var text = ""
        for (place, digit) in String(number).reversed().enumerated() {
            if place > 0, place % 3 == 0 { text += thinSpace }
            text.append(digit)
        }
        return String(text.reversed())
    }
}
