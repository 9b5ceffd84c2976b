//! What the sender tells each hop (BOLT 4, `payload` format).

use super::{FailureMessage, HopPayloadBytes};
use crate::types::{CltvExpiry, MilliSatoshi, PaymentSecret, ShortChannelId};
use crate::wire::tlv::{Record, Records, write_bytes};
use crate::wire::{DecodeError, Reader, Writer};

const AMT_TO_FORWARD: u64 = 2;
const OUTGOING_CLTV_VALUE: u64 = 4;
const SHORT_CHANNEL_ID: u64 = 6;
const PAYMENT_DATA: u64 = 8;
const PAYMENT_METADATA: u64 = 16;

/// The payload of a hop outside blinded routes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HopPayload {
    /// For a node that forwards.
    Intermediate {
        /// The amount of the HTLC to offer.
        amt_to_forward: MilliSatoshi,
        /// Its expiry.
        outgoing_cltv_value: CltvExpiry,
        /// The channel to offer it in.
        short_channel_id: ShortChannelId,
    },
    /// For the node that is paid.
    Final {
        /// The amount of the HTLC.
        amt_to_forward: MilliSatoshi,
        /// Its expiry.
        outgoing_cltv_value: CltvExpiry,
        /// From the invoice; unset where the sender has none.
        payment_secret: Option<PaymentSecret>,
        /// The amount of all parts; `amt_to_forward` where the sender says nothing.
        total_msat: MilliSatoshi,
        /// From the invoice.
        payment_metadata: Option<Vec<u8>>,
    },
}

/// Where a payload is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("TLV record {tlv_type} at byte {offset} of the payload is missing, malformed or not understood")]
pub struct PayloadError {
    /// The type of the record, 0 where the stream itself is malformed.
    pub tlv_type: u64,
    /// Where the record begins, 0 where it is missing.
    pub offset: u16,
}

impl From<PayloadError> for FailureMessage {
    fn from(PayloadError { tlv_type, offset }: PayloadError) -> Self {
        Self::InvalidOnionPayload { tlv_type, offset }
    }
}

impl HopPayload {
    /// The TLV stream for [`super::build_packet`].
    pub fn encode(&self) -> HopPayloadBytes {
        let mut stream = Writer::new();
        match self {
            Self::Intermediate { amt_to_forward, outgoing_cltv_value, short_channel_id } => {
                put_integer(&mut stream, AMT_TO_FORWARD, amt_to_forward.to_msat());
                put_integer(&mut stream, OUTGOING_CLTV_VALUE, outgoing_cltv_value.height());
                write_bytes(&mut stream, SHORT_CHANNEL_ID, &short_channel_id.0.to_be_bytes());
            }
            Self::Final {
                amt_to_forward,
                outgoing_cltv_value,
                payment_secret,
                total_msat,
                payment_metadata,
            } => {
                put_integer(&mut stream, AMT_TO_FORWARD, amt_to_forward.to_msat());
                put_integer(&mut stream, OUTGOING_CLTV_VALUE, outgoing_cltv_value.height());
                if let Some(payment_secret) = payment_secret {
                    let mut payment_data = Writer::new();
                    payment_data.put(&payment_secret.0);
                    payment_data.truncated_integer(total_msat.to_msat());
                    write_bytes(&mut stream, PAYMENT_DATA, &payment_data.into_bytes());
                }
                if let Some(payment_metadata) = payment_metadata {
                    write_bytes(&mut stream, PAYMENT_METADATA, payment_metadata);
                }
            }
        }
        stream.into_bytes()
    }

    /// Reads the stream of a forwarding or of the final node.
    ///
    /// # Errors
    /// What to answer with `invalid_onion_payload`. The fields of blinded routes are not understood yet.
    pub fn decode(payload: &[u8], is_final: bool) -> Result<Self, PayloadError> {
        let mut fields = Fields::default();
        let mut offset = 0usize;
        for record in Records::new(payload) {
            let at = |tlv_type| PayloadError { tlv_type, offset: u16::try_from(offset).unwrap_or(u16::MAX) };
            let record = record.map_err(|_| at(0))?;
            fields.read(record).map_err(|_| at(record.tlv_type))?;
            offset += record_size(record);
        }
        let missing = |tlv_type| PayloadError { tlv_type, offset: 0 };
        let amt_to_forward = fields.amt_to_forward.ok_or(missing(AMT_TO_FORWARD))?;
        let outgoing_cltv_value = fields.outgoing_cltv_value.ok_or(missing(OUTGOING_CLTV_VALUE))?;
        if !is_final {
            let short_channel_id = fields.short_channel_id.ok_or(missing(SHORT_CHANNEL_ID))?;
            return Ok(Self::Intermediate { amt_to_forward, outgoing_cltv_value, short_channel_id });
        }
        let (payment_secret, total_msat) = fields.payment_data.unzip();
        Ok(Self::Final {
            amt_to_forward,
            outgoing_cltv_value,
            payment_secret,
            total_msat: total_msat.unwrap_or(amt_to_forward),
            payment_metadata: fields.payment_metadata,
        })
    }
}

#[derive(Default)]
struct Fields {
    amt_to_forward: Option<MilliSatoshi>,
    outgoing_cltv_value: Option<CltvExpiry>,
    short_channel_id: Option<ShortChannelId>,
    payment_data: Option<(PaymentSecret, MilliSatoshi)>,
    payment_metadata: Option<Vec<u8>>,
}

impl Fields {
    fn read(&mut self, Record { tlv_type, value }: Record<'_>) -> Result<(), DecodeError> {
        let mut reader = Reader::new(value);
        match tlv_type {
            AMT_TO_FORWARD => self.amt_to_forward = Some(msat(&mut reader)?),
            OUTGOING_CLTV_VALUE => {
                let expiry = CltvExpiry::new(reader.tu32()?).ok_or(DecodeError::NotMinimal)?;
                self.outgoing_cltv_value = Some(expiry);
            }
            SHORT_CHANNEL_ID => {
                self.short_channel_id = Some(ShortChannelId(u64::from_be_bytes(reader.array()?)));
            }
            PAYMENT_DATA => {
                let payment_secret = PaymentSecret(reader.array()?);
                self.payment_data = Some((payment_secret, msat(&mut reader)?));
            }
            PAYMENT_METADATA => self.payment_metadata = Some(reader.rest().to_vec()),
            _ if tlv_type % 2 == 0 => return Err(DecodeError::UnknownEvenTlv { tlv_type }),
            _ => return Ok(()),
        }
        reader.finish()
    }
}

fn msat(reader: &mut Reader<'_>) -> Result<MilliSatoshi, DecodeError> {
    let msat = reader.tu64()?;
    MilliSatoshi::try_from_msat(msat).map_err(|_| DecodeError::AmountAboveSupply { msat })
}

fn put_integer(stream: &mut Writer, tlv_type: u64, value: impl Into<u64>) {
    let mut bytes = Writer::new();
    bytes.truncated_integer(value);
    write_bytes(stream, tlv_type, &bytes.into_bytes());
}

/// Its length in the stream: types and lengths that were read are minimal.
fn record_size(record: Record<'_>) -> usize {
    let mut bytes = Writer::new();
    write_bytes(&mut bytes, record.tlv_type, record.value);
    bytes.len()
}
