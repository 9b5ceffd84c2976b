//! What a payment learnt from its failed attempts (BOLT 4, Receiving Failure Codes).

use super::RouteHop;
use super::terms::Terms;
use crate::gossip::{Graph, NodeId, terms_in_failure};
use crate::onion::FailureMessage;
use crate::types::{BlockHeight, ShortChannelId, UnixTime};
use bitcoin::blockdata::constants::ChainHash;
use bitcoin::secp256k1::PublicKey;
use std::collections::{BTreeMap, BTreeSet};

/// A channel that was on so many failed ways without a known culprit is not used again.
const MAX_SUSPICION: u32 = 3;

/// A payee may know so many blocks more than we do. Whoever names more does not make us lock our money for longer.
const MAX_BLOCKS_BEHIND: u32 = 36;

/// A channel in one direction: its name, and the node it leads to.
type Directed = (ShortChannelId, NodeId);

/// What a payment does not try again, and what it tries on other terms. For one payment only: it never reaches the graph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lessons {
    channels: BTreeSet<Directed>,
    nodes: BTreeSet<NodeId>,
    suspected: BTreeMap<Directed, u32>,
    /// On which terms nodes of failed ways said that they forward.
    terms: BTreeMap<Directed, Terms>,
    /// The height that the payee reckons from, where it refused because it knows blocks that we do not.
    payee_height: Option<BlockHeight>,
}

/// A failed attempt.
#[derive(Clone, Copy, Debug)]
pub struct Failed<'a> {
    /// The nodes of the route with the HTLCs that arrived there, from our peer to the payee.
    pub hops: &'a [RouteHop],
    /// Which of them speaks. Unset where nobody could be made out; then `failure` does not count.
    pub hop_index: Option<usize>,
    /// What it says.
    pub failure: &'a FailureMessage,
    /// The blocks that the payee wants to have (`min_final_cltv_expiry_delta` of the invoice).
    pub final_cltv_expiry_delta: u16,
}

/// By what the word of a node is judged.
#[derive(Clone, Copy, Debug)]
pub struct Present<'a> {
    /// What is known of channels.
    pub graph: &'a Graph,
    /// The chain that they are on.
    pub chain_hash: ChainHash,
    /// The present time.
    pub now: UnixTime,
    /// The height of the chain, as far as we know.
    pub height: BlockHeight,
}

/// What a failure means for the payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learnt {
    /// Another way may work.
    Retry,
    /// The payee does not want this payment: it does not know it, or the amount or the time is not what it wants.
    PayeeRefused,
    /// The payee cannot accept it, and trying again will not change that.
    Final,
}

impl Lessons {
    /// Learns from a failure.
    pub fn learn(&mut self, failed: Failed<'_>, present: Present<'_>) -> Learnt {
        let hops = failed.hops;
        let Some(index) = failed.hop_index.filter(|index| *index < hops.len()) else {
            self.suspect(hops);
            return Learnt::Retry;
        };
        match hops.get(index + 1) {
            None => self.learn_from_payee(failed, present.height),
            Some(next) => {
                self.learn_from_forwarder(&hops[index], next, failed.failure, present);
                Learnt::Retry
            }
        }
    }

    /// Does not use a channel in the direction of a node.
    pub fn exclude_channel(&mut self, short_channel_id: ShortChannelId, towards: &PublicKey) {
        self.channels.insert((short_channel_id, towards.serialize()));
    }

    /// Sends nothing through a node.
    pub fn exclude_node(&mut self, node_id: &PublicKey) {
        self.nodes.insert(node_id.serialize());
    }

    /// Whether nothing was learnt.
    pub fn is_empty(&self) -> bool {
        self.channels.is_empty()
            && self.nodes.is_empty()
            && self.suspected.is_empty()
            && self.terms.is_empty()
            && self.payee_height.is_none()
    }

    pub(super) fn excludes_node(&self, node_id: &NodeId) -> bool {
        self.nodes.contains(node_id)
    }

    pub(super) fn excludes_channel(&self, short_channel_id: ShortChannelId, towards: &NodeId) -> bool {
        self.channels.contains(&(short_channel_id, *towards))
    }

    pub(super) fn suspicion(&self, short_channel_id: ShortChannelId, towards: &NodeId) -> u32 {
        self.suspected.get(&(short_channel_id, *towards)).copied().unwrap_or(0)
    }

    pub(super) fn terms(&self, short_channel_id: ShortChannelId, towards: &NodeId) -> Option<Terms> {
        self.terms.get(&(short_channel_id, *towards)).copied()
    }

