//! What is stored about a channel besides its state: where its balance goes when it closes, and the peer's price for
//! payments towards us.

use crate::types::{CltvExpiryDelta, ShortChannelId};
use crate::wire::ChannelUpdateContents;
use bitcoin::ScriptBuf;
use minicbor::{Decode, Encode};

const VERSION: u8 = 1;

/// Blocks that a peer needs at most, as long as it has not said how many (the largest default in the field).
const CAUTIOUS_CLTV_EXPIRY_DELTA: u16 = 144;

/// Terms of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Our address in a cooperative close.
    pub(crate) shutdown_script: ScriptBuf,
    learnt: Option<Learnt>,
}

/// The peer's `channel_update` for the way towards us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
struct Learnt {
    #[n(0)]
    timestamp: u32,
    #[n(1)]
    fee_base_msat: u32,
    #[n(2)]
    fee_proportional_millionths: u32,
    #[n(3)]
    cltv_expiry_delta: u16,
}

/// What a payer must know to reach us through a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InboundPolicy {
    pub(crate) short_channel_id: ShortChannelId,
    pub(crate) fee_base_msat: u32,
    pub(crate) fee_proportional_millionths: u32,
    pub(crate) cltv_expiry_delta: CltvExpiryDelta,
}

#[derive(Encode, Decode)]
struct StoredTerms {
    #[cbor(n(0), with = "minicbor::bytes")]
    shutdown_script: Vec<u8>,
    #[n(1)]
    learnt: Option<Learnt>,
}

impl Terms {
    /// The name of its row among those of the channel.
    pub(crate) const ROW: &'static [u8] = b"terms";

    pub(crate) fn new(shutdown_script: ScriptBuf) -> Self {
        Self { shutdown_script, learnt: None }
    }

    pub(crate) fn inbound_policy(&self, short_channel_id: ShortChannelId) -> InboundPolicy {
        let learnt = self.learnt.unwrap_or(Learnt {
            timestamp: 0,
            fee_base_msat: 1_000,
            fee_proportional_millionths: 100,
            cltv_expiry_delta: CAUTIOUS_CLTV_EXPIRY_DELTA,
        });
        InboundPolicy {
            short_channel_id,
            fee_base_msat: learnt.fee_base_msat,
            fee_proportional_millionths: learnt.fee_proportional_millionths,
            cltv_expiry_delta: CltvExpiryDelta(learnt.cltv_expiry_delta),
        }
    }

    /// Takes a newer policy. Tells whether it was one.
    pub(crate) fn learn(&mut self, update: &ChannelUpdateContents) -> bool {
        let newer = self.learnt.is_none_or(|learnt| learnt.timestamp < update.timestamp);
        if newer {
            self.learnt = Some(Learnt {
                timestamp: update.timestamp,
                fee_base_msat: update.fee_base_msat,
                fee_proportional_millionths: update.fee_proportional_millionths,
                cltv_expiry_delta: update.cltv_expiry_delta,
            });
        }
        newer
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let stored = StoredTerms { shutdown_script: self.shutdown_script.to_bytes(), learnt: self.learnt };
        let mut bytes = vec![VERSION];
        // Writing to memory does not fail.
        minicbor::encode(&stored, &mut bytes).expect("encoding into a vector");
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let Some((&VERSION, rest)) = bytes.split_first() else {
            return Err("terms of an unknown version".into());
        };
        let stored: StoredTerms = minicbor::decode(rest).map_err(|error| error.to_string())?;
        Ok(Self { shutdown_script: stored.shutdown_script.into(), learnt: stored.learnt })
    }
}
