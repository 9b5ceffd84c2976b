package kite.app.model

import kite.wallet.Channel
import kite.wallet.OpenChannelQuote
import kite.wallet.OpenChannelRequest
import kite.wallet.Parsed
import kite.wallet.WalletException
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update

/** What opening a channel with a node would cost. */
data class OpeningReview(val request: OpenChannelRequest, val quote: OpenChannelQuote)

/** Opening and closing as their screens see it. */
data class ChannelsState(
    val review: OpeningReview? = null,
    /** What was asked for is on its way. */
    val isDone: Boolean = false,
    val failure: Explanation? = null,
    val isBusy: Boolean = false,
)

/** Opening a channel, or closing one. */
class ChannelsModel(private val wallet: WalletModel) {
    private val mutable = MutableStateFlow(ChannelsState())

    /** What the screen shows. */
    val state: StateFlow<ChannelsState> = mutable.asStateFlow()

    /** Connects to the node (`node_id@host:port`, as people pass it on), and asks what a channel with it would cost. */
    suspend fun review(node: String, amount: String) = busy {
        val sat = Amounts.read(amount) ?: throw Explained("A channel needs an amount.", "Enter how much to put into it.")
        val (nodeId, address) = nodeIn(node)
        if (address != null) wallet.open().connectPeer(nodeId, address)
        val request = OpenChannelRequest(nodeId, sat, null)
        val quote = try {
            wallet.open().estimateOpenChannel(request)
        } catch (error: WalletException.InsufficientFunds) {
            throw tooMuch(error)
        }
        mutable.update { it.copy(review = OpeningReview(request, quote)) }
    }

    /** Opens the channel that was reviewed. */
    suspend fun openChannel() {
        val request = state.value.review?.request ?: return
        finish { wallet.open().openChannel(request) }
    }

    /** Closes a channel together with its peer; alone, if the peer does not answer any more. */
    suspend fun close(channel: Channel, alone: Boolean) = finish {
        val wallet = wallet.open()
        if (alone) wallet.forceCloseChannel(channel.id) else wallet.closeChannel(channel.id)
    }

    /** Back to what was typed. */
    fun back() = mutable.update { ChannelsState() }

    /** Coins pay for a channel, and only those in a block. */
    private fun tooMuch(error: WalletException.InsufficientFunds) = Explained(
        "This needs ${Amounts.ofMsat(error.neededMsat)} with the network's fee, and " +
            "${Amounts.ofMsat(error.availableMsat)} can be used for a channel now.",
        "Lower the amount, or add coins. A part stays on-chain, to close your channels with.",
    )

    private fun nodeIn(text: String): Pair<String, String?> {
        val noNode = Explained("That is no node.", "It looks like 02ab…@host:port.")
        if (text.isBlank()) throw noNode
        val parsed = wallet.open().parse(text.trim()) as? Parsed.NodeAddress ?: throw noNode
        return parsed.nodeId to parsed.address
    }

    private suspend fun finish(body: suspend () -> Unit) = busy {
        body()
        mutable.update { it.copy(isDone = true) }
        wallet.refresh()
    }

    private suspend fun busy(body: suspend () -> Unit) {
        mutable.update { it.copy(failure = null, isBusy = true) }
        val failure = attempt(body)
        mutable.update { it.copy(failure = failure, isBusy = false) }
    }
}
