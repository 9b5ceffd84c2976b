//! The channel state machine (BOLT 2).
