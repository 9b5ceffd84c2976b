//! What every commitment of one party to a channel pays to.

use super::{CommitmentFormat, scripts};
use bitcoin::ScriptBuf;
use bitcoin::secp256k1::PublicKey;

/// The output scripts that are the same on every commitment of one broadcaster, hashed once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixedOutputs {
    /// Of the countersignatory's balance.
    pub to_remote: ScriptBuf,
    /// Of the broadcaster's anchor.
    pub broadcaster_anchor: ScriptBuf,
    /// Of the countersignatory's anchor.
    pub countersignatory_anchor: ScriptBuf,
}

impl FixedOutputs {
    /// From the keys that no per-commitment point changes.
    pub fn new(
        format: CommitmentFormat,
        countersignatory_payment_pubkey: &PublicKey,
        broadcaster_funding_pubkey: &PublicKey,
        countersignatory_funding_pubkey: &PublicKey,
    ) -> Self {
        Self {
            to_remote: scripts::to_remote_output(countersignatory_payment_pubkey, format),
            broadcaster_anchor: scripts::anchor(broadcaster_funding_pubkey).to_p2wsh(),
            countersignatory_anchor: scripts::anchor(countersignatory_funding_pubkey).to_p2wsh(),
        }
    }
}
