//! How a channel is stored: small rows, so that a step writes no more than what it changed.
//!
//! Every row begins with the version of its form. What can be computed is not stored: numbers are implied by the row's
//! place, the peer's balance by the channel's amount, its next commitment by the updates in it, transactions by what they
//! say. A channel without a funding transaction, and one that is closed for
//! good, has no rows.

mod commitments;
mod fields;
mod htlc;
mod live;
mod onchain;
mod part;
mod revoked;
mod state;

pub(super) use revoked::revoked_row;
pub use revoked::{RevokedHtlc, read_revoked_row};

use super::changes::HtlcKey;
use super::params::Party;
use super::{Channel, Standing, State};
use crate::crypto::ShaChainError;
use crate::store::number::{read_number, write_number};
use crate::types::{CommitmentNumber, HtlcId};
use crate::wire::{DecodeError, Reader, Writer};
use bitcoin::Txid;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The form in which most rows are written. Later ones get numbers of their own, and this one stays readable.
const VERSION: u8 = 1;

/// The name of a row within its channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowName {
    /// What never changes.
    Params,
    /// The funding transaction and `channel_ready`.
    Funding,
    /// What the protocol is doing.
    State,
    /// What both commitments say, and the updates on their way into them: changes with every step.
    Live,
    /// The peer's signatures of our commitment.
    Local,
    /// The per-commitment point of a commitment of the peer, by the parity of its number: the present and the next one
    /// stand side by side.
    RemotePoint(Parity),
    /// An HTLC: what it is, what its onion said, how it was removed.
    Htlc(HtlcKey),
    /// A slot of the peer's per-commitment secrets (BOLT 3, Efficient Per-commitment Secret Storage).
    Secret(u8),
    /// The HTLCs of a revoked commitment of the peer, for the penalty. Written once.
    Revoked(CommitmentNumber),
    /// Where the transaction stands that spends the funding output, and what it pays.
    Close,
    /// What was published to claim something and is in no block yet.
    Bids,
    /// The first block that came without the transaction by which both close together.
    WaitsSince,
    /// How many blocks the peer has let pass without its part of closing together.
    Unanswered,
    /// A confirmed transaction that spends what came of the channel.
    Spend(Txid),
}

/// Whether a number is even or odd.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Parity {
    /// 0, 2, 4…
    Even,
    /// 1, 3, 5…
    Odd,
}

impl Parity {
    const fn of(number: CommitmentNumber) -> Self {
        if number.0.is_multiple_of(2) { Self::Even } else { Self::Odd }
    }
}

/// Why stored rows are not a channel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// Written by a newer Kite.
    #[error("row {name:?} of version {version} was written by a newer Kite: update the app, nothing is lost")]
    NewerVersion {
        /// The row.
        name: RowName,
        /// Its version.
        version: u8,
    },
    /// A row is not there.
    #[error("row {name:?} is missing")]
    Missing {
        /// The row.
        name: RowName,
    },
    /// The bytes of a row are not what was written.
    #[error("row {name:?} is damaged: {error}")]
    Damaged {
        /// The row.
        name: RowName,
        /// Where.
        error: DecodeError,
    },
    /// A row contradicts the others.
    #[error("row {name:?} is damaged: {what}")]
    Inconsistent {
        /// The row.
        name: RowName,
        /// How.
        what: &'static str,
    },
    /// The stored secrets are no chain.
    #[error("the secrets of the peer are damaged: {0}")]
    Secrets(ShaChainError),
    /// A name that no row has.
    #[error("no row has this name")]
    Name,
}

impl RowName {
    /// The name as bytes, to be part of a key.
    pub fn to_bytes(self) -> Vec<u8> {
        let (tag, number) = match self {
            Self::Params => (0, None),
            Self::Funding => (1, None),
            Self::State => (2, None),
            Self::Live => (3, None),
            Self::Local => (4, None),
            Self::RemotePoint(Parity::Even) => (5, None),
            Self::RemotePoint(Parity::Odd) => (6, None),
            Self::Secret(slot) => (7, Some(u64::from(slot))),
            Self::Revoked(number) => (8, Some(number.0)),
            Self::Htlc(key) => (9 + u8::from(key.offered_by == Party::Remote), Some(key.id.0)),
            Self::Close => (11, None),
            Self::Bids => (12, None),
            Self::Spend(_) => (13, None),
            Self::WaitsSince => (14, None),
            Self::Unanswered => (15, None),
        };
        let mut writer = Writer::new();
        writer.write(&tag);
        if let Self::Spend(txid) = self {
            writer.write(&txid);
        }
        if let Some(number) = number {
            write_number(&mut writer, number);
        }
        writer.into_bytes()
    }

