//! Names of records, before they are made opaque.

use super::number::{read_number, write_number};
use crate::wire::{Reader, Writer};
use std::fmt;

/// What a record is about; the first byte of its name, below 15. Numbers are never used again for something else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum RecordKind {
    /// The node itself: network, birthday, counters.
    Node = 1,
    /// One row of a channel: channel key index, then the row's name.
    Channel = 2,
    /// A payment, outgoing or incoming, by its id: what never changes.
    Payment = 3,
    /// An event that the app has not acknowledged, by its number.
    Event = 4,
    /// A part of the on-chain wallet.
    Coins = 5,
    /// Block headers above the checkpoint.
    Headers = 6,
    /// The network graph.
    Graph = 7,
    /// How to reach a peer, by its node id.
    PeerAddress = 8,
    /// The entropy of the owner's words. The host keeps this one; the node never sees it.
    Seed = 10,
    /// How far a payment is, by its id.
    PaymentProgress = 11,
    /// What one batch changed, by the number of the entry.
    Journal = 12,
    /// The transaction of an on-chain payment, by the id that the app gave it.
    OnchainPayment = 13,
    /// What is kept of a channel that is closed for good, by its channel key index.
    PastChannel = 14,
}

/// The name of a record: its kind and what tells it from others of the kind.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordName {
    /// What it is about.
    pub kind: RecordKind,
    /// Which one; at most 250 bytes.
    pub which: Vec<u8>,
}

impl RecordName {
    /// A record that there is only one of.
    pub fn only(kind: RecordKind) -> Self {
        Self { kind, which: Vec::new() }
    }

    /// One of many that are numbered, or what the names of all that belong to it begin with. The order of names is not
    /// that of the numbers.
    pub fn numbered(kind: RecordKind, number: u64) -> Self {
        let mut which = Writer::new();
        write_number(&mut which, number);
        Self { kind, which: which.into_bytes() }
    }

    /// The number that the name begins with, and the rest of it.
    pub fn number(&self) -> Option<(u64, &[u8])> {
        let mut which = Reader::new(&self.which);
        Some((read_number(&mut which).ok()?, which.rest()))
    }

    /// One record of many.
    pub fn of(kind: RecordKind, which: impl Into<Vec<u8>>) -> Self {
        Self { kind, which: which.into() }
    }
}

impl fmt::Debug for RecordName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.kind)?;
        self.which.iter().try_for_each(|byte| write!(f, " {byte:02x}"))
    }
}

impl TryFrom<u8> for RecordKind {
    type Error = u8;

    fn try_from(byte: u8) -> Result<Self, u8> {
        [
            Self::Node,
            Self::Channel,
            Self::Payment,
            Self::Event,
            Self::Coins,
            Self::Headers,
            Self::Graph,
            Self::PeerAddress,
            Self::Seed,
            Self::PaymentProgress,
            Self::Journal,
            Self::OnchainPayment,
            Self::PastChannel,
        ]
        .into_iter()
        .find(|kind| *kind as u8 == byte)
        .ok_or(byte)
    }
}
