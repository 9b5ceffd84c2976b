//! Somebody between two nodes who has the keys of both: hears every message, leaves some out, and speaks for either.

use crate::fault::Instead;
use bitcoin::secp256k1::{PublicKey, SecretKey};
use kite_core::transport::{Connection, TransportError};
use kite_core::wire::Message;

/// A session with each of the two.
#[derive(Debug)]
pub struct Tap {
    /// Towards each end, in the name of the other.
    sessions: [Connection; 2],
    /// What waits for the session to its receiver.
    waiting: [Vec<Vec<u8>>; 2],
    /// What each end said, decrypted, since it was taken.
    pub heard: [Vec<Vec<u8>>; 2],
    /// What is passed on.
    pub passes: Passes,
}

/// Whether a message of an end, by its type, is passed on.
pub type Passes = fn(end: usize, message_type: u16) -> bool;

/// Bytes for one end.
pub type Piece = (usize, Vec<u8>);

impl Tap {
    /// The first end opened the stream. Gives the first bytes for the second.
    pub fn new(
        secrets: [&SecretKey; 2],
        node_ids: [PublicKey; 2],
        ephemeral: [SecretKey; 2],
        passes: Passes,
    ) -> (Self, Piece) {
        let [first, second] = ephemeral;
        let to_first = Connection::responder(secrets[1], first);
        let (to_second, act_one) = Connection::initiator(secrets[0], node_ids[1], second);
        let tap = Self {
            sessions: [to_first, to_second],
            waiting: Default::default(),
            heard: Default::default(),
            passes,
        };
        (tap, (1, act_one))
    }

    /// Bytes of one end. Gives the bytes that follow from them.
    ///
    /// # Errors
    /// An end that speaks no BOLT 8.
    pub fn receive(&mut self, end: usize, bytes: &[u8]) -> Result<Vec<Piece>, TransportError> {
        self.receive_and_alter(end, bytes, |message| [vec![message], vec![]])
    }

    /// The same, where something else is passed on, or said back.
    pub(crate) fn receive_and_alter(
        &mut self,
        end: usize,
        bytes: &[u8],
        alter: impl Fn(Vec<u8>) -> Instead,
    ) -> Result<Vec<Piece>, TransportError> {
        let reply = self.sessions[end].receive(bytes)?;
        let mut pieces = Vec::new();
        if !reply.is_empty() {
            pieces.push((end, reply));
        }
        while let Some(message) = self.sessions[end].next_message()? {
            let message_type = message.first_chunk().map_or(0, |bytes| u16::from_be_bytes(*bytes));
            if (self.passes)(end, message_type) {
                let [on, back] = alter(message.clone());
                self.waiting[1 - end].extend(on);
                self.waiting[end].extend(back);
            }
            self.heard[end].push(message);
        }
        for to in 0..2 {
            if self.sessions[to].is_established() {
                for message in std::mem::take(&mut self.waiting[to]) {
                    pieces.push((to, self.sessions[to].encrypt(&message)?));
                }
            }
        }
        Ok(pieces)
    }

    /// Whether both ends have shaken hands.
    pub fn is_open(&self) -> bool {
        self.sessions.iter().all(Connection::is_established)
    }

    /// Speaks to one end in the name of the other.
    ///
    /// # Errors
    /// There is no session yet, or the message is too long.
    pub fn say(&mut self, to: usize, message: &[u8]) -> Result<Vec<u8>, TransportError> {
        self.sessions[to].encrypt(message)
    }

    /// What one end said since this was asked last.
    pub fn take_heard(&mut self, end: usize) -> Vec<Message> {
        std::mem::take(&mut self.heard[end]).iter().filter_map(|bytes| Message::decode(bytes).ok()).collect()
    }
}
