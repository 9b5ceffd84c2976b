//! The parts of an incoming payment: checked one by one, kept together, settled all or none (BOLT 4, Basic
//! Multi-Part Payments).
//!
//! Nothing here is stored: a part is an unresolved HTLC of a stored channel, and comes again after a start.

use super::{Incoming, IncomingState};
use crate::types::{
    BlockHeight, CltvExpiry, HtlcId, Instant, MilliSatoshi, PaymentHash, PaymentSecret, UnixTime,
};
use std::collections::BTreeMap;

/// How long parts wait for the rest (BOLT 4: at least 60 seconds).
const PARTS_TIMEOUT_SECS: u64 = 60;

/// An HTLC is failed rather than settled when fewer blocks are left: settling must reach the chain in time
/// (BOLT 2, Requirements for `cltv_expiry_delta`: fulfillment deadline).
const FULFILLMENT_DEADLINE_BLOCKS: u32 = 18;

/// Which HTLC a part is: the channel key index, and the number of the HTLC there.
pub type PartKey = (u32, HtlcId);

/// One HTLC whose onion names us as the last node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What the HTLC carries.
    pub amount: MilliSatoshi,
    /// What the onion says it should carry (`amt_to_forward`).
    pub amt_to_forward: MilliSatoshi,
    /// When the HTLC times out.
    pub cltv_expiry: CltvExpiry,
    /// What the onion says (`outgoing_cltv_value`).
    pub outgoing_cltv_value: u32,
    /// Of which total it is a part.
    pub total: MilliSatoshi,
    /// From the onion.
    pub payment_secret: PaymentSecret,
}

/// What is to be done with a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// More parts are to come.
    Wait,
    /// All are here: settle these, and the payment is received.
    Settle {
        /// What arrives.
        amount: MilliSatoshi,
        /// Every part.
        parts: Vec<PartKey>,
    },
    /// `incorrect_or_unknown_payment_details`.
    RefuseUnknown,
    /// `final_incorrect_cltv_expiry`.
    RefuseCltv,
    /// `final_incorrect_htlc_amount`.
    RefuseAmount,
}

/// The parts of one payment that wait for the rest.
#[derive(Clone, Debug)]
pub struct PartSet {
    total: MilliSatoshi,
    since: Instant,
    parts: BTreeMap<PartKey, Waiting>,
}

/// A part that waits.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    amount: MilliSatoshi,
    cltv_expiry: CltvExpiry,
}

/// All parts that wait, by payment hash.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    sets: BTreeMap<PaymentHash, PartSet>,
}

impl Parts {
    /// Takes a part whose HTLC is irrevocably committed on both sides.
    pub fn arrived(
        &mut self,
        key: PartKey,
        part: &Part,
        payment: Option<&Incoming>,
        height: BlockHeight,
        now: (Instant, UnixTime),
    ) -> Verdict {
        // Whoever is on the way can make these two wrong: the answer is the same whether there is an invoice or not.
        if part.amount < part.amt_to_forward {
            return Verdict::RefuseAmount;
        }
        if part.cltv_expiry.height() < part.outgoing_cltv_value {
            return Verdict::RefuseCltv;
        }
        let Some(payment) = payment else { return Verdict::RefuseUnknown };
        if !is_acceptable(part, payment, height, now.1) {
            return Verdict::RefuseUnknown;
        }
        let hash = payment.payment_hash();
        let set = self.sets.entry(hash).or_insert_with(|| PartSet {
            total: part.total,
            since: now.0,
            parts: BTreeMap::new(),
        });
        if set.total != part.total {
            return Verdict::RefuseUnknown;
        }
        // A device may have slept since they came: their minute is not over, but their blocks are.
        let in_time = |it: &Waiting| it.cltv_expiry.blocks_from(height) >= FULFILLMENT_DEADLINE_BLOCKS;
        if !set.parts.values().all(in_time) {
            return Verdict::RefuseUnknown;
        }
        set.parts.insert(key, Waiting { amount: part.amt_to_forward, cltv_expiry: part.cltv_expiry });
        match sum(set) {
            Some(amount) if amount >= set.total => {
                let parts = set.parts.keys().copied().collect();
                self.sets.remove(&hash);
                Verdict::Settle { amount, parts }
            }
            Some(_) => Verdict::Wait,
            None => {
                set.parts.remove(&key);
                Verdict::RefuseUnknown
            }
        }
    }

