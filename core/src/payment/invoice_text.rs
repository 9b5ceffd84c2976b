//! The text of an invoice in few bytes: prefix and five-bit groups, without the checksum that follows from them.
//!
//! The groups begin so many bits behind the start of a byte that the payment hash begins with one: an HTLC or a payment
//! that says the same hash then repeats bytes, which the journal leaves out (ADR 0008).
//!
//! For `#[cbor(with = "…")]` on texts. Every character comes back: a text that packing would change is stored as it is.

use bech32::{Fe32, Fe32IterExt, Hrp};
use lightning_invoice::Bolt11Bech32;
use minicbor::data::Type;
use minicbor::decode::{Decoder, Error as DecodeError};
use minicbor::encode::{Encoder, Error as EncodeError, Write};

const CHECKSUM_GROUPS: usize = 6;

pub(super) fn encode<C, W: Write>(
    text: &str,
    e: &mut Encoder<W>,
    _: &mut C,
) -> Result<(), EncodeError<W::Error>> {
    match pack(text) {
        Some(packed) => e.bytes(&packed)?,
        None => e.str(text)?,
    };
    Ok(())
}

pub(super) fn decode<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<String, DecodeError> {
    match d.datatype()? {
        Type::Bytes => unpack(d.bytes()?).ok_or_else(|| DecodeError::message("not an invoice")),
        _ => Ok(d.str()?.into()),
    }
}

/// Groups of the timestamp, in front of the fields (BOLT 11).
const TIMESTAMP_GROUPS: usize = 7;

/// The field `p`: its type, and how many groups it has.
const PAYMENT_HASH: (u8, usize) = (1, 52);

/// The length of the prefix, the prefix, how many bits of the first byte (times eight) and of the last say nothing, and the
/// groups.
fn pack(text: &str) -> Option<Vec<u8>> {
    let (prefix, data) = text.rsplit_once('1')?;
    let groups = data.get(..data.len().checked_sub(CHECKSUM_GROUPS)?)?;
    let groups: Vec<u8> =
        groups.chars().map(|group| Fe32::from_char(group).ok().map(Fe32::to_u8)).collect::<Option<_>>()?;
    let mut packed = vec![u8::try_from(prefix.len()).ok()?];
    packed.extend_from_slice(prefix.as_bytes());
    let lead = to_whole_bytes(payment_hash_at(&groups).unwrap_or(0) * 5);
    let unused = to_whole_bytes(lead + groups.len() * 5);
    packed.push(u8::try_from(lead << 3 | unused).ok()?);
    let (mut bits, mut count) = (0u16, lead);
    for group in groups {
        bits = bits << 5 | u16::from(group);
        count += 5;
        if count >= 8 {
            count -= 8;
            packed.push((bits >> count).to_le_bytes()[0]);
        }
    }
    if count > 0 {
        packed.push((bits << (8 - count)).to_le_bytes()[0]);
    }
    (unpack(&packed).as_deref() == Some(text)).then_some(packed)
}

/// The place of the payment hash among the groups, if it has one.
fn payment_hash_at(groups: &[u8]) -> Option<usize> {
    let mut at = TIMESTAMP_GROUPS;
    loop {
        let [kind, high, low] = *groups.get(at..)?.first_chunk()?;
        let length = usize::from(high) << 5 | usize::from(low);
        at += 3;
        if (kind, length) == PAYMENT_HASH {
            return Some(at);
        }
        at += length;
    }
}

/// How many bits are missing.
const fn to_whole_bytes(bits: usize) -> usize {
    (8 - bits % 8) % 8
}

fn unpack(packed: &[u8]) -> Option<String> {
    let (length, rest) = packed.split_first()?;
    let (prefix, rest) = rest.split_at_checked(usize::from(*length))?;
    let (bits, bytes) = rest.split_first()?;
    let (lead, unused) = (usize::from(*bits >> 3), usize::from(*bits & 7));
    let count = (bytes.len() * 8).checked_sub(lead + unused)? / 5;
    let group = |index: usize| {
        // The two bytes that hold the group; the last may be the end.
        let at = lead + index * 5;
        let pair = [*bytes.get(at / 8)?, bytes.get(at / 8 + 1).copied().unwrap_or(0)];
        let shifted = u16::from_be_bytes(pair) << (at % 8) >> 11;
        Fe32::try_from(shifted.to_le_bytes()[0]).ok()
    };
    let groups = (0..count).map(group).collect::<Option<Vec<Fe32>>>()?;
    let prefix = Hrp::parse(std::str::from_utf8(prefix).ok()?).ok()?;
    Some(groups.into_iter().with_checksum::<Bolt11Bech32>(&prefix).chars().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::hashes::Hash;
    use std::str::FromStr;

    #[test]
    fn every_character_of_every_invoice_comes_back() {
        let file = include_str!("../../tests/vectors/bolt11/examples.json");
        let (mut count, mut hashes) = (0, 0);
        for text in file.split('"').filter(|word| word.starts_with("ln") && word.len() > 100) {
            let mut bytes = Vec::new();
            encode(text, &mut Encoder::new(&mut bytes), &mut ()).unwrap();
            assert_eq!(decode(&mut Decoder::new(&bytes), &mut ()).unwrap(), text);
            let lower_case = text.to_ascii_lowercase();
            if let Some(packed) = pack(&lower_case) {
                assert!(packed.len() <= text.len() * 5 / 8 + 8);
                count += 1;
                let invoice = lightning_invoice::SignedRawBolt11Invoice::from_str(&lower_case);
                let hash = invoice.ok().and_then(|invoice| invoice.payment_hash().map(|hash| hash.0));
                let hash = hash.map(|hash| hash.to_byte_array());
                assert!(hash.is_none_or(|hash| packed.windows(32).any(|window| window == hash)), "{text}");
                hashes += usize::from(hash.is_some());
                for cut in 0..packed.len() {
                    assert_ne!(unpack(&packed[..cut]).as_ref(), Some(&lower_case));
                }
            }
        }
        assert!(count > 10 && hashes > 10, "{count}, {hashes}");
    }

    /// As it was packed before version 2 of payments: the groups begin with the first byte.
    #[test]
    fn groups_that_begin_with_a_byte_are_read() {
        let packed = hex::decode(concat!("066c6e62637274", "02", "0123456789abcdec")).unwrap();
        let text = unpack(&packed).unwrap();
        assert!(text.starts_with("lnbcrt1qy352euf40x"), "{text}");
        let mut later = packed;
        later[7] |= 0x40;
        assert_ne!(unpack(&later), Some(text));
    }

    #[test]
    fn other_texts_are_stored_as_they_are() {
        for text in
            ["", "1", "lnbc", "lnbc1", "lnbc1qqqqqq", "LNBC1QQQQQQ", "näh1aaaaaaa", "lnbc1qqqqqqqqqqqqqqq"]
        {
            assert_eq!(pack(text), None, "{text}");
        }
    }
}
