import Foundation
import XCTest

@testable import Kite

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// The regtest world with real nodes; blocks come when a test asks for them.
final class World: @unchecked Sendable {
    struct Peer: Decodable {
        let name: String
        let node_id: String
        let address: String
    }

    /// The world does not do what it was asked for.
    struct Refused: Error, CustomStringConvertible {
        let description: String
    }

    private struct Described: Decodable {
        let esplora_url: String
        let control_url: String
        let peers: [Peer]
    }

    /// The devnet ends when its guard's input does, so with this process, however that ends.
    private static let guarded = #""$0" --block-secs 0 </dev/null & devnet=$!; read -r _; kill $devnet; wait $devnet"#

    private let process: Process
    private let (input, output) = (Pipe(), Pipe())
    private let described: Described

    init() throws {
        let program = try XCTUnwrap(
            ProcessInfo.processInfo.environment["KITE_DEVNET"],
            "these tests need the devnet: `cargo xtask test swift` starts them with it")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", Self.guarded, program]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        self.process = process
        described = try JSONDecoder().decode(Described.self, from: Self.firstLine(output.fileHandleForReading))
    }

    private static func firstLine(_ output: FileHandle) throws -> Data {
        var line = Data()
        while let byte = try output.read(upToCount: 1), !byte.isEmpty, byte != Data("\n".utf8) { line += byte }
        return line
    }

    func stop() throws {
        try input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    var esploraUrl: String { described.esplora_url }

    var peers: [String: Peer] {
        Dictionary(uniqueKeysWithValues: described.peers.map { ($0.name, $0) })
    }

    func peer(_ name: String) throws -> Peer {
        try XCTUnwrap(peers[name])
    }

    func mine() async throws {
        try await post("/regtest/mine/1")
    }

    func fund(_ address: String, sats: UInt64) async throws {
        try await post("/faucet", .object(["address": .text(address), "sats": .number(sats)]))
    }

    func invoice(of peer: String, amountMsat: UInt64, description: String) async throws -> String {
        let asked: [String: Json] = ["amount_msat": .number(amountMsat), "description": .text(description)]
        return try await post("/peers/\(peer)/invoice", .object(asked)).text("invoice")
    }

    /// Pays, to the end: a payment that failed is refused, and may be tried again.
    func pay(from peer: String, invoice: String) async throws {
        let payment = try await post("/peers/\(peer)/pay", .object(["invoice": .text(invoice)]))
        guard payment["status"] == .text("succeeded") else { throw Refused(description: "\(payment)") }
    }

    @discardableResult
    func post(_ path: String, _ body: Json = .object([:])) async throws -> Json {
        var request = URLRequest(url: try XCTUnwrap(URL(string: described.control_url + path)))
        request.httpMethod = "POST"
        request.timeoutInterval = 90
        request.setValue("application/json", forHTTPHeaderField: "content-type")
        request.httpBody = try JSONEncoder().encode(body)
        let (data, response) = try await URLSession.shared.data(for: request)
        let code = (response as? HTTPURLResponse)?.statusCode
        guard code == 200 else {
            throw Refused(description: "\(path): \(code ?? 0) \(String(decoding: data, as: UTF8.self))")
        }
        return try JSONDecoder().decode(Json.self, from: data)
    }
}

/// Tests with one world for all of them.
class WorldTestCase: WalletTestCase {
    static let fundsSat: UInt64 = 1_000_000
    static let channelSat: UInt64 = 500_000
    static let paidMsat: UInt64 = 20_000_000
    static let receivedMsat: UInt64 = 7_000_000
    /// What nobody waits for, as that an event was handled, is gathered for half a second before it is written.
    static let gathered = Duration.seconds(1)

    private static let shared = Locked<Result<World, any Error>?>(nil)

    /// On the main thread: a process that is started from another one of Swift's inherits that no signal reaches it.
    override class func setUp() {
        super.setUp()
        shared.withLock { $0 = Result { try World() } }
    }

    override class func tearDown() {
        shared.withLock { world in
            try? world?.get().stop()
            world = nil
        }
        super.tearDown()
    }

