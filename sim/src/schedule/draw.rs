//! Chance, or a fuzzer's bytes, become steps.

use super::{Base, Lie, Money, Schedule, Step};
use crate::disk::Mode;
use crate::host::CRASHES;
use crate::random::Random;
use kite_core::node::StoreFailure;

/// The fewest and the most steps of a schedule.
const STEPS: (usize, usize) = (6, 26);
/// More blocks than this could make an HTLC that waits run into its deadline.
const MOST_BLOCKS: u32 = 15;
/// Where it may: so many that a channel can be closed and what was delayed be claimed.
const MOST_BLOCKS_ALONE: u32 = 200;
/// There, so many draws are one of these stories: a payment that the chain must settle, a cheat, bids.
const TOLD_ONE_IN: usize = 16;
/// One schedule in so many may close channels by one side alone; in the others nothing may.
const ONE_IN: usize = 4;

/// What decides.
pub trait Dice {
    /// An index below `count`, which is not 0.
    fn below(&mut self, count: usize) -> usize;
    /// Whether nothing is left to decide with.
    fn is_spent(&self) -> bool {
        false
    }
}

impl Dice for Random {
    fn below(&mut self, count: usize) -> usize {
        Self::below(self, count)
    }
}

/// Decisions that are spelt out: a byte for up to 256 ways, two for more.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    /// Decides with these.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn take(&mut self) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first)
    }
}

impl Dice for Bytes<'_> {
    fn below(&mut self, count: usize) -> usize {
        let high = if count > 256 { self.take() << 8 } else { 0 };
        (high | self.take()) % count.max(1)
    }

    fn is_spent(&self) -> bool {
        self.0.is_empty()
    }
}

/// A kind of step, and how many times in a hundred or so it comes.
type Weighted = (usize, fn(&mut dyn Dice) -> Step);

const KINDS: &[Weighted] = &[
    (22, pay),
    (4, |dice| Step::PayForgotten { by: dice.below(2), msat: amount(dice) }),
    (3, |dice| Step::PayAgain { by: dice.below(2) }),
    (3, |dice| Step::Repeat { by: dice.below(2) }),
    (26, |dice| Step::Deliver { pieces: small(dice, 7), order: order(dice) }),
    (8, |dice| Step::Settle { order: order(dice) }),
    (5, |_| Step::Cut),
    (3, |dice| Step::Deaf { host: dice.below(2) }),
    (3, |dice| Step::CutAt { delivery: u64::from(small(dice, 12)) }),
    (8, |dice| Step::Crash {
        host: dice.below(2),
        batch: u64::from(small(dice, 5)),
        how: CRASHES[dice.below(CRASHES.len())],
    }),
    (4, |dice| Step::Restart { host: dice.below(2) }),
    (5, store),
    (5, |dice| Step::Mine { blocks: small(dice, 3) }),
    (2, |dice| Step::Reorg { depth: small(dice, 4) }),
    (4, |dice| Step::Pass { secs: [1, 2, 30, 90, 700][dice.below(5)] }),
    (5, fee_rate),
    (2, |dice| Step::Silence { is_silent: dice.below(2) == 1 }),
    (3, |dice| Step::Lie { host: dice.below(2), lie: lie(dice) }),
    (3, |dice| Step::Mislead { host: dice.below(2), lie: lasting_lie(dice), steps: small(dice, 8) }),
    (2, |dice| Step::SecondInstance { host: dice.below(2) }),
    (2, |dice| Step::Copy { host: dice.below(2) }),
    (1, |dice| Step::Restore { host: dice.below(2) }),
    (3, |dice| Step::Open { by: dice.below(2), sat: [20_000, 150_000, 600_000, 1_000_000][dice.below(4)] }),
    (2, |dice| Step::Close { by: dice.below(2) }),
];

/// What comes on top in one schedule of [`ONE_IN`]: closes by one side alone, and blocks enough for deadlines.
const ALONE: &[Weighted] = &[
    (5, |dice| Step::ForceClose { by: dice.below(2) }),
    (3, |dice| Step::Cheat { by: dice.below(2), looks: small(dice, 12) }),
    (6, |dice| Step::Off { host: dice.below(2) }),
    (2, |dice| Step::Neglect { host: dice.below(2), blocks: [20, 60, 100][dice.below(3)] }),
    (8, |dice| Step::Wait { blocks: [12, 25, 28, 47, 60][dice.below(5)] }),
    (3, |dice| Step::Crowd { blocks: small(dice, 6) }),
    (3, |dice| Step::Swap { depth: small(dice, 4) }),
];

