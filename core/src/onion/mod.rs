//! Onion packets and failures (BOLT 4).
