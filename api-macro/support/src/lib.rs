//! `#[api]`, and what its expansion needs at run time.
//!
//! A crate that declares an API with it has the features `uniffi` (with the crate `uniffi` behind it) and `wasm` (with
//! `kite-api/wasm`). Without them a declaration is plain Rust with serde's traits.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

#[cfg(all(feature = "wasm", target_family = "wasm"))]
pub mod js;

pub use kite_api_macro::api;

/// For the expansion of `#[api]` only.
#[doc(hidden)]
pub mod expansion {
    pub use serde;
    #[cfg(all(feature = "wasm", target_family = "wasm"))]
    pub use {js_sys, wasm_bindgen};
}
