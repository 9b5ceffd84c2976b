//! Reorganisations far deeper than any that a chain has seen, under a channel in every stage of its life.

use crate::closes::Closes;
use kite_core::node::Command;

/// As deep as what is told to payments, far deeper, and just less than what is irrevocable.
pub const DEPTHS: [u32; 3] = [6, 41, 99];

/// Blocks on top of a close before they are undone: its claims are in them.
const CLAIMED_AFTER: u32 = 4;

impl Closes {
    /// Blocks come until so many could be undone without touching what was there before.
    fn bury(&mut self, from: u32, depth: u32) {
        let there = self.world.chain.height() - from;
        self.world.mine(depth.saturating_sub(there));
    }

    /// So many blocks are undone, what was in them waits again, and both hear of it.
    fn undo(&mut self, depth: u32) {
        self.world.chain.reorg(depth);
        self.world.settle();
    }

    /// The funding transaction of a channel that has paid is undone, and comes into a block again. Both pay on.
    ///
    /// # Panics
    /// A payment does not arrive, or the channel is not as it was.
    pub fn undone_while_open(depth: u32) -> Self {
        let mut closes = Self::new();
        let before = [0, 1].map(|host| closes.total_sat(host));
        closes.bury(closes.world.chain.height() - 6, depth);
        closes.undo(depth);
        closes.world.mine(6);
        let after = [0, 1].map(|host| closes.total_sat(host));
        assert_eq!(before, after, "{}", closes.world.story());
        for payer in [1, 0] {
            let hash = closes.world.ask_to_pay(payer, 1 - payer, 30_000_000);
            closes.payments.push((payer, hash));
            closes.world.settle();
        }
        closes.check("both paid on after the funding transaction was undone");
        closes
    }

    /// Host 0 closes alone, with HTLCs both ways; the commitment is undone with all that came of it until then.
    pub fn undone_after_a_close_alone(depth: u32) -> Self {
        let mut closes = Self::new();
        closes.pay(0, 50_000_000, 5);
        closes.pay(1, 60_000_000, 3);
        closes.world.cut();
        let from = closes.world.chain.height();
        closes.force_close(0);
        closes.world.settle();
        closes.world.mine(CLAIMED_AFTER);
        closes.bury(from, depth);
        closes.undo(depth);
        closes.run_out();
        closes.check(&format!("a close alone that was undone {depth} deep"));
        closes
    }

    /// Both close together, and that is undone.
    pub fn undone_after_a_close_together(depth: u32) -> Self {
        let mut closes = Self::new();
        let from = closes.world.chain.height();
        let channel_id = closes.world.node(0).channels()[0].channel_id;
        closes.world.command(0, Command::CloseChannel { channel_id });
        closes.bury(from, depth);
        closes.undo(depth);
        closes.run_out();
        closes.check(&format!("a close together that was undone {depth} deep"));
        closes
    }

    /// A cheater is punished, and the old commitment is undone with the penalties.
    ///
    /// # Panics
    /// The victim has not all of the channel.
    pub fn undone_after_a_penalty(depth: u32) -> Self {
        let (mut closes, before) = Self::cheated(0, 0);
        closes.bury(closes.world.chain.height() - 1, depth);
        closes.undo(depth);
        closes.world.mine(3);
        closes.world.mine(100);
        assert!(closes.world.node(1).channels().is_empty(), "{}", closes.world.story());
        assert!(closes.total_sat(1) > before + 100_000, "{}", closes.world.story());
        closes
    }

    /// Host 0 pays, loses what it stored since an earlier payment, and asks its peer to close; that is undone. It
    /// publishes nothing that spends the channel, and loses nothing but fees.
    ///
    /// # Panics
    /// It does.
    pub fn undone_after_a_loss(depth: u32) -> Self {
        let mut closes = Self::new();
        let disk = closes.world.hosts[0].disk.clone();
        assert!(closes.world.pay(0, 1, 100_000_000), "{}", closes.world.story());
        let before = [0, 1].map(|host| closes.total_sat(host));
        let from = closes.world.chain.height();
        closes.world.hosts[0].restore(disk);
        closes.world.settle();
        closes.world.start(0);
        closes.world.settle();
        closes.world.connect();
        closes.world.settle();
        closes.world.mine(CLAIMED_AFTER);
        closes.bury(from, depth);
        closes.undo(depth);
        closes.run_out();
        for (host, before) in before.into_iter().enumerate() {
            let after = closes.total_sat(host);
            assert!(after + 2_000 > before, "{host} had {before} and has {after}: {}", closes.world.story());
        }
        closes
    }
}
