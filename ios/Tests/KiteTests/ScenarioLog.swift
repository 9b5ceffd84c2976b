import Kite

/// The log in the one form that it has in every language.
struct ScenarioLog {
    /// The fields whose values differ from run to run.
    let varying: Set<String>
    private var words: [String: Int] = [:]
    private var lines: [String] = []

    init(varying: Set<String>) {
        self.varying = varying
    }

    mutating func write(_ line: [String: Json], varies: [String]) {
        lines.append(json(.object(line), varies: varying.union(varies)))
    }

    /// What was written since it was taken last.
    mutating func take() -> String {
        defer { lines = [] }
        return lines.map { $0 + "\n" }.joined()
    }

    /// JSON with its fields in order and without what is unset.
    private mutating func json(_ value: Json, varies: Set<String>) -> String {
        switch value {
        case .null: return "null"
        case let .bool(bool): return "\(bool)"
        case let .number(number): return "\(number)"
        case let .text(text): return quoted(text.replacing(/[0-9A-Za-z]+/) { named($0.output) })
        case let .list(list):
            return "[" + list.map { json($0, varies: varies) }.joined(separator: ",") + "]"
        case let .object(fields):
            let set = fields.filter { $0.value != .null }.sorted { $0.key < $1.key }
            let written = set.map { name, field in
                quoted(name) + ":" + (varies.contains(name) ? quoted("*") : json(field, varies: varies))
            }
            return "{" + written.joined(separator: ",") + "}"
        }
    }

    private func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }

    /// The n-th random word is `<n>`: hashes, keys and ids; regtest addresses and invoices.
    private mutating func named(_ word: Substring) -> String {
        let isRandom = word.wholeMatch(of: /[0-9a-f]{32,}|(?=.{20})(bcrt1|lnbcrt).*/.ignoresCase()) != nil
        guard isRandom else { return String(word) }
        let number = words[String(word)] ?? words.count + 1
        words[String(word)] = number
        return "<\(number)>"
    }
}

/// An answer as TypeScript has it.
func plain(_ value: Any) -> Json {
    switch value {
    case let value as Json: return value
    case let text as String: return .text(text)
    case let bool as Bool: return .bool(bool)
    case let number as any UnsignedInteger: return .number(UInt64(number))
    case is Event, is Parsed:
        let (name, fields) = variant(value)
        return .object(fields.merging(["type": .text(name)]) { _, type in type })
    default: break
    }
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .optional: return mirror.children.first.map { plain($0.value) } ?? .null
    case .collection: return .list(mirror.children.map { plain($0.value) })
    case .enum: return .text(variant(value).name)
    default: return .object(fields(mirror))
    }
}

/// An error as TypeScript has it: its kind, its fields and its message.
func failure(_ error: WalletError) -> Json {
    let (name, fields) = variant(error)
    let kind = name.prefix(1).lowercased() + name.dropFirst()
    let words: [String: Json] = ["kind": .text(kind), "message": .text(error.localizedDescription)]
    return .object(fields.merging(words) { _, word in word })
}

/// Which case of an enumeration this is, and what belongs to it.
private func variant(_ value: Any) -> (name: String, fields: [String: Json]) {
    guard let (name, content) = Mirror(reflecting: value).children.first else { return ("\(value)", [:]) }
    return (name ?? "", fields(Mirror(reflecting: content)))
}

private func fields(_ mirror: Mirror) -> [String: Json] {
    Dictionary(uniqueKeysWithValues: mirror.children.map { ($0.label ?? "", plain($0.value)) })
}
