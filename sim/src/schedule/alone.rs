//! Closes by one side alone: owners who will not wait, cheaters, blocks that bring a deadline, and owners who look at their
//! wallets in time.

use super::demands::Demand;
use super::{Life, Step};
use crate::chain::is_commitment;
use crate::disk::Mode;
use crate::world::World;
use bitcoin::Transaction;
use kite_core::node::{Command, Node};
use kite_core::types::ChannelId;

/// So many blocks before the peer could take back what was received, its owner looks.
const LOOKS_BEFORE: u32 = 20;
/// So many blocks after a wallet said that it waits for a peer who does not come, its owner closes (ADR 0010).
const WAITS_FOR_PEER: u32 = 3;

impl Step {
    /// Whether it may end a channel by one side alone, or bring a deadline near.
    pub(super) const fn is_alone(&self) -> bool {
        matches!(
            self,
            Self::ForceClose { .. }
                | Self::Cheat { .. }
                | Self::Off { .. }
                | Self::Wait { .. }
                | Self::Crowd { .. }
                | Self::Swap { .. }
        )
    }
}

impl Life {
    pub(super) fn force_close(&mut self, by: usize) {
        let channels = self.world.hosts[by].node().map(Node::channels).unwrap_or_default();
        for channel in channels {
            self.force_close_one(by, channel.channel_id);
        }
    }

    pub(super) fn force_close_one(&mut self, by: usize, channel_id: ChannelId) {
        self.ledger.demand(channel_id, Demand::Owner(by));
        self.world.ask(by, Command::ForceClose { channel_id });
    }

    /// An earlier state is put in the place of the present one, and what it holds is published before the peer has spoken.
    pub(super) fn cheat(&mut self, by: usize, looks: u32) {
        let last = self.looks.len().saturating_sub(1);
        let look = last.saturating_sub(usize::try_from(looks).unwrap_or(last));
        let Some(disk) = self.looks.get(look).map(|disks| disks[by].clone()) else { return };
        self.restore(by, disk);
        self.force_close(by);
        self.world.carry_out();
    }

    /// Remembers the stores as they are, for somebody who will cheat.
    pub(super) fn look(&mut self) {
        if self.will_cheat {
            self.looks.push([0, 1].map(|host| self.world.hosts[host].disk.clone()));
        }
    }

    /// Blocks come, one after the other.
    pub(super) fn mine(&mut self, blocks: u32, mine: fn(&mut World)) {
        for _ in 0..blocks {
            if self.is_hard {
                (0..2).for_each(|host| self.look_in_time(host));
            }
            mine(&mut self.world);
            if self.is_hard && self.breach.is_none() {
                self.breach = self.check_depths().err();
            }
        }
    }

    /// Who has received something that is not settled, or is cheated, looks at the wallet before it is lost.
    fn look_in_time(&mut self, host: usize) {
        let height = self.world.chain.height();
        if self.is_neglected(host) {
            return;
        }
        self.stored[host].refresh(&self.world.hosts[host]);
        let is_near = |from: Option<u32>| from.is_some_and(|from| height + LOOKS_BEFORE >= from);
        let mut channels = self.stored[host].channels.values();
        if !self.is_lost[1 - host] && !channels.any(|numbers| is_near(numbers.lost_from)) {
            return;
        }
        self.world.is_chain_silent = false;
        self.hear_the_truth(host);
        self.wake(host);
        if self.is_lost[host] || !self.was_told_to_wait(host) {
            return;
        }
        let waits = self.stored[host].channels.iter().filter(|(_, numbers)| {
            !numbers.is_over && numbers.demanded_from.is_some_and(|from| from + WAITS_FOR_PEER <= height)
        });
        for id in waits.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.force_close_one(host, id);
        }
    }

    /// A wallet runs, and its store works.
    fn wake(&mut self, host: usize) {
        self.set_store(host, Mode::Prompt);
        if self.world.hosts[host].halted().is_some() {
            self.world.crash(host);
        }
        if self.world.hosts[host].node().is_none() {
            self.world.start(host);
        }
    }

    /// The last blocks are replaced, and of all that would spend a channel another one is in them.
    pub(super) fn swap(&mut self, depth: u32) {
        let chain = &self.world.chain;
        let kept = chain.height().saturating_sub(depth);
        let is_in = |tx: &Transaction| chain.confirmed_at(&tx.compute_txid());
        let other = self.ledger.channels.values().find_map(|channel| {
            let mined = chain.spend_of(&channel.outpoint)?;
            let is_undone = is_in(mined).is_some_and(|height| height > kept);
            let stays = chain.confirmed_at(&channel.outpoint.txid).is_some_and(|height| height <= kept);
            let spends = |tx: &&Transaction| {
                tx.input.iter().any(|input| input.previous_output == channel.outpoint) && *tx != mined
            };
            let others = self.world.published.iter().map(|(_, tx)| tx);
            others.filter(|_| is_undone && stays).find(|tx| spends(tx) && is_commitment(tx)).cloned()
        });
        match other {
            Some(tx) => self.world.chain.reorg_for(depth, &tx),
            None => self.world.chain.reorg(depth),
        }
        self.was_reorganised = true;
        self.world.settle();
    }
}
