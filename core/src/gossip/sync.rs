//! Gets the graph from peers and keeps it up to date.

use super::disputed::Disputed;
use super::early::EarlyUpdates;
use super::graph::{Channel, Graph, MAX_CHANNELS};
use super::peer::{GossipPeer, State};
use super::verify::{self, Forged};
use crate::types::{ChannelId, Instant, Now, ShortChannelId, UnixTime};
use crate::wire::{
    ChannelAnnouncement, ChannelAnnouncementContents, ChannelUpdate, GossipTimestampFilter, Message,
    NodeAnnouncement, QueryChannelRange, QueryShortChannelIds, ReplyChannelRange, Warning,
};
use bitcoin::blockdata::constants::ChainHash;
use bitcoin::secp256k1::PublicKey;
use std::collections::BTreeMap;

/// From so many peers at once.
const MAX_ACTIVE: usize = 2;
/// Gossip reaches a peer some time after it was made.
const OVERLAP_SECS: u64 = 3600;
/// About so many channels we ask at once.
const CHANNELS_A_QUERY: usize = 2000;
/// A list of channels comes in no more messages than this.
const MAX_REPLIES: usize = 10_000;
/// Work that an update costs whose signature is not that of the node we know, beside the look at it: no ban ends it. For
/// every channel of mainnet, both ways, a peer has enough.
const DISBELIEF: u64 = 5;
/// How often the graph notes that it is up to date.
const NOTE_SECS: u64 = 600;

/// Asks one or two peers for their gossip, verifies what they send and fills the graph.
///
/// A peer is first asked with `gossip_timestamp_filter` for all there is: LDK streams its graph then (and only to
/// peers that offer `gossip_queries`), LND and Core Lightning do so, too. A peer that stays silent is asked for the
/// list of channels and then for those we miss, which is how Eclair does it.
///
/// What a peer can cause is bounded: nothing is heard from peers that were not asked; what is known already costs no
/// signature; the work of each peer is limited, and after a few forgeries it is heard no more. A forgery is what no honest
/// peer can have taken for true: an announcement that its own keys do not sign. Whose update it is follows from an
/// announcement that we had from somebody, perhaps from a liar; one that does not fit is dropped without blame.
#[derive(Clone, Debug)]
pub struct GossipSync {
    chain_hash: ChainHash,
    peers: BTreeMap<PublicKey, GossipPeer>,
    early: EarlyUpdates,
    disputed: Disputed,
    synced_at: Option<UnixTime>,
}

impl GossipSync {
    /// For this chain; gossip about any other is ignored.
    pub const fn new(chain_hash: ChainHash) -> Self {
        Self {
            chain_hash,
            peers: BTreeMap::new(),
            early: EarlyUpdates::new(),
            disputed: Disputed::new(),
            synced_at: None,
        }
    }

    /// Whether a message is gossip, or an answer about it. Questions about it are answered in `peer`, which has none to share.
    pub const fn takes(message: &Message) -> bool {
        matches!(
            message,
            Message::ChannelAnnouncement(_)
                | Message::NodeAnnouncement(_)
                | Message::ChannelUpdate(_)
                | Message::ReplyShortChannelIdsEnd(_)
                | Message::ReplyChannelRange(_)
        )
    }

    /// A peer that offers gossip is connected. Returns what to send to it.
    pub fn peer_ready(&mut self, node_id: PublicKey, graph: &Graph, now: Now) -> Vec<Message> {
        self.synced_at = self.synced_at.max(graph.synced_at());
        self.peers.insert(node_id, GossipPeer::new(now));
        if self.has_room() { self.start(&node_id, now.mono).into_iter().collect() } else { Vec::new() }
    }

    /// The connection is gone.
    pub fn peer_lost(&mut self, node_id: &PublicKey) {
        if self.peers.remove(node_id).is_some_and(|peer| peer.is_syncing()) {
            self.hand_over();
        }
    }

