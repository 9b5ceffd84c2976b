//! What an Esplora server looks up: blocks, transactions, spends and the history of scripts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bitcoin::block::Header;
use bitcoin::hashes::{Hash, sha256};
use bitcoin::{Block, BlockHash, OutPoint, Script, Transaction, TxOut, Txid};

/// SHA256 of an output script, as Esplora names scripts.
pub type ScriptHash = sha256::Hash;

/// A block and where it stands.
#[derive(Debug)]
pub struct IndexedBlock {
    /// Its hash.
    pub hash: BlockHash,
    /// Its height.
    pub height: u32,
    /// The block.
    pub block: Block,
    /// Ids of its transactions, in order.
    pub txids: Vec<Txid>,
    /// Median time of the eleven blocks up to this one.
    pub median_time: u32,
}

impl IndexedBlock {
    /// Its header.
    pub fn header(&self) -> &Header {
        &self.block.header
    }
}

/// Place of a confirmed transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Height of its block.
    pub height: u32,
    /// Its index in the block.
    pub position: usize,
}

/// A transaction, confirmed or waiting.
#[derive(Debug)]
pub struct Located {
    /// The transaction.
    pub transaction: Arc<Transaction>,
    /// Where it is confirmed; unset while it waits.
    pub place: Option<Place>,
}

/// The input that spends an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spender {
    /// The spending transaction.
    pub txid: Txid,
    /// The index of its input.
    pub vin: usize,
}

#[derive(Debug, Default)]
struct History {
    confirmed: BTreeMap<Place, Txid>,
    waiting: BTreeSet<Txid>,
}

/// The best chain and the mempool, ready to be asked.
#[derive(Debug, Default)]
pub struct Index {
    active: Vec<Arc<IndexedBlock>>,
    known: BTreeMap<BlockHash, Arc<IndexedBlock>>,
    transactions: BTreeMap<Txid, Located>,
    spenders: BTreeMap<OutPoint, Spender>,
    histories: BTreeMap<ScriptHash, History>,
    /// Waiting transactions in order of arrival.
    waiting: Vec<Txid>,
}

/// The name of `script` in Esplora.
pub fn script_hash(script: &Script) -> ScriptHash {
    sha256::Hash::hash(script.as_bytes())
}

impl Index {
    /// The tip; unset before the first block was read.
    pub fn tip(&self) -> Option<&Arc<IndexedBlock>> {
        self.active.last()
    }

    /// The best chain's block at `height`.
    pub fn at_height(&self, height: u32) -> Option<&Arc<IndexedBlock>> {
        self.active.get(usize::try_from(height).ok()?)
    }

    /// A block that is or was on the best chain.
    pub fn block(&self, hash: &BlockHash) -> Option<&Arc<IndexedBlock>> {
        self.known.get(hash)
    }

    /// Whether `block` is on the best chain.
    pub fn is_active(&self, block: &IndexedBlock) -> bool {
        self.at_height(block.height).is_some_and(|active| active.hash == block.hash)
    }

    /// A transaction, confirmed or waiting.
    pub fn transaction(&self, txid: &Txid) -> Option<&Located> {
        self.transactions.get(txid)
    }

    /// The output that `outpoint` names, spent or not.
    pub fn output(&self, outpoint: &OutPoint) -> Option<&TxOut> {
        let located = self.transactions.get(&outpoint.txid)?;
        located.transaction.output.get(usize::try_from(outpoint.vout).ok()?)
    }

    /// What spends `outpoint`; unset while nothing does.
    pub fn spender(&self, outpoint: &OutPoint) -> Option<Spender> {
        self.spenders.get(outpoint).copied()
    }

    /// Confirmed transactions that pay to or spend from a script, newest first.
    pub fn confirmed(&self, script: &ScriptHash) -> Vec<Txid> {
        let history = self.histories.get(script);
        history.map(|history| history.confirmed.values().rev().copied().collect()).unwrap_or_default()
    }

    /// Waiting transactions that pay to or spend from a script, newest first.
    pub fn waiting_for(&self, script: &ScriptHash) -> Vec<Txid> {
        let Some(history) = self.histories.get(script) else { return Vec::new() };
        self.waiting.iter().rev().filter(|txid| history.waiting.contains(*txid)).copied().collect()
    }

