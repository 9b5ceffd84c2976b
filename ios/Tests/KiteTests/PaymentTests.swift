import XCTest

@testable import Kite

/// Pays and is paid over TCP by nodes that nobody here wrote, and hears of it.
final class PaymentTests: WorldTestCase {
    func testPaysAndIsPaidAndTheEventsTellAllOfIt() async throws {
        let wallet = try await createInWorld()
        let reader = Task { try await wallet.allEvents() }
        try await wallet.start()
        try await fund(wallet)
        try await openChannel(wallet)
        let invoice = try await world().invoice(of: "carol", amountMsat: Self.paidMsat, description: "a pot of darjeeling")
        let paid = try await WorldTestCase.pay(invoice, with: wallet)
        XCTAssertEqual(paid.hops, 3)
        let before = try await wallet.balance().totalMsat
        let received = try await bePaid(wallet)
        let after = try await wallet.balance().totalMsat
        XCTAssertEqual(after, before + Self.receivedMsat)
        try await Task.sleep(for: Self.gathered)
        await wallet.stop()

        let all = try await reader.value
        let events = all.map(\.event)
        XCTAssertEqual(events.last, .stopped(reason: "closed"))
        let stored = all.map(\.seq).filter { $0 > 0 }
        XCTAssertEqual(stored, Set(stored).sorted(), "once each, in order")
        let alice = try world().peer("alice").node_id
        let ready = try XCTUnwrap(events.firstIndex { if case .channelReady(_, alice) = $0 { true } else { false } })
        let sent = try XCTUnwrap(events.firstIndex { event in
            guard case let .paymentSent(id, _, preimage, _, _) = event else { return false }
            return id == paid.id && preimage == paid.preimage
        })
        let gotten = try XCTUnwrap(events.firstIndex { event in
            guard case let .paymentReceived(id, _, amountMsat) = event else { return false }
            return id == received.id && amountMsat == Self.receivedMsat
        })
        XCTAssertTrue(ready < sent && sent < gotten)

        // All of it was handled: nothing comes again.
        let again = try await openInWorld()
        let stillPaid = try await again.getPayment(id: paid.id)
        XCTAssertEqual(stillPaid.preimage, paid.preimage)
        try await assertTellsNothing(again)
        await again.stop()
    }

    /// The first stored event, at which a reader of this wallet throws.
    private func failure(readingOf wallet: Wallet) async throws -> EventEnvelope {
        struct AppsOwnFault: Error { let told: EventEnvelope }
        let reader = Task {
            for try await told in wallet.events where told.seq > 0 { throw AppsOwnFault(told: told) }
        }
        do {
            try await reader.value
        } catch let fault as AppsOwnFault {
            return fault.told
        }
        throw NotInTime(description: "the reader came to its end")
    }

    func testAnEventWhoseReaderThrowsComesAgain() async throws {
        let wallet = try await createInWorld()
        try await wallet.start()
        try await fund(wallet)

        let first = try await failure(readingOf: wallet)
        guard case .onchainReceived = first.event else { return XCTFail("\(first)") }
        let second = try await failure(readingOf: wallet)
        XCTAssertEqual(second, first)

        let slow = Task {
            for try await told in wallet.events where told.seq > 0 { try await Task.sleep(for: .seconds(60)) }
        }
        try await Task.sleep(for: .milliseconds(100))
        slow.cancel()
        _ = await slow.result
        await wallet.stop()

        let again = try await openInWorld()
        let third = try await failure(readingOf: again)
        XCTAssertEqual(third.seq, first.seq)
        let handled = Locked<[UInt64]>([])
        let reader = Task { for try await told in again.events { handled.withLock { $0.append(told.seq) } } }
        _ = try await until("it is handled") { handled.withLock { $0.contains(first.seq) } ? true : nil }
        try await Task.sleep(for: Self.gathered)
        await again.stop()
        try await reader.value
        let last = try await openInWorld()
        try await assertTellsNothing(last)
        await last.stop()
    }

    func testASlowListenerHoldsNothingUp() async throws {
        final class Slow: EventListener {
            let heard = Locked<[UInt64]>([])
            func onEvent(event: EventEnvelope) {
                heard.withLock { $0.append(event.seq) }
                Thread.sleep(forTimeInterval: 1)
            }
        }
        let wallet = try await createInWorld()
        let listener = Slow()
        await wallet.setListener(listener: listener)
        try await wallet.start()
        try await fund(wallet)
        for _ in 0..<20 {
            let asked = ContinuousClock.now
            _ = try await wallet.newAddress()
            XCTAssertLessThan(ContinuousClock.now - asked, .milliseconds(900), "the wallet waits for its listener")
        }
        _ = try await until("the listener hears of the coins") { listener.heard.withLock { $0.contains(1) } ? true : nil }
        await wallet.clearListener()
        await wallet.stop()
    }

    func testAChannelIsClosedAfterARestart() async throws {
        let first = try await createInWorld()
        try await first.start()
        try await fund(first)
        try await openChannel(first)
        let id = try await first.listChannels()[0].id
        await first.stop()

        let wallet = try await openInWorld()
        try await wallet.start()
        _ = try await until("the peer is there again") {
            try await wallet.listChannels().first { $0.usable }
        }
        try await wallet.closeChannel(id: id)
        let closed = try await until("the channel is closed") {
            try await self.world().mine()
            return try await self.channel(of: wallet, in: .closed)
        }
        XCTAssertEqual(closed.close?.closedBy, .both)
        let coins = try await until("the coins are back") {
            try await self.world().mine()
            try await wallet.refresh()
            let balance = try await wallet.balance()
            return balance.closingSat == 0 && balance.onchainPendingSat == 0 ? balance.onchainSat : nil
        }
        XCTAssertTrue((Self.fundsSat - 10_000..<Self.fundsSat).contains(coins), "\(coins)")
        await wallet.stop()
    }

    func testTwoWalletsOfOneProcessPayAtOnce() async throws {
        let wallets = [try await createInWorld(named: "one"), try await createInWorld(named: "other")]
        var invoices: [String] = []
        for wallet in wallets {
            try await wallet.start()
            try await fund(wallet)
            try await openChannel(wallet)
            invoices.append(try await world().invoice(of: "carol", amountMsat: Self.paidMsat, description: "tea"))
        }
        async let first = WorldTestCase.pay(invoices[0], with: wallets[0])
        async let second = WorldTestCase.pay(invoices[1], with: wallets[1])
        let paid = try await [first, second]
        XCTAssertNotEqual(paid[0].paymentHash, paid[1].paymentHash)
        for (wallet, payment) in zip(wallets, paid) {
            let listed = try await wallet.listPayments(filter: PaymentFilter(direction: .outgoing, limit: 10))
            XCTAssertEqual(listed.filter { $0.kind == .lightning }.map(\.id), [payment.id])
            await wallet.stop()
        }
    }
}