    /// When [`GossipSync::on_deadline`] is to be called.
    pub fn deadline(&self) -> Option<Instant> {
        let asked = self.peers.values().filter_map(GossipPeer::deadline);
        let waiting = self.peers.values().filter(|peer| self.has_room() && peer.state == State::Waiting);
        asked.chain(waiting.map(GossipPeer::ready_at)).min()
    }

    /// Goes on where a peer is silent, and with the next peer where one is gone. Returns what to send to whom.
    pub fn on_deadline(&mut self, now: Instant) -> Vec<(PublicKey, Message)> {
        let due: Vec<PublicKey> = self
            .peers
            .iter()
            .filter(|(_, peer)| peer.deadline().is_some_and(|deadline| deadline <= now))
            .map(|(node_id, _)| *node_id)
            .collect();
        let mut messages = Vec::new();
        for node_id in due {
            messages.extend(self.silent(&node_id, now).map(|message| (node_id, message)));
        }
        while self.has_room() {
            let waiting = self.peers.iter().find(|(_, peer)| peer.state == State::Waiting);
            let Some(node_id) = waiting.map(|(node_id, _)| *node_id) else { break };
            messages.extend(self.start(&node_id, now).map(|message| (node_id, message)));
        }
        messages
    }

    /// Takes one message for which [`GossipSync::takes`] holds. Returns what to answer.
    pub fn on_message(
        &mut self,
        node_id: &PublicKey,
        message: Message,
        graph: &mut Graph,
        now: Now,
    ) -> Vec<Message> {
        let Some(peer) = self.peers.get_mut(node_id) else { return Vec::new() };
        if !peer.is_active() || !peer.spend(1, now.mono) {
            return Vec::new();
        }
        peer.spoke(now.mono);
        self.note_synced(graph, now);
        let taken = match message {
            Message::ChannelAnnouncement(announcement) => {
                self.channel_announcement(node_id, &announcement, graph, now)
            }
            Message::ChannelUpdate(update) => {
                self.channel_update(node_id, update, graph, now);
                Ok(())
            }
            Message::NodeAnnouncement(announcement) => {
                self.node_announcement(node_id, &announcement, graph, now)
            }
            Message::ReplyChannelRange(reply) => return self.listed(node_id, &reply, graph, now),
            Message::ReplyShortChannelIdsEnd(_) => return self.ask(node_id, now).into_iter().collect(),
            _ => Ok(()),
        };
        let is_banned = taken.is_err() && self.peers.get_mut(node_id).is_some_and(GossipPeer::forged);
        if !is_banned {
            return Vec::new();
        }
        self.hand_over();
        vec![Warning::new(ChannelId::ALL, "gossip with invalid signatures").into()]
    }
}

/// What peers send.
impl GossipSync {
    fn channel_announcement(
        &mut self,
        node_id: &PublicKey,
        announcement: &ChannelAnnouncement,
        graph: &mut Graph,
        now: Now,
    ) -> Result<(), Forged> {
        let contents = &announcement.contents;
        let known = graph.channel(contents.short_channel_id);
        let is_of_interest = match known {
            Some(channel) => {
                !is_between_its_nodes(graph, channel, contents) && self.disputed.has_room(now.mono)
            }
            None => {
                graph.channel_count() < MAX_CHANNELS
                    && !self.disputed.contains(contents.short_channel_id, now.mono)
            }
        };
        if !is_of_interest
            || !verify::is_plausible(announcement, self.chain_hash)
            || !self.spend(node_id, 4, now)
        {
            return Ok(());
        }
        verify::verify_announcement(announcement)?;
        if known.is_some() {
            self.disputed.insert(contents.short_channel_id, now.mono);
            graph.forget_channel(contents.short_channel_id);
            return Ok(());
        }
        let node_ids = [contents.node_id_1.serialize(), contents.node_id_2.serialize()];
        let avoid = verify::channel_is_to_avoid(&contents.features);
        let seen_at = u32::try_from(now.unix.0).unwrap_or(u32::MAX);
        if graph.add_channel(contents.short_channel_id, node_ids, avoid, seen_at) {
            for update in self.early.take(contents.short_channel_id) {
                self.channel_update(node_id, update, graph, now);
            }
        }
        Ok(())
    }

