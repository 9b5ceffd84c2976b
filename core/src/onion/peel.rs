//! Peeling a layer off a packet (BOLT 4, Onion Decryption).

use super::build::assemble;
use super::keys::{KeyType, SharedSecret, apply_stream};
use super::{
    FailureMessage, HMAC_BYTES, HOP_PAYLOADS_BYTES, HopPayload, HopPayloadBytes, PACKET_BYTES, POINT_BYTES,
    Packet, PayloadError, VERSION,
};
use crate::crypto::ec;
use crate::crypto::hash::{constant_time_eq, hmac_sha256, sha256};
use crate::types::PaymentHash;
use crate::wire::Reader;
use bitcoin::secp256k1::{PublicKey, SecretKey};
use std::fmt;

/// What a hop finds in a packet.
#[derive(Clone, PartialEq, Eq)]
pub struct Peeled {
    /// The hop's payload, a TLV stream.
    pub payload: HopPayloadBytes,
    /// The packet for the next hop; unset where this is the final node.
    pub next: Option<Packet>,
    /// What a failure is encrypted with.
    pub shared_secret: SharedSecret,
}

/// Why a packet cannot be peeled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeelError {
    /// No shared secret with the sender: answered with `update_fail_malformed_htlc`.
    #[error("the onion is bad: {reason}")]
    BadOnion {
        /// What is bad.
        reason: BadOnion,
        /// What the answer names the packet by.
        sha256_of_onion: [u8; 32],
    },
    /// Made by the sender and yet not readable: answered with `update_fail_htlc`.
    #[error("the onion holds no valid payload")]
    InvalidPayload {
        /// What the failure is encrypted with.
        shared_secret: SharedSecret,
    },
}

/// The ways in which a packet itself is bad. Their failure codes have the BADONION bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadOnion {
    /// `invalid_onion_version`.
    #[error("unknown version")]
    Version,
    /// `invalid_onion_hmac`.
    #[error("wrong HMAC")]
    Hmac,
    /// `invalid_onion_key`.
    #[error("invalid point")]
    Key,
}

impl BadOnion {
    /// The `failure_code` of `update_fail_malformed_htlc`.
    pub const fn failure_code(self) -> u16 {
        match self {
            Self::Version => FailureMessage::INVALID_ONION_VERSION,
            Self::Hmac => FailureMessage::INVALID_ONION_HMAC,
            Self::Key => FailureMessage::INVALID_ONION_KEY,
        }
    }
}

impl Peeled {
    /// Whether the payment ends here.
    pub const fn is_final(&self) -> bool {
        self.next.is_none()
    }

    /// Reads the payload as that of a forwarding or of the final node.
    ///
    /// # Errors
    /// What to answer with `invalid_onion_payload`.
    pub fn hop_payload(&self) -> Result<HopPayload, PayloadError> {
        HopPayload::decode(&self.payload, self.is_final())
    }
}

/// Without the payload, which may carry the payment secret.
impl fmt::Debug for Peeled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peeled").field("is_final", &self.is_final()).finish_non_exhaustive()
    }
}

/// Peels the layer of the node with this secret. This costs one ECDH, and a multiplication where there is a next hop.
///
/// # Errors
/// [`PeelError`] says how to answer.
pub fn peel(
    packet: &[u8; PACKET_BYTES],
    node_secret: &SecretKey,
    associated_data: &PaymentHash,
) -> Result<Peeled, PeelError> {
    let bad = |reason| PeelError::BadOnion { reason, sha256_of_onion: sha256(&[packet]) };
    if packet[0] != VERSION {
        return Err(bad(BadOnion::Version));
    }
    let point = PublicKey::from_slice(&packet[1..1 + POINT_BYTES]).map_err(|_| bad(BadOnion::Key))?;
    let (hop_payloads, hmac) = packet[1 + POINT_BYTES..].split_at(HOP_PAYLOADS_BYTES);
    let shared_secret = SharedSecret::from_bytes(ec::ecdh(&point, node_secret));
    let expected = hmac_sha256(&shared_secret.key(KeyType::Mu), &[hop_payloads, &associated_data.0]);
    if !constant_time_eq(&expected, hmac) {
        return Err(bad(BadOnion::Hmac));
    }

    let mut unwrapped = [0; 2 * HOP_PAYLOADS_BYTES];
    unwrapped[..HOP_PAYLOADS_BYTES].copy_from_slice(hop_payloads);
    apply_stream(&shared_secret.key(KeyType::Rho), 0, &mut unwrapped);
    let Some(Frame { payload, next_hmac, size }) = split_frame(&unwrapped[..HOP_PAYLOADS_BYTES]) else {
        return Err(PeelError::InvalidPayload { shared_secret });
    };
    let next = if next_hmac == [0; HMAC_BYTES] {
        None
    } else {
        let Ok(next_point) = ec::multiply_point(&point, &shared_secret.blinding_factor(&point)) else {
            return Err(PeelError::InvalidPayload { shared_secret });
        };
        Some(assemble(&next_point, &unwrapped[size..size + HOP_PAYLOADS_BYTES], &next_hmac))
    };
    Ok(Peeled { payload: payload.to_vec(), next, shared_secret })
}

struct Frame<'a> {
    payload: &'a [u8],
    next_hmac: [u8; HMAC_BYTES],
    /// At most [`HOP_PAYLOADS_BYTES`].
    size: usize,
}

/// The length is checked against the packet before anything is copied.
fn split_frame(hop_payloads: &[u8]) -> Option<Frame<'_>> {
    let mut reader = Reader::new(hop_payloads);
    let length = usize::try_from(reader.bigsize().ok()?).ok()?;
    // 0 was a format of old, 1 is reserved.
    if length < 2 {
        return None;
    }
    let payload = reader.take(length).ok()?;
    let next_hmac = reader.array().ok()?;
    Some(Frame { payload, next_hmac, size: hop_payloads.len() - reader.remaining() })
}
