//! An embedded regtest chain: blocks, mempool, miner, reorgs.
//!
//! Scripts are verified by Bitcoin Core's own code, the other consensus rules are written here; our tests give
//! every block to Bitcoin Core's validation engine as well ([`Judge`](crate::source::Judge)).

mod block_rules;
mod coins;
mod mempool;
mod miner;
mod policy;
mod scripts;
mod transaction_rules;
mod treasury;

use std::collections::BTreeMap;

use bitcoin::constants::genesis_block;
use bitcoin::{
    Amount, Block, BlockHash, Network, OutPoint, ScriptBuf, Transaction, TxOut, Txid, Weight, Wtxid,
};

pub use block_rules::{BlockError, subsidy};
pub use coins::{Coin, Coins};
pub use mempool::{Entry, Mempool, Refusal};
pub use miner::solve;
pub use policy::{MAX_CHAIN, MIN_RELAY_SAT_PER_VB, PolicyError, relay_fee};
pub use scripts::verify_scripts;
pub use transaction_rules::{COINBASE_MATURITY, TransactionError};
pub use treasury::TreasuryError;

use block_rules::{MAX_SIGOPS_COST, check_block};
use coins::Undo;
use transaction_rules::{Inclusion, check_spends, median_time};
use treasury::Treasury;

/// Weight a template leaves for header and coinbase.
const COINBASE_WEIGHT: Weight = Weight::from_wu(8_000);

/// What becomes of the transactions of blocks that a reorg takes off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Displaced {
    /// They wait again, and the first new block has them.
    #[default]
    Mined,
    /// They wait again, and the new blocks leave them out.
    Waiting,
    /// They are gone, as if never sent.
    Forgotten,
}

