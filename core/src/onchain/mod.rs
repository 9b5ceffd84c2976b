//! What to claim from published commitments (BOLT 5).
