//! Building a packet (BOLT 4, Packet Construction).

use super::keys::{KeyType, SharedSecret, apply_stream, generate_key};
use super::{HMAC_BYTES, HOP_PAYLOADS_BYTES, PACKET_BYTES, POINT_BYTES, Packet, VERSION};
use crate::crypto::ec;
use crate::crypto::hash::hmac_sha256;
use crate::types::PaymentHash;
use crate::wire::Writer;
use bitcoin::secp256k1::{PublicKey, SecretKey};

/// The payload of one hop, a TLV stream without its length (see [`super::HopPayload::encode`]).
pub type HopPayloadBytes = Vec<u8>;

/// The most hops of a route (BOLT 4, Returning Errors, origin node).
pub const MAX_HOPS: usize = 27;

/// Why no packet can be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OnionError {
    /// A route of no hops, or of more than [`MAX_HOPS`].
    #[error("a packet for {hops} hops cannot be built")]
    HopCount {
        /// The hops of the route.
        hops: usize,
    },
    /// Shorter than any TLV record.
    #[error("the payload of hop {hop_index} is empty")]
    EmptyPayload {
        /// Which hop, from 0.
        hop_index: usize,
    },
    /// More than the packet has room for: the route is too long, or the payee's metadata.
    #[error("payloads of {needed} bytes do not fit the {HOP_PAYLOADS_BYTES} bytes of a packet")]
    PayloadsTooLong {
        /// Bytes of all payloads with lengths and HMACs.
        needed: usize,
    },
    /// The session key meets a blinding factor that is no scalar; another session key will do (probability 2^-128).
    #[error("this session key cannot be blinded")]
    SessionKey,
}

/// Builds the packet for a route and tells the secrets shared with its hops, in order.
///
/// A session key serves one packet only. This costs one ECDH a hop, and one multiplication of the generator a hop but
/// the last (at least one).
///
/// # Errors
/// [`OnionError`] when the payloads do not fit.
pub fn build_packet(
    session_key: &SecretKey,
    hops: &[(PublicKey, HopPayloadBytes)],
    associated_data: &PaymentHash,
) -> Result<(Packet, Vec<SharedSecret>), OnionError> {
    let sizes = frame_sizes(hops)?;
    let (point, shared_secrets) = share_secrets(session_key, hops)?;
    let rho_keys: Vec<[u8; 32]> = shared_secrets.iter().map(|secret| secret.key(KeyType::Rho)).collect();
    let filler = filler(&sizes, &rho_keys);

    let mut hop_payloads = [0; HOP_PAYLOADS_BYTES];
    apply_stream(&generate_key(KeyType::Pad, &session_key.secret_bytes()), 0, &mut hop_payloads);
    let mut hmac = [0; HMAC_BYTES];
    for (index, (_, payload)) in hops.iter().enumerate().rev() {
        let frame = frame(payload, &hmac);
        hop_payloads.copy_within(..HOP_PAYLOADS_BYTES - frame.len(), frame.len());
        hop_payloads[..frame.len()].copy_from_slice(&frame);
        apply_stream(&rho_keys[index], 0, &mut hop_payloads);
        if index == hops.len() - 1 {
            hop_payloads[HOP_PAYLOADS_BYTES - filler.len()..].copy_from_slice(&filler);
        }
        hmac = hmac_sha256(&shared_secrets[index].key(KeyType::Mu), &[&hop_payloads, &associated_data.0]);
    }
    Ok((assemble(&point, &hop_payloads, &hmac), shared_secrets))
}

/// The parts of a packet in their order.
pub(super) fn assemble(point: &PublicKey, hop_payloads: &[u8], hmac: &[u8; HMAC_BYTES]) -> Packet {
    let mut packet = Box::new([0; PACKET_BYTES]);
    packet[0] = VERSION;
    packet[1..1 + POINT_BYTES].copy_from_slice(&point.serialize());
    packet[1 + POINT_BYTES..PACKET_BYTES - HMAC_BYTES].copy_from_slice(hop_payloads);
    packet[PACKET_BYTES - HMAC_BYTES..].copy_from_slice(hmac);
    packet
}

/// How much of the hop payloads each hop takes. Their sum fits, and nothing was allocated for payloads yet.
fn frame_sizes(hops: &[(PublicKey, HopPayloadBytes)]) -> Result<Vec<usize>, OnionError> {
    if !(1..=MAX_HOPS).contains(&hops.len()) {
        return Err(OnionError::HopCount { hops: hops.len() });
    }
    if let Some(hop_index) = hops.iter().position(|(_, payload)| payload.len() < 2) {
        return Err(OnionError::EmptyPayload { hop_index });
    }
    let length_size = |payload: &HopPayloadBytes| if payload.len() < 0xfd { 1 } else { 3 };
    let sizes: Vec<usize> =
        hops.iter().map(|(_, payload)| length_size(payload) + payload.len() + HMAC_BYTES).collect();
    let needed = sizes.iter().fold(0usize, |sum, size| sum.saturating_add(*size));
    if needed > HOP_PAYLOADS_BYTES { Err(OnionError::PayloadsTooLong { needed }) } else { Ok(sizes) }
}

fn frame(payload: &[u8], hmac: &[u8; HMAC_BYTES]) -> Vec<u8> {
    let mut frame = Writer::new();
    frame.bigsize(payload.len() as u64);
    frame.put(payload);
    frame.put(hmac);
    frame.into_bytes()
}

/// The point for the first hop, and the secret shared with each (BOLT 4, Shared Secret).
fn share_secrets(
    session_key: &SecretKey,
    hops: &[(PublicKey, HopPayloadBytes)],
) -> Result<(PublicKey, Vec<SharedSecret>), OnionError> {
    let first_point = ec::public_key(session_key);
    let (mut key, mut point) = (*session_key, first_point);
    let mut shared_secrets = Vec::with_capacity(hops.len());
    for (index, (node_id, _)) in hops.iter().enumerate() {
        let shared_secret = SharedSecret::from_bytes(ec::ecdh(node_id, &key));
        if index + 1 < hops.len() {
            key = ec::multiply_key(&key, &shared_secret.blinding_factor(&point))
                .map_err(|_| OnionError::SessionKey)?;
        }
        // The point of the last hop would blind only for a hop after it.
        if index + 2 < hops.len() {
            point = ec::public_key(&key);
        }
        shared_secrets.push(shared_secret);
    }
    Ok((first_point, shared_secrets))
}

/// What the padding of all hops but the last has become when the last peels (BOLT 4, Filler Generation): each hop
/// appends as many zeros as it takes, and applies its stream to all.
fn filler(sizes: &[usize], rho_keys: &[[u8; 32]]) -> Vec<u8> {
    let mut filler = Vec::new();
    let forwarding = sizes.len().saturating_sub(1);
    for (size, rho_key) in sizes.iter().zip(rho_keys).take(forwarding) {
        // The filler is the end of the payloads; `frame_sizes` keeps it below them.
        let start = u32::try_from(HOP_PAYLOADS_BYTES.saturating_sub(filler.len())).unwrap_or(0);
        filler.resize(filler.len() + size, 0);
        apply_stream(rho_key, start, &mut filler);
    }
    filler
}
