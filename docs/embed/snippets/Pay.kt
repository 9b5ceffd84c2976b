package example

import kite.wallet.*
import kotlinx.coroutines.delay

suspend fun pay(config: WalletConfig, passphrase: String, nodeId: String, address: String, invoice: String): Payment {
    val wallet = if (walletExists(config)) Wallet.open(config, passphrase) else Wallet.create(config, passphrase, null)
    wallet.start()
    wallet.connectPeer(nodeId, address)
    while (wallet.listChannels().none { it.usable }) delay(200)
    val quote = wallet.prepareSend(SendRequest(input = invoice)) // amount, payee, fee, expiry: show them, and ask
    val payment = wallet.waitPayment(wallet.send(quote).id, 60u)
    wallet.stop()
    return payment
}
