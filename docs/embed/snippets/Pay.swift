import Kite

func pay(config: WalletConfig, passphrase: String, nodeId: String, address: String, invoice: String) async throws -> Payment {
    let wallet = try await walletExists(config: config)
        ? Wallet.open(config: config, passphrase: passphrase)
        : Wallet.create(config: config, passphrase: passphrase, mnemonic: nil)
    try await wallet.start()
    try await wallet.connectPeer(nodeId: nodeId, address: address)
    while try await !wallet.listChannels().contains(where: \.usable) { try await Task.sleep(for: .milliseconds(200)) }
    let quote = try await wallet.prepareSend(request: SendRequest(input: invoice)) // amount, payee, fee, expiry: show them, and ask
    let payment = try await wallet.waitPayment(id: wallet.send(quote: quote).id, timeoutSecs: 60)
    await wallet.stop()
    return payment
}
