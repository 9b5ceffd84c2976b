//! How each type stands on the wire.

use super::{DecodeError, Reader, Writer};
use crate::types::{
    ChannelId, Features, FeeratePerKw, HtlcId, MAX_MONEY_SAT, MilliSatoshi, PaymentHash, PaymentPreimage,
    PaymentSecret, ShortChannelId,
};
use bitcoin::blockdata::constants::ChainHash;
use bitcoin::hashes::Hash;
use bitcoin::secp256k1::{PublicKey, ecdsa::Signature};
use bitcoin::{Amount, ScriptBuf, Txid};

/// A value among the fixed fields of a message: its length is known or stands before it.
pub trait Field: Sized {
    /// Takes the value from the front.
    ///
    /// # Errors
    /// When the bytes are too few or not such a value.
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;

    /// Appends the value.
    fn write(&self, writer: &mut Writer);
}

/// The value of a TLV record: its reader holds exactly the bytes of the record.
pub trait TlvValue: Sized {
    /// Takes the value; whoever calls refuses bytes that are left over.
    ///
    /// # Errors
    /// When the bytes are too few or not such a value.
    fn read_value(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;

    /// Appends the value.
    fn write_value(&self, writer: &mut Writer);
}

/// All of a message behind its type.
pub trait Payload: Sized {
    /// Reads to the end, the extension included.
    ///
    /// # Errors
    /// When the bytes are too few or not such a message.
    fn read_payload(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;

    /// Appends the payload.
    fn write_payload(&self, writer: &mut Writer);
}

impl<P: Payload> Payload for Box<P> {
    fn read_payload(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        P::read_payload(reader).map(Box::new)
    }

    fn write_payload(&self, writer: &mut Writer) {
        (**self).write_payload(writer);
    }
}

macro_rules! integers {
    ($($integer:ty),*) => {
        $(impl Field for $integer {
            fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                Ok(Self::from_be_bytes(reader.array()?))
            }

            fn write(&self, writer: &mut Writer) {
                writer.put(&self.to_be_bytes());
            }
        })*
    };
}

integers!(u8, u16, u32, u64, i8, i16, i32, i64);

impl<const N: usize> Field for [u8; N] {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.array()
    }

    fn write(&self, writer: &mut Writer) {
        writer.put(self);
    }
}

impl<const N: usize> Field for Box<[u8; N]> {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.array().map(Box::new)
    }

    fn write(&self, writer: &mut Writer) {
        writer.put(self.as_slice());
    }
}

macro_rules! wrappers {
    ($($wrapper:ident($inner:ty)),*) => {
        $(impl Field for $wrapper {
            fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                reader.read::<$inner>().map(Self)
            }

            fn write(&self, writer: &mut Writer) {
                writer.write(&self.0);
            }
        })*
    };
}

wrappers!(
    ChannelId([u8; 32]),
    PaymentHash([u8; 32]),
    PaymentPreimage([u8; 32]),
    PaymentSecret([u8; 32]),
    ShortChannelId(u64),
    HtlcId(u64)
);

impl Field for FeeratePerKw {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.read().map(Self::from_sat_per_kw)
    }

    fn write(&self, writer: &mut Writer) {
        writer.write(&self.to_sat_per_kw());
    }
}

impl Field for Amount {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let sat: u64 = reader.read()?;
        if sat > MAX_MONEY_SAT {
            return Err(DecodeError::AmountAboveSupply { msat: sat.saturating_mul(1000) });
        }
        Ok(Self::from_sat(sat))
    }

    fn write(&self, writer: &mut Writer) {
        writer.write(&self.to_sat());
    }
}

impl Field for MilliSatoshi {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let msat: u64 = reader.read()?;
        Self::try_from_msat(msat).map_err(|_| DecodeError::AmountAboveSupply { msat })
    }

    fn write(&self, writer: &mut Writer) {
        writer.write(&self.to_msat());
    }
}

/// A limit in millisatoshi. Peers send `u64::MAX` for "no limit"; anything above the supply is read as the supply, which
/// limits nothing either.
pub(super) mod limit {
    use super::{DecodeError, MAX_MONEY_SAT, MilliSatoshi, Reader, Writer};

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<MilliSatoshi, DecodeError> {
        Ok(MilliSatoshi::from_msat(reader.read::<u64>()?.min(MAX_MONEY_SAT * 1000)))
    }

