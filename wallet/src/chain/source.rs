//! One look at the chain: headers first, then what happened to the watched scripts, then what fees are paid.

use super::histories::{Digest, Found, Histories, Whole};
use super::http::{Http, MEDIUM};
use super::proofs::Proofs;
use super::unread::Unread;
use super::{ChainConfig, ChainError, ChainView, headers};
use crate::platform::{self, Clock};
use bitcoin::{BlockHash, ScriptBuf};
use futures::{StreamExt, TryStreamExt};
use kite_core::chain::{ChainFact, FeeRates, History, ProofError};
use kite_core::types::{FeeratePerKw, Instant};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many scripts are asked about at once.
const AT_ONCE: usize = 4;

/// Looks at the chain through one server.
#[derive(Debug)]
pub struct ChainSource {
    config: ChainConfig,
    http: Http,
    proofs: Proofs,
    clock: ClockRef,
    /// What was said about a script last.
    told: BTreeMap<ScriptBuf, Digest>,
    unread: Unread,
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
    /// What could not be read, though the rest could.
    pub trouble: Option<ChainError>,
    /// What could not be read is an output of a channel: the node is not in step with the chain.
    pub blind: bool,
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
            unread: Unread::new(config.scripts_millis),
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
    /// What is wrong with the server. What it said in this look is left out, and said again in the next one.
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

    /// Leaves out what this look said of a script, which proves nothing: the server broke down or lied, and may say something
    /// else when it is asked again.
    pub fn disbelieve(&mut self, script: &ScriptBuf, error: ProofError) -> ChainError {
        let reason = Box::new(ChainError::Unproven { error });
        let error = ChainError::Unread { script: script.clone(), reason };
        self.told.remove(script);
        self.unread.disbelieved(script.clone(), error.clone(), self.clock.0.now().mono);
        self.asked = None;
        self.proofs.forget();
        error
    }

    async fn look_once(&mut self, view: &ChainView) -> Result<Look, ChainError> {
        let tip = self.http.tip().await?;
        let known = view.tip().ok_or(ChainError::OtherNetwork)?;
        if tip != known.hash {
            return self.headers(view, tip, known.hash).await;
        }
        self.given = None;
        let now = self.clock.0.now().mono;
        let everything = self
            .asked
            .is_none_or(|(at_tip, at)| at_tip != tip || now >= at.plus_millis(self.config.scripts_millis));
        let found = self.histories(view, everything, now).await?;
        // Histories belong to a tip only if it is still the tip after they were read.
        if (everything || !found.is_empty()) && self.http.tip().await? != tip {
            return Ok(Look { more: true, trouble: self.unread.trouble(), ..Look::default() });
        }
        let asks_fees = self.fees_at.is_none_or(|at| now >= at.plus_millis(self.config.fees_millis));
        let rates = if asks_fees { Some(self.fee_rates().await) } else { None };

        // Nothing is waited for any more, and nothing fails: what counts as told from here on is given to the caller.
        let mut look = Look::default();
        for Found { script, news, whole } in found {
            look.blind |= news.is_none() && view.outputs_of(&script).next().is_some();
            if let Some((digest, transactions)) = news {
                self.told.insert(script.clone(), digest);
                let script_pubkey = script.clone();
                let history = transactions.map(|transactions| History { script_pubkey, transactions });
                look.facts.extend(history.map(ChainFact::History));
            }
            match whole {
                Whole::Read => self.unread.was_read(&script),
                Whole::Failed(error) => self.unread.failed(script, error, now),
                Whole::NotAsked => {}
            }
        }
        match rates {
            Some(Ok(rates)) => {
                look.facts.extend(rates.map(ChainFact::FeeRates));
                self.fees_at = Some(now);
            }
            // The last estimate is used until there is one again.
            Some(Err(error)) => look.trouble = Some(error),
            None => {}
        }
        if everything {
            let watched: BTreeSet<&ScriptBuf> = view.watches.iter().collect();
            self.told.retain(|script, _| watched.contains(script));
            self.unread.retain(|script| watched.contains(script));
            if !look.blind {
                self.asked = Some((tip, now));
                look.facts.push(ChainFact::Synced { tip, at: self.clock.0.now().unix });
            }
        }
        look.trouble = self.unread.trouble().or(look.trouble);
        Ok(look)
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
        if headers.first().is_some_and(|first| first.prev_blockhash != known) {
            // The node undoes what was in the blocks that it leaves. If they come back, it has to be told again.
            self.told.clear();
        }
        self.given = Some((tip, known));
        let facts = vec![ChainFact::Headers(headers)];
        Ok(Look { facts, more: true, trouble: self.unread.trouble(), ..Look::default() })
    }

    /// What happened to the scripts that are due.
    async fn histories(
        &self,
        view: &ChainView,
        everything: bool,
        now: Instant,
    ) -> Result<Vec<Found>, ChainError> {
        let mut scripts = view.watches.clone();
        scripts.retain(|script| everything || !self.told.contains_key(script));
        let histories = &Histories::new(&self.http, &self.proofs, view);
        futures::stream::iter(scripts)
            .map(|script| {
                let (told, is_due) = (self.told.get(&script), self.unread.is_due(&script, now));
                histories.of(script, told, is_due)
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
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

struct ClockRef(Arc<dyn Clock>);

impl std::fmt::Debug for ClockRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}
