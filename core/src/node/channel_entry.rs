//! A channel with what the node knows about it besides its state.

use super::load::{LoadError, StoredRow};
use super::opening::Opening;
use super::terms::{InboundPolicy, Terms};
use crate::chain::{Confirmation, History};
use crate::channel::{self, Channel, Closer, FreezeCause, Frozen, RowError, RowName, State, Watch};
use crate::crypto::{ChannelSigner, NodeKeys};
use crate::onchain::{Bid, Bids};
use crate::types::{BlockHeight, CommitmentNumber, ConnId, Features, FeeratePerKw, Instant, MilliSatoshi};
use bitcoin::secp256k1::PublicKey;
use bitcoin::{OutPoint, ScriptBuf, Transaction, Txid};
use std::collections::{BTreeMap, BTreeSet};

/// A channel with what the node knows about it besides its state.
#[derive(Debug)]
pub(super) struct ChannelEntry {
    /// The peer.
    pub(super) node_id: PublicKey,
    /// The state machine.
    pub(super) channel: Channel,
    /// Its secrets.
    pub(super) signer: ChannelSigner,
    /// The connection over which the peer is reached.
    pub(super) conn: Option<ConnId>,
    /// What the peer offered in its last `init`.
    pub(super) remote_features: Features,
    /// The channel as it was stored last; unset while nothing of it is stored.
    pub(super) stored: Option<Channel>,
    /// What is stored beside the state.
    pub(super) terms: Terms,
    /// The owner's wish that opened it.
    pub(super) opening: Option<Opening>,
    /// The funding transaction, once it is proven to be in a block.
    pub(super) funding_seen: Option<(Transaction, Confirmation)>,
    /// Whether the last history of the funding output tells of the funding transaction, proven or not.
    is_funding_told: bool,
    /// Whether something is watched that was not when all was asked about last.
    pub(super) watches_more: bool,
    /// The rows of the peer's revoked commitments.
    pub(super) revoked: BTreeMap<CommitmentNumber, Vec<u8>>,
    /// Since when HTLCs of ours wait for the peer's `revoke_and_ack` to be signed.
    pub(super) waits_since: Option<Instant>,
    /// Whether the owner was told that coins are missing to pay for its close.
    pub(super) misses_coins: bool,
}

impl ChannelEntry {
    pub(super) fn new(channel: Channel, keys: &NodeKeys, terms: Terms) -> Self {
        Self {
            node_id: channel.peer,
            signer: ChannelSigner::new(keys.channel_keys(channel.key_index)),
            channel,
            conn: None,
            remote_features: Features::empty(),
            stored: None,
            terms,
            opening: None,
            funding_seen: None,
            is_funding_told: false,
            watches_more: false,
            revoked: BTreeMap::new(),
            waits_since: None,
            misses_coins: false,
        }
    }

