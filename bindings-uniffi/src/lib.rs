//! The API of the wallet, for Kotlin, Swift and Python. Everything is declared in `kite-wallet`.

pub use kite_wallet::api::*;

kite_wallet::uniffi_reexport_scaffolding!();
