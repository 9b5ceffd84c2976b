//! What happened to scripts. Anybody can pay to a script, as often and with as much as they like: one whose history cannot
//! be read costs nothing but that history, and for the outputs of channels there is another way.

use super::answers::{Spend, Status, Tx};
use super::http::{Http, LARGE, SMALL, garbage, missing};
use super::proofs::Proofs;
use super::{ChainError, ChainView};
use bitcoin::hashes::{Hash, HashEngine, sha256};
use bitcoin::{BlockHash, OutPoint, ScriptBuf, Transaction, Txid};
use kite_core::chain::Seen;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Confirmed transactions on a page of a script's history.
const PAGE: usize = 25;
/// The most pages of one script.
const MAX_PAGES: usize = 200;
/// The most bytes of histories in one look: more than forty thousand transactions.
const MAX_HISTORY_BYTES: usize = 64 * 1024 * 1024;
/// The most bytes of one script, so that those that are read at once leave something to the others.
const MAX_SCRIPT_BYTES: usize = MAX_HISTORY_BYTES / 4;
/// One script takes no longer than so many answers may. Its proofs are kept, so that the next look gets further.
const MAX_SCRIPT_TIMEOUTS: u64 = 6;

/// What a history is remembered by: two with the same digest say the same.
pub(super) type Digest = [u8; 32];

/// What a look finds out about one script.
pub(super) struct Found {
    pub(super) script: ScriptBuf,
    /// Unset where nothing could be read.
    pub(super) news: Option<News>,
    /// What came of the whole history.
    pub(super) whole: Whole,
}

/// What came of a script's whole history.
pub(super) enum Whole {
    Read,
    Failed(ChainError),
    /// It could not be read a while ago.
    NotAsked,
}

/// A history, unset where it was told before.
pub(super) type News = (Digest, Option<Vec<Seen>>);

/// Reads histories for one look.
pub(super) struct Histories<'a> {
    http: &'a Http,
    proofs: &'a Proofs,
    view: &'a ChainView,
    /// All of a look is held in memory at once: how many bytes may still come of it.
    left: AtomicUsize,
}

impl<'a> Histories<'a> {
    pub(super) const fn new(http: &'a Http, proofs: &'a Proofs, view: &'a ChainView) -> Self {
        Self { http, proofs, view, left: AtomicUsize::new(MAX_HISTORY_BYTES) }
    }

    /// What happened to a script. Where its whole history is not due, only the outputs of channels are asked for.
    ///
    /// # Errors
    /// The server does not answer at all.
    pub(super) async fn of(
        &self,
        script: ScriptBuf,
        told: Option<&Digest>,
        is_due: bool,
    ) -> Result<Found, ChainError> {
        let mut whole = Whole::NotAsked;
        if is_due {
            let most_millis = self.http.timeout_millis().saturating_mul(MAX_SCRIPT_TIMEOUTS);
            let reason = match self.http.within(most_millis, self.whole(&script, told)).await {
                Ok(news) => return Ok(Found { script, news: Some(news), whole: Whole::Read }),
                Err(reason) => Box::new(reason),
            };
            self.http.tip().await?;
            whole = Whole::Failed(ChainError::Unread { script: script.clone(), reason });
        }
        let outputs: Vec<OutPoint> = self.view.outputs_of(&script).collect();
        let news = match outputs.is_empty() {
            true => None,
            false => self.of_outputs(&outputs, told).await.ok(),
        };
        Ok(Found { script, news, whole })
    }

    /// The whole history.
    async fn whole(&self, script: &ScriptBuf, told: Option<&Digest>) -> Result<News, ChainError> {
        let mut share = Share { left: &self.left, taken: 0 };
        let found = self.transactions(script, &mut share).await?;
        let digest = digest(found.iter().map(|tx| (tx.txid, &tx.status)));
        if told == Some(&digest) {
            return Ok((digest, None));
        }
        let mut transactions = Vec::with_capacity(found.len());
        for found in found {
            let (txid, status) = (found.txid, found.status.clone());
            transactions.push(self.seen(txid, found.into_transaction(), &status).await?);
        }
        share.keep();
        Ok((digest, Some(transactions)))
    }

