//! Onion packets of payments and the failures that come back (BOLT 4).
//!
//! The payer builds one packet for all hops ([`build_packet`]); each hop peels its layer off ([`peel`]) and finds its
//! [`HopPayload`]. A failure travels back in layers, too ([`build_failure`], [`wrap_failure`], [`decrypt_failure`]).

mod build;
mod failure;
mod failure_message;
mod instruction;
mod keys;
mod payload;
mod peel;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors_test;

pub use build::{HopPayloadBytes, MAX_HOPS, OnionError, build_packet};
pub use failure::{Decrypted, MAX_FAILURE_PACKET_BYTES, build_failure, decrypt_failure, wrap_failure};
pub use failure_message::FailureMessage;
pub use instruction::Instruction;
pub use keys::SharedSecret;
pub use payload::{HopPayload, PayloadError};
pub use peel::{BadOnion, PeelError, Peeled, peel};

/// An onion packet: version, point, hop payloads and HMAC.
pub type Packet = Box<[u8; PACKET_BYTES]>;

/// The length of a packet.
pub const PACKET_BYTES: usize = 1 + POINT_BYTES + HOP_PAYLOADS_BYTES + HMAC_BYTES;
/// The room for the payloads of all hops, with their lengths and HMACs.
pub const HOP_PAYLOADS_BYTES: usize = 1300;

const POINT_BYTES: usize = 33;
const HMAC_BYTES: usize = 32;
const VERSION: u8 = 0;
