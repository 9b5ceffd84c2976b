package kite.app.model

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Test

class AmountsTest {
    @Test
    fun amountsAreWrittenInGroupsOfThree() {
        assertEquals("0\u00a0sat", Amounts.ofSat(0uL))
        assertEquals("999\u00a0sat", Amounts.ofSat(999uL))
        assertEquals("1\u202f234\u202f567\u00a0sat", Amounts.ofSat(1_234_567uL))
        assertEquals("1\u00a0sat", Amounts.ofMsat(1_000uL))
        assertEquals("1\u202f234.05\u00a0sat", Amounts.ofMsat(1_234_050uL))
        assertEquals("0.001\u00a0sat", Amounts.ofMsat(1uL))
    }

    @Test
    fun whatIsTypedIsRead() {
        assertNull(Amounts.read("  "))
        assertEquals(12_000uL, Amounts.read("12 000"))
        assertEquals(12_000uL, Amounts.read("12'000"))
        assertEquals(1_000uL, Amounts.read("1\u202f000"))
        assertEquals(2_100_000_000_000_000uL, Amounts.read("2100000000000000"))
        val wrong = listOf("0", "-1", "1.5", "1,5", "a", "٣", "2100000000000001", "99999999999999999999999")
        for (typed in wrong) {
            val refused = assertThrows(typed, Unreadable::class.java) { Amounts.read(typed) }
            assertFalse(typed, refused.message.isNullOrEmpty())
        }
    }

    @Test
    fun timesAreSeenFromNow() {
        assertEquals("just now", Times.ago(1_000uL, 1_044uL))
        assertEquals("1 min ago", Times.ago(1_000uL, 1_045uL))
        assertEquals("59 min ago", Times.ago(1_000uL, 1_000uL + 3_540uL))
        assertEquals("1\u00a0d 3\u00a0h", Times.span(27 * 3_600L + 5))
        assertEquals("2\u00a0min", Times.span(120))
        assertEquals("0\u00a0s", Times.span(-5))
        assertEquals("840\u00a0ms", Times.took(840uL))
        assertEquals("1.84\u00a0s", Times.took(1_840uL))
        assertEquals("12\u00a0s", Times.took(12_345uL))
    }
}