    /// Reads what [`RowName::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`RowError::Name`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RowError> {
        Self::read(&mut Reader::new(bytes)).ok_or(RowError::Name)
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let tag: u8 = reader.read().ok()?;
        let number = if (7..=10).contains(&tag) { Some(read_number(reader).ok()?) } else { None };
        let txid = if tag == 13 { Some(reader.read::<Txid>().ok()?) } else { None };
        let key = |offered_by| Some(HtlcKey { offered_by, id: HtlcId(number?) });
        reader.finish().ok()?;
        Some(match tag {
            0 => Self::Params,
            1 => Self::Funding,
            2 => Self::State,
            3 => Self::Live,
            4 => Self::Local,
            5 => Self::RemotePoint(Parity::Even),
            6 => Self::RemotePoint(Parity::Odd),
            7 => Self::Secret(u8::try_from(number?).ok()?),
            8 => Self::Revoked(CommitmentNumber(number?)),
            9 => Self::Htlc(key(Party::Local)?),
            10 => Self::Htlc(key(Party::Remote)?),
            11 => Self::Close,
            12 => Self::Bids,
            13 => Self::Spend(txid?),
            14 => Self::WaitsSince,
            15 => Self::Unanswered,
            _ => return None,
        })
    }
}

fn set_flags<const N: usize>(flags: [(bool, u8); N]) -> u8 {
    flags.into_iter().filter(|(is_set, _)| *is_set).fold(0, |byte, (_, flag)| byte | flag)
}

/// The rows of a channel by name.
pub(super) type Rows = BTreeMap<RowName, Vec<u8>>;

/// A row to be written, or one to be deleted.
pub type RowChange = (RowName, Option<Vec<u8>>);

impl Channel {
    /// The channel as it would be after a restart: without connection, without what the peer has not committed to, and
    /// without our onions.
    #[must_use]
    pub fn as_stored(&self) -> Self {
        let mut stored = Self { standing: Standing::LOADED, ..self.disconnected().next };
        if let Some(commitments) = stored.state.commitments_mut() {
            commitments.htlcs.forget_onions();
        }
        stored
    }

    /// Everything to be stored, in the order of the names. [`RowName::Revoked`] is not among it:
    /// [`super::Effects::append`] has those, once.
    pub fn to_rows(&self) -> Vec<(RowName, Vec<u8>)> {
        part::parts(&self.stored_view()).into_iter().map(|(name, part)| (name, part.encode())).collect()
    }

    /// This very channel where it is already as it is stored, as far as rows tell.
    fn stored_view(&self) -> Cow<'_, Self> {
        let changes_by_restart = match &self.state {
            State::ShuttingDown(_) | State::Negotiating(_) => true,
            state => state.commitments().is_some_and(|it| !it.remote_changes.proposed.is_empty()),
        };
        if changes_by_restart { Cow::Owned(self.as_stored()) } else { Cow::Borrowed(self) }
    }

    /// Reads what [`Channel::to_rows`] wrote. Rows of revoked commitments may be among them and are passed over.
    ///
    /// # Errors
    /// [`RowError`] says which row is wrong.
    pub fn from_rows(rows: impl IntoIterator<Item = (RowName, Vec<u8>)>) -> Result<Self, RowError> {
        let rows: Rows = rows.into_iter().collect();
        let (identity, params) = state::read_params(&rows)?;
        let commitments = commitments::read(&rows, params)?;
        let id = commitments.channel_id();
        let state = onchain::read(&rows, state::read(&rows, commitments)?)?;
        let state::Identity { peer, key_index } = identity;
        Ok(Self { id, peer, key_index, state, link: super::Link::Offline, standing: Standing::LOADED })
    }

    /// What a step has to write and to delete, besides [`super::Effects::append`].
    pub fn changed_rows(before: Option<&Self>, after: &Self) -> Vec<RowChange> {
        let (before, after) = (before.map(Self::stored_view), after.stored_view());
        let mut old =
            before.as_ref().map_or_else(Vec::new, |before| part::parts(before)).into_iter().peekable();
        let mut changes = Vec::new();
        for (name, part) in part::parts(&after) {
            while let Some((gone, _)) = old.next_if(|(before, _)| *before < name) {
                changes.push((gone, None));
            }
            let bytes = match old.next_if(|(before, _)| *before == name) {
                Some((_, before)) => part.encode_if_changed(before),
                None => Some(part.encode()),
            };
            changes.extend(bytes.map(|bytes| (name, Some(bytes))));
        }
        changes.extend(old.map(|(name, _)| (name, None)));
        changes
    }

    /// Whether there is anything to store.
    pub const fn is_stored(&self) -> bool {
        self.state.commitments().is_some() && !matches!(self.state, State::Closed(_))
    }
}
