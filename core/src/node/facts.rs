//! Chain facts, once they are believed: what they mean for coins, channels and payments.

use super::channel_entry::ChannelEntry;
use super::outbox::{Exempt, Gated};
use super::{Event, Node};
use crate::chain::{ChainFact, Confirmation, History, Seen};
use crate::channel;
use crate::coins::{OnchainTransaction, RowChange, rows_prefix};
use crate::store::{RecordKind, RecordName};
use crate::types::{BlockHeight, ShortChannelId};
use bitcoin::block::Header;
use bitcoin::consensus::encode::{deserialize, serialize};
use bitcoin::{OutPoint, ScriptBuf, Transaction};

/// Headers are stored in rows of so many, so that a new block rewrites one small row.
const HEADERS_PER_ROW: BlockHeight = 32;

impl Node {
    pub(super) fn chain_fact(&mut self, fact: ChainFact) {
        match fact {
            ChainFact::Headers(headers) => self.headers(&headers),
            ChainFact::History(history) => self.history(&history),
            ChainFact::Synced { tip, at } => {
                if tip == self.chain.tip().hash {
                    self.synced_at = Some(at);
                    self.blocks_unlooked = 0;
                    self.payments_due = true;
                    self.claims_due.extend(self.channels.keys());
                    self.look_at_tip();
                    self.channels_looked();
                    self.take_up_htlcs();
                }
            }
            ChainFact::FeeRates(rates) => {
                self.fee_rates = rates;
                self.update_fees();
            }
        }
    }

    /// Headers come before what is in their blocks, a device that slept hears of many at once: what a channel concludes from
    /// not having seen something, it concludes now. Where it watches more than it did when all was asked about last, the
    /// question may be older than that: then with the next answer.
    fn channels_looked(&mut self) {
        let height = self.height();
        for (index, entry) in &mut self.channels {
            if !std::mem::take(&mut entry.watches_more) {
                let sees_funding = entry.sees_funding();
                self.todo.push_back((*index, channel::Command::Looked { height, sees_funding }));
            }
        }
        self.run_channels();
    }

    /// A server that hides new blocks cannot be told from one that hangs: either way deadlines are not known.
    fn look_at_tip(&mut self) {
        let is_old = self.is_tip_old();
        if is_old && !self.told_of_old_tip {
            let hours = self.now.unix.0.saturating_sub(self.tip_time().0) / 3600;
            let what = format!(
                "The newest block that the chain server knows is {hours} hours old. Until it has a newer one nothing is \
                 paid or received: check the clock of this device, or choose another chain server."
            );
            self.emit(Event::ActionRequired { what });
        }
        self.told_of_old_tip = is_old;
    }

    /// Every script that must be watched: the wallet's and those of channels.
    pub fn watches(&self) -> Vec<ScriptBuf> {
        let channels = self.channels.values().flat_map(ChannelEntry::watched_scripts);
        self.coins.scripts().into_iter().chain(channels).collect()
    }

    /// The outputs of channels among what must be watched, each with its script: what else its script is paid is nobody's
    /// concern.
    pub fn watched_outputs(&self) -> Vec<(ScriptBuf, OutPoint)> {
        self.channels.values().flat_map(ChannelEntry::watched_outputs).collect()
    }

    /// How many blocks confirm something at this height.
    pub(super) fn depth(&self, height: BlockHeight) -> u32 {
        (self.chain.height() + 1).saturating_sub(height)
    }

    fn headers(&mut self, headers: &[Header]) {
        // Headers that cannot be believed are left out; the source is asked again.
        let Ok(Some(change)) = self.chain.accept(headers, self.now.unix) else { return };
        self.store_headers(change.fork_height);
        // The wallet's blocks are all of this chain, so they connect.
        if self.coins.apply_tip(&self.chain).is_err() {
            return self.halt(super::StoreFailure::Failed);
        }
        if change.removed > 0 {
            self.undo_confirmations(change.fork_height);
        }
        self.blocks_unlooked = self.blocks_unlooked.saturating_add(1);
        self.claims_due = self.channels.keys().copied().collect();
        let height = self.chain.height();
        for index in self.channels.keys().copied().collect::<Vec<_>>() {
            self.todo.push_back((index, channel::Command::NewBlock(height)));
        }
        self.run_channels();
        self.recheck_fundings();
        self.broadcast_again();
        self.payments_due = true;
    }

