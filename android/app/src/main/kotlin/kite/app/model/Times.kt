package kite.app.model

import java.text.DateFormat
import java.text.SimpleDateFormat
import java.util.Calendar
import java.util.Date
import java.util.Locale

/** The time now, in seconds since 1970. */
fun nowSecs(): ULong = (System.currentTimeMillis() / 1_000).toULong()

/** Times as people read them. */
object Times {
    private const val NO_BREAK_SPACE = '\u00a0'
    private const val MINUTE = 60L
    private const val HOUR = 3_600L
    private const val DAY = 86_400L
    private val UNITS = listOf("d" to DAY, "h" to HOUR, "min" to MINUTE, "s" to 1L)

    /** When something happened, seen from now. */
    fun ago(atSecs: ULong, now: ULong): String {
        val ago = now.toLong() - atSecs.toLong()
        if (ago < 45) return "just now"
        if (ago < HOUR) return "${maxOf(1, (ago + MINUTE / 2) / MINUTE)} min ago"
        val date = date(atSecs)
        val time = DateFormat.getTimeInstance(DateFormat.SHORT).format(date)
        if (ago < DAY && day(date) == day(date(now))) return "today, $time"
        return "${SimpleDateFormat("d MMM", Locale.getDefault()).format(date)}, $time"
    }

    /** Date and time in full. */
    fun inFull(atSecs: ULong): String =
        DateFormat.getDateTimeInstance(DateFormat.MEDIUM, DateFormat.MEDIUM).format(date(atSecs))

    /** A span in its two largest units. */
    fun span(secs: Long): String {
        var rest = maxOf(0, secs)
        val parts = mutableListOf<String>()
        for ((name, size) in UNITS) {
            val count = rest / size
            rest %= size
            if (count > 0) parts += "$count$NO_BREAK_SPACE$name"
            if (parts.size == 2 || (parts.isNotEmpty() && count == 0L)) break
        }
        return parts.joinToString(" ").ifEmpty { "0${NO_BREAK_SPACE}s" }
    }

    /** How long something took: 840 ms, 1.84 s, 12 s, 2 min 5 s. */
    fun took(millis: ULong): String = when {
        millis < 1_000uL -> "$millis${NO_BREAK_SPACE}ms"
        millis < 10_000uL -> "%.2f${NO_BREAK_SPACE}s".format(Locale.ROOT, millis.toDouble() / 1_000)
        else -> span(((millis + 500uL) / 1_000uL).toLong())
    }

    private fun date(secs: ULong) = Date(secs.toLong() * 1_000)

    private fun day(date: Date) = Calendar.getInstance().run {
        time = date
        get(Calendar.DAY_OF_MONTH)
    }
}