    fn channel_update(&mut self, node_id: &PublicKey, update: ChannelUpdate, graph: &mut Graph, now: Now) {
        let Some(policy) = verify::policy(&update, self.chain_hash, now.unix) else { return };
        let short_channel_id = update.contents.short_channel_id;
        let direction = usize::from(update.contents.direction());
        let Some(channel) = graph.channel(short_channel_id) else {
            if !self.disputed.contains(short_channel_id, now.mono) {
                self.early.keep(update);
            }
            return;
        };
        if channel.policies[direction].is_some_and(|current| current.timestamp >= policy.timestamp)
            || channel.capacity.is_some_and(|capacity| capacity < policy.htlc_maximum)
            || !self.spend(node_id, 1, now)
        {
            return;
        }
        let Some(speaker) = graph.node_id(channel.nodes[direction]) else { return };
        match verify::verify_update(&update, speaker) {
            Ok(()) => graph.set_policy(short_channel_id, direction, policy),
            Err(Forged) => _ = self.spend(node_id, DISBELIEF, now),
        }
    }

    /// Only whether the node is to be avoided is of interest; what changes nothing about that is not even verified.
    fn node_announcement(
        &mut self,
        node_id: &PublicKey,
        announcement: &NodeAnnouncement,
        graph: &mut Graph,
        now: Now,
    ) -> Result<(), Forged> {
        let contents = &announcement.contents;
        let avoid = verify::node_is_to_avoid(&contents.features);
        let Some(node) = graph.node(&contents.node_id.serialize()) else { return Ok(()) };
        if graph.avoids(node) == avoid
            || graph.announced_at(node) >= contents.timestamp
            || verify::is_in_future(contents.timestamp, now.unix)
            || !self.spend(node_id, 1, now)
        {
            return Ok(());
        }
        verify::verify_node(announcement)?;
        graph.set_avoid(node, avoid, contents.timestamp);
        Ok(())
    }
}

#[cfg(test)]
impl GossipSync {
    pub(super) fn dispute(&mut self, short_channel_id: ShortChannelId, now: Instant) {
        self.disputed.insert(short_channel_id, now);
    }
}

/// What peers are asked.
impl GossipSync {
    fn has_room(&self) -> bool {
        self.peers.values().filter(|peer| peer.is_active()).count() < MAX_ACTIVE
    }

    /// While nothing is being caught up with, what comes is all there is.
    fn note_synced(&mut self, graph: &mut Graph, now: Now) {
        let Some(at) = self.synced_at else { return };
        let is_old = at.0.saturating_add(NOTE_SECS) < now.unix.0;
        if is_old && !self.peers.values().any(GossipPeer::is_syncing) {
            self.synced_at = Some(now.unix);
        }
        graph.set_synced_at(self.synced_at.unwrap_or(at));
    }

    /// Nobody is left who was asked for everything before it was told: the next one is asked.
    fn hand_over(&mut self) {
        if self.peers.values().any(GossipPeer::is_syncing) {
            return;
        }
        let next = self.peers.values_mut().find(|peer| peer.is_active() && !peer.asked_for_all);
        if let Some(peer) = next {
            peer.state = State::Waiting;
        }
    }

    fn spend(&mut self, node_id: &PublicKey, work: u64, now: Now) -> bool {
        self.peers.get_mut(node_id).is_some_and(|peer| peer.spend(work, now.mono))
    }