    /// All waiting transactions, in order of arrival.
    pub fn waiting(&self) -> &[Txid] {
        &self.waiting
    }

    /// What a transaction pays; unset for a coinbase.
    pub fn fee_sat(&self, transaction: &Transaction) -> Option<u64> {
        let mut spent = 0u64;
        for input in &transaction.input {
            spent = spent.checked_add(self.output(&input.previous_output)?.value.to_sat())?;
        }
        let paid = transaction.output.iter().map(|output| output.value.to_sat());
        spent.checked_sub(paid.sum())
    }

    /// Adds a block on the tip. The mempool must be empty ([`Index::clear_waiting`]).
    pub(super) fn connect(&mut self, hash: BlockHash, block: Block) {
        let height = u32::try_from(self.active.len()).unwrap_or(u32::MAX);
        let txids: Vec<Txid> = block.txdata.iter().map(Transaction::compute_txid).collect();
        for (position, (transaction, txid)) in block.txdata.iter().zip(&txids).enumerate() {
            self.add(*txid, Arc::new(transaction.clone()), Some(Place { height, position }));
        }
        let mut times: Vec<u32> = self.active.iter().rev().take(10).map(|b| b.header().time).collect();
        times.push(block.header.time);
        times.sort_unstable();
        let median_time = times[times.len() / 2];
        let indexed = Arc::new(IndexedBlock { hash, height, block, txids, median_time });
        self.known.insert(hash, indexed.clone());
        self.active.push(indexed);
    }

    /// Takes the tip off. The mempool must be empty.
    pub(super) fn disconnect(&mut self) {
        if let Some(block) = self.active.pop() {
            for txid in block.txids.iter().rev() {
                self.remove(txid);
            }
        }
    }

    /// Takes all waiting transactions out, and gives them to be put back.
    pub(super) fn clear_waiting(&mut self) -> BTreeMap<Txid, Arc<Transaction>> {
        let mut taken = BTreeMap::new();
        for txid in std::mem::take(&mut self.waiting).iter().rev() {
            if let Some(located) = self.remove(txid) {
                taken.insert(*txid, located.transaction);
            }
        }
        taken
    }

    /// Puts waiting transactions in, parents before children whatever their order; those that spend
    /// something unknown or spent are left out.
    pub(super) fn add_waiting(&mut self, mut transactions: Vec<(Txid, Arc<Transaction>)>) {
        loop {
            let before = transactions.len();
            transactions.retain(|(txid, transaction)| {
                let known = transaction.input.iter().all(|i| self.output(&i.previous_output).is_some());
                let conflicts = transaction.input.iter().any(|i| self.spender(&i.previous_output).is_some());
                if known && !conflicts && !self.transactions.contains_key(txid) {
                    self.add(*txid, transaction.clone(), None);
                    self.waiting.push(*txid);
                }
                !known
            });
            if transactions.len() == before {
                return;
            }
        }
    }

    fn add(&mut self, txid: Txid, transaction: Arc<Transaction>, place: Option<Place>) {
        for (vin, input) in transaction.input.iter().enumerate() {
            self.spenders.insert(input.previous_output, Spender { txid, vin });
        }
        for script in self.touched(&transaction) {
            let history = self.histories.entry(script).or_default();
            match place {
                Some(place) => drop(history.confirmed.insert(place, txid)),
                None => drop(history.waiting.insert(txid)),
            }
        }
        self.transactions.insert(txid, Located { transaction, place });
    }

    fn remove(&mut self, txid: &Txid) -> Option<Located> {
        let located = self.transactions.remove(txid)?;
        for input in &located.transaction.input {
            self.spenders.remove(&input.previous_output);
        }
        for script in self.touched(&located.transaction) {
            if let Some(history) = self.histories.get_mut(&script) {
                match located.place {
                    Some(place) => drop(history.confirmed.remove(&place)),
                    None => drop(history.waiting.remove(txid)),
                }
            }
        }
        Some(located)
    }

    /// Scripts that the transaction pays to or spends from.
    fn touched(&self, transaction: &Transaction) -> BTreeSet<ScriptHash> {
        let spent = transaction.input.iter().filter_map(|input| self.output(&input.previous_output));
        spent.chain(&transaction.output).map(|output| script_hash(&output.script_pubkey)).collect()
    }
}
