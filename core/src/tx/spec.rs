//! What a commitment transaction has to say: who has how much, and which HTLCs are in flight.

use crate::types::{CltvExpiry, FeeratePerKw, HtlcId, MilliSatoshi, PaymentHash};

/// Which way an HTLC goes, as seen by the broadcaster of the commitment transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// The broadcaster pays; it comes back by an HTLC-timeout transaction.
    Offered,
    /// The broadcaster is paid; it claims by an HTLC-success transaction.
    Received,
}

impl Direction {
    /// The same HTLC as the other party sees it.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Offered => Self::Received,
            Self::Received => Self::Offered,
        }
    }
}

/// One HTLC (BOLT 2, update_add_htlc).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Htlc {
    /// Its number among those of its offerer.
    pub id: HtlcId,
    /// What is paid.
    pub amount_msat: MilliSatoshi,
    /// What the preimage must hash to.
    pub payment_hash: PaymentHash,
    /// From which height on the offerer can take it back.
    pub cltv_expiry: CltvExpiry,
}

/// The content of one commitment transaction, as its broadcaster sees it. The balances are what is left beside the
/// HTLCs, before fee and anchors: all of it together is the funding amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitmentSpec {
    /// The HTLCs in flight, trimmed ones included, in any order.
    pub htlcs: Vec<(Direction, Htlc)>,
    /// The fee rate of the commitment transaction.
    pub feerate_per_kw: FeeratePerKw,
    /// The balance of the broadcaster.
    pub to_local: MilliSatoshi,
    /// The balance of the countersignatory.
    pub to_remote: MilliSatoshi,
}

impl CommitmentSpec {
    /// Both balances and all HTLCs together, unset where the sum overflows.
    pub fn total(&self) -> Option<MilliSatoshi> {
        let htlcs = self.htlcs.iter().map(|(_, htlc)| htlc.amount_msat);
        MilliSatoshi::checked_sum(htlcs.chain([self.to_local, self.to_remote]))
    }

    /// What the HTLCs of one direction hold together, unset where the sum overflows.
    pub fn in_flight(&self, direction: Direction) -> Option<MilliSatoshi> {
        MilliSatoshi::checked_sum(self.of(direction).map(|htlc| htlc.amount_msat))
    }

    /// The HTLCs of one direction.
    pub fn of(&self, direction: Direction) -> impl Iterator<Item = &Htlc> {
        self.htlcs.iter().filter(move |(its, _)| *its == direction).map(|(_, htlc)| htlc)
    }

    /// The content of the other party's commitment transaction, where both hold the same updates.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        Self {
            htlcs: self.htlcs.iter().map(|(direction, htlc)| (direction.opposite(), *htlc)).collect(),
            feerate_per_kw: self.feerate_per_kw,
            to_local: self.to_remote,
            to_remote: self.to_local,
        }
    }
}
