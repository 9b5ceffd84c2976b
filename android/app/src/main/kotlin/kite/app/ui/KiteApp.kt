package kite.app.ui

import androidx.compose.foundation.isSystemInDarkTheme
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.padding
import androidx.compose.material3.NavigationBar
import androidx.compose.material3.NavigationBarItem
import androidx.compose.material3.Scaffold
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.CompositionLocalProvider
import androidx.compose.runtime.collectAsState
import androidx.compose.runtime.getValue
import androidx.compose.runtime.remember
import androidx.compose.runtime.saveable.rememberSaveableStateHolder
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import kite.app.model.OnboardingModel
import kite.app.model.Phase
import kite.app.model.Snapshot
import kite.app.model.WalletModel
import kite.app.model.WalletState

/** The whole app: the screen for the phase that the wallet is in, behind the lock. */
@Composable
fun KiteApp(wallet: WalletModel, device: Device, isDark: Boolean = isSystemInDarkTheme()) {
    KiteTheme(isDark) {
        CompositionLocalProvider(LocalDevice provides device) {
            Surface(Modifier.fillMaxSize()) { Root(wallet) }
        }
    }
}

@Composable
private fun Root(wallet: WalletModel) {
    val state by wallet.state.collectAsState()
    // What is behind the lock, or behind other apps, is found again.
    val onboarding = remember(state.network) { OnboardingModel(wallet) }
    val route = remember(state.network) { Route() }
    val keeper = rememberSaveableStateHolder()
    if (state.isLocked) return LockScreen(wallet, state.lockTrouble)
    when (val phase = state.phase) {
        Phase.Starting -> Waiting("Opening the wallet…")
        is Phase.Young -> YoungScreen(wallet, phase.sentences)
        Phase.Onboarding -> OnboardingScreen(wallet, onboarding)
        is Phase.Halted -> HaltedScreen(wallet, phase.explanation)
        Phase.Running -> {
            val snapshot = state.snapshot ?: return Waiting("Reading the wallet…")
            Box {
                val top = route.top
                keeper.SaveableStateProvider(top?.toString() ?: route.tab.name) {
                    if (top == null) Tabs(wallet, state, snapshot, route) else Over(top, wallet, snapshot, route)
                }
                // What is being done elsewhere is not disturbed: its own screen says how it ends.
                if (top == null) Notices(state.notices, wallet::dismiss, Modifier.align(Alignment.BottomCenter))
            }
        }
    }
}

@Composable
private fun Tabs(wallet: WalletModel, state: WalletState, snapshot: Snapshot, route: Route) {
    if (route.tab != Tab.WALLET) LocalDevice.current.OnBack(route::back)
    val bar: @Composable () -> Unit = {
        NavigationBar {
            for (tab in Tab.entries) {
                NavigationBarItem(
                    selected = route.tab == tab,
                    onClick = { route.choose(tab) },
                    icon = { Drawn(tab.drawing) },
                    label = { AsLargeAsFits(most = 1.2f) { Text(tab.title, maxLines = 1) } },
                )
            }
        }
    }
    Scaffold(bottomBar = bar) { within ->
        Box(Modifier.padding(within)) {
            when (route.tab) {
                Tab.WALLET -> HomeScreen(wallet, state, snapshot, route)
                Tab.HISTORY -> HistoryScreen(snapshot, route)
                Tab.CHANNELS -> ChannelsScreen(wallet, snapshot, route)
                Tab.SETTINGS -> SettingsScreen(wallet, state, snapshot, route)
            }
        }
    }
}

@Composable
private fun Over(place: Place, wallet: WalletModel, snapshot: Snapshot, route: Route) {
    when (place) {
        is Place.Send -> SendScreen(wallet, place.model, snapshot, route)
        is Place.Receive -> ReceiveScreen(wallet, place.model, snapshot, route)
        is Place.OfPayment -> PaymentScreen(place.id, snapshot, route)
        is Place.OfChannel -> ChannelScreen(wallet, place.model, place.id, snapshot, route)
        is Place.OpenChannel -> OpenChannelScreen(wallet, place.model, snapshot, route)
        is Place.ForLog -> LogScreen(wallet, route)
    }
}
