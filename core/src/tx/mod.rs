//! Pure builders of every transaction (BOLT 3).
