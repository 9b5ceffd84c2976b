package kite.app.model

import kite.wallet.Event
import kite.wallet.EventEnvelope
import kite.wallet.PaymentFilter
import kite.wallet.Wallet
import kite.wallet.WalletException
import kite.wallet.checkMnemonic
import kite.wallet.events
import kite.wallet.walletExists
import kite.wallet.youngOnMainnet
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Job
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withTimeoutOrNull
import java.util.concurrent.ConcurrentHashMap
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * The wallet of the app, from the first start on. It runs while the app is in front; behind others it is stopped, as soon
 * as that is safe.
 *
 * @param scope what goes on when a screen has gone; it lives as long as the process.
 */
class WalletModel(
    private val installation: Installation,
    private val authenticator: Authenticator,
    private val settings: Settings,
    private val scope: CoroutineScope,
) {
    private val mutable = MutableStateFlow(
        settings[NETWORK].takeIf { it in installation.networks }.let { remembered ->
            val network = remembered ?: installation.networks.first()
            val asks = settings.isOn(ASKS)
            WalletState(network, isLocked = asks, asksWhoIsThere = asks, hasConfirmedWords = confirmed(network))
        },
    )

    /** Everything that the screens show. */
    val state: StateFlow<WalletState> = mutable.asStateFlow()

    /** What happened, for a report of a fault. */
    val log: Log = Log()

    /** The networks to choose from. */
    val networks: List<String> get() = installation.networks

    /** The chain server that this wallet asks. */
    val chainServer: String get() = installation.chainServer(network)

    /**
     * Payments that were begun and whose outcome nobody was told yet, by what was typed: the name of each, under which nothing is
     * paid twice. They are kept here because the screen that began one may have gone.
     */
    internal val unsettled = ConcurrentHashMap<String, String>()

    /** One thing at a time: the app may come to the front while it is still leaving it. */
    private val turn = Mutex()

    @Volatile private var inFront = false

    /** Held while the person is asked who they are. */
    private val question = Mutex()

    /** Whether the words of a new wallet are being shown: it runs, and its screens wait. */
    @Volatile private var introduces = false

    @Volatile private var wallet: Wallet? = null
    private var following: Job? = null

    private val network get() = state.value.network
    private val acceptsYoung get() = settings.isOn(YOUNG)
    private val config get() = installation.config(network, acceptsYoung)

    /**
     * Does what the person asked for to its end, also when the screen that they asked on has gone.
     *
     * @param start `UNDISPATCHED` for what must have begun when this returns.
     */
    fun act(start: CoroutineStart = CoroutineStart.DEFAULT, body: suspend () -> Unit) {
        scope.launch(start = start) { body() }
    }

    /** The app is in front: opens the wallet that is there. */
    suspend fun comeToFront() {
        inFront = true
        settle()
    }

    /** The app is behind others, or the screen is off: nothing is shown any more, and the wallet is stopped. */
    suspend fun leaveFront() {
        inFront = false
        // The system's question may lie over the app, and is no other app. Whoever does not come back from it leaves then.
        if (!question.isLocked) hide()
    }

    private suspend fun hide() {
        mutable.update { it.copy(isLocked = it.isLocked || it.asksWhoIsThere) }
        settle()
    }

    /** Asks the person to show who they are. */
    suspend fun unlock() {
        if (!state.value.isLocked) return
        if (isOwner("Show your wallet")) mutable.update { it.copy(isLocked = false) }
    }

    /** Whether this device can tell who is there. */
    fun canTell(): Boolean = authenticator.canTell()

    /** Switches the question on or off, for somebody who can answer it. */
    suspend fun ask(asks: Boolean) {
        if (asks && !canTell()) return
        val reason = if (asks) "Lock the wallet" else "Unlock the wallet for good"
        if (!isOwner(reason)) return
        settings.switch(ASKS, asks)
        mutable.update { it.copy(asksWhoIsThere = asks) }
    }

    /** The owner has read what is young about Kite with real bitcoin. */
    suspend fun acceptYoung() {
        settings.switch(YOUNG, true)
        settle()
    }

    /** Goes over to the wallet of another network. The one of this network stays as it is, and is stopped. */
    suspend fun choose(network: String) {
        require(network in networks) { "this app knows no network $network" }
        inTurn {
            stop()
            introduces = false
            settings[NETWORK] = network
            val confirmed = confirmed(network)
            mutable.update {
                it.copy(network = network, phase = Phase.Starting, hasConfirmedWords = confirmed, snapshot = null, notices = emptyList())
            }
        }
        settle()
    }

    /**
     * Makes a wallet; with words, the one that they bring back. One that is new waits for [begin] before it is shown.
     *
     * @throws WalletException.InvalidInput if these are not the words of a wallet.
     */
    suspend fun create(words: String? = null) {
        words?.let { checkMnemonic(it) }
        val key = installation.deviceKey(network).hex()
        introduces = words == null
        // Before there is a wallet: whoever leaves before the words are shown is reminded of them.
        remember(confirmed = words != null)
        inTurn { attemptToRun { Wallet.createWithDeviceKey(config, key, words) } }
    }

    /** The words of a new wallet were shown. */
    fun begin(confirmed: Boolean) {
        introduces = false
        if (confirmed) confirmWords()
        mutable.update { if (it.phase == Phase.Onboarding) it.copy(phase = Phase.Running) else it }
    }

    /** The words were written down. */
    fun confirmWords() = remember(confirmed = true)

    /** The words of a wallet that was just made; nobody is asked, for the wallet is empty. */
    internal suspend fun newWords(): List<String> = readWords()

    /** The words, for somebody who is who they should be; otherwise none. */
    suspend fun words(): List<String> =
        if (isOwner("Show the 12 words")) readWords() else emptyList()

    /** Whether it is they, and still in front of the app. One question at a time. */
    private suspend fun isOwner(reason: String): Boolean {
        if (!question.tryLock()) return false
        mutable.update { it.copy(lockTrouble = null) }
        try {
            return authenticator.authenticate(reason) && inFront
        } catch (cancelled: CancellationException) {
            throw cancelled
        } catch (error: Exception) {
            // Of whatever kind: a device that cannot ask recognises nobody, and the app goes on.
            log.add(error)
            val what = "This device could not ask who you are: ${error.message ?: error}".asSentence()
            val trouble = Explanation(what, "See that it has a code, in the system's settings. Then try again.")
            mutable.update { it.copy(lockTrouble = trouble) }
            return false
        } finally {
            question.unlock()
            if (!inFront) act(CoroutineStart.UNDISPATCHED) { hide() }
        }
    }

    private suspend fun readWords() =
        open().mnemonicWithDeviceKey(installation.deviceKey(network).hex()).split(' ')

    /**
     * The wallet, which is open while the phase is [Phase.Running].
     *
     * @throws WalletException.Stopped if it is not open.
     */
    fun open(): Wallet = wallet ?: throw WalletException.Stopped("the app was not in front")

    /** Waits until the wallet runs: the app may have gone behind others meanwhile. */
    internal suspend fun awaitRunning() {
        state.first { it.phase == Phase.Running }
    }

    /** Reads what the screens show. */
    suspend fun refresh() {
        val wallet = wallet ?: return
        try {
            val snapshot = Snapshot(
                wallet.info(), wallet.balance(), wallet.listChannels(),
                wallet.listPayments(PaymentFilter(direction = null, limit = RECENT, beforeSecs = null)),
            )
            mutable.update { if (this.wallet === wallet) it.copy(snapshot = snapshot) else it }
        } catch (error: WalletException) {
            haltIfStopped(wallet, error)
        }
    }

    /** Looks at the chain and the nodes now, and then reads what the screens show. */
    suspend fun lookNow() {
        try {
            wallet?.refresh()
        } catch (error: WalletException) {
            // Without a network the last that was seen is shown.
            log.add(error)
        }
        refresh()
    }

    /** The person has seen it. */
    fun dismiss(notice: Notice) = mutable.update { it.copy(notices = it.notices - notice) }

    private fun confirmed(network: String) = settings.isOn("$WORDS-$network")

    private fun remember(confirmed: Boolean) {
        settings.switch("$WORDS-$network", confirmed)
        mutable.update { it.copy(hasConfirmedWords = confirmed) }
    }

    /** Goes to its end, also when the screen that asked for it has gone. */
    private suspend fun inTurn(body: suspend () -> Unit) = scope.launch { turn.withLock { body() } }.join()

    private suspend fun settle() = inTurn { if (inFront) run() else letGo() }

    private suspend fun run() = when {
        wallet != null -> lookNow()
        network == MAINNET && !acceptsYoung -> mutable.update { it.copy(phase = Phase.Young(youngOnMainnet())) }
        else -> attemptToRun { if (walletExists(config)) openPatiently() else null }
    }

    private suspend fun attemptToRun(get: suspend () -> Wallet?) {
        try {
            val opened = get()
            wallet = opened
            if (opened != null) {
                opened.start()
                follow(opened)
                refresh()
            }
            val shows = opened != null && !introduces
            mutable.update { it.copy(phase = if (shows) Phase.Running else Phase.Onboarding) }
        } catch (error: Exception) {
            // Of whatever kind: the person hears of it, and can try again.
            log.add(error)
            stop()
            mutable.update { it.copy(phase = Phase.Halted(explain(error))) }
        }
    }

    /** A process of the app that was ended holds the wallet for a moment more. */
    private suspend fun openPatiently(): Wallet {
        val key = installation.deviceKey(network).hex()
        repeat(OPEN_TRIES) {
            try {
                return Wallet.openWithDeviceKey(config, key)
            } catch (_: WalletException.AlreadyOpen) {
                delay(PAUSE)
            }
        }
        return Wallet.openWithDeviceKey(config, key)
    }

    private fun follow(wallet: Wallet) {
        following = scope.launch {
            launch {
                try {
                    wallet.events().collect { take(wallet, it) }
                } catch (error: WalletException) {
                    haltIfStopped(wallet, error)
                }
            }
            while (true) {
                delay(REFRESH_PAUSE)
                refresh()
            }
        }
    }

    private suspend fun take(wallet: Wallet, told: EventEnvelope) {
        log.add(told)
        notice(told)?.let { notice -> mutable.update { it.copy(notices = it.notices + notice) } }
        val event = told.event
        if (event is Event.Stopped && event.reason != "closed") {
            val lost = event.reason == "lease_lost"
            haltIfStopped(wallet, if (lost) WalletException.LeaseLost() else WalletException.StoreUnavailable(event.reason))
        } else {
            refresh()
        }
    }

    private fun haltIfStopped(stopped: Wallet, error: WalletException) {
        when (error) {
            is WalletException.Stopped, is WalletException.LeaseLost,
            is WalletException.StoreUnavailable, is WalletException.StoreFull -> Unit
            else -> return log.add(error)
        }
        // Not in the coroutine that heard of it, which ends with the wallet.
        scope.launch {
            turn.withLock {
                if (wallet !== stopped) return@withLock
                log.add(error)
                stop()
                mutable.update { it.copy(phase = Phase.Halted(explain(error))) }
            }
        }
    }

    /** What is under way may end first, for a moment, unless the app comes back. */
    private suspend fun letGo() {
        val wallet = wallet ?: return
        try {
            withTimeoutOrNull(FINISHING) { while (!inFront && !wallet.safeToClose().safe) delay(PAUSE) }
        } catch (error: WalletException) {
            log.add(error)
        }
        if (!inFront) stop()
    }

    /** The wallet is let go first: what is asked from now on hears that it is not open. */
    private suspend fun stop() {
        val stopped = wallet
        wallet = null
        following?.cancel()
        following = null
        mutable.update { if (it.phase == Phase.Running) it.copy(phase = Phase.Starting) else it }
        stopped?.stop()
    }

    private companion object {
        const val NETWORK = "network"
        const val ASKS = "asks-who-is-there"
        const val WORDS = "has-confirmed-words"
        const val YOUNG = "accepts-young-mainnet"
        const val RECENT = 200u
        const val OPEN_TRIES = 50
        val PAUSE = 100.milliseconds
        val REFRESH_PAUSE = 2.seconds

        /** A process in the background may be frozen soon. */
        val FINISHING = 5.seconds
    }
}
