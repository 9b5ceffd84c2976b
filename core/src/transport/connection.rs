//! Handshake and session behind one face.

use super::{
    error::TransportError,
    handshake::{Handshake, Progress},
    stream::{MAX_RECEIVE, Transport},
};
use bitcoin::secp256k1::{PublicKey, SecretKey};
use std::fmt;

/// One connection to a peer, from its first byte to its last.
pub struct Connection {
    stage: Stage,
    remote_node_id: Option<PublicKey>,
}

enum Stage {
    Handshake(Handshake),
    Established(Transport),
}

impl Connection {
    /// A connection that we make. Returns the first bytes to send.
    ///
    /// The ephemeral key must be fresh and used for nothing else.
    pub fn initiator(
        local_static: &SecretKey,
        remote_node_id: PublicKey,
        ephemeral: SecretKey,
    ) -> (Self, Vec<u8>) {
        let (handshake, act_one) = Handshake::initiator(local_static, remote_node_id, ephemeral);
        let connection = Self { stage: Stage::Handshake(handshake), remote_node_id: Some(remote_node_id) };
        (connection, act_one)
    }

    /// A connection that the other side makes.
    ///
    /// The ephemeral key must be fresh and used for nothing else.
    pub fn responder(local_static: &SecretKey, ephemeral: SecretKey) -> Self {
        let handshake = Handshake::responder(local_static, ephemeral);
        Self { stage: Stage::Handshake(handshake), remote_node_id: None }
    }

    /// Takes received bytes, however they were cut. Returns bytes to send now, often none; then take out all
    /// messages with [`Self::next_message`].
    ///
    /// # Errors
    /// [`TransportError::BufferFull`], when nothing was taken; never for up to [`MAX_RECEIVE`] bytes after all messages
    /// were taken out. All others are fatal: close the connection.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Vec<u8>, TransportError> {
        let handshake = match &mut self.stage {
            Stage::Established(transport) => return transport.receive(bytes).map(|()| Vec::new()),
            Stage::Handshake(handshake) => handshake,
        };
        if bytes.len() > MAX_RECEIVE {
            return Err(TransportError::BufferFull { offered: bytes.len(), unread: 0, limit: MAX_RECEIVE });
        }
        match handshake.receive(bytes)? {
            Progress::NeedMore { .. } => Ok(Vec::new()),
            Progress::Reply(reply) => Ok(reply),
            Progress::Established(established) => {
                let mut transport = established.transport;
                transport.receive(&established.unread)?;
                self.stage = Stage::Established(transport);
                self.remote_node_id = Some(established.remote_node_id);
                Ok(established.reply)
            }
        }
    }

    /// The next message, if the handshake is complete and all of the message has come.
    ///
    /// # Errors
    /// The fatal error of the session.
    pub fn next_message(&mut self) -> Result<Option<Vec<u8>>, TransportError> {
        match &mut self.stage {
            Stage::Established(transport) => transport.next_message(),
            Stage::Handshake(handshake) => handshake.check().map(|()| None),
        }
    }

    /// Encrypts a message. The bytes must be sent, in the order of the calls.
    ///
    /// # Errors
    /// [`TransportError::NotEstablished`], [`TransportError::MessageTooLong`], or the fatal error of the session.
    pub fn encrypt(&mut self, message: &[u8]) -> Result<Vec<u8>, TransportError> {
        match &mut self.stage {
            Stage::Established(transport) => transport.encrypt(message),
            Stage::Handshake(handshake) => handshake.check().and(Err(TransportError::NotEstablished)),
        }
    }

    /// Whether the handshake is complete: both sides have proved their keys.
    pub const fn is_established(&self) -> bool {
        matches!(self.stage, Stage::Established(_))
    }

    /// The other side's node id: whom we want to reach, or, once established, who has reached us.
    pub const fn remote_node_id(&self) -> Option<PublicKey> {
        self.remote_node_id
    }

    /// How many bytes [`Self::receive`] would take now.
    pub const fn capacity(&self) -> usize {
        match &self.stage {
            Stage::Established(transport) => transport.capacity(),
            Stage::Handshake(_) => MAX_RECEIVE,
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("established", &self.is_established())
            .field("remote_node_id", &self.remote_node_id)
            .finish_non_exhaustive()
    }
}
