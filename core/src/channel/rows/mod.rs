//! How a channel is stored: small rows, so that a step writes no more than what it changed.
//!
//! Every row begins with the version of its form. What can be computed is not stored: numbers are implied by the row's
//! place, the peer's balance by the channel's amount. A channel without a funding transaction, and one that is closed for
//! good, has no rows.

mod commitments;
mod fields;
mod revoked;
mod state;

pub(super) use revoked::revoked_row;
pub use revoked::{RevokedHtlc, read_revoked_row};

use super::changes::HtlcKey;
use super::params::Party;
use super::{Channel, Standing, State};
use crate::crypto::ShaChainError;
use crate::types::{CommitmentNumber, HtlcId};
use crate::wire::{DecodeError, Reader, Writer};
use std::collections::BTreeMap;

/// The form that is written. Later ones get numbers of their own, and this one stays readable.
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
    /// Numbers and pending updates: changes with every step.
    Live,
    /// Our commitment.
    Local,
    /// A commitment of the peer, by the parity of its number: the present and the next one stand side by side.
    Remote(Parity),
    /// The per-commitment point of a commitment of the peer, likewise.
    RemotePoint(Parity),
    /// An HTLC.
    Htlc(HtlcKey),
    /// What the onion of an HTLC of the peer said.
    Instruction(HtlcKey),
    /// How an HTLC was removed.
    Removal(HtlcKey),
    /// A slot of the peer's per-commitment secrets (BOLT 3, Efficient Per-commitment Secret Storage).
    Secret(u8),
    /// The HTLCs of a revoked commitment of the peer, for the penalty. Written once.
    Revoked(CommitmentNumber),
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
        let mut writer = Writer::new();
        let htlc = |writer: &mut Writer, tag: u8, key: HtlcKey| {
            writer.write(&tag);
            writer.write(&u8::from(key.offered_by == Party::Remote));
            writer.write(&key.id);
        };
        match self {
            Self::Params => writer.write(&0u8),
            Self::Funding => writer.write(&1u8),
            Self::State => writer.write(&2u8),
            Self::Live => writer.write(&3u8),
            Self::Local => writer.write(&4u8),
            Self::Remote(Parity::Even) => writer.write(&5u8),
            Self::Remote(Parity::Odd) => writer.write(&6u8),
            Self::RemotePoint(Parity::Even) => writer.write(&7u8),
            Self::RemotePoint(Parity::Odd) => writer.write(&8u8),
            Self::Htlc(key) => htlc(&mut writer, 9, key),
            Self::Instruction(key) => htlc(&mut writer, 10, key),
            Self::Removal(key) => htlc(&mut writer, 11, key),
            Self::Secret(slot) => {
                writer.write(&12u8);
                writer.write(&slot);
            }
            Self::Revoked(number) => {
                writer.write(&13u8);
                writer.write(&number.0);
            }
        }
        writer.into_bytes()
    }

    /// Reads what [`RowName::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`RowError::Name`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RowError> {
        Self::read(&mut Reader::new(bytes)).map_err(|_| RowError::Name)?.ok_or(RowError::Name)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Option<Self>, DecodeError> {
        let tag: u8 = reader.read()?;
        let key = |reader: &mut Reader<'_>| -> Result<Option<HtlcKey>, DecodeError> {
            let offered_by = match reader.read::<u8>()? {
                0 => Party::Local,
                1 => Party::Remote,
                _ => return Ok(None),
            };
            Ok(Some(HtlcKey { offered_by, id: reader.read::<HtlcId>()? }))
        };
        let name = match tag {
            0 => Some(Self::Params),
            1 => Some(Self::Funding),
            2 => Some(Self::State),
            3 => Some(Self::Live),
            4 => Some(Self::Local),
            5 => Some(Self::Remote(Parity::Even)),
            6 => Some(Self::Remote(Parity::Odd)),
            7 => Some(Self::RemotePoint(Parity::Even)),
            8 => Some(Self::RemotePoint(Parity::Odd)),
            9 => key(reader)?.map(Self::Htlc),
            10 => key(reader)?.map(Self::Instruction),
            11 => key(reader)?.map(Self::Removal),
            12 => Some(Self::Secret(reader.read()?)),
            13 => Some(Self::Revoked(CommitmentNumber(reader.read()?))),
            _ => None,
        };
        reader.finish()?;
        Ok(name)
    }
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
            commitments.htlcs.values_mut().for_each(|htlc| htlc.onion = None);
        }
        stored
    }

    /// Everything to be stored, in the order of the names. [`RowName::Revoked`] is not among it:
    /// [`super::Effects::append`] has those, once.
    pub fn to_rows(&self) -> Vec<(RowName, Vec<u8>)> {
        if self.commitments().is_none() {
            return Vec::new();
        }
        let stored = self.as_stored();
        let mut rows = Rows::new();
        if let Some(commitments) = stored.commitments() {
            state::write_params(&stored, commitments, &mut rows);
            commitments::write(commitments, &mut rows);
        }
        state::write(&stored.state, &mut rows);
        rows.into_iter().collect()
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
        let state = state::read(&rows, commitments)?;
        let state::Identity { peer, key_index } = identity;
        Ok(Self { id, peer, key_index, state, link: super::Link::Offline, standing: Standing::LOADED })
    }

    /// What a step has to write and to delete, besides [`super::Effects::append`].
    pub fn changed_rows(before: Option<&Self>, after: &Self) -> Vec<RowChange> {
        let mut old: Rows = before.map(|channel| channel.to_rows().into_iter().collect()).unwrap_or_default();
        let mut changes = Vec::new();
        for (name, bytes) in after.to_rows() {
            if old.remove(&name).as_ref() != Some(&bytes) {
                changes.push((name, Some(bytes)));
            }
        }
        changes.extend(old.into_keys().map(|name| (name, None)));
        changes
    }

    /// Whether there is anything to store.
    pub const fn is_stored(&self) -> bool {
        self.state.commitments().is_some() && !matches!(self.state, State::Closed(_))
    }
}
