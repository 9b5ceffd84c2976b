//! Messages of an established session (BOLT 8, Lightning Message Specification).

use super::{
    cipher::{CipherState, TAG_LEN},
    error::TransportError,
};
use std::fmt;

/// The longest message, in bytes.
pub const MAX_MESSAGE: usize = 65_535;

/// What can always be handed to `receive` once all messages have been taken out, in bytes.
pub const MAX_RECEIVE: usize = 131_072;

/// The most bytes that wait undecrypted: one message that is not complete, and one full `receive`.
pub const MAX_UNREAD: usize = HEADER_LEN + MAX_MESSAGE + TAG_LEN + MAX_RECEIVE;

const HEADER_LEN: usize = 2 + TAG_LEN;

/// An established session.
pub struct Transport {
    state: State,
    unread: Vec<u8>,
    /// How much of `unread` has been taken out.
    start: usize,
    /// The length of the message that comes next, once its header has come.
    length: Option<u16>,
}

enum State {
    Open { sending: CipherState, receiving: CipherState },
    Failed(TransportError),
}

impl Transport {
    /// `ck` and the two keys of the end of the handshake.
    pub(super) const fn new(chaining_key: [u8; 32], sending: [u8; 32], receiving: [u8; 32]) -> Self {
        let state = State::Open {
            sending: CipherState::new(chaining_key, sending),
            receiving: CipherState::new(chaining_key, receiving),
        };
        Self { state, unread: Vec::new(), start: 0, length: None }
    }

    /// Encrypts a message. The bytes must be sent, in the order of the calls.
    ///
    /// # Errors
    /// [`TransportError::MessageTooLong`], or the error that ended the session.
    pub fn encrypt(&mut self, message: &[u8]) -> Result<Vec<u8>, TransportError> {
        let State::Open { sending, .. } = &mut self.state else { return Err(self.failure()) };
        let length = u16::try_from(message.len())
            .map_err(|_| TransportError::MessageTooLong { length: message.len() })?;
        let mut out = Vec::with_capacity(HEADER_LEN + message.len() + TAG_LEN);
        sending.encrypt(&length.to_be_bytes(), &mut out);
        sending.encrypt(message, &mut out);
        Ok(out)
    }

    /// Takes received bytes, however they were cut; [`Self::next_message`] then gives the messages.
    ///
    /// # Errors
    /// [`TransportError::BufferFull`] when they do not fit; none were taken then. Or the error that ended the session.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<(), TransportError> {
        if let State::Failed(error) = self.state {
            return Err(error);
        }
        if bytes.len() > self.capacity() {
            let unread = self.unread.len() - self.start;
            return Err(TransportError::BufferFull { offered: bytes.len(), unread, limit: MAX_UNREAD });
        }
        if self.start > 0 {
            self.unread.drain(..self.start);
            self.start = 0;
        }
        self.unread.extend_from_slice(bytes);
        Ok(())
    }

    /// How many bytes `receive` would take now; at least [`MAX_RECEIVE`] after all messages have been taken out.
    pub const fn capacity(&self) -> usize {
        MAX_UNREAD - (self.unread.len() - self.start)
    }

    /// The next message, if all of it has come. It may be empty.
    ///
    /// # Errors
    /// The error that ended the session. What came before the bad bytes has been given out.
    pub fn next_message(&mut self) -> Result<Option<Vec<u8>>, TransportError> {
        let State::Open { receiving, .. } = &mut self.state else { return Err(self.failure()) };
        let mut unread = &self.unread[self.start..];
        let length = match self.length {
            Some(length) => length,
            None => {
                let Some((header, rest)) = unread.split_at_checked(HEADER_LEN) else { return Ok(None) };
                // The length is two bytes, as the header has a fixed size.
                let Ok(Ok(length)) = receiving.decrypt(header).map(<[u8; 2]>::try_from) else {
                    return Err(self.fail(TransportError::BadLengthTag));
                };
                self.start += HEADER_LEN;
                unread = rest;
                *self.length.insert(u16::from_be_bytes(length))
            }
        };
        let sealed_len = usize::from(length) + TAG_LEN;
        let Some(sealed) = unread.get(..sealed_len) else { return Ok(None) };
        match receiving.decrypt(sealed) {
            Ok(message) => {
                self.start += sealed_len;
                self.length = None;
                Ok(Some(message))
            }
            Err(_) => Err(self.fail(TransportError::BadMessageTag { length })),
        }
    }

    /// Drops keys and bytes.
    fn fail(&mut self, error: TransportError) -> TransportError {
        self.state = State::Failed(error);
        self.unread = Vec::new();
        self.start = 0;
        self.length = None;
        error
    }

    const fn failure(&self) -> TransportError {
        match self.state {
            State::Failed(error) => error,
            State::Open { .. } => TransportError::NotEstablished,
        }
    }

    #[cfg(test)]
    pub(super) fn keys(&self) -> Option<([u8; 32], [u8; 32])> {
        match &self.state {
            State::Open { sending, receiving } => Some((*sending.key(), *receiving.key())),
            State::Failed(_) => None,
        }
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("open", &matches!(self.state, State::Open { .. }))
            .field("unread", &(self.unread.len() - self.start))
            .finish_non_exhaustive()
    }
}
