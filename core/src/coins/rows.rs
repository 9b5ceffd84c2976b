//! How the wallet is stored: what changed is appended as a row, and many rows are gathered into one now and then.

use super::{Coins, CoinsError};
use crate::store::{RecordKind, RecordName};
use bdk_wallet::ChangeSet;
use bdk_wallet::chain::{Indexer, Merge};

/// The version of this form.
const VERSION: u8 = 2;

/// From so many rows on they are gathered into one.
const GATHER_AT: u32 = 64;

/// What the store is to do to keep up with the wallet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RowChange {
    /// Nothing changed.
    Nothing,
    /// One more row.
    Append(RecordName, Vec<u8>),
    /// All rows are replaced by this one.
    Gather(RecordName, Vec<u8>),
}

/// The name that all rows start with.
pub(crate) fn rows_prefix() -> RecordName {
    RecordName::only(RecordKind::Coins)
}

fn name(row: u32) -> RecordName {
    RecordName::of(RecordKind::Coins, row.to_be_bytes())
}

impl Coins {
    /// What changed since this was asked last.
    pub(crate) fn take_row_change(&mut self) -> Result<RowChange, CoinsError> {
        let Some(change) = self.wallet.take_staged() else { return Ok(RowChange::Nothing) };
        if self.rows >= GATHER_AT {
            self.rows = 1;
            return Ok(RowChange::Gather(name(0), encode(&self.everything())?));
        }
        self.rows += 1;
        Ok(RowChange::Append(name(self.rows - 1), encode(&change)?))
    }

    /// The whole wallet as one change, except what its keys say.
    fn everything(&self) -> ChangeSet {
        ChangeSet {
            descriptor: None,
            change_descriptor: None,
            network: Some(self.wallet.network()),
            local_chain: self.wallet.local_chain().initial_changeset(),
            tx_graph: self.wallet.tx_graph().initial_changeset(),
            indexer: self.wallet.spk_index().initial_changeset(),
            locked_outpoints: bdk_wallet::locked_outpoints::ChangeSet {
                outpoints: self.wallet.list_locked_outpoints().map(|outpoint| (outpoint, true)).collect(),
            },
        }
    }
}

pub(super) fn read<'a>(stored: impl IntoIterator<Item = &'a [u8]>) -> Result<(ChangeSet, u32), CoinsError> {
    let mut all = ChangeSet::default();
    let mut rows = 0;
    for row in stored {
        let (version, body) = row.split_first().ok_or_else(|| damaged("an empty row"))?;
        if *version != VERSION {
            return Err(damaged(&format!("a row of version {version}")));
        }
        let (network, local_chain, tx_graph, indexer, locked_outpoints) =
            minicbor_serde::from_slice(body).map_err(|error| damaged(&error.to_string()))?;
        let (descriptor, change_descriptor) = (None, None);
        let change = ChangeSet {
            descriptor,
            change_descriptor,
            network,
            local_chain,
            tx_graph,
            indexer,
            locked_outpoints,
        };
        if contradicts(&all, &change) {
            return Err(damaged("a row says otherwise than those before it"));
        }
        all.merge(change);
        rows += 1;
    }
    Ok((all, rows))
}

/// Whether a row is of another network, or has another script where one is known: neither ever changes.
fn contradicts(known: &ChangeSet, row: &ChangeSet) -> bool {
    let is_other_network = known.network.zip(row.network).is_some_and(|(known, row)| known != row);
    let is_other_script = row.indexer.spk_cache.iter().any(|(descriptor, scripts)| {
        let known = known.indexer.spk_cache.get(descriptor);
        let known = |index: &u32| known.and_then(|known| known.get(index));
        scripts.iter().any(|(index, script)| known(index).is_some_and(|known| known != script))
    });
    is_other_network || is_other_script
}

pub(super) fn encode(change: &ChangeSet) -> Result<Vec<u8>, CoinsError> {
    let ChangeSet { network, local_chain, tx_graph, indexer, locked_outpoints, .. } = change;
    let stored = (network, local_chain, tx_graph, indexer, locked_outpoints);
    let body = minicbor_serde::to_vec(stored).map_err(|error| damaged(&error.to_string()))?;
    Ok([&[VERSION], &body[..]].concat())
}

fn damaged(detail: &str) -> CoinsError {
    CoinsError::Damaged { detail: detail.into() }
}
