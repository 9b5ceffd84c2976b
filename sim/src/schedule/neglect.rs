//! Owners who do not look. A wallet that was loaded does not close before its peer has spoken, and one that is off does nothing:
//! what was received and not settled can then be taken back, and no more than that (ADR 0010).

use super::Life;
use super::ledger::Wish;
use super::trace::{Settled, trace};

impl Life {
    pub(super) fn neglect(&mut self, host: usize, blocks: u32) {
        let until = self.world.chain.height() + blocks;
        self.neglects_until[host] = self.neglects_until[host].max(until);
    }

    /// Whether an owner looks away now. Nobody does from a cheater: who was cheated must be back within its delay.
    pub(super) fn is_neglected(&self, host: usize) -> bool {
        self.world.chain.height() < self.neglects_until[host] && !self.is_lost[1 - host]
    }

    /// Whether a payment was received, and its HTLC taken back on the chain because its owner did not look.
    pub(super) fn is_lost_by_neglect(&self, wish: &Wish) -> bool {
        let chain = &self.world.chain;
        let mut ends = self
            .ledger
            .carriers(wish.hash())
            .filter_map(|funded| trace(chain, funded.outpoint))
            .flat_map(|trace| trace.ends);
        self.neglects_until[wish.payee] > 0
            && wish.received(&self.world).is_some()
            && ends.any(|end| end.settled == Some(Settled::Timeout) && end.is_of(&wish.hash()))
    }
}
