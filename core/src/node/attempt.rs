//! The onion of an attempt: built when it is made, built again after a start, and read when it comes back.

use crate::channel::Removal;
use crate::invoice::Invoice;
use crate::onion::{
    self, Decrypted, FailureMessage, HopPayload, HopPayloadBytes, Packet, SharedSecret, build_packet,
};
use crate::payment::{Attempt, AttemptHop};
use crate::route::RouteHop;
use bitcoin::secp256k1::{PublicKey, SecretKey};

impl From<&RouteHop> for AttemptHop {
    fn from(hop: &RouteHop) -> Self {
        let RouteHop { node_id, short_channel_id, amount, cltv_expiry } = *hop;
        Self { node_id, short_channel_id, amount, cltv_expiry }
    }
}

/// The packet of an attempt, the same bytes every time, and the secrets it shares with the hops. Unset where the hops do
/// not fit into a packet.
pub(super) fn build_onion(attempt: &Attempt, invoice: &Invoice) -> Option<(Packet, Vec<SharedSecret>)> {
    let session_key = SecretKey::from_slice(&attempt.session_key).ok()?;
    build_packet(&session_key, &payloads(&attempt.hops, invoice), &invoice.payment_hash).ok()
}

/// Which hop failed and why; the first hop, where the peer could not read the onion at all.
pub(super) fn read_failure(
    attempt: &Attempt,
    invoice: Option<&Invoice>,
    reason: &Removal,
) -> (Option<usize>, FailureMessage) {
    let unreadable = (None, FailureMessage::Unknown { failure_code: 0, data: Vec::new() });
    match reason {
        Removal::Fulfilled(_) => unreadable,
        Removal::Malformed { sha256_of_onion, failure_code } => {
            (Some(0), FailureMessage::from_malformed(*failure_code, *sha256_of_onion))
        }
        Removal::Failed(packet) => {
            let onion = invoice.and_then(|invoice| build_onion(attempt, invoice));
            let Some((_, secrets)) = onion else { return unreadable };
            match onion::decrypt_failure(&secrets, packet) {
                Decrypted::Failure { hop_index, message } => (Some(hop_index), message),
                Decrypted::Unreadable => unreadable,
            }
        }
    }
}

fn payloads(hops: &[AttemptHop], invoice: &Invoice) -> Vec<(PublicKey, HopPayloadBytes)> {
    let mut payloads: Vec<(PublicKey, HopPayloadBytes)> = hops
        .windows(2)
        .map(|pair| {
            let payload = HopPayload::Intermediate {
                amt_to_forward: pair[1].amount,
                outgoing_cltv_value: pair[1].cltv_expiry,
                short_channel_id: pair[1].short_channel_id,
            };
            (pair[0].node_id, payload.encode())
        })
        .collect();
    if let Some(last) = hops.last() {
        let payload = HopPayload::Final {
            amt_to_forward: last.amount,
            outgoing_cltv_value: last.cltv_expiry,
            payment_secret: Some(invoice.payment_secret),
            total_msat: last.amount,
            payment_metadata: invoice.metadata.clone(),
        };
        payloads.push((last.node_id, payload.encode()));
    }
    payloads
}
