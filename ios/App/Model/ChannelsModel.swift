import Kite
import Observation

/// Opening and closing channels.
@MainActor @Observable
final class ChannelsModel {
    /// `node_id@host:port`, as people pass it on.
    var node = ""
    var amount = ""
    private(set) var quote: OpenChannelQuote?
    private(set) var failure: Explanation?
    private(set) var isBusy = false

    private let wallet: WalletModel

    init(wallet: WalletModel) {
        self.wallet = wallet
    }

    /// What opening the channel would cost, once the node answers.
    func estimate() async {
        await attempt {
            let wallet = try self.wallet.open()
            let request = try self.request(wallet)
            self.quote = try await wallet.estimateOpenChannel(request: request)
        }
    }

    /// Opens the channel. True if it is on its way.
    func openChannel() async -> Bool {
        await attempt {
            let wallet = try self.wallet.open()
            let request = try self.request(wallet)
            if let address = try self.parsed(wallet).address {
                try await wallet.connectPeer(nodeId: request.nodeId, address: address)
            }
            _ = try await wallet.openChannel(request: request)
            (self.node, self.amount, self.quote) = ("", "", nil)
            await self.wallet.refresh()
        }
        return failure == nil
    }

    /// Closes a channel together with its peer; alone, if the peer does not answer any more.
    func close(_ channel: Channel, alone: Bool) async {
        await attempt {
            let wallet = try self.wallet.open()
            if alone {
                try await wallet.forceCloseChannel(id: channel.id)
            } else {
                try await wallet.closeChannel(id: channel.id)
            }
            await self.wallet.refresh()
        }
    }

    private func request(_ wallet: Wallet) throws -> OpenChannelRequest {
        guard let amountSat = try Amounts.read(amount) else {
            throw Explanation("A channel needs an amount.", "Enter how much to put into it.")
        }
        return OpenChannelRequest(nodeId: try parsed(wallet).nodeId, amountSat: amountSat)
    }

    private func parsed(_ wallet: Wallet) throws -> (nodeId: String, address: String?) {
        guard case let .nodeAddress(nodeId, address) = try wallet.parse(text: node) else {
            throw Explanation("That is no node.", "It looks like 02ab…@host:port.")
        }
        return (nodeId, address)
    }

    private func attempt(_ body: () async throws -> Void) async {
        isBusy = true
        failure = nil
        do {
            try await body()
        } catch {
            failure = Explanation(error)
        }
        isBusy = false
    }
}