/// Why a block can't be mined, or money not be given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// A reorg deeper than the chain.
    #[error("a reorg of {depth} blocks, but the chain has only {height}")]
    TooDeep {
        /// Blocks to take off.
        depth: u32,
        /// Blocks there are.
        height: u32,
    },
    /// The chain's own block breaks a rule: a fault of this crate.
    #[error("own block refused: {0}")]
    Block(#[from] BlockError),
    /// The faucet can't pay.
    #[error(transparent)]
    Treasury(#[from] TreasuryError),
    /// The faucet's payment isn't taken.
    #[error(transparent)]
    Refusal(#[from] Refusal),
}

/// A regtest chain in memory. Time (`now`, UNIX seconds) comes from the caller.
#[derive(Debug, Clone)]
pub struct Chain {
    /// Every block ever connected, on the best chain or not.
    blocks: BTreeMap<BlockHash, Block>,
    active: Vec<BlockHash>,
    times: Vec<u32>,
    undo: Vec<Undo>,
    coins: Coins,
    mempool: Mempool,
    treasury: Treasury,
    blocks_made: u64,
    changes: u64,
}

impl Default for Chain {
    fn default() -> Self {
        Self::new()
    }
}

impl Chain {
    /// A chain that has only regtest's genesis block.
    pub fn new() -> Self {
        let genesis = genesis_block(Network::Regtest);
        let (hash, time) = (genesis.block_hash(), genesis.header.time);
        Self {
            blocks: BTreeMap::from([(hash, genesis)]),
            active: vec![hash],
            times: vec![time],
            // The genesis block's output was never spendable.
            undo: vec![Undo::default()],
            coins: Coins::default(),
            mempool: Mempool::default(),
            treasury: Treasury::new(),
            blocks_made: 0,
            changes: 0,
        }
    }

    /// Height of the tip; the genesis block has 0.
    pub fn height(&self) -> u32 {
        // One block a millisecond fills 32 bits in 50 days of a process that keeps all in memory.
        u32::try_from(self.active.len() - 1).unwrap_or(u32::MAX)
    }

    /// Hash of the tip.
    pub fn tip(&self) -> BlockHash {
        // The genesis block is never taken off.
        self.active[self.active.len() - 1]
    }

    /// Hash of the best chain's block at `height`.
    pub fn block_hash(&self, height: u32) -> Option<BlockHash> {
        self.active.get(usize::try_from(height).ok()?).copied()
    }

    /// A block, on the best chain or not.
    pub fn block(&self, hash: &BlockHash) -> Option<&Block> {
        self.blocks.get(hash)
    }

    /// Unspent outputs at the tip.
    pub fn coins(&self) -> &Coins {
        &self.coins
    }

    /// The value and script of an unspent, confirmed output.
    pub fn unspent(&self, outpoint: &OutPoint) -> Option<&TxOut> {
        self.coins.get(outpoint).map(|coin| &coin.output)
    }

    /// Waiting transactions.
    pub fn mempool(&self) -> &Mempool {
        &self.mempool
    }

    /// Grows with every change of tip or mempool.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// The script all own blocks pay to.
    pub fn treasury_script(&self) -> ScriptBuf {
        self.treasury.script()
    }

    /// Takes a transaction into the mempool; one that waits already is taken again.
    ///
    /// # Errors
    /// [`Refusal`], with Bitcoin Core's words.
    pub fn accept(&mut self, transaction: Transaction) -> Result<Txid, Refusal> {
        let inclusion = Inclusion { height: self.height() + 1, times: &self.times };
        let txid = self.mempool.accept(transaction, &self.coins, &inclusion)?;
        self.changes += 1;
        Ok(txid)
    }

    /// Takes a package (parents first) into the mempool, its fee rate counted as one where a parent is too cheap.
    pub fn accept_package(&mut self, package: &[Transaction]) -> Vec<(Wtxid, Result<Txid, Refusal>)> {
        let inclusion = Inclusion { height: self.height() + 1, times: &self.times };
        let results = self.mempool.accept_package(package, &self.coins, &inclusion);
        self.changes += 1;
        results
    }

    /// Mines `count` blocks with what waits in the mempool.
    ///
    /// # Errors
    /// [`ChainError::Block`] when a rule here is wrong.
    pub fn mine(&mut self, count: u32, now: u32) -> Result<Vec<BlockHash>, ChainError> {
        (0..count)
            .map(|_| {
                let (transactions, fees) = self.select();
                self.mine_block(transactions, fees, now)
            })
            .collect()
    }

    /// Mines one block without transactions.
    ///
    /// # Errors
    /// As [`Chain::mine`].
    pub fn mine_empty(&mut self, now: u32) -> Result<BlockHash, ChainError> {
        self.mine_block(Vec::new(), Amount::ZERO, now)
    }

    /// A solved block on the tip with these transactions (and these fees for the miner), not connected.
    pub fn template(&mut self, transactions: Vec<Transaction>, fees: Amount, now: u32) -> Block {
        self.blocks_made += 1;
        let height = self.height() + 1;
        miner::mine(miner::Template {
            previous: self.tip(),
            height,
            time: now.max(median_time(&self.times) + 1),
            reward: subsidy(height) + fees,
            pay_to: self.treasury.script(),
            extra_nonce: self.blocks_made,
            transactions,
        })
    }

    /// Checks a block and makes it the new tip.
    ///
    /// # Errors
    /// [`BlockError`]; the chain is then unchanged.
    pub fn connect(&mut self, block: Block, now: u32) -> Result<BlockHash, BlockError> {
        check_block(&block, self.tip(), &self.times, now)?;
        let height = self.height() + 1;
        let undo = self.connect_transactions(&block, height)?;
        let hash = block.block_hash();
        self.active.push(hash);
        self.times.push(block.header.time);
        self.undo.push(undo);
        let inclusion = Inclusion { height: height + 1, times: &self.times };
        self.mempool.block_connected(&block.txdata, &self.coins, &inclusion);
        self.blocks.insert(hash, block);
        self.changes += 1;
        Ok(hash)
    }

    /// Takes the last `depth` blocks off.
    ///
    /// # Errors
    /// [`ChainError::TooDeep`] when it would touch the genesis block.
    pub fn invalidate(&mut self, depth: u32, displaced: Displaced) -> Result<(), ChainError> {
        let height = self.height();
        if depth > height {
            return Err(ChainError::TooDeep { depth, height });
        }
        let mut returned = Vec::new();
        for _ in 0..depth {
            self.times.pop();
            let (hash, undo) = (self.active.pop(), self.undo.pop());
            if let (Some(block), Some(undo)) = (hash.and_then(|hash| self.blocks.get(&hash)), undo) {
                self.coins.revert(undo);
                returned.splice(0..0, block.txdata.iter().skip(1).cloned());
            }
        }
        if displaced == Displaced::Forgotten {
            returned.clear();
        }
        let inclusion = Inclusion { height: self.height() + 1, times: &self.times };
        self.mempool.rebuild(returned, &self.coins, &inclusion);
        self.changes += 1;
        Ok(())
    }

    /// Replaces the last `depth` blocks by `depth + 1` others.
    ///
    /// # Errors
    /// As [`Chain::invalidate`] and [`Chain::mine`].
    pub fn reorg(
        &mut self,
        depth: u32,
        displaced: Displaced,
        now: u32,
    ) -> Result<Vec<BlockHash>, ChainError> {
        self.invalidate(depth, displaced)?;
        match displaced {
            Displaced::Mined | Displaced::Forgotten => self.mine(depth + 1, now),
            Displaced::Waiting => (0..=depth).map(|_| self.mine_empty(now)).collect(),
        }
    }

    /// Sends `outputs` from the treasury; the payment waits in the mempool.
    ///
    /// # Errors
    /// [`TreasuryError`] when too little is mature, [`Refusal`] e.g. for dust.
    pub fn fund(&mut self, outputs: Vec<TxOut>) -> Result<Txid, ChainError> {
        let transaction = self.treasury.pay(outputs, &self.coins, &self.mempool, self.height() + 1)?;
        Ok(self.accept(transaction)?)
    }

    fn mine_block(
        &mut self,
        transactions: Vec<Transaction>,
        fees: Amount,
        now: u32,
    ) -> Result<BlockHash, ChainError> {
        let block = self.template(transactions, fees, now);
        Ok(self.connect(block, now)?)
    }

    /// What fits into a block, in order of arrival; a child never goes without its parents.
    fn select(&self) -> (Vec<Transaction>, Amount) {
        let (mut weight, mut sigops, mut fees) = (COINBASE_WEIGHT, 400usize, Amount::ZERO);
        let mut chosen = Vec::new();
        let mut left = std::collections::BTreeSet::new();
        for entry in self.mempool.iter() {
            let transaction = &entry.transaction;
            let cost = transaction.total_sigop_cost(|outpoint| self.output(outpoint));
            let orphaned = transaction.input.iter().any(|i| left.contains(&i.previous_output.txid));
            if orphaned
                || weight + transaction.weight() > Weight::MAX_BLOCK
                || sigops + cost > MAX_SIGOPS_COST
            {
                left.insert(transaction.compute_txid());
                continue;
            }
            weight += transaction.weight();
            sigops += cost;
            fees += entry.fee;
            chosen.push(transaction.clone());
        }
        (chosen, fees)
    }

    fn output(&self, outpoint: &OutPoint) -> Option<TxOut> {
        let waiting = || {
            let vout = usize::try_from(outpoint.vout).ok()?;
            self.mempool.get(&outpoint.txid)?.transaction.output.get(vout).cloned()
        };
        self.unspent(outpoint).cloned().or_else(waiting)
    }

    /// Applies the block's transactions to the coins, or leaves them as they were.
    fn connect_transactions(&mut self, block: &Block, height: u32) -> Result<Undo, BlockError> {
        let mut undo = Undo::default();
        let result = self.apply_checked(block, height, &mut undo);
        if result.is_err() {
            self.coins.revert(std::mem::take(&mut undo));
        }
        result.map(|()| undo)
    }

    fn apply_checked(&mut self, block: &Block, height: u32, undo: &mut Undo) -> Result<(), BlockError> {
        let inclusion = Inclusion { height, times: &self.times };
        let (mut fees, mut sigops) = (Amount::ZERO, 0usize);
        for (index, transaction) in block.txdata.iter().enumerate() {
            let coins = &self.coins;
            sigops += transaction.total_sigop_cost(|outpoint| coins.get(outpoint).map(|c| c.output.clone()));
            if sigops > MAX_SIGOPS_COST {
                return Err(BlockError::Sigops);
            }
            if index > 0 {
                fees += check_spends(transaction, |outpoint| coins.get(outpoint), &inclusion)
                    .map_err(|error| BlockError::Transaction { index, error })?;
            }
            self.coins.apply(transaction, height, undo);
        }
        let paid = block.txdata.iter().take(1).flat_map(|t| &t.output).map(|output| output.value).sum();
        let allowed = subsidy(height) + fees;
        if paid > allowed {
            return Err(BlockError::CoinbaseAmount { paid, allowed });
        }
        Ok(())
    }
}
