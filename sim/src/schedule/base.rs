//! Where schedules begin: worlds that are made once, and copied.

use super::ledger::Ledger;
use crate::fault::{Fault, Said};
use crate::world::World;
use bitcoin::Amount;
use kite_core::node::Command;
use kite_core::types::FeeratePerKw;

/// What was before the first step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// Both have coins.
    Coins,
    /// The first has opened a channel, in which it has everything.
    OneSided,
    /// And has paid half of it to the other.
    Balanced,
    /// And the other has opened a second one.
    TwoChannels,
}

impl Base {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Coins, Self::OneSided, Self::Balanced, Self::TwoChannels];
}

/// What each wallet begins with.
const COINS: Amount = Amount::from_sat(3_000_000);
/// For funding transactions.
const FUNDING_FEERATE: FeeratePerKw = FeeratePerKw::from_sat_per_kw(500);

/// The worlds that schedules begin in.
#[derive(Debug)]
pub struct Bases {
    worlds: Vec<(Base, World, Ledger)>,
}

impl Default for Bases {
    fn default() -> Self {
        Self::new()
    }
}

impl Bases {
    /// Makes them: some tenths of a second.
    ///
    /// # Panics
    /// Without a fault and without a crash, a channel does not open.
    pub fn new() -> Self {
        Self::of(World::new(2))
    }

    /// Makes them with what two wallets agree on already broken; any other fault comes later.
    pub fn with_fault(fault: Fault) -> Self {
        let mut world = World::new(2);
        if let Fault::Says(Said::ReserveOffByOne | Said::DustLimit) = fault {
            world.set_fault(Some(fault));
        }
        Self::of(world)
    }

    fn of(mut world: World) -> Self {
        world.give_coins(0, COINS);
        world.give_coins(1, COINS);
        world.connect();
        let mut ledger = Ledger::new([COINS; 2]);
        let mut worlds = Vec::new();
        for base in Base::ALL {
            match base {
                Base::Coins => {}
                Base::OneSided => open(&mut world, 0, 1_000_000),
                Base::Balanced => {
                    ledger.pay(&mut world, 0, 450_000_000, true);
                    world.settle();
                }
                Base::TwoChannels => open(&mut world, 1, 600_000),
            }
            worlds.push((base, world.again(), ledger.clone()));
        }
        Self { worlds }
    }

    /// The world of a base.
    ///
    /// # Panics
    /// Never: every base is made.
    pub fn world(&self, base: Base) -> &World {
        let (_, world, _) = self.find(base);
        world
    }

    fn find(&self, base: Base) -> &(Base, World, Ledger) {
        self.worlds.iter().find(|(known, ..)| *known == base).expect("every base is made")
    }

    pub(super) fn start(&self, base: Base, fault: Option<Fault>, told: bool) -> (World, Ledger) {
        let (_, world, ledger) = self.find(base);
        let world = world.again_as(|world| {
            world.is_told = told;
            world.refused = Some(Vec::new());
            world.set_fault(fault);
        });
        (world, ledger.clone())
    }
}

/// Asks for a channel.
pub(super) fn ask_open(world: &mut World, by: usize, sat: u64) {
    let node_id = world.node_id(1 - by);
    let (amount, feerate) = (Amount::from_sat(sat), FUNDING_FEERATE);
    world.ask(by, Command::OpenChannel { node_id, amount, feerate });
}

fn open(world: &mut World, by: usize, sat: u64) {
    let before = world.node(by).channels().len();
    ask_open(world, by, sat);
    world.settle();
    world.mine(6);
    let channels = world.node(by).channels();
    let is_ready = channels.len() == before + 1 && channels.iter().all(|channel| channel.is_usable);
    assert!(is_ready, "the channel of {by} does not open: {}", world.story());
}
