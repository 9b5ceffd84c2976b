//! The child that pays for a commitment (BOLT 3, `to_local_anchor` and `to_remote_anchor` Output; BOLT 5, Failing a
//! Channel). It is published together with the commitment, as a package.

use super::{Claim, Close, Way};
use crate::crypto::ClaimKey;

/// Our anchor on a commitment that is in no block yet. Unset where the commitment has none for us.
pub fn claim(close: &Close) -> Option<Claim> {
    let anchor = close.our_anchor()?;
    Some(Claim {
        outpoint: close.outpoint(anchor),
        amount: anchor.amount,
        witness_script: anchor.witness_script.clone(),
        key: ClaimKey::Anchor,
        way: Way::Anchor,
        from: 0,
        contested: None,
        deadline: None,
    })
}
