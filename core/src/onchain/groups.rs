//! Which claims share a transaction.
//!
//! What nobody else can take shares one, and so do penalties, until somebody else is about to be able to take one of them
//! (BOLT 5, Revoked Transaction Close Handling): a transaction that claims several can be held up by whoever may spend one.

use super::{Bids, Claim, SECURITY_DELAY, Way};
use crate::types::BlockHeight;
use bitcoin::OutPoint;
use std::collections::BTreeSet;

/// So many inputs at most, so that no transaction grows too large to be relayed.
const MAX_INPUTS: usize = 200;

/// The claims that are due, in groups of one transaction each. A transaction that stands stays as it is, as long as all it
/// claims can still share one.
pub fn groups(claims: Vec<Claim>, bids: &Bids, height: BlockHeight) -> Vec<Vec<Claim>> {
    let due = claims.into_iter().filter(|claim| claim.is_due(height));
    let (mut shared, alone): (Vec<_>, Vec<_>) = due.partition(|claim| can_share(claim, height));
    let mut groups: Vec<Vec<Claim>> = alone.into_iter().map(|claim| vec![claim]).collect();
    for bid in bids.live() {
        let claimed: BTreeSet<OutPoint> = bid.claimed().collect();
        let (group, rest): (Vec<_>, Vec<_>) =
            shared.iter().cloned().partition(|claim| claimed.contains(&claim.outpoint));
        if group.len() == claimed.len() {
            groups.push(group);
            shared = rest;
        }
    }
    let (penalties, ours): (Vec<_>, Vec<_>) = shared.into_iter().partition(is_penalty);
    for together in [penalties, ours] {
        groups.extend(together.chunks(MAX_INPUTS).map(<[Claim]>::to_vec));
    }
    groups
}

fn can_share(claim: &Claim, height: BlockHeight) -> bool {
    let is_safe = claim.contested.is_none_or(|from| from > height.saturating_add(SECURITY_DELAY));
    match claim.way {
        Way::Delayed { .. } | Way::ToRemote => true,
        Way::PenaltyDelayed | Way::PenaltyHtlc(_) => is_safe,
        Way::SecondStage { .. } | Way::Preimage(_) | Way::Timeout(_) | Way::Anchor => false,
    }
}

fn is_penalty(claim: &Claim) -> bool {
    matches!(claim.way, Way::PenaltyDelayed | Way::PenaltyHtlc(_))
}
