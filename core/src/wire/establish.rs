//! Channel establishment v1 (BOLT 2).

use super::field::limit;
use crate::types::{ChannelId, Features, FeeratePerKw, MilliSatoshi, ShortChannelId};
use bitcoin::blockdata::constants::ChainHash;
use bitcoin::secp256k1::{PublicKey, ecdsa::Signature};
use bitcoin::{Amount, ScriptBuf, Txid};

payload! {
    /// The opener's wish for a channel (BOLT 2, The `open_channel` Message).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct OpenChannel {
        /// The chain the channel will be on.
        chain_hash: ChainHash,
        /// The channel's name until its funding transaction is known.
        temporary_channel_id: ChannelId,
        /// What the opener puts in.
        funding_satoshis: Amount,
        /// What of it belongs to the other side from the start.
        push_msat: MilliSatoshi,
        /// Below this the sender's commitment has no output.
        dust_limit_satoshis: Amount,
        /// The most that HTLCs offered to the sender may add up to; above the supply it is read as the supply.
        max_htlc_value_in_flight_msat: MilliSatoshi as limit,
        /// What the receiver must keep as its own.
        channel_reserve_satoshis: Amount,
        /// The smallest HTLC the sender accepts.
        htlc_minimum_msat: MilliSatoshi,
        /// The first fee rate of the commitment transactions.
        feerate_per_kw: FeeratePerKw,
        /// How many blocks the receiver's own outputs are delayed by.
        to_self_delay: u16,
        /// How many HTLCs the receiver may offer at a time.
        max_accepted_htlcs: u16,
        /// The sender's key in the funding output.
        funding_pubkey: PublicKey,
        /// The sender's basepoint for revocation keys.
        revocation_basepoint: PublicKey,
        /// The sender's key for its balance in the receiver's commitment.
        payment_basepoint: PublicKey,
        /// The sender's basepoint for its delayed balance.
        delayed_payment_basepoint: PublicKey,
        /// The sender's basepoint for HTLC keys.
        htlc_basepoint: PublicKey,
        /// The sender's per-commitment point of commitment 0.
        first_per_commitment_point: PublicKey,
        /// Bit 0 (`announce_channel`): the channel shall be public.
        channel_flags: u8,
    }
    tlvs {
        /// Where a close shall pay the sender; empty: it does not commit to a script.
        0 => upfront_shutdown_script: ScriptBuf,
        /// The features of the channel itself.
        1 => channel_type: Features,
    }
}

payload! {
    /// The other side's agreement (BOLT 2, The `accept_channel` Message).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct AcceptChannel {
        /// From `open_channel`.
        temporary_channel_id: ChannelId,
        /// Below this the sender's commitment has no output.
        dust_limit_satoshis: Amount,
        /// The most that HTLCs offered to the sender may add up to; above the supply it is read as the supply.
        max_htlc_value_in_flight_msat: MilliSatoshi as limit,
        /// What the receiver must keep as its own.
        channel_reserve_satoshis: Amount,
        /// The smallest HTLC the sender accepts.
        htlc_minimum_msat: MilliSatoshi,
        /// Confirmations the sender waits for; 0: it trusts the opener.
        minimum_depth: u32,
        /// How many blocks the receiver's own outputs are delayed by.
        to_self_delay: u16,
        /// How many HTLCs the receiver may offer at a time.
        max_accepted_htlcs: u16,
        /// The sender's key in the funding output.
        funding_pubkey: PublicKey,
        /// The sender's basepoint for revocation keys.
        revocation_basepoint: PublicKey,
        /// The sender's key for its balance in the receiver's commitment.
        payment_basepoint: PublicKey,
        /// The sender's basepoint for its delayed balance.
        delayed_payment_basepoint: PublicKey,
        /// The sender's basepoint for HTLC keys.
        htlc_basepoint: PublicKey,
        /// The sender's per-commitment point of commitment 0.
        first_per_commitment_point: PublicKey,
    }
    tlvs {
        /// Where a close shall pay the sender; empty: it does not commit to a script.
        0 => upfront_shutdown_script: ScriptBuf,
        /// The features of the channel itself, as in `open_channel`.
        1 => channel_type: Features,
    }
}

payload! {
    /// The funding transaction and the opener's signature of the other side's first commitment (BOLT 2, The
    /// `funding_created` Message).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct FundingCreated {
        /// From `open_channel`.
        temporary_channel_id: ChannelId,
        /// The funding transaction.
        funding_txid: Txid,
        /// Its output that is the channel.
        funding_output_index: u16,
        /// Of the receiver's commitment 0.
        signature: Signature,
    }
    tlvs {}
}

payload! {
    /// The signature of the opener's first commitment (BOLT 2, The `funding_signed` Message).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct FundingSigned {
        /// The channel, by its final name.
        channel_id: ChannelId,
        /// Of the receiver's commitment 0.
        signature: Signature,
    }
    tlvs {}
}

payload! {
    /// The funding transaction is deep enough for the sender (BOLT 2, The `channel_ready` Message).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ChannelReady {
        /// The channel.
        channel_id: ChannelId,
        /// The sender's per-commitment point of commitment 1.
        second_per_commitment_point: PublicKey,
    }
    tlvs {
        /// An alias by which the sender will forward to the receiver (`alias`).
        1 => short_channel_id: ShortChannelId,
    }
}