    /// How many blocks the payee is ahead of us.
    pub(super) fn blocks_behind(&self, height: BlockHeight) -> u32 {
        self.payee_height.map_or(0, |payee| payee.saturating_sub(height))
    }

    fn learn_from_payee(&mut self, failed: Failed<'_>, height: BlockHeight) -> Learnt {
        let Failed { hops, failure, .. } = failed;
        let is_direct = hops.len() == 1;
        match failure {
            FailureMessage::IncorrectOrUnknownPaymentDetails { height: payee, .. }
                if expired_too_soon(failed, *payee) && *payee <= height.saturating_add(MAX_BLOCKS_BEHIND) =>
            {
                self.payee_height = Some(*payee);
                Learnt::Retry
            }
            FailureMessage::IncorrectOrUnknownPaymentDetails { .. } => Learnt::PayeeRefused,
            // The HTLC was not what the onion said: whoever passed it on changed it.
            FailureMessage::FinalIncorrectCltvExpiry { .. }
            | FailureMessage::FinalIncorrectHtlcAmount { .. }
                if !is_direct =>
            {
                if let Some(payee) = hops.last() {
                    self.exclude_channel(payee.short_channel_id, &payee.node_id);
                }
                Learnt::Retry
            }
            FailureMessage::FinalIncorrectCltvExpiry { .. }
            | FailureMessage::FinalIncorrectHtlcAmount { .. } => Learnt::Final,
            failure if failure.is_permanent() => Learnt::Final,
            _ => {
                self.suspect(hops);
                Learnt::Retry
            }
        }
    }

    fn learn_from_forwarder(
        &mut self,
        speaker: &RouteHop,
        next: &RouteHop,
        failure: &FailureMessage,
        present: Present<'_>,
    ) {
        let blames_speaker = match failure {
            // What only the payee may say, or what cannot be: the node does not do what it should.
            FailureMessage::IncorrectOrUnknownPaymentDetails { .. }
            | FailureMessage::FinalIncorrectCltvExpiry { .. }
            | FailureMessage::FinalIncorrectHtlcAmount { .. }
            | FailureMessage::MppTimeout
            | FailureMessage::InvalidOnionPayload { .. } => true,
            failure => failure.is_node_failure(),
        };
        if blames_speaker {
            return self.exclude_node(&speaker.node_id);
        }
        let channel = (next.short_channel_id, next.node_id.serialize());
        match terms_that_explain(speaker, next, failure, present) {
            // Whoever changes its terms again while we try is not asked a third time.
            Some(terms) if !self.terms.contains_key(&channel) => {
                self.terms.insert(channel, terms);
            }
            Some(_) | None => self.exclude_channel(next.short_channel_id, &next.node_id),
        }
    }

    /// Every channel may be the culprit, but ours only where there is no other.
    fn suspect(&mut self, hops: &[RouteHop]) {
        let others = if hops.len() > 1 { &hops[1..] } else { hops };
        for hop in others {
            let directed = (hop.short_channel_id, hop.node_id.serialize());
            let suspicion = self.suspected.entry(directed).or_insert(0);
            *suspicion = suspicion.saturating_add(1);
            if *suspicion >= MAX_SUSPICION {
                self.channels.insert(directed);
            }
        }
    }
}

/// Whether the last HTLC leaves the payee less than it wants, with the blocks that it knows.
fn expired_too_soon(failed: Failed<'_>, payee_height: u32) -> bool {
    let needed = payee_height.saturating_add(failed.final_cltv_expiry_delta.into());
    failed.hops.last().is_some_and(|payee| payee.cltv_expiry.height() < needed)
}

/// The terms that a failure tells (BOLT 4, Receiving Failure Codes): from the node that speaks, about the channel it was to
/// use, not older than those we know, and such that the HTLC we sent had to be refused. With any other the same attempt
/// would fail again.
fn terms_that_explain(
    speaker: &RouteHop,
    next: &RouteHop,
    failure: &FailureMessage,
    present: Present<'_>,
) -> Option<Terms> {
    let Present { graph, chain_hash, now, .. } = present;
    let update = failure.channel_update()?;
    let name = next.short_channel_id;
    let known = graph.channel(name).and_then(|it| it.policies[usize::from(update.contents.direction())]);
    if known.is_some_and(|known| update.contents.timestamp < known.timestamp) {
        return None;
    }
    let policy = terms_in_failure(&update, name, [&speaker.node_id, &next.node_id], chain_hash, now)?;
    let terms = Terms::from(policy);
    let htlc = |hop: &RouteHop| (hop.amount, hop.cltv_expiry.height());
    (!terms.forward(htlc(speaker), htlc(next))).then_some(terms)
}
