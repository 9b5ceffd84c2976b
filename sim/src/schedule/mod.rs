//! Long random lives of two wallets: steps that chance drew, a reference model beside them, and what must be true after
//! every single step.
//!
//! A [`Schedule`] is plain data. The same one gives the same bytes, and [`shrink`] makes a failing one as short as it
//! can be while it still fails. A new kind of step is a variant of [`Step`], an arm in `carry_out` and a weight in `draw`.

mod alone;
mod base;
mod carry_out;
mod check;
mod closes;
mod demands;
mod depth;
mod draw;
mod finish;
mod ledger;
mod liar;
mod lie;
mod money;
mod neglect;
mod owed;
mod replay;
mod shrink;
mod step;
mod stored;
mod trace;

pub use base::{Base, Bases};
pub use check::Breach;
pub use closes::Closes;
pub use draw::{Bytes, Dice};
pub use shrink::shrink;
pub use step::{Lie, Money, Step};

use crate::fault::Fault;
use crate::world::World;
use bitcoin::hashes::sha256;
use kite_core::types::PaymentId;
use ledger::Ledger;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use stored::StoredState;

/// What is done, and where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// What was before.
    pub base: Base,
    /// One after the other. Afterwards everything heals, is closed, and counted.
    pub steps: Vec<Step>,
}

/// A schedule under way.
#[derive(Debug)]
struct Life {
    world: World,
    ledger: Ledger,
    /// What each store says of its channels and payments, as it was read last.
    stored: [StoredState; 2],
    /// An earlier copy of each store.
    copies: [Option<crate::disk::Disk>; 2],
    /// Who was lied to and has not heard the truth since.
    is_misled: [bool; 2],
    /// For how many more steps each is lied to.
    lies_for: [u32; 2],
    /// Up to which height each owner does not look.
    neglects_until: [u32; 2],
    /// Whether blocks were ever replaced: the coins that were given may wait for a block again.
    was_reorganised: bool,
    /// Whose store was put back from an old copy: its channels can only be closed.
    is_lost: [bool; 2],
    /// How much was published when a store was put back: of what its owner had published it may not know.
    restored_at: [Option<usize>; 2],
    /// How many payments were told that they failed, and which.
    told_failed: usize,
    found_failed: BTreeSet<PaymentId>,
    /// What was wrong between two blocks of one step.
    breach: Option<Breach>,
    /// Each store as it was after every step, where somebody will cheat.
    looks: Vec<[crate::disk::Disk; 2]>,
    /// Whether somebody will cheat.
    will_cheat: bool,
    /// Whether channels may end by one side alone, so that owners must look at their wallets in time.
    is_hard: bool,
}

/// What came of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// A hash over everything that every node let out.
    pub transcript: sha256::Hash,
    /// How many payments arrived.
    pub paid: usize,
    /// What happened on the chain.
    pub closes: Closes,
}

/// How a schedule failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// After which step, counted from 1; unset: when everything was healed and closed.
    pub after: Option<usize>,
    /// What was not as it must be.
    pub breach: Breach,
    /// Whether one of the two had lost state by then, or cheated.
    pub is_after_loss: bool,
    /// Everything that happened, where it was asked for.
    pub story: Option<String>,
}

impl Outcome {
    /// Whether another run gave the same bytes.
    ///
    /// # Errors
    /// It did not.
    pub fn must_equal(&self, other: &Self) -> Result<(), Failure> {
        if self == other {
            return Ok(());
        }
        let what = format!("the same schedule gave {self:?} and {other:?}");
        Err(Failure { after: None, breach: Breach::Views { what }, is_after_loss: false, story: None })
    }
}

impl Schedule {
    /// The schedule of a seed.
    pub fn of_seed(seed: u64) -> Self {
        draw::schedule(&mut crate::random::Random::new(seed))
    }

    /// Whether it may end a channel by one side alone: in all others nothing may.
    pub fn may_close_alone(&self) -> bool {
        self.steps.iter().any(Step::is_alone)
    }

    /// The schedule that some bytes spell.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        draw::schedule(&mut Bytes::new(bytes))
    }

    /// Carries it out and checks after every step.
    ///
    /// # Errors
    /// What was not as it must be.
    pub fn run(&self, bases: &Bases) -> Result<Outcome, Failure> {
        self.run_with(bases, None, false)
    }

    /// The same with something broken on purpose, and with the story of it if asked for.
    ///
    /// # Errors
    /// What was not as it must be.
    pub fn run_with(&self, bases: &Bases, fault: Option<Fault>, told: bool) -> Result<Outcome, Failure> {
        let (mut at, mut story, mut is_after_loss) = (0, None, false);
        let run = || {
            let mut life = Life::new(bases, self, fault, told);
            let lived = life.live(&self.steps, &mut at);
            is_after_loss = life.has_lost();
            story = told.then(|| life.world.story());
            lived.map(|()| life.outcome())
        };
        let result =
            catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(Breach::of_panic(&*panic)));
        let after = (at < self.steps.len()).then_some(at + 1);
        result.map_err(|breach| Failure { after, breach, is_after_loss, story })
    }
}

impl Life {
    fn new(bases: &Bases, schedule: &Schedule, fault: Option<Fault>, told: bool) -> Self {
        let (world, ledger) = bases.start(schedule.base, fault, told);
        let stored = [0, 1].map(|host| StoredState::read(&world.hosts[host]));
        Self {
            world,
            ledger,
            stored,
            copies: [None, None],
            is_misled: [false; 2],
            lies_for: [0; 2],
            neglects_until: [0; 2],
            was_reorganised: false,
            is_lost: [false; 2],
            restored_at: [None; 2],
            told_failed: 0,
            found_failed: BTreeSet::new(),
            breach: None,
            looks: Vec::new(),
            will_cheat: schedule.steps.iter().any(|step| matches!(step, Step::Cheat { .. })),
            is_hard: schedule.may_close_alone(),
        }
    }

    fn has_lost(&self) -> bool {
        self.is_lost.contains(&true)
    }

    fn live(&mut self, steps: &[Step], at: &mut usize) -> Result<(), Breach> {
        for (index, step) in steps.iter().enumerate() {
            *at = index;
            self.look();
            self.carry_out(*step);
            self.check()?;
            self.tire_of_lies(*step);
        }
        *at = steps.len();
        self.finish()
    }

    fn outcome(&self) -> Outcome {
        Outcome {
            transcript: self.world.transcript(),
            paid: self.ledger.paid(&self.world),
            closes: self.closes(),
        }
    }
}
