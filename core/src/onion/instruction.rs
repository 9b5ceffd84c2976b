//! What an onion tells the node that an HTLC ends at: all that is kept of the packet.

use super::{FailureMessage, HopPayload, PACKET_BYTES, PeelError, SharedSecret, peel};
use crate::types::{MilliSatoshi, PaymentHash, PaymentSecret};
use bitcoin::secp256k1::SecretKey;

/// What is to be done with an HTLC by its onion, at a node that forwards nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instruction {
    /// The payment ends here.
    Receive {
        /// What a failure is encrypted with.
        shared_secret: SharedSecret,
        /// The least amount of the HTLC.
        amt_to_forward: MilliSatoshi,
        /// Its earliest expiry.
        outgoing_cltv_value: u32,
        /// From the invoice; unset where the sender has none.
        payment_secret: Option<PaymentSecret>,
        /// The amount of all parts.
        total_msat: MilliSatoshi,
    },
    /// Answer with this failure.
    Fail {
        /// What it is encrypted with.
        shared_secret: SharedSecret,
        /// Why.
        failure: FailureMessage,
    },
    /// Nothing is shared with the sender: answer with `update_fail_malformed_htlc`.
    Malformed {
        /// A code with the BADONION bit.
        failure_code: u16,
        /// What the answer names the packet by.
        sha256_of_onion: [u8; 32],
    },
}

impl Instruction {
    /// Reads a packet with the secret of the node. This costs one ECDH, unless the packet is bad at first sight.
    pub fn read(packet: &[u8; PACKET_BYTES], node_secret: &SecretKey, payment_hash: &PaymentHash) -> Self {
        let peeled = match peel(packet, node_secret, payment_hash) {
            Ok(peeled) => peeled,
            Err(PeelError::BadOnion { reason, sha256_of_onion }) => {
                return Self::Malformed { failure_code: reason.failure_code(), sha256_of_onion };
            }
            Err(PeelError::InvalidPayload { shared_secret }) => {
                let failure = FailureMessage::InvalidOnionPayload { tlv_type: 0, offset: 0 };
                return Self::Fail { shared_secret, failure };
            }
        };
        let payload = peeled.hop_payload();
        let shared_secret = peeled.shared_secret;
        match payload {
            Ok(HopPayload::Final {
                amt_to_forward, outgoing_cltv_value, payment_secret, total_msat, ..
            }) => Self::Receive {
                shared_secret,
                amt_to_forward,
                outgoing_cltv_value: outgoing_cltv_value.height(),
                payment_secret,
                total_msat,
            },
            Ok(HopPayload::Intermediate { .. }) => {
                Self::Fail { shared_secret, failure: FailureMessage::UnknownNextPeer }
            }
            Err(error) => Self::Fail { shared_secret, failure: error.into() },
        }
    }
}
