//! The life of one connection (BOLT 1).
