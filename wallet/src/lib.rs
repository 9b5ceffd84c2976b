//! The Kite wallet: the loop that carries out what the node in `kite-core` decides, and the API that apps see.
//!
//! One code base for phones, desktops and browsers. What differs between them stands behind the traits in
//! [`platform`].

#![forbid(unsafe_code)]
#![deny(missing_docs)]

#[cfg(feature = "uniffi")]
uniffi::setup_scaffolding!();

pub mod api;
pub mod chain;
pub mod keyslot;
pub mod platform;
pub mod run;
