package kite.app.model

/** What the app remembers beside the wallet. Losing it costs no money. */
interface Settings {
    operator fun get(key: String): String?

    operator fun set(key: String, value: String)
}

internal fun Settings.isOn(key: String) = this[key] == ON

internal fun Settings.switch(key: String, on: Boolean) = set(key, if (on) ON else "no")

private const val ON = "yes"
