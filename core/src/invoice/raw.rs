//! The text of an invoice taken apart: prefix, timestamp, tagged fields and signature, not yet interpreted.

use super::InvoiceError;
use super::amount::parse_amount;
use crate::types::{MilliSatoshi, UnixTime};
use bech32::primitives::decode::{CharError, UncheckedHrpstring, UncheckedHrpstringError};
use bech32::{Fe32, Fe32IterExt};
use bitcoin::Network;
use bitcoin::hashes::{Hash, HashEngine, sha256};
use lightning_invoice::{Bolt11Bech32, MAX_LENGTH};

/// 35 bits.
const TIMESTAMP_GROUPS: usize = 7;
/// 520 bits: R, S and the recovery id.
const SIGNATURE_GROUPS: usize = 104;
/// Type and length.
const FIELD_HEADER_GROUPS: usize = 3;

/// An invoice whose checksum, amount and field lengths are right.
pub(super) struct RawInvoice {
    pub(super) network: Network,
    pub(super) amount: Option<MilliSatoshi>,
    pub(super) timestamp: UnixTime,
    pub(super) fields: Vec<RawField>,
    /// What the payee signs.
    pub(super) digest: [u8; 32],
    /// R, S and the recovery id.
    pub(super) signature: [u8; 65],
    /// The invoice in lower case.
    pub(super) text: String,
}

/// A tagged field, header included.
pub(super) struct RawField(pub(super) Vec<Fe32>);

impl RawField {
    /// The character that names its type.
    pub(super) fn tag(&self) -> char {
        self.0.first().map_or('?', |tag| tag.to_char())
    }

    fn data(&self) -> &[Fe32] {
        self.0.get(FIELD_HEADER_GROUPS..).unwrap_or_default()
    }

    /// Lengths (BOLT 11, Tagged Fields, reader).
    fn check(&self) -> Result<(), InvoiceError> {
        let (field, data) = (self.tag(), self.data());
        let expected = match field {
            'p' | 'h' | 's' => Some(52),
            'n' => Some(53),
            _ => None,
        };
        if let Some(expected) = expected
            && data.len() != expected
        {
            return Err(InvoiceError::WrongFieldLength { field, groups: data.len(), expected });
        }
        if matches!(field, 'c' | 'x' | '9') && data.first() == Some(&Fe32::Q) {
            return Err(InvoiceError::LeadingZeros { field });
        }
        Ok(())
    }
}

impl RawInvoice {
    pub(super) fn parse(text: &str) -> Result<Self, InvoiceError> {
        // Before anything is copied: the text may be of any size.
        if text.len() > MAX_LENGTH {
            return Err(InvoiceError::TooLong { length: text.len(), maximum: MAX_LENGTH });
        }
        let lower_case = text.to_ascii_lowercase();
        if !lower_case.starts_with("ln") || !lower_case.contains('1') {
            return Err(InvoiceError::NotAnInvoice);
        }
        if lower_case != text && text.bytes().any(|byte| byte.is_ascii_lowercase()) {
            return Err(InvoiceError::MixedCase);
        }
        let unchecked = UncheckedHrpstring::new(&lower_case).map_err(|error| match error {
            UncheckedHrpstringError::Char(CharError::InvalidChar(character)) => {
                InvoiceError::InvalidCharacter { character }
            }
            UncheckedHrpstringError::Char(CharError::MixedCase) => InvoiceError::MixedCase,
            _ => InvoiceError::NotAnInvoice,
        })?;
        if !unchecked.has_valid_checksum::<Bolt11Bech32>() {
            return Err(InvoiceError::WrongChecksum);
        }
        let checked = unchecked.remove_checksum::<Bolt11Bech32>();
        let hrp = checked.hrp().to_lowercase();
        let (network, amount) = parse_human_readable_part(&hrp)?;
        let data: Vec<Fe32> =
            checked.data_part_ascii_no_checksum().iter().copied().map(Fe32::from_char_unchecked).collect();

        let (signed, signature) = data
            .split_at_checked(data.len().saturating_sub(SIGNATURE_GROUPS))
            .filter(|(_, signature)| signature.len() == SIGNATURE_GROUPS)
            .ok_or(InvoiceError::TooShort)?;
        let (timestamp, fields) = signed.split_at_checked(TIMESTAMP_GROUPS).ok_or(InvoiceError::TooShort)?;
        Ok(Self {
            network,
            amount,
            timestamp: UnixTime(timestamp.iter().fold(0, |secs, group| secs << 5 | u64::from(group.to_u8()))),
            fields: split_fields(fields)?,
            digest: digest(&hrp, signed),
            signature: signature_bytes(signature)?,
            text: lower_case,
        })
    }
}

/// Whether invoices of both networks look the same.
pub(super) fn same_prefix(a: Network, b: Network) -> bool {
    a == b || [a, b].iter().all(|network| matches!(network, Network::Testnet | Network::Testnet4))
}

fn parse_human_readable_part(hrp: &str) -> Result<(Network, Option<MilliSatoshi>), InvoiceError> {
    let prefix_end = hrp.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(hrp.len());
    let (prefix, amount) = hrp.split_at(prefix_end);
    let network = match prefix {
        "lnbc" => Network::Bitcoin,
        "lntb" => Network::Testnet,
        "lntbs" => Network::Signet,
        "lnbcrt" => Network::Regtest,
        _ => return Err(InvoiceError::UnknownPrefix { prefix: prefix.to_owned() }),
    };
    Ok((network, parse_amount(amount)?))
}

fn split_fields(mut rest: &[Fe32]) -> Result<Vec<RawField>, InvoiceError> {
    let mut fields = Vec::new();
    while let Some((tag, after_tag)) = rest.split_first() {
        let truncated = InvoiceError::TruncatedField { field: tag.to_char() };
        let [high, low, ..] = after_tag else { return Err(truncated) };
        let groups = usize::from(high.to_u8()) * 32 + usize::from(low.to_u8());
        let (field, after) = rest.split_at_checked(FIELD_HEADER_GROUPS + groups).ok_or(truncated)?;
        let field = RawField(field.to_vec());
        field.check()?;
        fields.push(field);
        rest = after;
    }
    Ok(fields)
}

/// SHA-256 of the human-readable part and the data, padded with zero bits to whole bytes (BOLT 11, Data Part).
fn digest(hrp: &str, signed: &[Fe32]) -> [u8; 32] {
    let bits_over = signed.len() * 5 % 8;
    // Groups of 5 zero bits until the last byte is full; `fes_to_bytes` drops what does not fill another.
    let padding = if bits_over == 0 { 0 } else { (8 - bits_over).div_ceil(5) };
    let padded = signed.iter().copied().chain(std::iter::repeat_n(Fe32::Q, padding));
    let mut engine = sha256::Hash::engine();
    engine.input(hrp.as_bytes());
    engine.input(&padded.fes_to_bytes().collect::<Vec<u8>>());
    sha256::Hash::from_engine(engine).to_byte_array()
}

fn signature_bytes(groups: &[Fe32]) -> Result<[u8; 65], InvoiceError> {
    let bytes: Vec<u8> = groups.iter().copied().fes_to_bytes().collect();
    bytes.try_into().map_err(|_| InvoiceError::TooShort)
}
