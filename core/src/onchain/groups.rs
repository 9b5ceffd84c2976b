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
/// claims can still share one. So many HTLC-success transactions could have coins of their own.
pub fn groups(claims: Vec<Claim>, bids: &Bids, height: BlockHeight, coins: usize) -> Vec<Vec<Claim>> {
    let due = claims.into_iter().filter(|claim| claim.is_due(height));
    let (successes, due): (Vec<_>, Vec<_>) = due.partition(Claim::is_htlc_success);
    let (mut shared, alone): (Vec<_>, Vec<_>) = due.into_iter().partition(|claim| can_share(claim, height));
    let mut groups: Vec<Vec<Claim>> = alone.into_iter().map(|claim| vec![claim]).collect();
    groups.extend(of_successes(successes, height, coins));
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
        groups.extend(in_transactions(&together));
    }
    groups
}

/// The HTLC-success transactions of one commitment are one, so that one coin pays for all of them: the signature of each
/// allows for it (BOLT 3, HTLC-Timeout and HTLC-Success Transactions), and until an HTLC expires nobody else can spend it.
/// From then on it goes alone, unless there are fewer coins than that takes: what can be held up is better than nothing.
fn of_successes(successes: Vec<Claim>, height: BlockHeight, coins: usize) -> Vec<Vec<Claim>> {
    let is_contested = |claim: &Claim| claim.contested.is_some_and(|from| from <= height);
    let (contested, safe): (Vec<_>, Vec<_>) = successes.iter().cloned().partition(is_contested);
    if contested.len() + usize::from(!safe.is_empty()) > coins {
        return in_transactions(&successes);
    }
    contested.into_iter().map(|claim| vec![claim]).chain(in_transactions(&safe)).collect()
}

fn in_transactions(claims: &[Claim]) -> Vec<Vec<Claim>> {
    claims.chunks(MAX_INPUTS).map(<[Claim]>::to_vec).collect()
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
