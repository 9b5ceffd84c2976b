//! The onion of an attempt: built when it is made, built again after a start, and read when it comes back.

use crate::channel::Removal;
use crate::crypto::NodeKeys;
use crate::crypto::hash::hmac_sha256;
use crate::invoice::Invoice;
use crate::onion::{
    self, Decrypted, FailureMessage, HopPayload, HopPayloadBytes, Packet, SharedSecret, build_packet,
};
use crate::payment::{Attempt, AttemptHop, OnionForm};
use crate::route::{Route, RouteHop};
use crate::types::{HtlcId, ShortChannelId};
use crate::wire::Writer;
use bitcoin::secp256k1::{PublicKey, SecretKey};

impl Attempt {
    /// The attempt to go this way; unset for a way without hops.
    pub(super) fn of(route: &Route, htlc_id: HtlcId) -> Option<Self> {
        let (first, onward) = route.hops.split_first()?;
        let onward = onward.iter().map(|hop| AttemptHop {
            node_id: hop.node_id,
            short_channel_id: hop.short_channel_id,
            amount: hop.amount,
            cltv_expiry: hop.cltv_expiry,
        });
        Some(Self {
            channel: route.first_hop,
            htlc_id,
            sent: first.amount,
            cltv_expiry: first.cltv_expiry,
            onward: onward.collect(),
            form: OnionForm::Plain,
        })
    }

    /// The way it takes, our peer and the channel with it first.
    pub(super) fn hops(&self, peer: PublicKey, short_channel_id: ShortChannelId) -> Vec<RouteHop> {
        let first =
            RouteHop { node_id: peer, short_channel_id, amount: self.sent, cltv_expiry: self.cltv_expiry };
        let onward = self.onward.iter().map(|hop| RouteHop {
            node_id: hop.node_id,
            short_channel_id: hop.short_channel_id,
            amount: hop.amount,
            cltv_expiry: hop.cltv_expiry,
        });
        std::iter::once(first).chain(onward).collect()
    }
}

/// The packet of an attempt, the same bytes every time, and the secrets it shares with the hops. Unset where the hops do
/// not fit into a packet.
pub(super) fn build_onion(
    keys: &NodeKeys,
    peer: PublicKey,
    attempt: &Attempt,
    invoice: &Invoice,
) -> Option<(Packet, Vec<SharedSecret>)> {
    let payloads = match attempt.form {
        OnionForm::Plain => payloads(peer, attempt, invoice),
    };
    let session_key = session_key(keys, attempt, invoice, &payloads);
    build_packet(&session_key, &payloads, &invoice.payment_hash).ok()
}

/// A key that nobody else can know and that serves one packet only: it follows from the HTLC and from everything that the
/// packet says. It need not be stored, and even a copied store never seals two texts with one key.
fn session_key(
    keys: &NodeKeys,
    attempt: &Attempt,
    invoice: &Invoice,
    payloads: &[(PublicKey, HopPayloadBytes)],
) -> SecretKey {
    let mut said = Writer::new();
    said.write(&attempt.channel);
    said.write(&attempt.htlc_id);
    said.write(&invoice.payment_hash);
    for (node_id, payload) in payloads {
        said.write(node_id);
        said.prefixed(payload);
    }
    let said = said.into_bytes();
    let mut counter = 0u8;
    loop {
        let secret = keys.node_secret().secret_bytes();
        // Fails once in 2^128; then the next is an independent value.
        match SecretKey::from_slice(&hmac_sha256(&secret, &[b"kite session key", &[counter], &said])) {
            Ok(key) => return key,
            Err(_) => counter = counter.wrapping_add(1),
        }
    }
}

/// Which hop failed and why; the first hop, where the peer could not read the onion at all.
pub(super) fn read_failure(
    keys: &NodeKeys,
    peer: PublicKey,
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
            let onion = invoice.and_then(|invoice| build_onion(keys, peer, attempt, invoice));
            let Some((_, secrets)) = onion else { return unreadable };
            match onion::decrypt_failure(&secrets, packet) {
                Decrypted::Failure { hop_index, message } => (Some(hop_index), message),
                Decrypted::Unreadable => unreadable,
            }
        }
    }
}

fn payloads(peer: PublicKey, attempt: &Attempt, invoice: &Invoice) -> Vec<(PublicKey, HopPayloadBytes)> {
    let Attempt { sent, cltv_expiry, onward, .. } = attempt;
    let nodes = std::iter::once(peer).chain(onward.iter().map(|hop| hop.node_id));
    let forward = onward.iter().map(|next| HopPayload::Intermediate {
        amt_to_forward: next.amount,
        outgoing_cltv_value: next.cltv_expiry,
        short_channel_id: next.short_channel_id,
    });
    let (amount, cltv_expiry) =
        onward.last().map_or((*sent, *cltv_expiry), |last| (last.amount, last.cltv_expiry));
    let receive = HopPayload::Final {
        amt_to_forward: amount,
        outgoing_cltv_value: cltv_expiry,
        payment_secret: Some(invoice.payment_secret),
        total_msat: amount,
        payment_metadata: invoice.metadata.clone(),
    };
    nodes.zip(forward.chain([receive]).map(|payload| payload.encode())).collect()
}
