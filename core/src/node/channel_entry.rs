//! A channel with what the node knows about it besides its state.

use super::load::{LoadError, StoredRow};
use super::opening::Opening;
use super::terms::{InboundPolicy, Terms};
use crate::chain::Confirmation;
use crate::channel::{self, Channel, Closer, RowName, State, Watch};
use crate::crypto::{ChannelSigner, NodeKeys};
use crate::types::{ConnId, Features, FeeratePerKw, MilliSatoshi};
use bitcoin::secp256k1::PublicKey;
use bitcoin::{Amount, OutPoint, ScriptBuf, Transaction, Txid};

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
    /// The transaction that spends the funding output.
    pub(super) spend_seen: Option<(Transaction, Option<Confirmation>)>,
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
            spend_seen: None,
        }
    }

    pub(super) fn load(index: u32, rows: Vec<StoredRow>, keys: &NodeKeys) -> Result<Self, LoadError> {
        let damaged =
            |detail: String| LoadError::Damaged { what: "channel", detail: format!("{index}: {detail}") };
        let (terms, rows): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(name, _)| name == Terms::ROW);
        let (_, terms) = terms.first().ok_or_else(|| damaged("its terms are missing".into()))?;
        let terms = Terms::from_bytes(terms).map_err(damaged)?;
        let mut read = Vec::new();
        for (name, content) in rows {
            let name = RowName::from_bytes(&name).map_err(|error| damaged(error.to_string()))?;
            if !matches!(name, RowName::Revoked(_)) {
                read.push((name, content));
            }
        }
        let channel = Channel::from_rows(read).map_err(|error| damaged(error.to_string()))?;
        Ok(Self { stored: Some(channel.clone()), ..Self::new(channel, keys, terms) })
    }

    /// The output that is the channel, once there is one.
    pub(super) fn funding_outpoint(&self) -> Option<OutPoint> {
        self.channel.commitments().map(|commitments| commitments.params.funding_outpoint)
    }

    /// Its script, as long as something about it can happen.
    pub(super) fn funding_script(&self) -> Option<ScriptBuf> {
        self.channel.watches().into_iter().find_map(|watch| match watch {
            Watch::FundingSpent { script, .. } => Some(script),
            Watch::FundingConfirmed { .. } | Watch::FundingSpendBuried { .. } => None,
        })
    }

    /// How deep the funding transaction must be, as long as somebody waits for it.
    pub(super) fn funding_depth_needed(&self) -> Option<u32> {
        let confirmed = self.channel.commitments()?.funding.short_channel_id.is_some();
        self.channel.watches().into_iter().find_map(|watch| match watch {
            Watch::FundingConfirmed { depth, .. } if !confirmed => Some(depth),
            _ => None,
        })
    }

    /// Our funding transaction, while it may have to be published.
    pub(super) fn funding_tx(&self) -> Option<&Transaction> {
        self.channel.commitments()?.funding.tx.as_ref()
    }

    /// Whether closing it may still have to be paid for from the on-chain coins (BOLT 3, anchors).
    pub(super) fn needs_reserve(&self) -> bool {
        let is_confirmed = matches!(self.spend_seen, Some((_, Some(_))));
        match &self.channel.state {
            State::Closing(closing) => closing.closer != Closer::Mutual && !is_confirmed,
            State::Closed(_) => false,
            _ => true,
        }
    }

    /// The most that one payment can bring through it.
    pub(super) fn receivable(&self) -> MilliSatoshi {
        if self.channel.is_usable() { self.channel.receivable() } else { MilliSatoshi::ZERO }
    }

    /// How a payer can reach us through it.
    pub(super) fn inbound_policy(&self) -> Option<InboundPolicy> {
        let funding = &self.channel.commitments()?.funding;
        let short_channel_id = funding.remote_alias.or(funding.short_channel_id)?;
        Some(self.terms.inbound_policy(short_channel_id))
    }

    /// What comes back from a channel whose funding output is spent, until the wallet itself sees it arrive.
    pub(super) fn closing_amount(&self) -> Amount {
        match &self.channel.state {
            State::Closing(closing) if closing.closer != Closer::Mutual => closing.to_us,
            _ => Amount::ZERO,
        }
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