    /// What made these outputs and what spends them, whatever else was paid to their script.
    async fn of_outputs(&self, outputs: &[OutPoint], told: Option<&Digest>) -> Result<News, ChainError> {
        let mut found = BTreeMap::new();
        for OutPoint { txid, vout } in outputs {
            if !found.contains_key(txid)
                && let Some(status) = self.http.json(&format!("/tx/{txid}/status"), SMALL).await?
            {
                found.insert(*txid, status);
            }
            let path = format!("/tx/{txid}/outspend/{vout}");
            let spend: Option<Spend> = self.http.json(&path, SMALL).await?;
            if let Some(Spend { txid: Some(txid), status }) = spend {
                found.insert(txid, status.ok_or_else(|| garbage(&path, "a spend that stands nowhere"))?);
            }
        }
        let digest = digest(found.iter().map(|(txid, status)| (*txid, status)));
        if told == Some(&digest) {
            return Ok((digest, None));
        }
        let mut share = Share { left: &self.left, taken: 0 };
        let mut transactions = Vec::with_capacity(found.len());
        for (txid, status) in found {
            let path = format!("/tx/{txid}/raw");
            match self.http.decoded::<Transaction>(&path, LARGE).await? {
                Some(tx) => {
                    share.take(tx.total_size(), &path)?;
                    transactions.push(self.seen(txid, tx, &status).await?);
                }
                None if status.confirmed => return Err(missing(&path)),
                // Servers give a status to transactions that they do not know.
                None => {}
            }
        }
        share.keep();
        Ok((digest, Some(transactions)))
    }

    async fn seen(&self, txid: Txid, tx: Transaction, status: &Status) -> Result<Seen, ChainError> {
        if tx.compute_txid() != txid {
            return Err(garbage("a history", format_args!("transaction {txid} has another id")));
        }
        let proof = match (status.confirmed, status.block_hash, status.block_height) {
            (false, _, _) => None,
            (true, Some(block), Some(height)) => Some(self.proofs.get(self.http, &tx, block, height).await?),
            _ => return Err(garbage("a history", "a confirmed transaction without a block")),
        };
        Ok(Seen { tx, proof })
    }

    async fn transactions(&self, script: &ScriptBuf, share: &mut Share<'_>) -> Result<Vec<Tx>, ChainError> {
        let script_hash = sha256::Hash::hash(script.as_bytes());
        let mut path = format!("/scripthash/{script_hash}/txs");
        let mut found: Vec<Tx> = Vec::new();
        let mut seen: BTreeSet<Txid> = BTreeSet::new();
        for _ in 0..MAX_PAGES {
            let body = self.http.get(&path, LARGE).await?.ok_or_else(|| missing(&path))?;
            share.take(body.len(), &path)?;
            let page: Vec<Tx> = serde_json::from_slice(&body).map_err(|error| garbage(&path, error))?;
            let confirmed = page.iter().filter(|tx| tx.status.confirmed).count();
            let last = page.iter().rev().find(|tx| tx.status.confirmed).map(|tx| tx.txid);
            let before = found.len();
            found.extend(page.into_iter().filter(|tx| seen.insert(tx.txid)));
            match last {
                // A server that repeats itself would be asked for ever.
                Some(last) if confirmed >= PAGE && found.len() > before => {
                    path = format!("/scripthash/{script_hash}/txs/chain/{last}");
                }
                _ => return Ok(found),
            }
        }
        Err(ChainError::TooManyTransactions { limit: MAX_PAGES * PAGE })
    }
}

fn digest<'a>(transactions: impl Iterator<Item = (Txid, &'a Status)>) -> Digest {
    let places: BTreeSet<(Txid, Option<BlockHash>)> =
        transactions.map(|(txid, status)| (txid, status.block_hash.filter(|_| status.confirmed))).collect();
    let mut engine = sha256::Hash::engine();
    for (txid, block) in places {
        engine.input(txid.as_byte_array());
        engine.input(block.map_or([0; 32], |block| block.to_byte_array()).as_slice());
    }
    sha256::Hash::from_engine(engine).to_byte_array()
}

/// What one script takes of what a look may bring. It is given back where nothing comes of it.
struct Share<'a> {
    left: &'a AtomicUsize,
    taken: usize,
}

impl Share<'_> {
    fn take(&mut self, bytes: usize, path: &str) -> Result<(), ChainError> {
        let too_large = |limit| ChainError::TooLarge { path: path.into(), limit };
        if self.taken.saturating_add(bytes) > MAX_SCRIPT_BYTES {
            return Err(too_large(MAX_SCRIPT_BYTES));
        }
        self.left
            .fetch_update(Relaxed, Relaxed, |left| left.checked_sub(bytes))
            .map_err(|_| too_large(MAX_HISTORY_BYTES))?;
        self.taken += bytes;
        Ok(())
    }

    fn keep(mut self) {
        self.taken = 0;
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.left.fetch_add(self.taken, Relaxed);
    }
}