    pub(crate) fn write(limit: &MilliSatoshi, writer: &mut Writer) {
        writer.write(&limit.to_msat());
    }
}

impl Field for PublicKey {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Self::from_slice(reader.take(33)?).map_err(|_| DecodeError::InvalidPoint)
    }

    fn write(&self, writer: &mut Writer) {
        writer.put(&self.serialize());
    }
}

fn compact(reader: &mut Reader<'_>) -> Result<Signature, DecodeError> {
    Signature::from_compact(reader.take(64)?).map_err(|_| DecodeError::InvalidSignature)
}

/// A signature with an S of either half: BOLT 2 wants the low one of what goes into transactions, BOLT 7 says nothing of
/// gossip. It is read as its low twin, which is valid wherever it is.
pub(super) mod either_s {
    use super::{DecodeError, Reader, Signature, Writer};

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Signature, DecodeError> {
        let mut signature = super::compact(reader)?;
        signature.normalize_s();
        Ok(signature)
    }

    pub(crate) fn write(signature: &Signature, writer: &mut Writer) {
        writer.write(signature);
    }
}

impl Field for Signature {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let signature = compact(reader)?;
        let mut low_s = signature;
        low_s.normalize_s();
        if low_s == signature { Ok(signature) } else { Err(DecodeError::HighS) }
    }

    fn write(&self, writer: &mut Writer) {
        writer.put(&self.serialize_compact());
    }
}

/// Counted by a `u16`; the count is checked against the bytes that are there before anything is allocated.
impl Field for Vec<Signature> {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count: u16 = reader.read()?;
        let mut signatures = Reader::new(reader.take(usize::from(count) * 64)?);
        (0..count).map(|_| signatures.read()).collect()
    }

    fn write(&self, writer: &mut Writer) {
        writer.count(self.len());
        self.iter().for_each(|signature| writer.write(signature));
    }
}

impl Field for Txid {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.array().map(Self::from_byte_array)
    }

    fn write(&self, writer: &mut Writer) {
        writer.put(&self.to_byte_array());
    }
}

impl Field for ChainHash {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.array().map(|bytes: [u8; 32]| Self::from(bytes))
    }

    fn write(&self, writer: &mut Writer) {
        writer.put(self.as_bytes());
    }
}

impl TlvValue for Vec<ChainHash> {
    fn read_value(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        read_all(reader)
    }

    fn write_value(&self, writer: &mut Writer) {
        self.iter().for_each(|chain| writer.write(chain));
    }
}

/// Values one after the other until the bytes end.
pub(super) fn read_all<T: Field>(reader: &mut Reader<'_>) -> Result<Vec<T>, DecodeError> {
    let mut values = Vec::new();
    while !reader.is_empty() {
        values.push(reader.read()?);
    }
    Ok(values)
}

/// Types whose bytes, of any length, are the value: with a length before them among the fixed fields, all of the record in
/// a TLV stream.
macro_rules! byte_strings {
    ($($string:ty: $from_bytes:expr, $to_bytes:expr;)*) => {
        $(impl Field for $string {
            fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                $from_bytes(reader.prefixed()?)
            }

            fn write(&self, writer: &mut Writer) {
                writer.prefixed(&$to_bytes(self));
            }
        }

        impl TlvValue for $string {
            fn read_value(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                $from_bytes(reader.rest())
            }

            fn write_value(&self, writer: &mut Writer) {
                writer.put(&$to_bytes(self));
            }
        })*
    };
}

byte_strings! {
    Vec<u8>: |bytes: &[u8]| Ok(bytes.to_vec()), Vec::clone;
    ScriptBuf: |bytes: &[u8]| Ok(ScriptBuf::from_bytes(bytes.to_vec())), |script: &ScriptBuf| script.to_bytes();
    Features: features_from_bytes, Features::to_be_bytes;
}

fn features_from_bytes(bytes: &[u8]) -> Result<Features, DecodeError> {
    // Bits are numbered by a u16.
    if bytes.len() > 8192 {
        return Err(DecodeError::FeaturesTooLong { length: bytes.len() });
    }
    Ok(Features::from_be_bytes(bytes))
}

macro_rules! tlv_values_as_fields {
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

tlv_values_as_fields!(u16, ShortChannelId, PublicKey, Signature, Txid);
