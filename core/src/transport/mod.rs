//! Encrypted transport (BOLT 8).
