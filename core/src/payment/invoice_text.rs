//! The text of an invoice in few bytes: prefix and five-bit groups, without the checksum that follows from them.
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

/// The length of the prefix, the prefix, how many bits of the last byte say nothing, and the groups.
fn pack(text: &str) -> Option<Vec<u8>> {
    let (prefix, data) = text.rsplit_once('1')?;
    let groups = data.get(..data.len().checked_sub(CHECKSUM_GROUPS)?)?;
    let mut packed = vec![u8::try_from(prefix.len()).ok()?];
    packed.extend_from_slice(prefix.as_bytes());
    let unused = (8 - groups.len() * 5 % 8) % 8;
    packed.push(u8::try_from(unused).ok()?);
    let (mut bits, mut count) = (0u16, 0);
    for group in groups.chars() {
        bits = bits << 5 | u16::from(Fe32::from_char(group).ok()?.to_u8());
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

fn unpack(packed: &[u8]) -> Option<String> {
    let (length, rest) = packed.split_first()?;
    let (prefix, rest) = rest.split_at_checked(usize::from(*length))?;
    let (unused, bytes) = rest.split_first()?;
    let count = (bytes.len() * 8).checked_sub(usize::from(*unused))? / 5;
    let group = |index: usize| {
        // The two bytes that hold the group; the last may be the end.
        let at = index * 5;
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

    #[test]
    fn every_character_of_every_invoice_comes_back() {
        let file = include_str!("../../tests/vectors/bolt11/examples.json");
        let mut count = 0;
        for text in file.split('"').filter(|word| word.starts_with("ln") && word.len() > 100) {
            let mut bytes = Vec::new();
            encode(text, &mut Encoder::new(&mut bytes), &mut ()).unwrap();
            assert_eq!(decode(&mut Decoder::new(&bytes), &mut ()).unwrap(), text);
            let lower_case = text.to_ascii_lowercase();
            if let Some(packed) = pack(&lower_case) {
                assert!(packed.len() <= text.len() * 5 / 8 + 8);
                count += 1;
                for cut in 0..packed.len() {
                    assert_ne!(unpack(&packed[..cut]).as_ref(), Some(&lower_case));
                }
            }
        }
        assert!(count > 10, "{count}");
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
