//! Connections to peers: whom to keep connected, which byte stream is whose, and when to try again.

use crate::peer::{Allowance, Backoff, Peer, PeerConfig};
use crate::transport::Connection;
use crate::types::{ConnId, Instant};
use bitcoin::secp256k1::PublicKey;
use std::collections::BTreeMap;

use super::CommandId;

/// So many peers that reached us may be connected; a wallet has a few.
const MAX_ACCEPTED: usize = 64;

/// So many channels peers may begin to open at once, over however many connections,
const OPENING_BURST: u32 = 20;
/// and from then on one in this time.
const OPENING_INTERVAL_MILLIS: u64 = 20_000;

/// One byte stream and what speaks on it.
#[derive(Debug)]
pub(crate) struct Link {
    /// The other end; unset until one that reached us has proved who it is.
    pub(crate) node_id: Option<PublicKey>,
    /// BOLT 8.
    pub(crate) connection: Option<Connection>,
    /// BOLT 1.
    pub(crate) peer: Peer,
    /// The last message is queued: nothing more is read.
    pub(crate) is_closing: bool,
}

/// A peer that is to be kept connected.
#[derive(Debug)]
pub(crate) struct Acquaintance {
    /// `host:port`; empty where only the peer can reach us.
    pub(crate) address: String,
    /// The byte stream, if there is one.
    pub(crate) conn: Option<ConnId>,
    /// When to try again.
    pub(crate) retry_at: Option<Instant>,
    /// Commands that wait for the connection.
    pub(crate) waiting: Vec<CommandId>,
    backoff: Backoff,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Connections {
    config: PeerConfig,
    next: u64,
    openings: Allowance,
    pub(crate) links: BTreeMap<ConnId, Link>,
    pub(crate) acquaintances: BTreeMap<PublicKey, Acquaintance>,
}

impl Connections {
    pub(crate) fn new(config: PeerConfig, now: Instant) -> Self {
        Self {
            config,
            next: 1,
            openings: Allowance::new(OPENING_BURST, OPENING_INTERVAL_MILLIS, now),
            links: BTreeMap::new(),
            acquaintances: BTreeMap::new(),
        }
    }

    /// Keeps this peer connected from now on.
    pub(crate) fn remember(
        &mut self,
        node_id: PublicKey,
        address: String,
        now: Instant,
    ) -> &mut Acquaintance {
        let known = self.acquaintances.entry(node_id).or_insert_with(Acquaintance::new);
        if known.address != address {
            known.address = address;
            known.backoff.reset();
            if known.conn.is_none() {
                known.retry_at = Some(now);
            }
        }
        known
    }

    /// A byte stream that a peer opened. Tells whether it is taken.
    pub(crate) fn accept(&mut self, conn: ConnId, connection: Connection, now: Instant) -> bool {
        let is_taken = !self.links.contains_key(&conn) && self.links.len() < MAX_ACCEPTED;
        if is_taken {
            let peer = Peer::new(now, self.config.clone());
            self.links
                .insert(conn, Link { node_id: None, connection: Some(connection), peer, is_closing: false });
        }
        is_taken
    }

    /// Who reached us has proved its identity. Tells the older connection to the same peer, which is stale.
    pub(crate) fn identify(&mut self, conn: ConnId, node_id: PublicKey) -> Option<ConnId> {
        let link = self.links.get_mut(&conn)?;
        if link.node_id.is_some() {
            return None;
        }
        link.node_id = Some(node_id);
        let known = self.acquaintances.entry(node_id).or_insert_with(Acquaintance::new);
        known.retry_at = None;
        known.conn.replace(conn)
    }

    /// Peers to dial now, each with the number of its new byte stream.
    pub(crate) fn dial(&mut self, now: Instant) -> Vec<(ConnId, PublicKey, String)> {
        let mut dialled = Vec::new();
        for (node_id, known) in &mut self.acquaintances {
            if known.conn.is_some() || known.retry_at.is_none_or(|at| at > now) {
                continue;
            }
            let conn = ConnId(self.next);
            self.next += 1;
            known.conn = Some(conn);
            known.retry_at = None;
            let peer = Peer::new(now, self.config.clone());
            self.links
                .insert(conn, Link { node_id: Some(*node_id), connection: None, peer, is_closing: false });
            dialled.push((conn, *node_id, known.address.clone()));
        }
        dialled
    }

    /// The byte stream is gone. Tells whose it was, and the commands that waited for it.
    pub(crate) fn lost(
        &mut self,
        conn: ConnId,
        now: Instant,
        entropy: [u8; 8],
    ) -> Option<(PublicKey, Vec<CommandId>)> {
        let link = self.links.remove(&conn)?;
        let node_id = link.node_id?;
        let Some(known) = self.acquaintances.get_mut(&node_id).filter(|known| known.conn == Some(conn))
        else {
            return Some((node_id, Vec::new()));
        };
        known.conn = None;
        let retry_at = known.backoff.on_lost(now, link.peer.ready_since(), entropy);
        known.retry_at = (!known.address.is_empty()).then_some(retry_at);
        let waiting = std::mem::take(&mut known.waiting);
        if known.address.is_empty() {
            self.acquaintances.remove(&node_id);
        }
        Some((node_id, waiting))
    }

    /// The byte stream to this peer, once both sides have sent `init`.
    pub(crate) fn ready(&self, node_id: &PublicKey) -> Option<(ConnId, &Link)> {
        let conn = self.acquaintances.get(node_id)?.conn?;
        let link = self.links.get(&conn)?;
        (link.peer.remote().is_some() && !link.is_closing).then_some((conn, link))
    }

    /// Whether the peer at the other end may begin to open a channel. Who connects anew gains nothing by it.
    pub(crate) fn may_open(&mut self, conn: ConnId, now: Instant) -> bool {
        self.links.get_mut(&conn).is_some_and(|link| link.peer.may_open(now)) && self.openings.take(now)
    }

    /// When something is to be done next.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let links = self.links.values().map(|link| link.peer.deadline());
        let retries = self.acquaintances.values().filter_map(|known| known.retry_at);
        links.chain(retries).min()
    }

    /// Everything is dialled again without delay: the device woke up, or the network came back.
    pub(crate) fn hurry(&mut self, now: Instant) {
        let lost = |known: &&mut Acquaintance| known.conn.is_none() && !known.address.is_empty();
        for known in self.acquaintances.values_mut().filter(lost) {
            known.backoff.reset();
            known.retry_at = Some(now);
        }
    }
}

impl Acquaintance {
    fn new() -> Self {
        Self {
            address: String::new(),
            conn: None,
            retry_at: None,
            waiting: Vec::new(),
            backoff: Backoff::new(),
        }
    }
}
