//! The network graph and what fills it (BOLT 7).
