import Foundation
import Kite

/// A chapter of the scenarios: see scenarios/README.md.
struct Scenario: Decodable {
    let steps: [Step]

    struct Step: Decodable {
        let `do`: String?
        let until: String?
        let hear: Json?
        let world: String?
        let example: String?
        let with: Json?
        let `as`: String?
        let expect: Json?
        let fails: Json?
        let varies: [String]?
    }
}

/// Lives through the scenarios with one wallet after the other.
actor ScenarioLife {
    private static let patience = Duration.seconds(60)
    /// A payment is known to one side a round trip before the other can spend it.
    private static let patienceOfWorld = Duration.seconds(10)
    private static let pause = Duration.milliseconds(100)

    /// What happened is not what the step says.
    struct Otherwise: Error, CustomStringConvertible {
        let description: String
    }

    private let world: World
    private let folder: URL
    private var wallet: Wallet?
    private var variables: [String: Json]
    private var log: ScenarioLog

    init(in world: World, folder: URL, varying: Set<String>) {
        self.world = world
        self.folder = folder
        variables = world.peers.mapValues { plain($0) }
        log = ScenarioLog(varying: varying)
    }

    /// Takes every step of a scenario and gives its log.
    func live(_ scenario: Scenario) async throws -> String {
        for (number, step) in scenario.steps.enumerated() {
            do {
                let given = try await take(step)
                if let name = step.as { variables[name] = given }
            } catch {
                throw Otherwise(description: "step \(number + 1), \(step): \(error)")
            }
        }
        return log.take()
    }

    private func take(_ step: Scenario.Step) async throws -> Json {
        let varies = step.varies ?? []
        let with = try resolved(step.with ?? .object([:]))
        if let expected = step.hear {
            let told = try await hear()
            let event = plain(told.event)
            guard try event.matches(resolved(expected)) else { throw Otherwise(description: "the next event is \(event)") }
            log.write(["hear": event, "seq": .number(told.seq)], varies: varies)
            return event
        }
        if let path = step.world {
            let given = try await askWorld(path, with)
            log.write(["world": .text(path)], varies: varies)
            return given
        }
        if let name = step.example {
            let given = plain(try await example(name, with))
            guard try given.matches(resolved(step.expect ?? .object([:]))) else { throw Otherwise(description: "it gives \(given)") }
            log.write(["example": .text(name), "gives": given], varies: varies)
            return given
        }
        return try await askWallet(step, with)
    }

    private func askWallet(_ step: Scenario.Step, _ with: Json) async throws -> Json {
        guard let name = step.do ?? step.until else { throw Missing(description: "the step does nothing") }
        let end = ContinuousClock.now + (step.until == nil ? .zero : Self.patience)
        while true {
            // Looks at the chain now, and not when it would anyway. What is wrong is told by the call itself.
            if step.until != nil { try? await wallet?.refresh() }
            let (outcome, given): (String, Json)
            do {
                (outcome, given) = ("gives", try await call(name, with))
            } catch let error as WalletError {
                (outcome, given) = ("fails", failure(error))
            }
            let isExpected = switch (outcome, step.fails, step.expect) {
            case ("fails", let error?, _): try given.matches(resolved(error))
            case ("gives", nil, let answer?): try given.matches(resolved(answer))
            case ("gives", nil, nil): true
            default: false
            }
            if isExpected {
                log.write(["do": .text(name), outcome: given], varies: step.varies ?? [])
                return given
            }
            guard ContinuousClock.now < end else { throw Otherwise(description: "\(outcome) \(given)") }
            try await Task.sleep(for: Self.pause)
        }
    }

    private func call(_ name: String, _ with: Json) async throws -> Json {
        let config = try config(with["config"])
        switch name {
        case "version": return plain(version())
        case "checkMnemonic": try checkMnemonic(words: with.text("words"))
        case "walletExists": return plain(try await walletExists(config: config))
        case "create":
            wallet = try await Wallet.create(
                config: config, passphrase: with.text("passphrase"), mnemonic: with.optionalText("mnemonic"))
        case "createWithDeviceKey":
            wallet = try await Wallet.createWithDeviceKey(
                config: config, deviceKey: with.text("deviceKey"), mnemonic: with.optionalText("mnemonic"))
        case "open": wallet = try await Wallet.open(config: config, passphrase: with.text("passphrase"))
        case "openWithDeviceKey":
            wallet = try await Wallet.openWithDeviceKey(config: config, deviceKey: with.text("deviceKey"))
        default: return try await opened().call(name, with)
        }
        return .null
    }

    private func example(_ name: String, _ with: Json) async throws -> Payment {
        guard name == "pay" else { throw Missing(description: "no example is named \(name)") }
        return try await pay(
            config: config(.null), passphrase: with.text("passphrase"), nodeId: with.text("nodeId"),
            address: with.text("address"), invoice: with.text("invoice"))
    }

    private func opened() throws -> Wallet {
        guard let wallet else { throw Missing(description: "no wallet is open") }
        return wallet
    }

    /// The app's own settings, with those that the step names in their place.
    private func config(_ other: Json) throws -> WalletConfig {
        WalletConfig(
            network: try other.optionalText("network") ?? "regtest",
            data: folder.appendingPathComponent(try other.optionalText("data") ?? "wallet").path,
            esploraUrl: try other.optionalText("esploraUrl") ?? world.esploraUrl)
    }

    /// The next event but for passing news, which depend on the network. It is handled.
    private func hear() async throws -> EventEnvelope {
        let wallet = try opened()
        let end = ContinuousClock.now + Self.patience
        while true {
            guard let told = try await within(.seconds(1), { try await wallet.nextEvent() }) else {
                guard ContinuousClock.now < end else { throw Otherwise(description: "no event comes") }
                try? await wallet.refresh()
                continue
            }
            if told.seq > 0 { try await wallet.eventHandled(seq: told.seq) }
            if case .stopped = told.event { return told }
            if told.seq > 0 { return told }
        }
    }

    private func askWorld(_ path: String, _ body: Json) async throws -> Json {
        let end = ContinuousClock.now + Self.patienceOfWorld
        while true {
            do {
                return try await world.post(path, body)
            } catch let refused as World.Refused {
                guard ContinuousClock.now < end else { throw refused }
                try await Task.sleep(for: Self.pause)
            }
        }
    }

    /// The same with each `$name` and `$name.field` replaced by what it stands for.
    private func resolved(_ value: Json) throws -> Json {
        switch value {
        case let .object(fields): return .object(try fields.mapValues { try resolved($0) })
        case let .list(list): return .list(try list.map { try resolved($0) })
        case let .text(text) where text.hasPrefix("$"):
            let path = text.dropFirst().split(separator: ".").map(String.init)
            guard let name = path.first, let found = variables[name] else { throw Missing(description: "no variable \(text)") }
            return path.dropFirst().reduce(found) { $0[$1] }
        default: return value
        }
    }
}
