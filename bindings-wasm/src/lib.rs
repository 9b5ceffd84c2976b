//! The API of the wallet, for TypeScript. Everything is declared in `kite-wallet`.

pub use kite_wallet::api::*;
