import Kite

extension Quote {
    /// Who is paid: a node, or an address.
    var recipient: String { payee ?? input }
}

extension Balance {
    /// An amount and what it is.
    struct Line: Equatable, Identifiable {
        let label: String
        let text: String

        var id: String { label }
    }

    /// Where the money is, a line each; nothing is said of nothing.
    var lines: [Line] {
        var lines = [
            Line(label: "You can receive", text: Amounts.text(msat: receivableMsat)),
            Line(label: "On-chain", text: Amounts.text(sat: onchainSat)),
        ]
        if reservedSat > 0 { lines.append(Line(label: "of that kept for closing channels", text: Amounts.text(sat: reservedSat))) }
        if onchainPendingSat > 0 { lines.append(Line(label: "On-chain, waiting for a block", text: Amounts.text(sat: onchainPendingSat))) }
        if inFlightMsat > 0 { lines.append(Line(label: "In flight", text: Amounts.text(msat: inFlightMsat))) }
        if closingSat > 0 { lines.append(Line(label: "In closing channels", text: Amounts.text(sat: closingSat))) }
        return lines + [Line(label: "All your money", text: Amounts.text(msat: totalMsat))]
    }
}
