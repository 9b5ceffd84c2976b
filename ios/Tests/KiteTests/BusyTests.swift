import XCTest

@testable import Kite

/// Many callers, callers that leave, and wallets that are forgotten.
final class BusyTests: WalletTestCase {
    private let callers = 64

    func testManyTasksCallAtOnce() async throws {
        let wallet = try await create()
        let nodeId = try await wallet.info().nodeId
        let addresses = try await withThrowingTaskGroup(of: String.self) { group in
            for number in 1...UInt64(callers) {
                group.addTask {
                    let info = try await wallet.info()
                    XCTAssertEqual(info.nodeId, nodeId)
                    let request = InvoiceRequest(amountMsat: number * 1_000, description: "tea \(number)")
                    let made = try await wallet.makeInvoice(request: request)
                    guard case let .bolt11(invoice, _) = try wallet.parse(text: made.invoice) else { return "" }
                    XCTAssertEqual(invoice.amountMsat, number * 1_000)
                    return try await wallet.newAddress()
                }
            }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        XCTAssertEqual(addresses.count, callers)
        let payments = try await wallet.listPayments(filter: PaymentFilter(limit: UInt32(callers)))
        XCTAssertEqual(payments.count, callers)
        await wallet.stop()
    }

    func testAWaitingCallIsCancelled() async throws {
        let wallet = try await create()
        for _ in 0..<50 {
            let told = try await within(.milliseconds(2)) { try await wallet.nextEvent() }
            XCTAssertNil(told)
        }
        let waiting = (1...50).map { _ in Task { try await wallet.nextEvent() } }
        try await Task.sleep(for: .milliseconds(20))
        waiting.forEach { $0.cancel() }
        for task in waiting {
            let outcome = await task.result
            XCTAssertThrowsError(try outcome.get()) { XCTAssertTrue($0 is CancellationError, "\($0)") }
        }
        let balance = try await wallet.balance()
        XCTAssertEqual(balance.totalMsat, 0)
        await wallet.stop()
    }

    /// At any moment of a call: before it begins, while it waits, when it is through.
    func testCallsAreCancelledAtAnyMoment() async throws {
        let wallet = try await create()
        let outcomes = await withTaskGroup(of: Bool?.self) { group in
            for number in 0..<400 {
                group.addTask {
                    let call = Task { try await wallet.info() }
                    if number % 4 > 0 { try? await Task.sleep(for: .microseconds(number % 40 * 10)) }
                    call.cancel()
                    do {
                        _ = try await call.value
                        return true
                    } catch is CancellationError {
                        return false
                    } catch {
                        return nil
                    }
                }
            }
            return await group.reduce(into: [Bool?]()) { $0.append($1) }
        }
        XCTAssertEqual(outcomes.count, 400)
        XCTAssertFalse(outcomes.contains(nil), "another error")
        let info = try await wallet.info()
        XCTAssertEqual(info.network, "regtest")
        await wallet.stop()
    }

    func testACancelledTaskStopsAWallet() async throws {
        let wallet = try await create()
        let stopping = Task {
            while !Task.isCancelled { await Task.yield() }
            await wallet.stop()
        }
        stopping.cancel()
        await stopping.value
        let again = try await openSoon()
        await again.stop()
    }

    func testAReaderThatLeavesMakesRoomForTheNext() async throws {
        let wallet = try await create()
        let first = Task { for try await _ in wallet.events {} }
        try await Task.sleep(for: .milliseconds(100))
        do {
            for try await _ in wallet.events {}
            XCTFail("two read the same events")
        } catch is EventsInUse {}
        XCTAssertFalse(first.isCancelled)
        first.cancel()
        let outcome = await first.result
        XCTAssertThrowsError(try outcome.get()) { XCTAssertTrue($0 is CancellationError, "\($0)") }
        let second = Task { try await wallet.allEvents().map(\.event) }
        try await Task.sleep(for: .milliseconds(100))
        await wallet.stop()
        let told = try await second.value
        XCTAssertEqual(told, [.stopped(reason: "closed")])
    }

    func testStoppingEndsEveryWaitingCall() async throws {
        let wallet = try await create()
        let waiting = (1...20).map { _ in
            Task {
                // One of them is told of the end.
                let told = try await wallet.nextEvent()
                XCTAssertEqual(told.event, .stopped(reason: "closed"))
            }
        }
        try await Task.sleep(for: .milliseconds(50))
        await wallet.stop()
        var told = 0
        for task in waiting {
            do {
                try await task.value
                told += 1
            } catch WalletError.Stopped {}
        }
        XCTAssertEqual(told, 1)
        let again = try await openSoon()
        await again.stop()
    }

    func testAWalletLetGoWhileBusyEndsWithItsLastCall() async throws {
        var wallet: Wallet? = try await create()
        let nodeId = try await wallet?.info().nodeId
        let waiting = Task { [wallet] in try await wallet?.nextEvent() }
        let busy = (1...callers).map { _ in Task { [wallet] in try await wallet?.newAddress() } }
        wallet = nil
        var addresses = Set<String?>()
        for task in busy { addresses.insert(try await task.value) }
        XCTAssertEqual(addresses.count, callers)
        let busyStill = try await caught { [config = config()] in
            _ = try await Wallet.openWithDeviceKey(config: config, deviceKey: key)
        }
        XCTAssertEqual(busyStill, .AlreadyOpen, "one call is still waiting")
        waiting.cancel()
        _ = await waiting.result
        let again = try await openSoon()
        let same = try await again.info().nodeId
        XCTAssertEqual(same, nodeId)
        await again.stop()
    }

    func testAForgottenWalletIsGivenBack() async throws {
        let nodeId = try await create().info().nodeId
        let again = try await openSoon()
        let same = try await again.info().nodeId
        XCTAssertEqual(same, nodeId)
        await again.stop()
    }
}
