import XCTest

@testable import Kite

/// A wallet that is opened only to receive, as a notification extension does it, and what that takes.
final class ReceivingTests: WorldTestCase {
    /// A wallet that can be paid, and an invoice of it; it is not open.
    private func waiting() async throws -> Invoice {
        let wallet = try await createInWorld()
        try await wallet.start()
        try await fund(wallet)
        try await openChannel(wallet)
        _ = try await WorldTestCase.pay(world().invoice(of: "carol", amountMsat: Self.paidMsat, description: "tea"), with: wallet)
        let earlier = try await bePaid(wallet)
        XCTAssertEqual(earlier.amountMsat, Self.receivedMsat)
        let asked = try await wallet.makeInvoice(request: InvoiceRequest(amountMsat: Self.receivedMsat, description: "a bun"))
        await wallet.stop()
        return asked
    }

    func testOnePaymentIsReceivedAndTheAppIsTold() async throws {
        let asked = try await waiting()
        let config = config(try world().esploraUrl)
        let receiving = Task { try await Wallet.receive(config: config, deviceKey: key, within: .seconds(60)) }
        try await alicePays(asked.invoice)
        let received = try await receiving.value
        XCTAssertEqual(received, Received(amountMsat: Self.receivedMsat, paymentIds: [asked.paymentId]))

        // It has let the wallet go, and has handled nothing: the app is told of this payment and of the one before.
        let wallet = try await openInWorld()
        let payment = try await wallet.getPayment(id: asked.paymentId)
        XCTAssertEqual(payment.status, .succeeded)
        var told: [String] = []
        for try await event in wallet.events {
            if case let .paymentReceived(id, _, _) = event.event { told.append(id) }
            if told.last == asked.paymentId { break }
        }
        XCTAssertEqual(told.count, 2)
        await wallet.stop()
    }

    func testWhatTheAppHasOpenIsLeftToIt() async throws {
        let wallet = try await createInWorld()
        let config = config(try world().esploraUrl)
        let refused = try await caught {
            _ = try await Wallet.receive(config: config, deviceKey: key, within: .seconds(60))
        }
        XCTAssertEqual(refused, .AlreadyOpen)
        let info = try await wallet.info()
        XCTAssertEqual(info.network, "regtest")
        await wallet.stop()
    }

    func testItEndsInTimeAndWhenItIsCancelledAndLetsTheWalletGo() async throws {
        let made = try await createInWorld()
        await made.stop()
        let config = config(try world().esploraUrl)
        let begun = ContinuousClock.now
        let nothing = try await Wallet.receive(config: config, deviceKey: key, within: .milliseconds(300))
        let took = ContinuousClock.now - begun
        XCTAssertEqual(nothing, Received(amountMsat: 0, paymentIds: []))
        XCTAssertGreaterThanOrEqual(took, .milliseconds(300))
        XCTAssertLessThan(took, .seconds(3))

        let receiving = Task { try await Wallet.receive(config: config, deviceKey: key, within: .seconds(60)) }
        try await Task.sleep(for: .milliseconds(300))
        receiving.cancel()
        let outcome = await receiving.result
        XCTAssertThrowsError(try outcome.get()) { XCTAssertTrue($0 is CancellationError, "\($0)") }
        let wallet = try await openInWorld()
        await wallet.stop()
    }

    /// A pipe in place of the file that is locked: opening it waits until somebody reads.
    func testItEndsInTimeThoughTheFolderDoesNotAnswer() async throws {
        let made = try await create()
        await made.stop()
        let lock = folder.appendingPathComponent("wallet/lock").path
        try FileManager.default.removeItem(atPath: lock)
        XCTAssertEqual(mkfifo(lock, 0o600), 0)
        let begun = ContinuousClock.now
        let nothing = try await Wallet.receive(config: config(), deviceKey: key, within: .milliseconds(300))
        let took = ContinuousClock.now - begun
        XCTAssertEqual(nothing, Received(amountMsat: 0, paymentIds: []))
        XCTAssertGreaterThanOrEqual(took, .milliseconds(300))
        XCTAssertLessThan(took, .seconds(4))

        // It answers at last, and nobody waits for the wallet any more: it is let go.
        let reader = open(lock, O_RDONLY | O_NONBLOCK)
        XCTAssertGreaterThanOrEqual(reader, 0)
        defer { close(reader) }
        let wallet = try await openSoon()
        await wallet.stop()
    }