    pub(super) fn load(index: u32, rows: Vec<StoredRow>, keys: &NodeKeys) -> Result<Self, LoadError> {
        let damaged =
            |detail: String| LoadError::Damaged { what: "channel", detail: format!("{index}: {detail}") };
        let (terms, rows): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(name, _)| name == Terms::ROW);
        let (_, terms) = terms.first().ok_or_else(|| damaged("its terms are missing".into()))?;
        let terms = Terms::from_bytes(terms).map_err(damaged)?;
        let (mut read, mut revoked) = (Vec::new(), BTreeMap::new());
        for (name, content) in rows {
            let name = RowName::from_bytes(&name).map_err(|error| damaged(error.to_string()))?;
            match name {
                RowName::Revoked(number) => drop(revoked.insert(number, content)),
                name => read.push((name, content)),
            }
        }
        let channel = Channel::from_rows(read).map_err(|error| match error {
            RowError::NewerVersion { version, .. } => LoadError::NewerVersion { what: "channel", version },
            error => damaged(error.to_string()),
        })?;
        Ok(Self { stored: Some(channel.clone()), revoked, ..Self::new(channel, keys, terms) })
    }

    /// The output that is the channel, once there is one.
    pub(super) fn funding_outpoint(&self) -> Option<OutPoint> {
        self.channel.commitments().map(|commitments| commitments.params.funding_outpoint)
    }

    /// Takes what a server says of the funding output. What it cannot prove confirms nothing, and is a reason not to give the
    /// channel up.
    pub(super) fn hear_of_funding(&mut self, history: &History) {
        let Some(commitments) = self.channel.commitments() else { return };
        let params = &commitments.params;
        if params.funding_script().to_p2wsh() == history.script_pubkey {
            self.is_funding_told = history.transactions.iter().any(|seen| params.is_funded_by(&seen.tx));
        }
    }

    /// Whether there is a funding transaction, as far as anybody told.
    pub(super) fn sees_funding(&self) -> bool {
        let Some(commitments) = self.channel.commitments() else { return false };
        let pays = |(tx, _): &(Transaction, Confirmation)| commitments.params.is_funded_by(tx);
        self.is_funding_told || self.funding_seen.as_ref().is_some_and(pays)
    }

    /// The scripts of everything that has to be watched for it.
    pub(super) fn watched_scripts(&self) -> BTreeSet<ScriptBuf> {
        self.watched_outputs().into_iter().map(|(script, _)| script).collect()
    }

    /// The outputs that have to be watched for it, each with its script.
    pub(super) fn watched_outputs(&self) -> BTreeSet<(ScriptBuf, OutPoint)> {
        let watches = self.channel.watches().into_iter();
        let outputs = watches.map(|watch| match watch {
            Watch::FundingConfirmed { script, outpoint, .. }
            | Watch::FundingSpent { script, outpoint }
            | Watch::OutputSpent { script, outpoint } => (script, outpoint),
        });
        outputs.collect()
    }

    /// The coins of the wallet that are used by what was published for the close.
    pub(super) fn coins_of_bids(&self) -> BTreeSet<OutPoint> {
        let bids = || self.channel.bids().into_iter().flat_map(Bids::live);
        // What a closing transaction pays us is a coin of the wallet already.
        let payouts = bids().filter(|_| self.closes_together()).flat_map(Bid::claimed);
        bids().flat_map(Bid::coins).chain(payouts).collect()
    }

    const fn closes_together(&self) -> bool {
        match &self.channel.state {
            State::Negotiating(_) => true,
            State::Closing(closing) => matches!(closing.closer, Closer::Mutual),
            _ => false,
        }
    }

    /// Whether a transaction is, or competes with, a claim of ours: under way, or made by another copy of this wallet.
    pub(super) fn is_claim(&self, tx: &Transaction, height: BlockHeight) -> bool {
        let bids = self.channel.bids().into_iter().flat_map(Bids::live).flat_map(Bid::claimed);
        let claimed: BTreeSet<OutPoint> = bids.chain(self.channel.claimable(height)).collect();
        tx.input.iter().any(|input| claimed.contains(&input.previous_output))
    }

    /// How deep the funding transaction must be, as long as somebody waits for it.
    pub(super) fn funding_depth_needed(&self) -> Option<u32> {
        let confirmed = self.channel.commitments()?.funding.short_channel_id.is_some();
        self.channel.watches().into_iter().find_map(|watch| match watch {
            Watch::FundingConfirmed { depth, .. } if !confirmed => Some(depth),
            _ => None,
        })
    }

    /// The height of the funding transaction, once it was deep enough.
    pub(super) fn funding_height(&self) -> Option<BlockHeight> {
        Some(self.channel.commitments()?.funding.short_channel_id?.block())
    }

    /// Our funding transaction, from when it is signed and while it may have to be published.
    pub(super) fn funding_tx(&self) -> Option<&Transaction> {
        match &self.channel.state {
            State::WaitForFundingSigned(state) => Some(&state.funding_tx),
            _ => self.channel.commitments()?.funding.tx.as_ref(),
        }
    }

    /// Whether closing it may still have to be paid for from the on-chain coins (BOLT 3, anchors).
    pub(super) fn needs_reserve(&self) -> bool {
        match &self.channel.state {
            State::Closing(closing) => {
                let has_htlcs = closing.close.as_ref().is_some_and(|close| {
                    close.htlcs().any(|(output, _)| closing.spends.of(close.outpoint(output)).is_none())
                });
                let pays_for_htlcs = closing.closer == Closer::Local && has_htlcs;
                closing.closer != Closer::Mutual && (closing.height.is_none() || pays_for_htlcs)
            }
            // The peer closes, and what it leaves us needs nobody's help.
            State::Frozen(Frozen { cause: FreezeCause::FellBehind, .. }) | State::Closed(_) => false,
            _ => true,
        }
    }

    /// The most that one payment can bring through it.
    pub(super) fn receivable(&self) -> MilliSatoshi {
        if self.channel.is_usable() { self.channel.receivable() } else { MilliSatoshi::ZERO }
    }

    /// How a payer can reach us through it, as soon as the peer is there; unset while no payment can come.
    pub(super) fn inbound_policy(&self) -> Option<InboundPolicy> {
        if !(self.channel.is_ready() && self.channel.may_answer_htlcs()) {
            return None;
        }
        let funding = &self.channel.commitments()?.funding;
        let short_channel_id = funding.remote_alias.or(funding.short_channel_id)?;
        Some(self.terms.inbound_policy(short_channel_id))
    }

    pub(super) fn closing_txid(&self) -> Option<Txid> {
        match &self.channel.state {
            State::Closing(closing) => Some(closing.txid),
            State::Negotiating(state) => state.agreed.as_ref().map(Transaction::compute_txid),
            _ => None,
        }
    }

    pub(super) fn close_reason(&self) -> Option<String> {
        match &self.channel.state {
            State::Closing(closing) => Some(closing.reason.to_string()),
            State::Failed(failed) => Some(failed.reason.to_string()),
            State::Closed(closed) => Some(closed.reason.to_string()),
            _ => None,
        }
    }

    pub(super) fn set_remote_features(&mut self, features: Features) {
        self.remote_features = features;
    }

    /// Whether we pay for the commitments and they are far from this estimate.
    pub(super) fn wants_feerate(&self, estimate: FeeratePerKw) -> bool {
        let Some(commitments) = self.channel.commitments() else { return false };
        let now = u64::from(commitments.local.spec.feerate.to_sat_per_kw());
        let wanted = u64::from(estimate.to_sat_per_kw());
        let far = wanted > now + now / 4 || wanted < now - now / 4;
        commitments.params.opener == channel::Party::Local && self.channel.is_usable() && far
    }
}
