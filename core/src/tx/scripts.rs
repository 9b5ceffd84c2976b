//! The witness scripts of the outputs of commitment and HTLC transactions (BOLT 3, Commitment Transaction Outputs).

use super::{CommitmentFormat, Direction, Htlc, HtlcKeys};
use crate::types::{CltvExpiry, PaymentHash};
use bitcoin::hashes::{Hash, ripemd160};
use bitcoin::opcodes::all::{
    OP_CHECKMULTISIG, OP_CHECKSIG, OP_CHECKSIGVERIFY, OP_CLTV, OP_CSV, OP_DROP, OP_DUP, OP_ELSE, OP_ENDIF,
    OP_EQUAL, OP_EQUALVERIFY, OP_HASH160, OP_IF, OP_IFDUP, OP_NOTIF, OP_SIZE, OP_SWAP,
};
use bitcoin::script::Builder;
use bitcoin::secp256k1::PublicKey;
use bitcoin::{CompressedPublicKey, ScriptBuf};

/// Enough for the longest of the scripts, `received_htlc` with anchors.
const ROOM: usize = 144;

/// The broadcaster's money after `to_self_delay` blocks, or a penalty: the script of `to_local` and of the output of
/// every HTLC transaction.
pub fn to_local(
    revocation_pubkey: &PublicKey,
    to_self_delay: u16,
    broadcaster_delayed_pubkey: &PublicKey,
) -> ScriptBuf {
    builder()
        .push_opcode(OP_IF)
        .push_slice(revocation_pubkey.serialize())
        .push_opcode(OP_ELSE)
        .push_int(i64::from(to_self_delay))
        .push_opcode(OP_CSV)
        .push_opcode(OP_DROP)
        .push_slice(broadcaster_delayed_pubkey.serialize())
        .push_opcode(OP_ENDIF)
        .push_opcode(OP_CHECKSIG)
        .into_script()
}

/// The witness script of the countersignatory's money with anchors: spendable after one block.
pub fn to_remote_anchors(countersignatory_payment_pubkey: &PublicKey) -> ScriptBuf {
    builder()
        .push_slice(countersignatory_payment_pubkey.serialize())
        .push_opcode(OP_CHECKSIGVERIFY)
        .push_int(1)
        .push_opcode(OP_CSV)
        .into_script()
}

/// The output script of the countersignatory's money.
pub fn to_remote_output(countersignatory_payment_pubkey: &PublicKey, format: CommitmentFormat) -> ScriptBuf {
    match format {
        CommitmentFormat::StaticRemotekey => {
            ScriptBuf::new_p2wpkh(&CompressedPublicKey(*countersignatory_payment_pubkey).wpubkey_hash())
        }
        CommitmentFormat::AnchorsZeroFeeHtlcTx => {
            to_remote_anchors(countersignatory_payment_pubkey).to_p2wsh()
        }
    }
}

/// The anchor of the party with this funding key; anyone's after 16 blocks.
pub fn anchor(funding_pubkey: &PublicKey) -> ScriptBuf {
    builder()
        .push_slice(funding_pubkey.serialize())
        .push_opcode(OP_CHECKSIG)
        .push_opcode(OP_IFDUP)
        .push_opcode(OP_NOTIF)
        .push_int(16)
        .push_opcode(OP_CSV)
        .push_opcode(OP_ENDIF)
        .into_script()
}

/// The output of an HTLC, offered or received by the broadcaster.
pub fn htlc(direction: Direction, htlc: &Htlc, keys: &HtlcKeys, format: CommitmentFormat) -> ScriptBuf {
    match direction {
        Direction::Offered => offered_htlc(&htlc.payment_hash, keys, format),
        Direction::Received => received_htlc(&htlc.payment_hash, htlc.cltv_expiry, keys, format),
    }
}

/// An HTLC that the broadcaster offered.
pub fn offered_htlc(payment_hash: &PaymentHash, keys: &HtlcKeys, format: CommitmentFormat) -> ScriptBuf {
    let script = htlc_start(keys)
        .push_opcode(OP_NOTIF)
        .push_opcode(OP_DROP)
        .push_int(2)
        .push_opcode(OP_SWAP)
        .push_slice(keys.broadcaster_htlc_pubkey.serialize())
        .push_int(2)
        .push_opcode(OP_CHECKMULTISIG)
        .push_opcode(OP_ELSE)
        .push_opcode(OP_HASH160)
        .push_slice(ripemd(payment_hash))
        .push_opcode(OP_EQUALVERIFY)
        .push_opcode(OP_CHECKSIG)
        .push_opcode(OP_ENDIF);
    htlc_end(script, format)
}

/// An HTLC that the broadcaster received.
pub fn received_htlc(
    payment_hash: &PaymentHash,
    cltv_expiry: CltvExpiry,
    keys: &HtlcKeys,
    format: CommitmentFormat,
) -> ScriptBuf {
    let script = htlc_start(keys)
        .push_opcode(OP_IF)
        .push_opcode(OP_HASH160)
        .push_slice(ripemd(payment_hash))
        .push_opcode(OP_EQUALVERIFY)
        .push_int(2)
        .push_opcode(OP_SWAP)
        .push_slice(keys.broadcaster_htlc_pubkey.serialize())
        .push_int(2)
        .push_opcode(OP_CHECKMULTISIG)
        .push_opcode(OP_ELSE)
        .push_opcode(OP_DROP)
        .push_int(i64::from(cltv_expiry.height()))
        .push_opcode(OP_CLTV)
        .push_opcode(OP_DROP)
        .push_opcode(OP_CHECKSIG)
        .push_opcode(OP_ENDIF);
    htlc_end(script, format)
}

/// The penalty branch, and the size of the item that tells the other two apart.
fn htlc_start(keys: &HtlcKeys) -> Builder {
    builder()
        .push_opcode(OP_DUP)
        .push_opcode(OP_HASH160)
        .push_slice(keys.revocation_pubkey_hash)
        .push_opcode(OP_EQUAL)
        .push_opcode(OP_IF)
        .push_opcode(OP_CHECKSIG)
        .push_opcode(OP_ELSE)
        .push_slice(keys.countersignatory_htlc_pubkey.serialize())
        .push_opcode(OP_SWAP)
        .push_opcode(OP_SIZE)
        .push_int(32)
        .push_opcode(OP_EQUAL)
}

fn htlc_end(script: Builder, format: CommitmentFormat) -> ScriptBuf {
    let script = match format {
        CommitmentFormat::StaticRemotekey => script,
        CommitmentFormat::AnchorsZeroFeeHtlcTx => script.push_int(1).push_opcode(OP_CSV).push_opcode(OP_DROP),
    };
    script.push_opcode(OP_ENDIF).into_script()
}

/// An empty script with room for any of these.
fn builder() -> Builder {
    Builder::from(Vec::with_capacity(ROOM))
}

fn ripemd(payment_hash: &PaymentHash) -> [u8; 20] {
    ripemd160::Hash::hash(&payment_hash.0).to_byte_array()
}