    fn store_headers(&mut self, fork_height: BlockHeight) {
        let first = self.chain.checkpoint_height() + 1;
        let from = (fork_height + 1).max(first);
        for row in (from / HEADERS_PER_ROW)..=(self.chain.height() / HEADERS_PER_ROW) {
            let heights = (row * HEADERS_PER_ROW).max(first)..(row + 1) * HEADERS_PER_ROW;
            let bytes: Vec<u8> =
                heights.filter_map(|height| self.chain.header(height)).flat_map(serialize).collect();
            self.outbox.put(RecordName::of(RecordKind::Headers, row.to_be_bytes()), bytes);
        }
    }

    fn undo_confirmations(&mut self, fork_height: BlockHeight) {
        let mut undone = Vec::new();
        for (index, entry) in &mut self.channels {
            entry.funding_seen.take_if(|seen| seen.1.height > fork_height);
            // What was seen is forgotten at a start; where it stood is not.
            if entry.funding_height().is_some_and(|height| height > fork_height) {
                undone.push(*index);
            }
        }
        self.todo.extend(undone.into_iter().map(|index| (index, channel::Command::FundingReorged)));
        let above = fork_height;
        let all = self.channels.keys();
        self.todo.extend(all.map(|index| (*index, channel::Command::BlocksUndone { above })));
        self.synced_at = None;
    }

    fn history(&mut self, history: &History) {
        let script = &history.script_pubkey;
        self.channels.values_mut().for_each(|entry| entry.hear_of_funding(history));
        let mut transactions: Vec<(Transaction, Option<Confirmation>)> =
            history.transactions.iter().filter_map(|seen| self.believe(seen)).collect();
        // Parents first, as they stand in the chain.
        transactions.sort_by_key(|(_, seen)| seen.map_or((true, 0, 0), |it| (false, it.height, it.tx_index)));
        let channels: Vec<u32> = self
            .channels
            .iter()
            .filter(|(_, entry)| entry.watched_scripts().contains(script))
            .map(|(index, _)| *index)
            .collect();
        for index in &channels {
            self.channel_history(*index, &transactions);
        }
        self.run_channels();
        if channels.is_empty() {
            // A claim counts once it is in a block: until then it may be replaced, or come to nothing.
            let height = self.height();
            transactions.retain(|(tx, seen)| {
                seen.is_some() || !self.channels.values().any(|entry| entry.is_claim(tx, height))
            });
            self.coins_history(script, &transactions);
        }
    }

    /// A transaction with a wrong proof is left out altogether: its source lies.
    fn believe(&self, seen: &Seen) -> Option<(Transaction, Option<Confirmation>)> {
        let confirmation = match &seen.proof {
            Some(proof) => Some(proof.check(&seen.tx, &self.chain).ok()?),
            None => None,
        };
        Some((seen.tx.clone(), confirmation))
    }

    fn coins_history(&mut self, script: &ScriptBuf, transactions: &[(Transaction, Option<Confirmation>)]) {
        let watched = self.coins.script_count();
        let before = self.onchain_news(transactions);
        if self.coins.apply_history(script, transactions, &self.chain, self.now.unix).is_err() {
            return self.halt(super::StoreFailure::Failed);
        }
        let after = self.onchain_news(transactions);
        for (known, now) in before.into_iter().zip(after) {
            let Some(now) = now else { continue };
            let confirmed = now.height.is_some();
            let is_news = known.is_none_or(|known| known.height.is_some() != confirmed);
            if is_news {
                self.emit(Event::Onchain { txid: now.txid, net_sat: now.net_sat, confirmed });
            }
        }
        if self.coins.script_count() != watched {
            self.outbox.exempt(Exempt::WatchesChanged);
        }
    }

