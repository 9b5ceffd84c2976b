//! Normal operation and reestablishment of channels (BOLT 2, Normal Operation, Message Retransmission).

use super::{DecodeError, Reader, TlvValue, Writer};
use crate::types::{ChannelId, FeeratePerKw, HtlcId, MilliSatoshi, PaymentHash, PaymentPreimage};
use bitcoin::Txid;
use bitcoin::secp256k1::{PublicKey, ecdsa::Signature};
use std::fmt;

payload! {
    /// A new HTLC (BOLT 2, Adding an HTLC: `update_add_htlc`).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct UpdateAddHtlc {
        /// The channel.
        channel_id: ChannelId,
        /// The sender's number of the HTLC.
        id: HtlcId,
        /// What it pays.
        amount_msat: MilliSatoshi,
        /// The hash its preimage must have.
        payment_hash: PaymentHash,
        /// The block height at which it times out; its range is checked by the channel.
        cltv_expiry: u32,
        /// For the receiver to peel (BOLT 4).
        onion_routing_packet: Box<[u8; 1366]>,
    }
    tlvs {
        /// The receiver's path key when it is inside a blinded path. Read even by a node that offers no route
        /// blinding: a peer may forward such an HTLC all the same, and it must be failed, not make the
        /// connection close again and again.
        0 => path_key: PublicKey,
    }
}

payload! {
    /// The preimage of an HTLC (BOLT 2, Removing an HTLC: `update_fulfill_htlc`). `attribution_data` is not read.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct UpdateFulfillHtlc {
        /// The channel.
        channel_id: ChannelId,
        /// The receiver's number of the HTLC.
        id: HtlcId,
        /// Opens the payment hash.
        payment_preimage: PaymentPreimage,
    }
    tlvs {}
}

payload! {
    /// An HTLC failed somewhere along its way (BOLT 2, `update_fail_htlc`). `attribution_data` is not read.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct UpdateFailHtlc {
        /// The channel.
        channel_id: ChannelId,
        /// The receiver's number of the HTLC.
        id: HtlcId,
        /// The encrypted failure for the origin (BOLT 4, Returning Errors).
        reason: Vec<u8>,
    }
    tlvs {}
}

payload! {
    /// The sender could not read the onion of an HTLC (BOLT 2, `update_fail_malformed_htlc`).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct UpdateFailMalformedHtlc {
        /// The channel.
        channel_id: ChannelId,
        /// The receiver's number of the HTLC.
        id: HtlcId,
        /// The SHA-256 of the onion as the sender got it.
        sha256_of_onion: [u8; 32],
        /// A BOLT 4 code, which must have the `BADONION` bit; checked by the channel.
        failure_code: u16,
    }
    tlvs {}
}

payload! {
    /// A new fee rate for the commitment transactions (BOLT 2, Updating Fees: `update_fee`).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct UpdateFee {
        /// The channel.
        channel_id: ChannelId,
        /// The fee rate from the next commitment on.
        feerate_per_kw: FeeratePerKw,
    }
    tlvs {}
}

payload! {
    /// The receiver's next commitment, signed (BOLT 2, Committing Updates So Far: `commitment_signed`).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct CommitmentSigned {
        /// The channel.
        channel_id: ChannelId,
        /// Of the commitment transaction.
        signature: Signature,
        /// Of the HTLC transactions, in the order of their outputs.
        htlc_signatures: Vec<Signature>,
    }
    tlvs {
        /// The funding transaction that the commitment spends (splicing); unset: the only one.
        1 => funding_txid: Txid,
    }
}

payload! {
    /// The sender gives up its previous commitment (BOLT 2, Completing the Transition: `revoke_and_ack`).
    #[derive(Clone, PartialEq, Eq)]
    pub struct RevokeAndAck {
        /// The channel.
        channel_id: ChannelId,
        /// The secret of the commitment that is given up.
        per_commitment_secret: [u8; 32],
        /// The sender's per-commitment point of the commitment after the next.
        next_per_commitment_point: PublicKey,
    }
    tlvs {}
}

impl fmt::Debug for RevokeAndAck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevokeAndAck")
            .field("channel_id", &self.channel_id)
            .field("next_per_commitment_point", &self.next_per_commitment_point)
            .finish_non_exhaustive()
    }
}

payload! {
    /// What each side knows of a channel after a reconnection (BOLT 2, Message Retransmission: `channel_reestablish`).
    #[derive(Clone, PartialEq, Eq)]
    pub struct ChannelReestablish {
        /// The channel.
        channel_id: ChannelId,
        /// The number of the next `commitment_signed` the sender expects.
        next_commitment_number: u64,
        /// The number of the next `revoke_and_ack` the sender expects.
        next_revocation_number: u64,
        /// The last secret the sender got from the receiver; zeros: none yet.
        your_last_per_commitment_secret: [u8; 32],
        /// The sender's per-commitment point of its newest commitment.
        my_current_per_commitment_point: PublicKey,
    }
    tlvs {
        /// A funding transaction whose signatures were not all exchanged (splicing).
        1 => next_funding: NextFunding,
        /// The funding transaction the sender has locked (splicing).
        5 => my_current_funding_locked: MyCurrentFundingLocked,
    }
}

impl fmt::Debug for ChannelReestablish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelReestablish")
            .field("channel_id", &self.channel_id)
            .field("next_commitment_number", &self.next_commitment_number)
            .field("next_revocation_number", &self.next_revocation_number)
            .field("my_current_per_commitment_point", &self.my_current_per_commitment_point)
            .field("next_funding", &self.next_funding)
            .field("my_current_funding_locked", &self.my_current_funding_locked)
            .finish_non_exhaustive()
    }
}

fields! {
    /// A funding transaction whose signatures were not all exchanged (`next_funding`).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct NextFunding {
        /// The transaction.
        next_funding_txid: Txid,
        /// Bit 0: send `commitment_signed` again.
        retransmit_flags: u8,
    }
}

fields! {
    /// The funding transaction the sender has locked (`my_current_funding_locked`).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct MyCurrentFundingLocked {
        /// The transaction.
        my_current_funding_locked_txid: Txid,
        /// Bit 0: send `announcement_signatures` again.
        retransmit_flags: u8,
    }
}

macro_rules! tlv_values {
    ($($value:ty),*) => {
        $(impl TlvValue for $value {
            fn read_value(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                reader.read()
            }

            fn write_value(&self, writer: &mut Writer) {
                writer.write(self);
            }
        })*
    };
}

tlv_values!(NextFunding, MyCurrentFundingLocked);