    #if os(Linux)
    /// The most that receiving a payment may take on top of a process that does nothing, in memory that is in no file: what
    /// iOS counts against the 24 MB of a notification extension.
    private static let ceilingKib = 8 * 1_024
    /// The same with all pages of the library that were ever read. The system can drop those, and iOS does not count them.
    private static let residentCeilingKib = 11 * 1_024

    private struct Report: Decodable {
        let paymentIds: [String]
        let amountMsat: UInt64
        let mostResident: Int
        let mostAnonymous: Int
    }

    /// Two processes of one program: one receives a payment, the other one nothing. The kernel says what each took at most.
    func testReceivingTakesLittleMemory() async throws {
        let asked = try await waiting()
        let idle = try await ReceivingTests.run([])
        XCTAssertEqual(idle.paymentIds, [])
        let config = config(try world().esploraUrl)
        let receiving = Task { try await ReceivingTests.run([config.data, config.esploraUrl, "60"]) }
        try await alicePays(asked.invoice)
        let report = try await receiving.value
        XCTAssertEqual(report.paymentIds, [asked.paymentId])
        XCTAssertEqual(report.amountMsat, Self.receivedMsat)
        let anonymous = report.mostAnonymous - idle.mostAnonymous
        let resident = report.mostResident - idle.mostResident
        print("receiving a payment takes \(anonymous) KiB (ceiling \(Self.ceilingKib)),")
        print("with pages of files \(resident) KiB (ceiling \(Self.residentCeilingKib)); a process alone: \(idle.mostResident) KiB")
        XCTAssertGreaterThan(anonymous, 0)
        XCTAssertLessThanOrEqual(anonymous, Self.ceilingKib)
        XCTAssertLessThanOrEqual(resident, Self.residentCeilingKib)
    }

    /// The system ends an extension whenever it likes. The payment comes once all the same, and the app is told of it once.
    func testAnExtensionThatIsKilledReceivesOnce() async throws {
        let asked = try await waiting()
        let world = try world()
        let config = config(world.esploraUrl)
        let wallet = try await openInWorld()
        let before = try await wallet.balance().totalMsat
        await wallet.stop()
        // It goes on while the wallet is away, or fails where there was none to pay yet.
        let paying = Task { try? await world.pay(from: "alice", invoice: asked.invoice) }
        for moment in [50, 150, 400, 800] {
            let (process, _) = try ReceivingTests.start([config.data, config.esploraUrl, "60"])
            try await Task.sleep(for: .milliseconds(moment))
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }

        let again = try await openInWorld()
        try await again.start()
        _ = try await until("the payment comes") {
            if try await again.getPayment(id: asked.paymentId).status == .succeeded { return true }
            // What is on its way is refused.
            try? await world.pay(from: "alice", invoice: asked.invoice)
            return nil
        }
        await paying.value
        let after = try await again.balance().totalMsat
        XCTAssertEqual(after, before + Self.receivedMsat)
        var told: [String] = []
        while let event = try await within(.milliseconds(500), { try await again.nextEvent() }) {
            if case let .paymentReceived(id, _, _) = event.event { told.append(id) }
            if event.seq > 0 { try await again.eventHandled(seq: event.seq) }
        }
        XCTAssertEqual(told.filter { $0 == asked.paymentId }.count, 1)
        await again.stop()
    }

    private static func run(_ arguments: [String]) async throws -> Report {
        let (process, output) = try start(arguments)
        let printed = try await Task.detached { try output.fileHandleForReading.readToEnd() ?? Data() }.value
        process.waitUntilExit()
        XCTAssertEqual(process.terminationStatus, 0)
        return try JSONDecoder().decode(Report.self, from: printed)
    }

    private static func start(_ arguments: [String]) throws -> (Process, Pipe) {
        let program = try XCTUnwrap(
            ProcessInfo.processInfo.environment["KITE_RECEIVE_ONCE"],
            "this test needs the program: `cargo xtask test swift` starts it with it")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data("\(key)\n".utf8))
        try input.fileHandleForWriting.close()
        return (process, output)
    }
    #endif
}
