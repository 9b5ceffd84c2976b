//! Keys, secrets and the signer (BOLT 3).