    fn onchain_news(
        &self,
        transactions: &[(Transaction, Option<Confirmation>)],
    ) -> Vec<Option<OnchainTransaction>> {
        transactions.iter().map(|(tx, _)| self.coins.transaction(tx.compute_txid())).collect()
    }

    fn channel_history(&mut self, index: u32, transactions: &[(Transaction, Option<Confirmation>)]) {
        let Some(entry) = self.channels.get_mut(&index) else { return };
        let Some(outpoint) = entry.funding_outpoint() else { return };
        for (tx, confirmation) in transactions {
            if tx.compute_txid() == outpoint.txid {
                entry.funding_seen = confirmation.map(|confirmation| (tx.clone(), confirmation));
                continue;
            }
            let is_close = tx.input.iter().any(|input| input.previous_output == outpoint);
            if !is_close || confirmation.is_some() || entry.channel.is_signed_spend(tx) {
                let height = confirmation.map(|confirmation| confirmation.height);
                self.todo.push_back((index, channel::Command::Spent { tx: tx.clone(), height }));
            }
        }
        self.recheck_funding(index);
    }

    fn recheck_fundings(&mut self) {
        for index in self.channels.keys().copied().collect::<Vec<_>>() {
            self.recheck_funding(index);
        }
        self.run_channels();
    }

    /// Tells a channel that its funding is deep enough.
    fn recheck_funding(&mut self, index: u32) {
        let Some(entry) = self.channels.get(&index) else { return };
        if let (Some(needed), Some((tx, seen))) = (entry.funding_depth_needed(), &entry.funding_seen)
            && let Some(outpoint) = entry.funding_outpoint()
            && self.depth(seen.height) >= coinbase_maturity(tx).max(needed)
            && let Some(short_channel_id) = short_channel_id(seen, outpoint)
        {
            let command = channel::Command::FundingConfirmed { tx: tx.clone(), short_channel_id };
            self.todo.push_back((index, command));
        }
    }

    /// Contract P9: what may not have reached the network is published again with every block.
    pub(super) fn broadcast_again(&mut self) {
        let own = self.coins.unconfirmed_own().into_iter().map(|tx| vec![tx]);
        let channels = self.to_publish();
        for package in own.chain(channels).collect::<Vec<_>>() {
            self.outbox.gated(Gated::Broadcast(package));
        }
    }

    /// The opener pays for commitments, and keeps their fee rate near what the network asks.
    fn update_fees(&mut self) {
        let estimate = self.commitment_feerate();
        for index in self.channels.keys().copied().collect::<Vec<_>>() {
            if self.channels[&index].wants_feerate(estimate) {
                self.todo.push_back((index, channel::Command::UpdateFee(estimate)));
            }
        }
        self.run_channels();
    }

    pub(super) fn store_coins(&mut self) {
        match self.coins.take_row_change() {
            Ok(RowChange::Nothing) => {}
            Ok(RowChange::Append(name, row)) => self.outbox.put(name, row),
            Ok(RowChange::Gather(name, row)) => self.outbox.replace(&rows_prefix(), [(name, row)]),
            Err(_) => self.halt(super::StoreFailure::Failed),
        }
    }
}

/// Reads a row of headers.
pub(super) fn read_headers(row: &[u8]) -> Option<Vec<Header>> {
    row.chunks(Header::SIZE).map(|bytes| deserialize(bytes).ok()).collect()
}

/// What a block creates can be spent 100 blocks later (BOLT 2, channel_ready).
fn coinbase_maturity(tx: &Transaction) -> u32 {
    if tx.is_coinbase() { bitcoin::constants::COINBASE_MATURITY } else { 0 }
}

fn short_channel_id(seen: &Confirmation, outpoint: OutPoint) -> Option<ShortChannelId> {
    ShortChannelId::new(seen.height, seen.tx_index, u16::try_from(outpoint.vout).ok()?)
}
