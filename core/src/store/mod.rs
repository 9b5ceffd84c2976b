//! What is stored, under which key, in which version.
//!
//! Everything durable leaves the core as a [`Batch`]: a set of puts and deletes that a store applies in one atomic
//! transaction, in order, and only if its fence is the one the batch expects. Values are sealed here; a store, and
//! whoever copies it, sees opaque keys and ciphertext.

mod batch;
pub(crate) mod cbor;
mod journal;
mod name;
pub(crate) mod number;
mod repeats;
mod shelf;
mod vault;

pub use batch::{Batch, Op, Stored};
pub use name::{RecordKind, RecordName};
pub use shelf::{Records, Shelf};
pub use vault::{FRESH_LEN, Vault, VaultError};
