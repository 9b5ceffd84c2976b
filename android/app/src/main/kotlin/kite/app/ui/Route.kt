package kite.app.ui

import androidx.compose.runtime.Stable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateListOf
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.setValue
import kite.app.model.ChannelsModel
import kite.app.model.ReceiveModel
import kite.app.model.SendModel

/** What the bar at the bottom leads to. */
internal enum class Tab(val title: String, val drawing: Drawing) {
    WALLET("Wallet", Drawing.HOME),
    HISTORY("History", Drawing.HISTORY),
    CHANNELS("Channels", Drawing.CHANNELS),
    SETTINGS("Settings", Drawing.SETTINGS),
}

/** A screen over the tabs. It keeps its model while the app is behind others. */
internal sealed interface Place {
    class Send(val model: SendModel) : Place

    class Receive(val model: ReceiveModel) : Place

    class OfPayment(val id: String) : Place

    class OfChannel(val id: String, val model: ChannelsModel) : Place

    class OpenChannel(val model: ChannelsModel) : Place

    data object ForLog : Place
}

/** Where the person is, and the way back. */
@Stable
internal class Route {
    private val places = mutableStateListOf<Place>()

    var tab by mutableStateOf(Tab.WALLET)
        private set

    /** The screen over the tabs; null if they are to be seen. */
    val top: Place? get() = places.lastOrNull()

    fun choose(tab: Tab) {
        this.tab = tab
        places.clear()
    }

    fun go(place: Place) {
        places += place
    }

    fun back() {
        if (places.isNotEmpty()) places.removeAt(places.lastIndex) else tab = Tab.WALLET
    }
}