    func world() throws -> World {
        try XCTUnwrap(Self.shared.withLock { $0 }).get()
    }

    func createInWorld(named name: String = "wallet") async throws -> Wallet {
        let config = config(try world().esploraUrl, named: name)
        return try await Wallet.createWithDeviceKey(config: config, deviceKey: key, mnemonic: nil)
    }

    func openInWorld() async throws -> Wallet {
        try await Wallet.openWithDeviceKey(config: config(try world().esploraUrl), deviceKey: key)
    }

    func fund(_ wallet: Wallet) async throws {
        try await world().fund(wallet.newAddress(), sats: Self.fundsSat)
        try await world().mine()
        _ = try await until("the coins are seen") {
            try await wallet.refresh()
            return try await wallet.balance().onchainSat == Self.fundsSat ? true : nil
        }
    }

    func openChannel(_ wallet: Wallet) async throws {
        let alice = try world().peer("alice")
        try await wallet.connectPeer(nodeId: alice.node_id, address: alice.address)
        let request = OpenChannelRequest(nodeId: alice.node_id, amountSat: Self.channelSat)
        let estimate = try await wallet.estimateOpenChannel(request: request)
        XCTAssertGreaterThan(estimate.feeSat, 0)
        _ = try await wallet.openChannel(request: request)
        _ = try await until("the channel waits for blocks") { try await self.channel(of: wallet, in: .pending) }
        _ = try await until("the channel is ready") {
            // The funding transaction may still be on its way to the miner.
            try await self.world().mine()
            return try await self.channel(of: wallet, in: .ready)
        }
    }

    func channel(of wallet: Wallet, in state: ChannelState) async throws -> Channel? {
        try await wallet.refresh()
        let channels = try await wallet.listChannels()
        return channels.count == 1 && channels[0].state == state ? channels[0] : nil
    }

    static func pay(_ invoice: String, with wallet: Wallet) async throws -> Payment {
        let request = SendRequest(input: invoice, timeoutSecs: 30)
        let quote = try await until("there is a route") {
            do {
                return try await wallet.prepareSend(request: request)
            } catch WalletError.NoRoute {
                // The graph is still on its way from the peer.
                return nil
            }
        }
        XCTAssertEqual(quote.amountMsat, paidMsat)
        let paid = try await wallet.waitPayment(id: wallet.send(quote: quote).id, timeoutSecs: 60)
        XCTAssertEqual(paid.status, .succeeded, "\(String(describing: paid.failure))")
        XCTAssertTrue((1...quote.maxFeeMsat).contains(try XCTUnwrap(paid.feeMsat)), "\(paid)")
        let again = try await caught { _ = try await wallet.prepareSend(request: request) }
        XCTAssertEqual(again, .AlreadyPaid(id: paid.id))
        return paid
    }

    func bePaid(_ wallet: Wallet) async throws -> Payment {
        let asked = try await wallet.makeInvoice(request: InvoiceRequest(amountMsat: Self.receivedMsat, description: "a scone"))
        let early = try await within(.milliseconds(50)) { try await wallet.waitPayment(id: asked.paymentId, timeoutSecs: 60) }
        XCTAssertNil(early, "a waiting call is cancelled")
        try await alicePays(asked.invoice)
        let paid = try await wallet.waitPayment(id: asked.paymentId, timeoutSecs: 60)
        XCTAssertEqual(paid.status, .succeeded)
        return paid
    }

    func alicePays(_ invoice: String) async throws {
        _ = try await until("alice pays", secs: 30) {
            do {
                try await self.world().pay(from: "alice", invoice: invoice)
                return true
            } catch is World.Refused {
                // The wallet is not connected yet; or what it paid before is not alice's to spend yet, a round trip later.
                return nil
            }
        }
    }

    /// What is stored and was not handled would come at once.
    func assertTellsNothing(_ wallet: Wallet, file: StaticString = #filePath, line: UInt = #line) async throws {
        let told = try await within(.milliseconds(500)) { try await wallet.nextEvent() }
        XCTAssertNil(told, file: file, line: line)
    }
}
