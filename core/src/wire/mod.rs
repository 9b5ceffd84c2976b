//! Messages and their codecs (BOLT 1, 2, 7).