    /// The parts that waited too long for the rest, to be failed with `mpp_timeout`.
    pub fn timed_out(&mut self, now: Instant) -> Vec<PartKey> {
        let due = |set: &PartSet| set.since.plus_secs(PARTS_TIMEOUT_SECS) <= now;
        let keys =
            self.sets.values().filter(|set| due(set)).flat_map(|set| set.parts.keys().copied()).collect();
        self.sets.retain(|_, set| !due(set));
        keys
    }

    /// Forgets the parts that came over a channel.
    pub fn forget_channel(&mut self, index: u32) {
        for set in self.sets.values_mut() {
            set.parts.retain(|(channel, _), _| *channel != index);
        }
        self.sets.retain(|_, set| !set.parts.is_empty());
    }

    /// When the first set times out.
    pub fn deadline(&self) -> Option<Instant> {
        self.sets.values().map(|set| set.since.plus_secs(PARTS_TIMEOUT_SECS)).min()
    }

    /// The sum of what waits.
    pub fn waiting(&self) -> MilliSatoshi {
        let parts = self.sets.values().flat_map(|set| set.parts.values().map(|it| it.amount));
        MilliSatoshi::checked_sum(parts).unwrap_or(MilliSatoshi::from_msat(u64::MAX))
    }
}

/// Unset: more than can be counted.
fn sum(set: &PartSet) -> Option<MilliSatoshi> {
    MilliSatoshi::checked_sum(set.parts.values().map(|it| it.amount))
}

