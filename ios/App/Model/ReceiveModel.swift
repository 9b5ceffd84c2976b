import Kite
import Observation

/// Being paid: an invoice that turns into a payment, or an address.
@MainActor @Observable
final class ReceiveModel {
    enum Way: String, CaseIterable, Identifiable {
        case lightning = "Lightning"
        case onchain = "On-chain"

        var id: Self { self }
    }

    var way = Way.lightning
    var amount = ""
    var reason = ""
    private(set) var invoice: Invoice?
    private(set) var address: String?
    private(set) var payment: Payment?
    private(set) var failure: Explanation?

    private static let waitSecs: UInt32 = 20
    private let wallet: WalletModel

    init(wallet: WalletModel) {
        self.wallet = wallet
    }

    func makeInvoice() async {
        await attempt {
            let amountMsat = try Amounts.read(self.amount).map { $0 * 1_000 }
            let request = InvoiceRequest(amountMsat: amountMsat, description: self.reason)
            self.invoice = try await self.wallet.open().makeInvoice(request: request)
            self.payment = nil
        }
    }

    func makeAddress() async {
        guard address == nil else { return }
        await attempt { self.address = try await self.wallet.open().newAddress() }
    }

    /// Waits until the invoice is paid or expires. Cancelled when its screen goes.
    func waitForPayment() async {
        guard let invoice, payment == nil else { return }
        while !Task.isCancelled {
            do {
                let payment = try await wallet.open().waitPayment(id: invoice.paymentId, timeoutSecs: Self.waitSecs)
                self.payment = payment
                return await wallet.refresh()
            } catch WalletError.Timeout {
                // It can still be paid.
            } catch is CancellationError {
                return
            } catch {
                return failure = Explanation(error)
            }
        }
    }

    func again() {
        invoice = nil
        payment = nil
        failure = nil
    }

    private func attempt(_ body: () async throws -> Void) async {
        failure = nil
        do {
            try await body()
        } catch {
            failure = Explanation(error)
        }
    }
}