    /// Asks for all gossip, or, where that was had or is being had from another, for what is new.
    fn start(&mut self, node_id: &PublicKey, now: Instant) -> Option<Message> {
        let others = self.peers.values().any(|peer| peer.is_active() && peer.asked_for_all);
        let peer = self.peers.get_mut(node_id)?;
        peer.asked_for_all = !others;
        let from = if others { Some(peer.date_at(now)) } else { self.synced_at };
        let first_timestamp = from.map_or(0, |at| at.0.saturating_sub(OVERLAP_SECS));
        peer.state = if others { State::Listening } else { State::Streaming { last: now, heard: false } };
        Some(Message::GossipTimestampFilter(GossipTimestampFilter {
            chain_hash: self.chain_hash,
            first_timestamp: u32::try_from(first_timestamp).unwrap_or(u32::MAX),
            timestamp_range: u32::MAX,
        }))
    }

    /// A peer has not spoken for as long as its state allows.
    fn silent(&mut self, node_id: &PublicKey, now: Instant) -> Option<Message> {
        let peer = self.peers.get_mut(node_id)?;
        match &peer.state {
            State::Streaming { heard: false, .. } => {
                peer.state = State::Listing { last: now, missing: Vec::new(), listed: 0, replies: 0 };
                Some(Message::QueryChannelRange(QueryChannelRange {
                    chain_hash: self.chain_hash,
                    first_blocknum: 0,
                    number_of_blocks: u32::MAX,
                    query_option_flags: None,
                }))
            }
            State::Streaming { heard: true, .. } => {
                peer.state = State::Listening;
                self.synced_at = self.synced_at.max(Some(peer.date_at(now)));
                None
            }
            State::Listing { .. } | State::Asking { .. } => {
                peer.state = State::Listening;
                self.hand_over();
                None
            }
            State::Waiting | State::Listening | State::Banned => None,
        }
    }

    fn listed(
        &mut self,
        node_id: &PublicKey,
        reply: &ReplyChannelRange,
        graph: &Graph,
        now: Now,
    ) -> Vec<Message> {
        let Some(peer) = self.peers.get_mut(node_id) else { return Vec::new() };
        let State::Listing { missing, listed, replies, .. } = &mut peer.state else { return Vec::new() };
        *replies += 1;
        *listed = listed.saturating_add(reply.short_channel_ids.len());
        if *listed > MAX_CHANNELS || *replies > MAX_REPLIES {
            peer.state = State::Banned;
            self.hand_over();
            return Vec::new();
        }
        if reply.chain_hash == self.chain_hash {
            missing.extend(reply.short_channel_ids.iter().filter(|scid| graph.channel(**scid).is_none()));
        }
        let end = reply.first_blocknum.saturating_add(reply.number_of_blocks);
        if reply.sync_complete == 0 && end < u32::MAX {
            return Vec::new();
        }
        let mut missing = std::mem::take(missing);
        missing.sort_unstable();
        missing.dedup();
        peer.state = State::Asking { last: now.mono, missing };
        self.ask(node_id, now).into_iter().collect()
    }

    /// Asks about the next channels, or notes that there are none left.
    fn ask(&mut self, node_id: &PublicKey, now: Now) -> Option<Message> {
        let peer = self.peers.get_mut(node_id)?;
        let State::Asking { missing, .. } = &mut peer.state else { return None };
        if missing.is_empty() {
            peer.state = State::Listening;
            self.synced_at = self.synced_at.max(Some(now.unix));
            return None;
        }
        let rest = missing.split_off(missing.len().min(CHANNELS_A_QUERY));
        let short_channel_ids: Vec<ShortChannelId> = std::mem::replace(missing, rest);
        Some(Message::QueryShortChannelIds(QueryShortChannelIds {
            chain_hash: self.chain_hash,
            short_channel_ids,
            query_flags: None,
        }))
    }
}

fn is_between_its_nodes(graph: &Graph, channel: &Channel, contents: &ChannelAnnouncementContents) -> bool {
    let announced = [&contents.node_id_1, &contents.node_id_2].map(PublicKey::serialize);
    channel.nodes.map(|node| graph.node_id(node)) == [Some(&announced[0]), Some(&announced[1])]
}
