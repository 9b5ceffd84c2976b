//! What is fuzzed. Every target takes any bytes and panics if a promise is broken; a clear error is fine.
//!
//! The same functions run under libFuzzer (`fuzz_targets/`) and over the committed corpora (`tests/corpus.rs`).

mod chain;
mod decoders;
mod node_bytes;
mod stored;
mod transport;

pub use chain::chain;
pub use decoders::{gossip, invoice, onion, wire};
pub use node_bytes::node_bytes;
pub use stored::{channel_rows, stored};
pub use transport::transport;

use kite_sim::schedule::{Bases, Schedule};
use std::cell::OnceCell;

/// A target.
pub type Target = fn(&[u8]);

/// All of them, by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("wire", wire),
    ("transport", transport),
    ("onion", onion),
    ("invoice", invoice),
    ("stored", stored),
    ("channel_rows", channel_rows),
    ("chain", chain),
    ("gossip", gossip),
    ("node_bytes", node_bytes),
    ("sim_consistency", sim_consistency),
];

/// The bytes spell a schedule, and every invariant of the simulator holds after each of its steps.
pub fn sim_consistency(bytes: &[u8]) {
    thread_local!(static BASES: OnceCell<Bases> = const { OnceCell::new() });
    let schedule = Schedule::of_bytes(bytes);
    BASES.with(|bases| {
        if let Err(failure) = schedule.run(bases.get_or_init(Bases::new)) {
            panic!("{failure}\n{schedule}");
        }
    });
}

/// Takes pieces off the front of bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pieces<'a>(pub(crate) &'a [u8]);

impl<'a> Pieces<'a> {
    /// The next byte; 0 where there is none.
    pub(crate) fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    /// At most so many bytes.
    pub(crate) fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// As many bytes as the next two say.
    pub(crate) fn piece(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte()) << 8 | usize::from(self.byte());
        self.take(length)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
