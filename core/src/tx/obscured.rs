//! The commitment number, hidden in lock time and sequence (BOLT 3, Commitment Transaction).

use crate::types::CommitmentNumber;
use bitcoin::absolute::LockTime;
use bitcoin::hashes::{Hash, HashEngine, sha256};
use bitcoin::secp256k1::PublicKey;
use bitcoin::{Sequence, Transaction};

/// The greatest commitment number: 48 bits carry it.
pub const MAX_COMMITMENT_NUMBER: u64 = (1 << 48) - 1;

const LOW_24: u64 = 0x00ff_ffff;
const LOCK_TIME_TAG: u32 = 0x2000_0000;
const SEQUENCE_TAG: u32 = 0x8000_0000;
const TAG_MASK: u32 = 0xff00_0000;

/// The factor that hides a channel's commitment numbers, from the payment basepoints of `open_channel` and
/// `accept_channel`, in this order on both sides.
pub fn obscuring_factor(opener_payment_basepoint: &PublicKey, accepter_payment_basepoint: &PublicKey) -> u64 {
    let mut engine = sha256::Hash::engine();
    engine.input(&opener_payment_basepoint.serialize());
    engine.input(&accepter_payment_basepoint.serialize());
    let hash = sha256::Hash::from_engine(engine).to_byte_array();
    hash[26..].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Lock time and sequence of a commitment; unset where the number has more than 48 bits.
pub fn obscure(number: CommitmentNumber, obscuring_factor: u64) -> Option<(LockTime, Sequence)> {
    if number.0 > MAX_COMMITMENT_NUMBER {
        return None;
    }
    let obscured = number.0 ^ (obscuring_factor & MAX_COMMITMENT_NUMBER);
    let low = u32::try_from(obscured & LOW_24).ok()?;
    let high = u32::try_from(obscured >> 24).ok()?;
    Some((LockTime::from_consensus(LOCK_TIME_TAG | low), Sequence(SEQUENCE_TAG | high)))
}

/// The number of a published commitment transaction; unset where `tx` cannot be one.
pub fn commitment_number(tx: &Transaction, obscuring_factor: u64) -> Option<CommitmentNumber> {
    let [input] = tx.input.as_slice() else { return None };
    let (lock_time, sequence) = (tx.lock_time.to_consensus_u32(), input.sequence.0);
    if lock_time & TAG_MASK != LOCK_TIME_TAG || sequence & TAG_MASK != SEQUENCE_TAG {
        return None;
    }
    let obscured = u64::from(sequence & !TAG_MASK) << 24 | u64::from(lock_time & !TAG_MASK);
    Some(CommitmentNumber(obscured ^ (obscuring_factor & MAX_COMMITMENT_NUMBER)))
}
