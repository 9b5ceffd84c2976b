package kite.app.model

import java.io.File
import kite.wallet.DeviceKey
import kite.wallet.WalletConfig
import kite.wallet.WrappingKey

/** The network of real bitcoin, as the wallet names it. */
const val MAINNET: String = "bitcoin"

/**
 * Where the wallets of this app are and what opens them: one wallet for each network.
 *
 * @param folder for all of them; it exists, and is in no backup: an old copy of channels must never be used.
 * @param chainServers the networks that this app knows, the first one first, with the Esplora server of each.
 * @param wrapping the key of the device that encrypts the key of the wallet of this name.
 */
class Installation(
    private val folder: File,
    private val chainServers: Map<String, String>,
    private val wrapping: (String) -> WrappingKey,
) {
    /** The networks to choose from. */
    val networks: List<String> = chainServers.keys.toList()

    /** The chain server that the wallet of this network asks. */
    fun chainServer(network: String): String = chainServers.getValue(network)

    internal fun config(network: String, acceptsYoung: Boolean) = WalletConfig(
        network = network,
        data = File(folder, "wallet-$network").path,
        esploraUrl = chainServer(network),
        acceptYoungMainnet = acceptsYoung,
    )

    internal fun deviceKey(network: String) = DeviceKey(File(folder, "key-$network"), wrapping("kite-$network"))
}

/** What a network is called in a sentence. */
fun networkName(network: String): String = when (network) {
    MAINNET -> "Bitcoin mainnet"
    "testnet", "testnet4" -> "the test network ($network)"
    "regtest" -> "the local test network (regtest)"
    else -> network
}