pub(super) fn schedule(dice: &mut dyn Dice) -> Schedule {
    let base = Base::ALL[dice.below(Base::ALL.len())];
    let is_alone = dice.below(ONE_IN) == 0;
    let kinds = if is_alone { [KINDS, ALONE].concat() } else { KINDS.to_vec() };
    let count = STEPS.0 + dice.below(STEPS.1 - STEPS.0 + 1);
    let (mut steps, mut blocks, mut may_wait) = (Vec::new(), 0, false);
    while steps.len() < count && !dice.is_spent() {
        let drawn = match is_alone.then(|| dice.below(TOLD_ONE_IN)) {
            Some(0..3) => kept_htlc(dice),
            Some(3) => cheat(dice),
            Some(4) => bids(dice),
            _ => vec![step(dice, &kinds)],
        };
        for step in drawn {
            may_wait |= step.is_alone();
            let (more, most) = (blocks_of(&step), if may_wait { MOST_BLOCKS_ALONE } else { MOST_BLOCKS });
            if more == 0 || blocks + more <= most {
                blocks += more;
                steps.push(step);
            }
        }
    }
    Schedule { base, steps }
}

/// A payment stops half way, and the chain has to settle it.
fn kept_htlc(dice: &mut dyn Dice) -> Vec<Step> {
    let payer = dice.below(2);
    let by = payer;
    // Below a thousand satoshi it may not be worth its fee, and below its dust limit it has no output.
    let within = u64::try_from(1 + dice.below(200)).unwrap_or(1);
    let msat = if dice.below(4) == 0 { 300_000 + 3_500 * within } else { 1_000_000 * within };
    let payment = match dice.below(4) {
        0 => Step::PayForgotten { by, msat },
        _ => Step::Pay { by, how_much: Money::Msat(msat) },
    };
    let stops = [
        Step::Cut,
        Step::Off { host: by },
        Step::Off { host: 1 - by },
        Step::Deaf { host: by },
        Step::Deaf { host: 1 - by },
    ][dice.below(5)];
    let by = dice.below(2);
    let ends = [
        Step::Wait { blocks: 28 },
        Step::Wait { blocks: 47 },
        Step::Wait { blocks: 60 },
        Step::ForceClose { by },
        Step::ForceClose { by },
    ][dice.below(5)];
    // After five the payee has the preimage on its disk, and the payer has not heard of it.
    let pieces = [2, 3, 4, 5, 5, 5, 6, 8][dice.below(8)];
    let mut story = vec![payment, Step::Deliver { pieces, order: 0 }, stops, ends];
    if dice.below(8) == 0 {
        story.insert(3, Step::Neglect { host: 1 - payer, blocks: 100 });
    }
    if dice.below(4) == 0 {
        let lie = [Lie::CutPreimages, Lie::CutPreimages, Lie::InventedSpends, Lie::Endless][dice.below(4)];
        story.insert(3, Step::Mislead { host: dice.below(2), lie, steps: 1 + small(dice, 8) });
    }
    story
}

/// Payments, and then a state from before the last of them.
fn cheat(dice: &mut dyn Dice) -> Vec<Step> {
    let by = dice.below(2);
    let msat = |dice: &mut dyn Dice| Money::Msat(1_000_000 * u64::try_from(1 + dice.below(200)).unwrap_or(1));
    vec![
        Step::Pay { by: dice.below(2), how_much: msat(dice) },
        Step::Deliver { pieces: small(dice, 8), order: 0 },
        Step::Pay { by, how_much: msat(dice) },
        Step::Settle { order: 0 },
        Step::Cheat { by: dice.below(2), looks: [1, 2, 2, 3, 5][dice.below(5)] },
        [Step::Mine { blocks: 1 }, Step::Off { host: dice.below(2) }, Step::Wait { blocks: 47 }]
            [dice.below(3)],
    ]
}

/// A close while fees rise and fall and blocks are full, and a wallet that starts again in between.
fn bids(dice: &mut dyn Dice) -> Vec<Step> {
    let (by, host) = (dice.below(2), dice.below(2));
    let rate = |dice: &mut dyn Dice| [300, 1_000, 2_500, 5_000, 10_000][dice.below(5)];
    vec![
        Step::ForceClose { by },
        Step::Mine { blocks: 1 },
        Step::FeeRate { host, sat_per_kw: rate(dice) },
        Step::Crowd { blocks: small(dice, 3) },
        [Step::Restart { host }, Step::Settle { order: 0 }][dice.below(2)],
        Step::FeeRate { host, sat_per_kw: rate(dice) },
        Step::Crowd { blocks: small(dice, 3) },
    ]
}

