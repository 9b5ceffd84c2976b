//! One look at the chain: headers first, then what happened to the watched scripts, then what fees are paid.

use super::http::{Http, LARGE, MEDIUM, garbage, missing};
use super::proofs::Proofs;
use super::{ChainConfig, ChainError, ChainView, headers};
use crate::platform::{self, Clock};
use bitcoin::hashes::{Hash, HashEngine, sha256};
use bitcoin::{BlockHash, ScriptBuf, Txid};
use esplora_client::api::Tx;
use futures::{StreamExt, TryStreamExt};
use kite_core::chain::{ChainFact, FeeRates, History, Seen};
use kite_core::types::{FeeratePerKw, Instant};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// How many scripts are asked about at once.
const AT_ONCE: usize = 4;
/// Confirmed transactions on a page of a script's history.
const PAGE: usize = 25;
/// The most pages of one script.
const MAX_PAGES: usize = 200;
/// The most bytes of histories in one look: more than forty thousand transactions.
const MAX_HISTORY_BYTES: usize = 64 * 1024 * 1024;

/// Looks at the chain through one server.
#[derive(Debug)]
pub struct ChainSource {
    config: ChainConfig,
    http: Http,
    proofs: Proofs,
    clock: ClockRef,
    /// What was said about a script last.
    told: BTreeMap<ScriptBuf, [u8; 32]>,
    /// When and at which tip every script was asked about.
    asked: Option<(BlockHash, Instant)>,
    /// When fees were asked for.
    fees_at: Option<Instant>,
    /// The server's tip whose headers were given to the node, with the tip it had then.
    given: Option<(BlockHash, BlockHash)>,
}

/// What one look found.
#[derive(Debug, Default)]
pub struct Look {
    /// For the node, in this order.
    pub facts: Vec<ChainFact>,
    /// There is more: look again at once, with the view that the node has after these facts.
    pub more: bool,
}

