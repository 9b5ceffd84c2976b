//! How peers are reached.

use super::{MaybeSend, MaybeSync, Pending};
use bitcoin::secp256k1::PublicKey;
use std::fmt;

/// Opens byte streams to peers: TCP natively, a websocket to the wallet's proxy in a browser.
pub trait Dial: MaybeSend + MaybeSync {
    /// Opens a byte stream to `address` (`host:port`). The node behind it proves that it is `node_id` by BOLT 8 later;
    /// a proxy may want to know it now.
    ///
    /// Gives up by itself after about 15 seconds. A future that is dropped closes what it has opened.
    fn connect(&self, node_id: PublicKey, address: String) -> Pending<'_, Result<ByteStream, DialError>>;
}

/// An open byte stream. It closes when both halves were dropped.
pub struct ByteStream {
    /// What the peer sends.
    pub reader: Box<dyn ByteReader>,
    /// What the peer gets.
    pub writer: Box<dyn ByteWriter>,
}

/// The half of a byte stream that is read. It takes no more from the network than a small buffer while nobody reads.
pub trait ByteReader: MaybeSend {
    /// The next bytes, at least one and at most 64 KiB; unset at the end of the stream.
    ///
    /// A future that is dropped loses no bytes.
    fn read(&mut self) -> Pending<'_, Result<Option<Vec<u8>>, DialError>>;
}

/// The half of a byte stream that is written.
pub trait ByteWriter: MaybeSend {
    /// Writes all bytes, after all earlier ones. Waits while the peer, or the proxy, does not take them.
    fn write(&mut self, bytes: Vec<u8>) -> Pending<'_, Result<(), DialError>>;

    /// Sends what is buffered and ends the stream. Nothing is written afterwards.
    fn close(&mut self) -> Pending<'_, ()>;
}

/// Why a byte stream could not be opened, or broke.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct DialError {
    /// What the platform said, for the owner.
    pub reason: String,
}

impl fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ByteStream")
    }
}
