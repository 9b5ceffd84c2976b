//! The row of an HTLC: what it is, what its onion said, how it was removed.

use super::fields::{
    FieldError, new_row_of, open_versions, read_bytes, read_flag, read_msat, read_number, read_u32,
    write_bytes, write_msat, write_number,
};
use super::{RowError, RowName, Rows};
use crate::channel::changes::{LiveHtlc, Removal};
use crate::channel::table::HtlcTable;
use crate::onion::{FailureMessage, Instruction, SharedSecret};
use crate::types::{CltvExpiry, MilliSatoshi, PaymentId, PaymentSecret};
use crate::wire::{Reader, Writer};

/// 2: the flags stand in front, they also tell the kind of the removal, and the byte of the instruction what of it is written.
const VERSION: u8 = 2;

const HAS_ORIGIN: u8 = 1;
const HAS_PATH_KEY: u8 = 2;
const HAS_INSTRUCTION: u8 = 4;
const HAS_REMOVAL: u8 = 8;
const REMOVAL_SHIFT: u32 = 4;
const FLAG_BITS: u32 = 6;

const FULFILLED: u8 = 0;
const FAILED: u8 = 1;
const FAILED_MALFORMED: u8 = 2;

const RECEIVE: u8 = 0;
const FAIL: u8 = 1;
const MALFORMED: u8 = 2;
const INSTRUCTION_KIND: u8 = 3;

/// Beside [`RECEIVE`]: what is written of it. Most HTLCs carry just what their onion says.
const HAS_PAYMENT_SECRET: u8 = 4;
const HAS_AMT_TO_FORWARD: u8 = 8;
const HAS_TOTAL_MSAT: u8 = 16;
const HAS_OUTGOING_CLTV_VALUE: u8 = 32;
const RECEIVE_BITS: u32 = 6;

pub(super) fn encode(htlc: &LiveHtlc) -> Vec<u8> {
    let removal = match htlc.removal {
        None => 0,
        Some(Removal::Fulfilled(_)) => HAS_REMOVAL | FULFILLED << REMOVAL_SHIFT,
        Some(Removal::Failed(_)) => HAS_REMOVAL | FAILED << REMOVAL_SHIFT,
        Some(Removal::Malformed { .. }) => HAS_REMOVAL | FAILED_MALFORMED << REMOVAL_SHIFT,
    };
    let flags = super::set_flags([
        (htlc.origin.is_some(), HAS_ORIGIN),
        (htlc.path_key.is_some(), HAS_PATH_KEY),
        (htlc.instruction.is_some(), HAS_INSTRUCTION),
    ]);
    let mut row = new_row_of(VERSION);
    // What may change stands in front of what does not, which is one run for the journal to leave out.
    row.write(&(flags | removal));
    write_msat(&mut row, htlc.amount);
    row.write(&htlc.payment_hash);
    write_number(&mut row, u64::from(htlc.cltv_expiry.height()));
    htlc.origin.iter().for_each(|origin| row.put(&origin.0));
    htlc.path_key.iter().for_each(|key| row.write(key));
    if let Some(instruction) = &htlc.instruction {
        write_instruction(&mut row, instruction, htlc);
    }
    match &htlc.removal {
        None => {}
        Some(Removal::Fulfilled(preimage)) => row.write(preimage),
        Some(Removal::Failed(reason)) => write_bytes(&mut row, reason),
        Some(Removal::Malformed { sha256_of_onion, failure_code }) => {
            row.write(sha256_of_onion);
            row.write(failure_code);
        }
    }
    row.into_bytes()
}

pub(super) fn read_all(rows: &Rows) -> Result<HtlcTable, RowError> {
    let htlcs = rows.iter().filter_map(|(name, bytes)| match name {
        RowName::Htlc(key) => Some(open_versions(bytes, *name, VERSION, read).map(|htlc| (*key, htlc))),
        _ => None,
    });
    htlcs.collect()
}

fn read(version: u8, row: &mut Reader<'_>) -> Result<LiveHtlc, FieldError> {
    // Version 1 had the flags behind these.
    let flags_in_front = if version == 1 { None } else { Some(row.read()?) };
    let (amount, payment_hash) = (read_msat(row)?, row.read()?);
    let cltv_expiry =
        CltvExpiry::new(read_u32(row)?).ok_or(FieldError::Value("an expiry that is no height"))?;
    let flags: u8 = flags_in_front.map_or_else(|| row.read(), Ok)?;
    if flags >> FLAG_BITS != 0 {
        return Err(FieldError::Value("an unknown flag"));
    }
    let has = |flag| flags & flag != 0;
    let origin = if has(HAS_ORIGIN) { Some(PaymentId(row.array()?)) } else { None };
    let path_key = if has(HAS_PATH_KEY) { Some(row.read()?) } else { None };
    let instruction =
        if has(HAS_INSTRUCTION) { Some(read_instruction(version, row, amount, cltv_expiry)?) } else { None };
    let removal = if has(HAS_REMOVAL) {
        let kind = if version == 1 { row.read()? } else { flags >> REMOVAL_SHIFT };
        Some(read_removal(kind, row)?)
    } else {
        None
    };
    Ok(LiveHtlc { amount, payment_hash, cltv_expiry, origin, path_key, onion: None, instruction, removal })
}

