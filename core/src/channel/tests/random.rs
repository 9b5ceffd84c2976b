//! Whatever two honest sides do, in whatever order and with whatever losses, they end in the same state and no HTLC is
//! forgotten.

use super::harness::{Who, World, add};
use crate::channel::{ChannelEvent, Command, Removal};
use crate::types::{FeeratePerKw, PaymentPreimage};
use std::collections::BTreeSet;

/// A small generator, so that a seed is a test case (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % sides
    }

    fn side(&mut self) -> Who {
        if self.roll(2) == 0 { Who::Alice } else { Who::Bob }
    }
}

/// HTLCs that are offered, and those whose fate is known to their offerer.
#[derive(Default)]
struct Ledger {
    offered: BTreeSet<(u8, u64)>,
    settled: BTreeSet<(u8, u64)>,
    failed: BTreeSet<(u8, u64)>,
}

fn number(who: Who) -> u8 {
    u8::from(who == Who::Bob)
}

fn act(world: &mut World, dice: &mut Dice, ledger: &mut Ledger) {
    let who = dice.side();
    match dice.roll(24) {
        0..=3 => {
            let id = world.side(who).channel().commitments().unwrap().local_next_htlc_id;
            let amount = if dice.roll(3) == 0 { 300_000 + dice.roll(100_000) } else { dice.roll(60_000_000) };
            if world.try_tell(who, Command::AddHtlc(add(amount, 1))).is_ok() {
                ledger.offered.insert((number(who), id.0));
            }
        }
        4..=7 => {
            let side = world.side(who);
            let open = side.channel().unresolved_incoming(&side.env());
            if let Some(htlc) = open.first() {
                let removal = match dice.roll(3) {
                    0 => Removal::Failed(vec![1; 292]),
                    _ => Removal::Fulfilled(PaymentPreimage([1; 32])),
                };
                world.tell(who, Command::RemoveHtlc { id: htlc.id, removal });
            }
        }
        8 => {
            let feerate = FeeratePerKw::from_sat_per_kw(253 + u32::try_from(dice.roll(3_000)).unwrap());
            let _ = world.try_tell(Who::Alice, Command::UpdateFee(feerate));
        }
        9..=12 => {
            world.sign_if_needed(who);
        }
        13 => {
            let crash = dice.roll(4);
            if crash == 0 {
                world.side(who).restart();
            }
            world.disconnect();
            if crash == 1 {
                world.side(who).restart();
            }
            if dice.roll(4) > 0 {
                world.connect();
            }
        }
        14 if world.side(who).channel().link == crate::channel::Link::Offline => {
            world.disconnect();
            world.connect();
        }
        _ => {
            world.deliver(who);
        }
    }
    note(world, ledger);
}

fn note(world: &mut World, ledger: &mut Ledger) {
    for who in [Who::Alice, Who::Bob] {
        for event in world.side(who).take_events() {
            match event {
                ChannelEvent::HtlcSettled { id, .. } => {
                    ledger.settled.insert((number(who), id.0));
                }
                ChannelEvent::HtlcFailed { id, .. } => {
                    assert!(ledger.failed.insert((number(who), id.0)), "failed twice");
                }
                ChannelEvent::HtlcNeverCommitted { id, .. } => {
                    assert!(ledger.offered.remove(&(number(who), id.0)), "taken back twice");
                }
                ChannelEvent::HtlcIrrevocablyCommitted(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn honest_sides_always_agree_in_the_end() {
    for seed in 1..=40 {
        let mut dice = Dice(u64::wrapping_mul(seed, 0x9e37_79b9_7f4a_7c15));
        let mut world = World::open();
        let mut ledger = Ledger::default();
        for _ in 0..250 {
            act(&mut world, &mut dice, &mut ledger);
        }
        world.disconnect();
        world.connect();
        world.settle();
        for who in [Who::Alice, Who::Bob] {
            let side = world.side(who);
            for htlc in side.channel().unresolved_incoming(&side.env()) {
                world.fulfil(who, htlc.id, 1);
            }
        }
        world.settle();
        note(&mut world, &mut ledger);
        world.assert_settled();
        for side in [&world.alice, &world.bob] {
            assert!(side.channel().commitments().unwrap().htlcs.is_empty(), "seed {seed}");
            assert_eq!(side.balances().0 + side.balances().1, 1_000_000_000);
        }
        assert!(ledger.settled.is_disjoint(&ledger.failed));
        let known: BTreeSet<_> = ledger.settled.union(&ledger.failed).copied().collect();
        assert_eq!(known, ledger.offered, "seed {seed}");
        assert!(!ledger.offered.is_empty());
    }
}
