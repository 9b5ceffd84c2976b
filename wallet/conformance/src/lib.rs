//! What every store has to do (contract P1, P4 and P8), as cases that run natively and in a browser alike.

#![forbid(unsafe_code)]

mod batches;
mod cases;
mod fences;
#[cfg(target_family = "wasm")]
mod indexeddb;
mod room;
#[cfg(target_family = "wasm")]
mod web;

pub use cases::{CASES, Case, Make, MakeStore, Verdict};
pub use room::{refuses_what_has_no_room, works_again_with_room};
