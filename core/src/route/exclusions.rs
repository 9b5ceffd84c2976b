//! What a payment learnt from its failed attempts (BOLT 4, Receiving Failure Codes).

use crate::gossip::NodeId;
use crate::onion::FailureMessage;
use crate::types::ShortChannelId;
use bitcoin::secp256k1::PublicKey;
use std::collections::{BTreeMap, BTreeSet};

/// A channel that was on so many failed ways without a known culprit is not used again.
const MAX_SUSPICION: u32 = 3;

/// A channel in one direction: its name, and the node it leads to.
type Directed = (ShortChannelId, NodeId);

/// What a payment does not try again. For one payment only: it never reaches the graph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exclusions {
    channels: BTreeSet<Directed>,
    nodes: BTreeSet<NodeId>,
    suspected: BTreeMap<Directed, u32>,
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

impl Exclusions {
    /// Learns from a failure. `hops` are the nodes of the route, each with the channel that led to it, from our peer to the
    /// payee; `hop_index` says which of them speaks. Where that is unset nobody could be made out, and `failure` does not
    /// count.
    pub fn learn(
        &mut self,
        hops: &[(PublicKey, ShortChannelId)],
        hop_index: Option<usize>,
        failure: &FailureMessage,
    ) -> Learnt {
        let Some(index) = hop_index.filter(|index| *index < hops.len()) else {
            self.suspect(hops);
            return Learnt::Retry;
        };
        match hops.get(index + 1) {
            None => self.learn_from_payee(hops, failure),
            Some(next) => {
                self.learn_from_forwarder(&hops[index], next, failure);
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

    /// Whether nothing is excluded or suspected.
    pub fn is_empty(&self) -> bool {
        self.channels.is_empty() && self.nodes.is_empty() && self.suspected.is_empty()
    }

    pub(super) fn has_node(&self, node_id: &NodeId) -> bool {
        self.nodes.contains(node_id)
    }

    pub(super) fn has_channel(&self, short_channel_id: ShortChannelId, towards: &NodeId) -> bool {
        self.channels.contains(&(short_channel_id, *towards))
    }

    pub(super) fn suspicion(&self, short_channel_id: ShortChannelId, towards: &NodeId) -> u32 {
        self.suspected.get(&(short_channel_id, *towards)).copied().unwrap_or(0)
    }

    fn learn_from_payee(&mut self, hops: &[(PublicKey, ShortChannelId)], failure: &FailureMessage) -> Learnt {
        let is_direct = hops.len() == 1;
        match failure {
            FailureMessage::IncorrectOrUnknownPaymentDetails { .. } => Learnt::PayeeRefused,
            // The HTLC was not what the onion said: whoever passed it on changed it.
            FailureMessage::FinalIncorrectCltvExpiry { .. }
            | FailureMessage::FinalIncorrectHtlcAmount { .. }
                if !is_direct =>
            {
                if let Some((payee, short_channel_id)) = hops.last() {
                    self.exclude_channel(*short_channel_id, payee);
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
        speaker: &(PublicKey, ShortChannelId),
        next: &(PublicKey, ShortChannelId),
        failure: &FailureMessage,
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
            self.exclude_node(&speaker.0);
        } else {
            self.exclude_channel(next.1, &next.0);
        }
    }

    /// Every channel may be the culprit, but ours only where there is no other.
    fn suspect(&mut self, hops: &[(PublicKey, ShortChannelId)]) {
        let others = if hops.len() > 1 { &hops[1..] } else { hops };
        for (node_id, short_channel_id) in others {
            let directed = (*short_channel_id, node_id.serialize());
            let suspicion = self.suspected.entry(directed).or_insert(0);
            *suspicion = suspicion.saturating_add(1);
            if *suspicion >= MAX_SUSPICION {
                self.channels.insert(directed);
            }
        }
    }
}