/// BOLT 4, Requirements for the final node. One answer for all, so that nothing can be probed.
fn is_acceptable(part: &Part, payment: &Incoming, height: BlockHeight, now: UnixTime) -> bool {
    let secret_matches = part.payment_secret == payment.payment_secret;
    let twice = payment.amount.map(|amount| amount.saturating_add(amount));
    let total_is_right = payment.amount.is_none_or(|amount| amount <= part.total)
        && twice.is_none_or(|twice| part.total <= twice)
        && part.total > MilliSatoshi::ZERO;
    let blocks_needed = u32::from(payment.min_final_cltv_expiry_delta).max(FULFILLMENT_DEADLINE_BLOCKS);
    let in_time = part.cltv_expiry.blocks_from(height) >= blocks_needed && now < payment.expires_at;
    secret_matches && total_is_right && in_time && payment.state == IncomingState::Expecting
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{PaymentId, PaymentPreimage};

    const HEIGHT: BlockHeight = 1_000;
    const NOW: (Instant, UnixTime) = (Instant(5), UnixTime(100));

    fn payment() -> Incoming {
        Incoming {
            id: PaymentId([0; 16]),
            preimage: PaymentPreimage([1; 32]),
            payment_secret: PaymentSecret([2; 32]),
            amount: Some(MilliSatoshi::from_msat(1_000)),
            description: String::new(),
            invoice: String::new(),
            created: UnixTime(50),
            expires_at: UnixTime(150),
            min_final_cltv_expiry_delta: 42,
            state: IncomingState::Expecting,
        }
    }

    fn part(amount_msat: u64, total_msat: u64) -> Part {
        Part {
            amount: MilliSatoshi::from_msat(amount_msat),
            amt_to_forward: MilliSatoshi::from_msat(amount_msat),
            cltv_expiry: CltvExpiry::new(HEIGHT + 42).unwrap(),
            outgoing_cltv_value: HEIGHT + 42,
            total: MilliSatoshi::from_msat(total_msat),
            payment_secret: PaymentSecret([2; 32]),
        }
    }

    fn arrive(part: &Part, payment: &Incoming) -> Verdict {
        Parts::default().arrived((0, HtlcId(0)), part, Some(payment), HEIGHT, NOW)
    }

    #[test]
    fn one_part_that_is_enough_is_settled() {
        assert!(matches!(arrive(&part(1_000, 1_000), &payment()), Verdict::Settle { .. }));
        assert!(matches!(arrive(&part(2_000, 2_000), &payment()), Verdict::Settle { .. }));
    }

    #[test]
    fn every_wrong_detail_gets_the_same_answer() {
        let good = part(1_000, 1_000);
        let wrong = [
            Part { payment_secret: PaymentSecret([3; 32]), ..good.clone() },
            part(999, 999),
            part(2_001, 2_001),
            Part {
                cltv_expiry: CltvExpiry::new(HEIGHT + 41).unwrap(),
                outgoing_cltv_value: HEIGHT,
                ..good.clone()
            },
        ];
        for part in wrong {
            assert_eq!(arrive(&part, &payment()), Verdict::RefuseUnknown, "{part:?}");
        }
        let expired = Incoming { expires_at: UnixTime(100), ..payment() };
        let received = payment().received(MilliSatoshi::from_msat(1_000), UnixTime(99)).unwrap();
        for payment in [expired, received] {
            assert_eq!(arrive(&good, &payment), Verdict::RefuseUnknown, "{payment:?}");
        }
        let unknown = Parts::default().arrived((0, HtlcId(0)), &good, None, HEIGHT, NOW);
        assert_eq!(unknown, Verdict::RefuseUnknown);
    }

    #[test]
    fn an_htlc_below_its_onion_is_refused_by_name() {
        let good = part(1_000, 1_000);
        let less = Part { amount: MilliSatoshi::from_msat(999), ..good.clone() };
        assert_eq!(arrive(&less, &payment()), Verdict::RefuseAmount);
        let earlier = Part { outgoing_cltv_value: HEIGHT + 43, ..good };
        assert_eq!(arrive(&earlier, &payment()), Verdict::RefuseCltv);
    }

    #[test]
    fn parts_wait_for_each_other_and_settle_together() {
        let mut parts = Parts::default();
        let payment = payment();
        let mut arrive = |id, part: &Part| parts.arrived((0, HtlcId(id)), part, Some(&payment), HEIGHT, NOW);
        assert_eq!(arrive(0, &part(400, 1_000)), Verdict::Wait);
        assert_eq!(arrive(0, &part(400, 1_000)), Verdict::Wait, "the same HTLC twice counts once");
        assert_eq!(arrive(1, &part(400, 1_001)), Verdict::RefuseUnknown);
        let all = vec![(0, HtlcId(0)), (0, HtlcId(2))];
        let settle = Verdict::Settle { amount: MilliSatoshi::from_msat(1_000), parts: all };
        assert_eq!(arrive(2, &part(600, 1_000)), settle);
    }

    #[test]
    fn a_part_of_a_channel_that_failed_does_not_count() {
        let mut parts = Parts::default();
        let payment = payment();
        parts.arrived((0, HtlcId(0)), &part(400, 1_000), Some(&payment), HEIGHT, NOW);
        parts.forget_channel(0);
        let second = parts.arrived((1, HtlcId(0)), &part(600, 1_000), Some(&payment), HEIGHT, NOW);
        assert_eq!(second, Verdict::Wait);
    }

    /// A device that sleeps has a clock that stands still: its blocks do not.
    #[test]
    fn a_part_that_can_not_be_claimed_in_time_any_more_keeps_the_preimage_back() {
        let mut parts = Parts::default();
        let payment = payment();
        let mut arrive =
            |id, part: &Part, height| parts.arrived((0, HtlcId(id)), part, Some(&payment), height, NOW);
        let first = part(400, 1_000);
        assert_eq!(arrive(0, &first, HEIGHT), Verdict::Wait);
        let later = HEIGHT + 42 - 17;
        let expiry = later + 42;
        let cltv_expiry = CltvExpiry::new(expiry).unwrap();
        let second = Part { cltv_expiry, outgoing_cltv_value: expiry, ..part(600, 1_000) };
        assert_eq!(arrive(1, &second, later), Verdict::RefuseUnknown);
        // What was there still times out, and the payment can be made anew.
        assert_eq!(parts.timed_out(Instant(60_005)), [(0, HtlcId(0))]);
    }

    #[test]
    fn who_does_not_know_the_secret_does_not_learn_that_there_is_an_invoice() {
        let good = part(1_000, 1_000);
        let less = Part { amount: MilliSatoshi::from_msat(999), ..good.clone() };
        let earlier = Part { outgoing_cltv_value: HEIGHT + 43, ..good };
        for part in [less, earlier] {
            let answer = |payment: Option<&Incoming>| {
                Parts::default().arrived((0, HtlcId(0)), &part, payment, HEIGHT, NOW)
            };
            assert_eq!(answer(None), answer(Some(&payment())));
        }
    }

    #[test]
    fn parts_that_wait_a_minute_are_failed() {
        let mut parts = Parts::default();
        parts.arrived((0, HtlcId(7)), &part(400, 1_000), Some(&payment()), HEIGHT, NOW);
        let deadline = parts.deadline().unwrap();
        assert_eq!(deadline, Instant(60_005));
        assert!(parts.timed_out(Instant(60_004)).is_empty());
        assert_eq!(parts.timed_out(deadline), [(0, HtlcId(7))]);
        assert_eq!(parts.deadline(), None);
    }
}
