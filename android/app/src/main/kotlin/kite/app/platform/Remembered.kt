package kite.app.platform

import android.content.SharedPreferences
import kite.app.model.Settings

/** What the app remembers, in Android's own file for that. */
internal class Remembered(private val preferences: SharedPreferences) : Settings {
    override fun get(key: String): String? = preferences.getString(key, null)

    override fun set(key: String, value: String) = preferences.edit().putString(key, value).apply()
}