fn write_instruction(row: &mut Writer, instruction: &Instruction, htlc: &LiveHtlc) {
    match instruction {
        Instruction::Receive {
            shared_secret,
            amt_to_forward,
            outgoing_cltv_value,
            payment_secret,
            total_msat,
        } => {
            let [forwards_other, totals_other, expires_other] = [
                *amt_to_forward != htlc.amount,
                total_msat != amt_to_forward,
                *outgoing_cltv_value != htlc.cltv_expiry.height(),
            ];
            let written = super::set_flags([
                (payment_secret.is_some(), HAS_PAYMENT_SECRET),
                (forwards_other, HAS_AMT_TO_FORWARD),
                (totals_other, HAS_TOTAL_MSAT),
                (expires_other, HAS_OUTGOING_CLTV_VALUE),
            ]);
            row.write(&(RECEIVE | written));
            row.put(&shared_secret.to_bytes());
            payment_secret.iter().for_each(|secret| row.put(&secret.0));
            if forwards_other {
                write_number(row, amt_to_forward.to_msat());
            }
            if totals_other {
                write_number(row, total_msat.to_msat());
            }
            if expires_other {
                write_number(row, u64::from(*outgoing_cltv_value));
            }
        }
        Instruction::Fail { shared_secret, failure } => {
            row.write(&FAIL);
            row.put(&shared_secret.to_bytes());
            write_bytes(row, &failure.encode());
        }
        Instruction::Malformed { failure_code, sha256_of_onion } => {
            row.write(&MALFORMED);
            row.write(failure_code);
            row.write(sha256_of_onion);
        }
    }
}

fn read_instruction(
    version: u8,
    row: &mut Reader<'_>,
    htlc_amount: MilliSatoshi,
    cltv_expiry: CltvExpiry,
) -> Result<Instruction, FieldError> {
    let byte: u8 = row.read()?;
    let kind = byte & INSTRUCTION_KIND;
    if (version == 1 || kind != RECEIVE) && byte != kind || byte >> RECEIVE_BITS != 0 {
        return Err(FieldError::Value("an unknown kind of instruction"));
    }
    // Version 1 had a flag in front of each of these, and always wrote the last.
    let has = |row: &mut Reader<'_>, flag: u8| match (version, flag) {
        (1, HAS_OUTGOING_CLTV_VALUE) => Ok(true),
        (1, _) => read_flag(row),
        _ => Ok(byte & flag != 0),
    };
    // What a sender writes into its onion may be any number.
    let amount = |row: &mut Reader<'_>, flag, otherwise| {
        Ok::<_, FieldError>(if has(row, flag)? {
            MilliSatoshi::from_msat(read_number(row)?)
        } else {
            otherwise
        })
    };
    Ok(match kind {
        RECEIVE => {
            let shared_secret = SharedSecret::from_bytes(row.array()?);
            let payment_secret =
                if has(row, HAS_PAYMENT_SECRET)? { Some(PaymentSecret(row.array()?)) } else { None };
            let amt_to_forward = amount(row, HAS_AMT_TO_FORWARD, htlc_amount)?;
            let total_msat = amount(row, HAS_TOTAL_MSAT, amt_to_forward)?;
            let outgoing_cltv_value =
                if has(row, HAS_OUTGOING_CLTV_VALUE)? { read_u32(row)? } else { cltv_expiry.height() };
            Instruction::Receive {
                shared_secret,
                amt_to_forward,
                outgoing_cltv_value,
                payment_secret,
                total_msat,
            }
        }
        FAIL => Instruction::Fail {
            shared_secret: SharedSecret::from_bytes(row.array()?),
            failure: FailureMessage::decode(read_bytes(row)?),
        },
        MALFORMED => Instruction::Malformed { failure_code: row.read()?, sha256_of_onion: row.read()? },
        _ => return Err(FieldError::Value("an unknown kind of instruction")),
    })
}

