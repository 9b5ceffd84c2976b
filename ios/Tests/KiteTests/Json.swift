/// What the scenarios' files and the devnet say: JSON whose numbers are whole, 64 bits wide and not negative, as in the API.
enum Json: Equatable, Sendable {
    case null
    case bool(Bool)
    case number(UInt64)
    case text(String)
    case list([Json])
    case object([String: Json])

    subscript(name: String) -> Json {
        guard case let .object(fields) = self else { return .null }
        return fields[name] ?? .null
    }

    /// Whether this is as expected: of an object the named fields, of a list every entry. Null is unset.
    func matches(_ expected: Json) -> Bool {
        switch (expected, self) {
        case let (.object(expected), .object): expected.allSatisfy { name, value in self[name].matches(value) }
        case let (.list(expected), .list(found)):
            expected.count == found.count && zip(found, expected).allSatisfy { found, expected in found.matches(expected) }
        default: self == expected
        }
    }
}

extension Json: Decodable {
    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let number = try? value.decode(UInt64.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let list = try? value.decode([Json].self) {
            self = .list(list)
        } else {
            self = .object(try value.decode([String: Json].self))
        }
    }
}

extension Json: Encodable {
    func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .null: try value.encodeNil()
        case let .bool(bool): try value.encode(bool)
        case let .number(number): try value.encode(number)
        case let .text(text): try value.encode(text)
        case let .list(list): try value.encode(list)
        case let .object(fields): try value.encode(fields)
        }
    }
}

/// What a step does not say.
struct Missing: Error, CustomStringConvertible {
    let description: String
}

/// A field, of the type that a call wants. What is optional there may be unset.
extension Json {
    func text(_ name: String) throws -> String { try wanted(name, optionalText(name)) }

    func number<Number: FixedWidthInteger>(_ name: String) throws -> Number { try wanted(name, optionalNumber(name)) }

    func optionalText(_ name: String) throws -> String? {
        switch self[name] {
        case .null: nil
        case let .text(text): text
        default: throw Missing(description: "\(name) is no text in \(self)")
        }
    }

    func optionalNumber<Number: FixedWidthInteger>(_ name: String) throws -> Number? {
        switch self[name] {
        case .null: nil
        case let .number(number): Number(number)
        default: throw Missing(description: "\(name) is no number in \(self)")
        }
    }

    private func wanted<T>(_ name: String, _ field: T?) throws -> T {
        guard let field else { throw Missing(description: "no \(name) in \(self)") }
        return field
    }
}
