//! What was published to claim outputs and is not in a block yet. Each new transaction must beat those it replaces, and no
//! output is ever bid for less again (BIP 125; replacement stalling).

use crate::types::{BlockHeight, FeeratePerKw};
use bitcoin::{Amount, OutPoint, Transaction};
use std::collections::{BTreeMap, BTreeSet};

/// A transaction that claims something, as it was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bid {
    /// It.
    pub tx: Transaction,
    /// How many of its inputs, the first ones, are claims; the others are coins of the wallet that pay for it.
    pub claims: usize,
    /// What it pays.
    pub fee: Amount,
}

/// All bids of a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bids {
    live: Vec<Bid>,
    courses: BTreeMap<OutPoint, Course>,
}

/// How an output was bid for so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Course {
    /// The highest rate that was ever paid for it.
    pub highest: FeeratePerKw,
    /// The height at which the first bid was made.
    pub since: BlockHeight,
}

/// What a new transaction replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// The fees of the transactions that it takes the place of; nothing where there is none.
    pub fees: Amount,
    /// The highest rate ever paid for one of the outputs; unset where none was bid for.
    pub feerate: Option<FeeratePerKw>,
    /// The height at which the first of all bids for one of the outputs was made; unset before there is one.
    pub since: Option<BlockHeight>,
    /// Whether one of them claims just the same, so that it may also stay.
    pub stands: bool,
}

impl Bid {
    /// The outputs it claims.
    pub fn claimed(&self) -> impl Iterator<Item = OutPoint> {
        self.tx.input.iter().take(self.claims).map(|input| input.previous_output)
    }

    /// The coins of the wallet that it spends.
    pub fn coins(&self) -> impl Iterator<Item = OutPoint> {
        self.tx.input.iter().skip(self.claims).map(|input| input.previous_output)
    }

    /// What it pays for its weight, rounded up.
    pub fn feerate(&self) -> FeeratePerKw {
        let weight = self.tx.weight().to_wu().max(1);
        let rate = self.fee.to_sat().saturating_mul(1_000).div_ceil(weight);
        FeeratePerKw::from_sat_per_kw(u32::try_from(rate).unwrap_or(u32::MAX))
    }

    fn conflicts_with(&self, other: &Transaction) -> bool {
        let spent: BTreeSet<OutPoint> = other.input.iter().map(|input| input.previous_output).collect();
        self.tx.input.iter().any(|input| spent.contains(&input.previous_output))
    }
}

impl Bids {
    /// As they were stored.
    pub const fn new(live: Vec<Bid>, courses: BTreeMap<OutPoint, Course>) -> Self {
        Self { live, courses }
    }

    /// The bids that may still come into a block.
    pub fn live(&self) -> &[Bid] {
        &self.live
    }

    /// How each output was bid for so far.
    pub const fn courses(&self) -> &BTreeMap<OutPoint, Course> {
        &self.courses
    }

    /// Takes a new bid, made at this height, in the place of all that it conflicts with.
    pub fn place(&mut self, bid: Bid, height: BlockHeight) {
        let rate = bid.feerate();
        for outpoint in bid.claimed() {
            let course = self.courses.entry(outpoint).or_insert(Course { highest: rate, since: height });
            course.highest = course.highest.max(rate);
        }
        self.live.retain(|earlier| !earlier.conflicts_with(&bid.tx));
        self.live.push(bid);
    }

    /// Drops the bids for outputs that are spent: an input that somebody else took makes the whole transaction void.
    pub fn drop_where(&mut self, is_spent: impl Fn(OutPoint) -> bool) {
        self.live.retain(|bid| !bid.tx.input.iter().any(|input| is_spent(input.previous_output)));
    }

    /// A transaction with what was published on top of it.
    pub fn with_children(&self, parent: Transaction) -> Vec<Transaction> {
        let txid = parent.compute_txid();
        let is_child = |bid: &&Bid| bid.claimed().any(|outpoint| outpoint.txid == txid);
        let children = self.live.iter().filter(is_child).map(|bid| bid.tx.clone());
        std::iter::once(parent).chain(children).collect()
    }

    /// The bid that claims just these outputs.
    pub fn for_exactly(&self, claimed: &BTreeSet<OutPoint>) -> Option<&Bid> {
        self.live.iter().find(|bid| bid.claimed().collect::<BTreeSet<_>>() == *claimed)
    }

    /// The bids that claim any of these outputs.
    pub fn for_any<'a>(&'a self, claimed: &'a BTreeSet<OutPoint>) -> impl Iterator<Item = &'a Bid> {
        self.live.iter().filter(|bid| bid.claimed().any(|it| claimed.contains(&it)))
    }

    /// What a transaction that claims these outputs replaces.
    pub fn replaced_by(&self, claimed: &BTreeSet<OutPoint>) -> Replaced {
        let courses = || claimed.iter().filter_map(|outpoint| self.courses.get(outpoint));
        Replaced {
            fees: self.for_any(claimed).map(|bid| bid.fee).sum(),
            feerate: courses().map(|course| course.highest).max(),
            since: courses().map(|course| course.since).min(),
            stands: self.for_exactly(claimed).is_some(),
        }
    }
}
