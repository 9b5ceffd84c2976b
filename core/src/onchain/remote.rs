//! The peer's present or next commitment (BOLT 5, Unilateral Close Handling: Remote Commitment Transaction).

use super::local::{htlc_output, understood};
use super::{Close, OutputKind};
use crate::channel::Party;
use crate::tx::{Commitment, CommitmentOutput, scripts};
use bitcoin::secp256k1::PublicKey;

/// What the peer's commitment pays that is of concern.
pub fn close(
    commitment: &Commitment,
    local_funding_pubkey: &PublicKey,
    local_payment_basepoint: &PublicKey,
) -> Close {
    let understand = |kind: CommitmentOutput| match kind {
        CommitmentOutput::ToRemote => {
            Some((OutputKind::ToRemote, scripts::to_remote_anchors(local_payment_basepoint)))
        }
        CommitmentOutput::CountersignatoryAnchor => {
            Some((OutputKind::OurAnchor, scripts::anchor(local_funding_pubkey)))
        }
        CommitmentOutput::Htlc(index) => Some(htlc_output(&commitment.htlcs[index], Party::Remote)),
        CommitmentOutput::ToLocal | CommitmentOutput::BroadcasterAnchor => None,
    };
    understood(commitment, understand)
}
