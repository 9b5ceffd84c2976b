//! What can happen.

use crate::disk::Mode;
use crate::host::Crash;

/// One thing that happens. Hosts are 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Pays the other one's new invoice. It is asked for when the step ends, no more.
    Pay {
        /// Who.
        by: usize,
        /// How much.
        how_much: Money,
    },
    /// Pays an invoice that the payee has forgotten.
    PayForgotten {
        /// Who.
        by: usize,
        /// How much.
        msat: u64,
    },
    /// Pays the last invoice once more, under another name.
    PayAgain {
        /// Who.
        by: usize,
    },
    /// Asks once more for the last payment, under the same name.
    Repeat {
        /// Who.
        by: usize,
    },
    /// Opens a channel.
    Open {
        /// Who.
        by: usize,
        /// Capacity.
        sat: u64,
    },
    /// Closes every channel together.
    Close {
        /// Who.
        by: usize,
    },
    /// Closes every channel alone.
    ForceClose {
        /// Who.
        by: usize,
    },
    /// Puts an earlier state on the chain.
    Cheat {
        /// Who.
        by: usize,
        /// As it was so many steps ago.
        looks: u32,
    },
    /// The fee rates that a host hears of.
    FeeRate {
        /// Who.
        host: usize,
        /// The same for every urgency.
        sat_per_kw: u32,
    },
    /// At most so many things happen.
    Deliver {
        /// How many pieces.
        pieces: u32,
        /// 0: in the usual order. Else chance decides, with this seed.
        order: u32,
    },
    /// Everything happens that can; who is gone comes back.
    Settle {
        /// As for [`Step::Deliver`].
        order: u32,
    },
    /// All streams break.
    Cut,
    /// All streams break instead of a delivery to come.
    CutAt {
        /// Which one from now on, counted from 1.
        delivery: u64,
    },
    /// A device loses its power around a batch to come.
    Crash {
        /// Whose.
        host: usize,
        /// Which one from now on, counted from 1.
        batch: u64,
        /// In which way.
        how: Crash,
    },
    /// A device is switched off and on.
    Restart {
        /// Which.
        host: usize,
    },
    /// A device is switched off until everything settles, or its owner must look.
    Off {
        /// Which.
        host: usize,
    },
    /// An owner does not look at the wallet for so many blocks, whatever it received and has not got.
    Neglect {
        /// Whose.
        host: usize,
        /// How many.
        blocks: u32,
    },
    /// The network of a device hangs until everything settles: it takes what it is sent, and answers nothing.
    Deaf {
        /// Whose.
        host: usize,
    },
    /// How a store behaves from now on.
    Store {
        /// Whose.
        host: usize,
        /// How.
        mode: Mode,
    },
    /// Blocks are mined.
    Mine {
        /// How many.
        blocks: u32,
    },
    /// Blocks enough for an HTLC to come near its expiry, or past it.
    Wait {
        /// How many.
        blocks: u32,
    },
    /// Blocks that take nothing of what waits.
    Crowd {
        /// How many.
        blocks: u32,
    },
    /// The last blocks are replaced by one more.
    Reorg {
        /// How many.
        depth: u32,
    },
    /// The same, and another commitment is in the chain than before.
    Swap {
        /// How many.
        depth: u32,
    },
    /// Time passes.
    Pass {
        /// How much.
        secs: u64,
    },
    /// Whether anybody hears of the chain.
    Silence {
        /// Nobody does.
        is_silent: bool,
    },
    /// A chain server lies.
    Lie {
        /// To whom.
        host: usize,
        /// About what.
        lie: Lie,
    },
    /// A chain server lies for several steps.
    Mislead {
        /// To whom.
        host: usize,
        /// About what.
        lie: Lie,
        /// For how long.
        steps: u32,
    },
    /// A second process opens the store of a host, and ends.
    SecondInstance {
        /// Whose.
        host: usize,
    },
    /// A copy of the store is made.
    Copy {
        /// Whose.
        host: usize,
    },
    /// The store is put back from its copy, if there is one.
    Restore {
        /// Whose.
        host: usize,
    },
}

impl Step {
    /// The name of its kind.
    pub fn kind(&self) -> String {
        format!("{self:?}").split([' ', '{']).next().unwrap_or_default().to_owned()
    }
}

/// How much is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Money {
    /// So much.
    Msat(u64),
    /// All that can be sent.
    All,
    /// Just more than can be sent.
    TooMuch,
}

/// What a chain server says that is not so. It can be found out, or does no lasting harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// A header without work.
    NoWork,
    /// A branch with less work.
    ShorterBranch,
    /// What waits for a block is in the last one.
    EarlyConfirmation,
    /// Nothing ever happened to any script.
    NothingHappened,
    /// Witnesses without the preimages that were in them.
    CutPreimages,
    /// Each output of a channel is spent by something that no block has.
    InventedSpends,
    /// Headers, and never all that is in the blocks.
    Endless,
    /// It has told everything, and names another tip.
    WrongTip,
    /// Fees are next to nothing, or beyond all measure.
    Fees {
        /// Beyond all measure.
        are_absurd: bool,
    },
}
