//! Failures on their way back (BOLT 4, Returning Errors).

use super::keys::{KeyType, SharedSecret, apply_stream};
use super::{FailureMessage, HMAC_BYTES, MAX_HOPS};
use crate::crypto::hash::{constant_time_eq, hmac_sha256};
use crate::wire::{Reader, Writer};

/// Message and padding of a failure have this length together, so that its length tells nothing.
const PADDED_MESSAGE_BYTES: usize = 256;

/// A failure packet longer than this is not looked at.
pub const MAX_FAILURE_PACKET_BYTES: usize = 32 * 1024;

/// What the sender of a payment makes of a failure packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decrypted {
    /// A hop said why.
    Failure {
        /// Which hop of the route, from 0.
        hop_index: usize,
        /// What it said.
        message: FailureMessage,
    },
    /// No hop of the route made it, or one changed it on the way. Nothing is known of where or why.
    Unreadable,
}

/// The `reason` of `update_fail_htlc` at the node that fails the HTLC.
pub fn build_failure(shared_secret: &SharedSecret, message: &FailureMessage) -> Vec<u8> {
    let mut message = message.encode();
    // Only a `channel_update` could make it so long, and it can be left out (BOLT 4, Failure Messages, Rationale).
    if message.len() > MAX_FAILURE_PACKET_BYTES / 2 {
        message.truncate(size_of::<u16>());
    }
    let padding = PADDED_MESSAGE_BYTES.saturating_sub(message.len());
    let mut body = Writer::new();
    body.prefixed(&message);
    body.count(padding);
    body.put_zeros(padding);
    let body = body.into_bytes();
    let hmac = hmac_sha256(&shared_secret.key(KeyType::Um), &[&body]);
    wrap_failure(shared_secret, [&hmac[..], &body].concat())
}

/// The `reason` of `update_fail_htlc` at a node that passes a failure back.
pub fn wrap_failure(shared_secret: &SharedSecret, mut packet: Vec<u8>) -> Vec<u8> {
    apply_stream(&shared_secret.key(KeyType::Ammag), 0, &mut packet);
    packet
}

/// Finds the hop that made a failure and what it says.
///
/// It always does the work of [`MAX_HOPS`] hops, so that its duration tells neither the route's length nor the place.
pub fn decrypt_failure(shared_secrets: &[SharedSecret], packet: &[u8]) -> Decrypted {
    if !(HMAC_BYTES..=MAX_FAILURE_PACKET_BYTES).contains(&packet.len()) {
        return Decrypted::Unreadable;
    }
    let dummy = SharedSecret::from_bytes([0; 32]);
    let mut packet = packet.to_vec();
    let mut found = Decrypted::Unreadable;
    for hop_index in 0..MAX_HOPS.max(shared_secrets.len()) {
        let shared_secret = shared_secrets.get(hop_index).unwrap_or(&dummy);
        apply_stream(&shared_secret.key(KeyType::Ammag), 0, &mut packet);
        let (hmac, body) = packet.split_at(HMAC_BYTES);
        let is_from_here = constant_time_eq(&hmac_sha256(&shared_secret.key(KeyType::Um), &[body]), hmac);
        if is_from_here && hop_index < shared_secrets.len() && found == Decrypted::Unreadable {
            // The hop is known even where its message is cut.
            let message = Reader::new(body).prefixed().unwrap_or_default();
            found = Decrypted::Failure { hop_index, message: FailureMessage::decode(message) };
        }
    }
    found
}
