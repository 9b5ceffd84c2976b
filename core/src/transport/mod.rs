//! Encrypted transport (BOLT 8).
//!
//! [`Connection`] is what a peer uses: bytes in, messages out, whatever the fragmentation. It is a [`Handshake`] first
//! and a [`Transport`] after.
//!
//! # Failure
//! A message authentication code that does not match, a version or a key that is not valid ends a session. Nothing
//! is sent after it, the keys are dropped, and every later call returns the same error.
//!
//! # Bounds
//! At most [`MAX_UNREAD`] bytes wait undecrypted. Whoever takes out all messages after each `receive` can hand over
//! [`MAX_RECEIVE`] bytes at a time, always; more at once may be refused with [`TransportError::BufferFull`], which
//! takes nothing and does no harm. Not reading from the socket meanwhile is the back-pressure.

mod cipher;
mod connection;
mod error;
mod handshake;
mod stream;

pub use connection::Connection;
pub use error::{Act, TransportError};
pub use handshake::{Established, Handshake, Progress};
pub use stream::{MAX_MESSAGE, MAX_RECEIVE, MAX_UNREAD, Transport};

#[cfg(test)]
mod session_test;
#[cfg(test)]
mod vectors_test;