impl ChainSource {
    /// A source that has not looked yet.
    ///
    /// # Errors
    /// [`ChainError::InvalidUrl`].
    pub fn new(
        config: ChainConfig,
        http: Arc<dyn platform::Http>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ChainError> {
        Ok(Self {
            http: Http::new(&config, http, clock.clone())?,
            config,
            proofs: Proofs::default(),
            clock: ClockRef(clock),
            told: BTreeMap::new(),
            asked: None,
            fees_at: None,
            given: None,
        })
    }

    /// How often to look.
    pub const fn poll_millis(&self) -> u64 {
        self.config.poll_millis
    }

    /// The next look asks about every script.
    pub fn ask_all(&mut self) {
        self.asked = None;
    }

    /// Looks once.
    ///
    /// # Errors
    /// What is wrong with the server. What it said in this look is left out.
    pub async fn look(&mut self, view: &ChainView) -> Result<Look, ChainError> {
        let found = self.look_once(view).await;
        if found.as_ref().is_err_and(ChainError::is_suspicious) {
            self.distrust();
        }
        found
    }

    /// Forgets all that the server said: it is broken or lies, and may say something else when it is asked again.
    pub fn distrust(&mut self) {
        self.told.clear();
        self.asked = None;
        self.proofs.forget();
    }

    async fn look_once(&mut self, view: &ChainView) -> Result<Look, ChainError> {
        let tip = self.tip().await?;
        let known = view.tip().ok_or(ChainError::OtherNetwork)?;
        if tip != known.hash {
            return self.headers(view, tip, known.hash).await;
        }
        self.given = None;
        let now = self.clock.0.now().mono;
        let mut facts = Vec::new();
        let everything = self
            .asked
            .is_none_or(|(at_tip, at)| at_tip != tip || now >= at.plus_millis(self.config.scripts_millis));
        let histories = self.histories(view, everything).await?;
        if !histories.is_empty() || everything {
            // Histories belong to a tip only if it is still the tip after they were read.
            if self.tip().await? != tip {
                return Ok(Look { facts, more: true });
            }
        }
        for (digest, history) in histories {
            self.told.insert(history.script_pubkey.clone(), digest);
            facts.push(ChainFact::History(history));
        }
        if self.fees_at.is_none_or(|at| now >= at.plus_millis(self.config.fees_millis)) {
            facts.extend(self.fee_rates().await?.map(ChainFact::FeeRates));
            self.fees_at = Some(now);
        }
        if everything {
            let watched: BTreeSet<&ScriptBuf> = view.watches.iter().collect();
            self.told.retain(|script, _| watched.contains(script));
            self.asked = Some((tip, now));
            facts.push(ChainFact::Synced { tip, at: self.clock.0.now().unix });
        }
        Ok(Look { facts, more: false })
    }

    async fn tip(&self) -> Result<BlockHash, ChainError> {
        let path = "/blocks/tip/hash";
        self.http.text(path).await?.ok_or_else(|| missing(path))
    }

    async fn headers(
        &mut self,
        view: &ChainView,
        tip: BlockHash,
        known: BlockHash,
    ) -> Result<Look, ChainError> {
        if view.knows(&tip).is_some() {
            return Err(ChainError::Behind { tip });
        }
        if self.given == Some((tip, known)) {
            // Given before, and the node is where it was.
            self.given = None;
            return Err(ChainError::Disbelieved { tip });
        }
        let headers = headers::newer(&self.http, view).await?;
        if headers.is_empty() {
            return Err(ChainError::Behind { tip });
        }
        self.given = Some((tip, known));
        Ok(Look { facts: vec![ChainFact::Headers(headers)], more: true })
    }

    /// What changed, with the digest to remember it by.
    async fn histories(
        &self,
        view: &ChainView,
        everything: bool,
    ) -> Result<Vec<([u8; 32], History)>, ChainError> {
        let mut scripts = view.watches.clone();
        scripts.retain(|script| everything || !self.told.contains_key(script));
        let left = &AtomicUsize::new(MAX_HISTORY_BYTES);
        futures::stream::iter(scripts)
            .map(|script| self.history(script, left))
            .buffer_unordered(AT_ONCE)
            .try_filter_map(|changed| async move { Ok(changed) })
            .try_collect()
            .await
    }

    async fn history(
        &self,
        script: ScriptBuf,
        left: &AtomicUsize,
    ) -> Result<Option<([u8; 32], History)>, ChainError> {
        let found = self.transactions(&script, left).await?;
        let digest = digest(&found);
        if self.told.get(&script) == Some(&digest) {
            return Ok(None);
        }
        let mut transactions = Vec::with_capacity(found.len());
        for found in found {
            let tx = found.to_tx();
            if tx.compute_txid() != found.txid {
                return Err(garbage("a history", format_args!("transaction {} has another id", found.txid)));
            }
            let proof = match (found.status.confirmed, found.status.block_hash, found.status.block_height) {
                (false, _, _) => None,
                (true, Some(block), Some(height)) => {
                    Some(self.proofs.get(&self.http, &tx, block, height).await?)
                }
                _ => return Err(garbage("a history", "a confirmed transaction without a block")),
            };
            transactions.push(Seen { tx, proof });
        }
        Ok(Some((digest, History { script_pubkey: script, transactions })))
    }

    /// All of a look is held in memory at once: `left` is how many bytes may still come of it.
    async fn transactions(&self, script: &ScriptBuf, left: &AtomicUsize) -> Result<Vec<Tx>, ChainError> {
        let script_hash = sha256::Hash::hash(script.as_bytes());
        let mut path = format!("/scripthash/{script_hash}/txs");
        let mut found: Vec<Tx> = Vec::new();
        let mut seen: BTreeSet<Txid> = BTreeSet::new();
        for _ in 0..MAX_PAGES {
            let body = self.http.get(&path, LARGE).await?.ok_or_else(|| missing(&path))?;
            left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(body.len()))
                .map_err(|_| ChainError::TooLarge { path: path.clone(), limit: MAX_HISTORY_BYTES })?;
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

    /// Unset where the server has no estimates, as on an empty regtest chain.
    async fn fee_rates(&self) -> Result<Option<FeeRates>, ChainError> {
        let path = "/fee-estimates";
        let estimates: BTreeMap<u16, f64> = self.http.json(path, MEDIUM).await?.unwrap_or_default();
        let within = |blocks: u16| {
            let usable = |rate: &f64| rate.is_finite() && *rate > 0.0;
            let slow = estimates.range(..=blocks).rev().map(|(_, rate)| *rate).find(usable);
            slow.or_else(|| estimates.values().copied().find(usable)).map(per_kw)
        };
        let (Some(background), Some(normal), Some(urgent)) = (within(144), within(6), within(2)) else {
            return Ok(None);
        };
        Ok(Some(FeeRates::new(background, normal, urgent)))
    }
}

/// A virtual byte is four weight units. The conversion from a float saturates.
fn per_kw(sat_per_vb: f64) -> FeeratePerKw {
    FeeratePerKw::from_sat_per_kw((sat_per_vb * 250.0).ceil().clamp(0.0, f64::from(u32::MAX)) as u32)
}

/// Two histories with the same digest say the same.
fn digest(transactions: &[Tx]) -> [u8; 32] {
    let places: BTreeSet<(Txid, Option<BlockHash>)> = transactions
        .iter()
        .map(|tx| (tx.txid, tx.status.block_hash.filter(|_| tx.status.confirmed)))
        .collect();
    let mut engine = sha256::Hash::engine();
    for (txid, block) in places {
        engine.input(txid.as_byte_array());
        engine.input(block.map_or([0; 32], |block| block.to_byte_array()).as_slice());
    }
    sha256::Hash::from_engine(engine).to_byte_array()
}

struct ClockRef(Arc<dyn Clock>);

impl std::fmt::Debug for ClockRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}
