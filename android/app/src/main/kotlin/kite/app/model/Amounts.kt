package kite.app.model

/** What was typed cannot be used; the message says why, for the person. */
class Unreadable(message: String) : Exception(message)

/** Amounts as people read them, and as they type them. */
object Amounts {
    private const val THIN_SPACE = '\u202f'
    /** Never alone on the next line. */
    private const val UNIT = "\u00a0sat"
    private const val MAX_SAT = 2_100_000_000_000_000uL
    private const val BETWEEN_DIGITS = "_'\u2019"

    /** Millisatoshi as satoshi with their unit; thousandths only where there are any. */
    fun ofMsat(msat: ULong): String = "${number(msat)}$UNIT"

    /** Satoshi with their unit. */
    fun ofSat(sat: ULong): String = "${grouped(sat)}$UNIT"

    private fun number(msat: ULong): String {
        val thousandths = (msat % 1_000uL).toString().padStart(3, '0').trimEnd('0')
        return grouped(msat / 1_000uL) + if (thousandths.isEmpty()) "" else ".$thousandths"
    }

    /**
     * Reads whole satoshi as typed, with spaces, apostrophes or underscores between digits. Null for nothing.
     *
     * @throws Unreadable if it is no amount.
     */
    fun read(typed: String): ULong? {
        val digits = typed.filterNot { it.isWhitespace() || it == THIN_SPACE || it in BETWEEN_DIGITS }
        if (digits.isEmpty()) return null
        if (digits.any { it in ".," }) throw Unreadable("Enter whole sat, without a point or comma.")
        if (digits.any { it !in '0'..'9' }) throw Unreadable("Use digits only.")
        val sat = digits.toULongOrNull()?.takeIf { it <= MAX_SAT }
            ?: throw Unreadable("There are not that many sat in the world.")
        if (sat == 0uL) throw Unreadable("The amount must be more than zero.")
        return sat
    }

    private fun grouped(number: ULong): String =
        number.toString().reversed().chunked(3).joinToString(THIN_SPACE.toString()).reversed()
}
