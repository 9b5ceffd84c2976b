//! A chain under test beside Bitcoin Core's validation engine: both must say the same about every block.

use bitcoin::{Amount, Block, BlockHash, Transaction};
use kite_devnet::chain::{BlockError, Chain, Displaced};

use crate::coins::{Lock, Owned, funded};
use crate::kernel::Kernel;

/// The chain and its judge.
pub struct Judged {
    pub chain: Chain,
    kernel: Kernel,
    pub now: u32,
}

impl Judged {
    /// A chain that has only the genesis block.
    pub fn empty() -> Self {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        Self { chain: Chain::new(), kernel: Kernel::new(), now: u32::try_from(now).unwrap() }
    }

    /// A chain with one mature coinbase at least.
    pub fn new() -> Self {
        let mut judged = Self::empty();
        judged.mine(110);
        judged
    }

    /// A chain with confirmed coins of 100 000 sat, one per lock.
    pub fn with_coins(locks: &[Lock]) -> (Self, Vec<Owned>) {
        let mut judged = Self::new();
        let coins = locks.iter().map(|lock| funded(&mut judged.chain, *lock, 100_000)).collect();
        judged.mine(1);
        (judged, coins)
    }

    pub fn mine(&mut self, count: u32) {
        for hash in self.chain.mine(count, self.now).unwrap() {
            let tip = self.kernel.process(self.chain.block(&hash).unwrap());
            assert_eq!(tip, hash, "Bitcoin Core refuses a block that this chain made");
        }
    }

    pub fn reorg(&mut self, depth: u32, displaced: Displaced) {
        let hashes = self.chain.reorg(depth, displaced, self.now).unwrap();
        let tips = hashes.iter().map(|hash| self.kernel.process(self.chain.block(hash).unwrap()));
        assert_eq!(tips.last(), Some(self.chain.tip()), "Bitcoin Core doesn't follow the reorg");
    }

    /// Offers a block to both and gives their common verdict.
    pub fn offer(&mut self, block: Block) -> Result<BlockHash, BlockError> {
        let before = (self.chain.tip(), self.chain.coins().iter().count());
        let tip = self.kernel.process(&block);
        let result = self.chain.connect(block, self.now);
        assert_eq!(result.is_ok(), tip != before.0, "Bitcoin Core disagrees: {result:?}");
        if result.is_err() {
            assert_eq!((self.chain.tip(), self.chain.coins().iter().count()), before);
        }
        result
    }

    /// Offers a block with these transactions.
    pub fn offer_transactions(&mut self, transactions: Vec<Transaction>) -> Result<BlockHash, BlockError> {
        let block = self.chain.template(transactions, Amount::ZERO, self.now);
        self.offer(block)
    }
}
