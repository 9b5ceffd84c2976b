//! The byte streams between hosts: who is connected, what is on its way, and where it breaks.

use super::World;
use crate::fault::Fault;
use crate::tap::{Passes, Tap};
use bitcoin::secp256k1::{PublicKey, SecretKey};
use kite_core::node::Input;
use kite_core::types::{ConnId, Instant};
use kite_core::wire::Message;
use std::collections::VecDeque;

/// One byte stream between two hosts.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) ends: [(usize, ConnId); 2],
    /// What each end sent and the other has not got.
    pub(super) sent: [VecDeque<Vec<u8>>; 2],
    tap: Option<Tap>,
    /// Since when bytes of it are lost, if any are.
    pub(super) lost_since: Option<Instant>,
}

impl World {
    pub(super) fn open_stream(&mut self, host: usize, conn: ConnId, node_id: PublicKey) {
        let other = (0..self.hosts.len()).find(|other| self.node_id(*other) == node_id);
        let Some(other) = other.filter(|other| self.hosts[*other].node().is_some()) else {
            return self.input(host, Input::Disconnected { conn, reason: "nobody answers".into() });
        };
        let accepted = ConnId(1 << 63 | self.next_accepted);
        self.next_accepted += 1;
        let (tap, hello) = self.tapping.map(|passes| self.new_tap([host, other], passes)).unzip();
        let ends = [(host, conn), (other, accepted)];
        self.streams.push(Stream { ends, sent: Default::default(), tap, lost_since: None });
        self.tell(|| format!("{host} connects to {other}"));
        self.input(other, Input::Accepted { conn: accepted });
        if let Some((_, bytes)) = hello
            && !self.is_lost(ends)
        {
            self.input(other, Input::Received { conn: accepted, bytes });
        }
        self.input(host, Input::Connected { conn });
    }

    /// Bytes are on their way, unless one of the ends is deaf.
    pub(super) fn send(&mut self, host: usize, conn: ConnId, bytes: Vec<u8>) {
        let place = self.streams.iter().position(|stream| stream.ends.contains(&(host, conn)));
        let Some(index) = place.filter(|index| !self.is_lost(self.streams[*index].ends)) else { return };
        let stream = &mut self.streams[index];
        let end = usize::from(stream.ends[0] != (host, conn));
        stream.sent[end].push_back(bytes);
    }

    fn new_tap(&self, hosts: [usize; 2], passes: Passes) -> (Tap, (usize, Vec<u8>)) {
        let keys = hosts.map(|host| self.hosts[host].keys());
        let ephemeral = [1u8, 2].map(|which| {
            let mut bytes = [which; 32];
            bytes[..8].copy_from_slice(&self.next_accepted.to_be_bytes());
            SecretKey::from_slice(&bytes).expect("far below the order of the curve")
        });
        let secrets = [keys[0].node_secret(), keys[1].node_secret()];
        Tap::new(secrets, hosts.map(|host| self.node_id(host)), ephemeral, passes)
    }

    /// One end closes: the other gets what was sent before, and then the news.
    pub(super) fn close_stream(&mut self, host: usize, conn: ConnId) {
        let Some(index) = self.streams.iter().position(|stream| stream.ends.contains(&(host, conn))) else {
            return;
        };
        let mut stream = self.streams.remove(index);
        let end = stream.ends.iter().position(|end| *end == (host, conn)).unwrap_or(0);
        let (other, other_conn) = stream.ends[1 - end];
        self.tell(|| format!("{host} leaves {other}"));
        for bytes in std::mem::take(&mut stream.sent[end]) {
            let pieces = match &mut stream.tap {
                None => vec![(1 - end, bytes)],
                Some(tap) => tap.receive(end, &bytes).unwrap_or_default(),
            };
            for (_, bytes) in pieces.into_iter().filter(|(to, _)| *to == 1 - end) {
                self.input(other, Input::Received { conn: other_conn, bytes });
            }
        }
        self.closed_tap = stream.tap;
        self.input(other, Input::Disconnected { conn: other_conn, reason: "closed by the peer".into() });
    }

    pub(super) fn power_is_gone(&mut self, host: usize) {
        let conns: Vec<ConnId> = self
            .streams
            .iter()
            .flat_map(|stream| stream.ends)
            .filter_map(|(end, conn)| (end == host).then_some(conn))
            .collect();
        for conn in conns {
            self.close_stream(host, conn);
        }
    }