fn blocks_of(step: &Step) -> u32 {
    match step {
        Step::Mine { blocks } | Step::Wait { blocks } | Step::Crowd { blocks } => *blocks,
        Step::Reorg { .. } | Step::Swap { .. } => 1,
        _ => 0,
    }
}

fn step(dice: &mut dyn Dice, kinds: &[Weighted]) -> Step {
    let total: usize = kinds.iter().map(|(weight, _)| weight).sum();
    let mut drawn = dice.below(total);
    for (weight, draw) in kinds {
        match drawn.checked_sub(*weight) {
            None => return draw(dice),
            Some(rest) => drawn = rest,
        }
    }
    Step::Settle { order: 0 }
}

fn small(dice: &mut dyn Dice, most: usize) -> u32 {
    u32::try_from(1 + dice.below(most)).unwrap_or(1)
}

fn order(dice: &mut dyn Dice) -> u32 {
    if dice.below(2) == 0 { 0 } else { u32::try_from(1 + dice.below(60_000)).unwrap_or(1) }
}

fn pay(dice: &mut dyn Dice) -> Step {
    let by = dice.below(2);
    let how_much = match dice.below(12) {
        0 => Money::All,
        1 => Money::TooMuch,
        _ => Money::Msat(amount(dice)),
    };
    Step::Pay { by, how_much }
}

/// From less than a satoshi over what is trimmed, and what is just not, to a good part of a channel.
fn amount(dice: &mut dyn Dice) -> u64 {
    let within = u64::try_from(dice.below(1_000)).unwrap_or(0);
    match dice.below(6) {
        0 => 1 + within,
        1 => 1_000 + within * 350,
        2 => 353_000 + within * 3,
        3 => 400_000 + within * 20_000,
        4 => 1_000_000 + within * 100_001,
        _ => 10_000_000 + within * 400_007,
    }
}

fn store(dice: &mut dyn Dice) -> Step {
    let mode = match dice.below(6) {
        0 => Mode::Failing(StoreFailure::Full),
        1 => Mode::Failing(StoreFailure::Failed),
        2 => Mode::Prompt,
        _ => Mode::Delayed,
    };
    Step::Store { host: dice.below(2), mode }
}

fn fee_rate(dice: &mut dyn Dice) -> Step {
    let sat_per_kw = [253, 300, 500, 1_000, 2_500, 5_000, 10_000, 24_000][dice.below(8)];
    Step::FeeRate { host: dice.below(2), sat_per_kw }
}

fn lie(dice: &mut dyn Dice) -> Lie {
    match dice.below(7) {
        0 => Lie::NoWork,
        1 => Lie::ShorterBranch,
        2 => Lie::EarlyConfirmation,
        3 => Lie::NothingHappened,
        4 => Lie::WrongTip,
        5 => Lie::Fees { are_absurd: false },
        _ => Lie::Fees { are_absurd: true },
    }
}

fn lasting_lie(dice: &mut dyn Dice) -> Lie {
    match dice.below(8) {
        0 | 1 => Lie::CutPreimages,
        2 | 3 => Lie::InventedSpends,
        4 => Lie::Endless,
        5 => Lie::NothingHappened,
        _ => lie(dice),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_kind_of_step_is_drawn_from_seeds_and_from_bytes() {
        let of_seeds: BTreeSet<String> =
            (0..300).flat_map(|seed| Schedule::of_seed(seed).steps).map(|step| step.kind()).collect();
        let mut random = Random::new(7);
        let mut bytes = || (0..150).map(|_| random.next().to_le_bytes()[0]).collect::<Vec<u8>>();
        let of_bytes: BTreeSet<String> =
            (0..300).flat_map(|_| Schedule::of_bytes(&bytes()).steps).map(|step| step.kind()).collect();
        assert_eq!(of_seeds.len(), KINDS.len() + ALONE.len());
        assert_eq!(of_bytes, of_seeds);
    }

    #[test]
    fn nothing_to_decide_with_is_an_empty_schedule() {
        assert_eq!(Schedule::of_bytes(&[]), Schedule { base: Base::Coins, steps: Vec::new() });
    }

    #[test]
    fn an_htlc_never_runs_into_its_deadline_by_blocks_alone() {
        for seed in 0..300 {
            let schedule = Schedule::of_seed(seed);
            let most = if schedule.may_close_alone() { MOST_BLOCKS_ALONE } else { MOST_BLOCKS };
            let blocks: u32 = schedule.steps.iter().map(blocks_of).sum();
            assert!(blocks <= most, "seed {seed}: {blocks}");
        }
    }
}
