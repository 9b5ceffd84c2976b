//! How the small values of `types` stand in stored CBOR records.

use crate::types::{
    ChannelId, CltvExpiry, HtlcId, MilliSatoshi, PaymentHash, PaymentId, PaymentPreimage, PaymentSecret,
    ShortChannelId, UnixTime,
};
use bitcoin::secp256k1::PublicKey;
use minicbor::decode::{Decode, Decoder, Error as DecodeError};
use minicbor::encode::{Encode, Encoder, Error as EncodeError, Write};

macro_rules! as_number {
    ($type:ty, $get:expr, $make:expr) => {
        impl<C> Encode<C> for $type {
            fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
                e.u64($get(self)).map(|_| ())
            }
        }

        impl<'b, C> Decode<'b, C> for $type {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
                d.u64().map($make)
            }
        }
    };
}

macro_rules! as_bytes {
    ($type:ident, $length:literal) => {
        impl<C> Encode<C> for $type {
            fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
                e.bytes(&self.0).map(|_| ())
            }
        }

        impl<'b, C> Decode<'b, C> for $type {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
                let bytes: [u8; $length] = d
                    .bytes()?
                    .try_into()
                    .map_err(|_| DecodeError::message(concat!("not ", $length, " bytes")))?;
                Ok($type(bytes))
            }
        }
    };
}

as_number!(MilliSatoshi, |amount: &MilliSatoshi| amount.to_msat(), MilliSatoshi::from_msat);
as_number!(UnixTime, |time: &UnixTime| time.0, UnixTime);
as_number!(HtlcId, |id: &HtlcId| id.0, HtlcId);
as_number!(ShortChannelId, |scid: &ShortChannelId| scid.0, ShortChannelId);
impl<C> Encode<C> for CltvExpiry {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.u32(self.height()).map(|_| ())
    }
}

impl<'b, C> Decode<'b, C> for CltvExpiry {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        Self::new(d.u32()?).ok_or_else(|| DecodeError::message("not a height"))
    }
}

as_bytes!(ChannelId, 32);
as_bytes!(PaymentHash, 32);
as_bytes!(PaymentId, 16);
as_bytes!(PaymentPreimage, 32);
as_bytes!(PaymentSecret, 32);

/// For `#[cbor(with = "…")]` on public keys, which are not ours to implement a trait for.
pub(crate) mod public_key {
    use super::{DecodeError, Decoder, EncodeError, Encoder, PublicKey, Write};

    pub(crate) fn encode<C, W: Write>(
        key: &PublicKey,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        e.bytes(&key.serialize()).map(|_| ())
    }

    pub(crate) fn decode<'b, C>(d: &mut Decoder<'b>, _: &mut C) -> Result<PublicKey, DecodeError> {
        PublicKey::from_slice(d.bytes()?).map_err(|_| DecodeError::message("not a public key"))
    }
}