    /// The oldest piece of the first stream that has one, alternating ends by how much waits.
    pub(super) fn deliver_one(&mut self) -> bool {
        let waits = |stream: &Stream| stream.sent.iter().any(|sent| !sent.is_empty());
        let Some(index) = self.streams.iter().position(waits) else { return false };
        let [first, second] = &self.streams[index].sent;
        self.deliver_from(index, usize::from(first.len() < second.len()));
        true
    }

    pub(super) fn deliver_from(&mut self, index: usize, end: usize) {
        self.delivered += 1;
        if self.cut_at == Some(self.delivered) {
            self.was_cut = true;
            return self.cut();
        }
        let stream = &mut self.streams[index];
        let Some(bytes) = stream.sent[end].pop_front() else { return };
        let ends = stream.ends;
        let [from, to] = [ends[end].0, ends[1 - end].0];
        self.tell(|| format!("{from} -> {to}: {} bytes", bytes.len()));
        let (hosts, fault) = (&self.hosts, self.fault);
        let alter = |message| match fault {
            Some(Fault::Says(said)) => said.alter(hosts, from, message),
            _ => [vec![message], vec![]],
        };
        let pieces = match &mut self.streams[index].tap {
            None => vec![(1 - end, bytes)],
            Some(tap) => tap.receive_and_alter(end, &bytes, alter).expect("nodes speak BOLT 8"),
        };
        for (to, bytes) in pieces {
            let (host, conn) = ends[to];
            self.input(host, Input::Received { conn, bytes });
        }
    }

    /// How many pieces were delivered.
    pub fn delivered(&self) -> u64 {
        self.delivered
    }

    /// All streams break instead of the n-th delivery from now on.
    pub fn cut_at(&mut self, delivery: u64) {
        self.cut_at = Some(self.delivered + delivery);
    }

    /// Takes [`World::cut_at`] back.
    pub fn never_cut(&mut self) {
        self.cut_at = None;
    }

    /// Whether that happened since this was asked last.
    pub fn take_was_cut(&mut self) -> bool {
        std::mem::take(&mut self.was_cut)
    }

    /// Who is in the middle between two hosts, and the end that is the second of them.
    pub fn tap(&mut self, from: usize, to: usize) -> Option<(&mut Tap, usize)> {
        self.streams.iter_mut().find_map(|stream| {
            let end = stream.ends.iter().position(|(host, _)| *host == to)?;
            let is_meant = stream.ends[1 - end].0 == from;
            stream.tap.as_mut().filter(|_| is_meant).map(|tap| (tap, end))
        })
    }

    /// Who is in the middle between two hosts.
    pub fn tapped(&self, one: usize, other: usize) -> Option<&Tap> {
        let has = |stream: &&Stream, host: usize| stream.ends.iter().any(|(end, _)| *end == host);
        let stream = self.streams.iter().find(|stream| has(stream, one) && has(stream, other))?;
        stream.tap.as_ref()
    }

    /// Whether there is a stream between two hosts.
    pub fn is_connected(&self, one: usize, other: usize) -> bool {
        let has = |stream: &Stream, host: usize| stream.ends.iter().any(|(end, _)| *end == host);
        self.streams.iter().any(|stream| has(stream, one) && has(stream, other))
    }

    /// One host hears a message as if another had said it. What it does then is not carried out yet.
    ///
    /// # Panics
    /// There is no tapped stream between them.
    pub fn say(&mut self, from: usize, to: usize, message: &[u8]) {
        let conn = self.streams.iter().flat_map(|stream| stream.ends.map(|end| (end, stream.ends)));
        let is_meant = |ends: &[(usize, ConnId); 2]| ends.iter().any(|(host, _)| *host == from);
        let conn = conn.filter(|(end, ends)| end.0 == to && is_meant(ends)).map(|(end, _)| end.1).next();
        let (tap, end) = self.tap(from, to).expect("a tapped stream");
        let bytes = tap.say(end, message).expect("an established session");
        let conn = conn.expect("a stream");
        self.input(to, Input::Received { conn, bytes });
    }

    /// One host hears a message of the protocol.
    ///
    /// # Panics
    /// The message is too long, or there is no tapped stream.
    pub fn say_message(&mut self, from: usize, to: usize, message: &Message) {
        self.say(from, to, &message.encode().expect("a message that fits"));
    }

    /// Breaks every stream; what is on its way is lost.
    pub fn cut(&mut self) {
        self.tell(|| "all streams break".into());
        for stream in std::mem::take(&mut self.streams) {
            for (host, conn) in stream.ends {
                self.input(host, Input::Disconnected { conn, reason: "cut".into() });
            }
        }
    }
}