fn read_removal(kind: u8, row: &mut Reader<'_>) -> Result<Removal, FieldError> {
    Ok(match kind {
        FULFILLED => Removal::Fulfilled(row.read()?),
        FAILED => Removal::Failed(read_bytes(row)?.to_vec()),
        FAILED_MALFORMED => Removal::Malformed { sha256_of_onion: row.read()?, failure_code: row.read()? },
        _ => return Err(FieldError::Value("an unknown kind of removal")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::PaymentPreimage;

    fn htlc(instruction: Option<Instruction>, removal: Option<Removal>) -> LiveHtlc {
        LiveHtlc {
            amount: MilliSatoshi::from_msat(5_000),
            payment_hash: PaymentPreimage([1; 32]).payment_hash(),
            cltv_expiry: CltvExpiry::new(800_000).unwrap(),
            origin: None,
            path_key: None,
            onion: None,
            instruction,
            removal,
        }
    }

    fn receive(forwarded: u64, total: u64, cltv: u32, secret: Option<PaymentSecret>) -> Instruction {
        Instruction::Receive {
            shared_secret: SharedSecret::from_bytes([3; 32]),
            amt_to_forward: MilliSatoshi::from_msat(forwarded),
            outgoing_cltv_value: cltv,
            payment_secret: secret,
            total_msat: MilliSatoshi::from_msat(total),
        }
    }

    fn open(bytes: &[u8]) -> Option<LiveHtlc> {
        open_versions(bytes, RowName::Live, VERSION, read).ok()
    }

    #[test]
    fn whatever_an_onion_says_reads_back() {
        let secret = Some(PaymentSecret([4; 32]));
        let removals = [
            None,
            Some(Removal::Fulfilled(PaymentPreimage([1; 32]))),
            Some(Removal::Failed(vec![7; 256])),
            Some(Removal::Malformed { sha256_of_onion: [8; 32], failure_code: 0xc005 }),
        ];
        for removal in removals {
            for instruction in [
                None,
                Some(receive(5_000, 5_000, 800_000, secret)),
                Some(receive(4_999, 9_000, 799_999, None)),
                Some(receive(u64::MAX, u64::MAX, u32::MAX, secret)),
                Some(receive(5_000, 9_000, 800_000, secret)),
                Some(Instruction::Fail {
                    shared_secret: SharedSecret::from_bytes([3; 32]),
                    failure: FailureMessage::TemporaryNodeFailure,
                }),
                Some(Instruction::Malformed { failure_code: 0xc004, sha256_of_onion: [9; 32] }),
            ] {
                let htlc = htlc(instruction, removal.clone());
                let bytes = encode(&htlc);
                assert_eq!(open(&bytes), Some(htlc));
                (0..bytes.len()).for_each(|length| assert_eq!(open(&bytes[..length]), None));
            }
        }
    }

    #[test]
    fn what_says_nothing_new_takes_no_byte() {
        let hash_and_numbers = 1 + 2 + 32 + 3 + 1;
        let secret = Some(PaymentSecret([4; 32]));
        let received = htlc(Some(receive(5_000, 5_000, 800_000, secret)), None);
        assert_eq!(encode(&received).len(), hash_and_numbers + 1 + 32 + 32);
        let paid = htlc(None, Some(Removal::Fulfilled(PaymentPreimage([1; 32]))));
        assert_eq!(encode(&paid).len(), hash_and_numbers + 32);
    }

    #[test]
    fn rows_of_version_1_read() {
        let secret = PaymentSecret([4; 32]);
        let hash = PaymentPreimage([1; 32]).payment_hash().0;
        let row =
            |flags: u8, rest: &[u8]| [&[1, 0x88, 0x27], &hash[..], &[0x80, 0xea, 0x30, flags], rest].concat();
        let of = |fields: [&[u8]; 4]| [&[0], &[3; 32][..], &fields.concat()].concat();
        let [set, unset]: [&[u8]; 2] = [&[1], &[0]];
        let cltv = &[0x80, 0xea, 0x30];
        let with_secret = [set, &secret.0].concat();
        let plain = row(4, &of([&with_secret, unset, unset, cltv]));
        assert_eq!(open(&plain), Some(htlc(Some(receive(5_000, 5_000, 800_000, Some(secret))), None)));
        let other = row(4, &of([unset, &[1, 0x87, 0x27], &[1, 0xa8, 0x46], &[9]]));
        assert_eq!(open(&other), Some(htlc(Some(receive(4_999, 9_000, 9, None)), None)));
        let fulfilled = row(8, &[&[0], &[1; 32][..]].concat());
        assert_eq!(open(&fulfilled), Some(htlc(None, Some(Removal::Fulfilled(PaymentPreimage([1; 32]))))));
        let with_later_flags = row(4, &[&[4], &[3; 32][..], &secret.0].concat());
        assert_eq!(open(&with_later_flags), None);
    }
}
