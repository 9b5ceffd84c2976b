//! A regtest chain in memory: real headers, merkle trees and proof of work, a mempool, and consensus-checked scripts.

mod attacks;
mod block;
mod check;
mod places;
mod proof;
mod recording;
mod source;
mod standard;

pub use check::Rejected;
pub use recording::Happening;
pub use source::Source;

use bitcoin::block::Header;
use bitcoin::consensus::encode::serialize;
use bitcoin::{Amount, Block, BlockHash, Network, OutPoint, ScriptBuf, Transaction, TxOut, Txid, Wtxid};
use kite_core::chain::{ChainFact, ConfirmationProof, History, Seen};
use kite_core::types::{BlockHeight, UnixTime};
use places::{Place, Places};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// When the first block after the genesis block was mined.
const START: u32 = 1_700_000_000;
/// Blocks come this often.
const BLOCK_INTERVAL_SECS: u32 = 600;
/// Enough for the faucet to have coins that are old enough to be spent.
const FIRST_BLOCKS: u32 = 120;

/// One satoshi for a virtual byte, as a full node relays by default.
const MIN_RELAY_SAT_PER_KW: u64 = 250;
/// As many as a wallet asks for.
const HEADERS_AT_ONCE: usize = 1_000;

/// An output that is not spent in the chain.
#[derive(Clone, Debug)]
pub(crate) struct Coin {
    pub(crate) output: TxOut,
    pub(crate) height: BlockHeight,
    pub(crate) is_coinbase: bool,
}

/// The chain and the mempool, shared by everybody in a test.
#[derive(Clone, Debug)]
pub struct Chain {
    /// By height, the genesis block included.
    blocks: Vec<Arc<Mined>>,
    places: Places,
    coins: BTreeMap<OutPoint, Coin>,
    /// Parents first.
    mempool: Vec<Transaction>,
    /// The ids of what is in the mempool.
    waiting: Vec<Wtxid>,
    /// Every output that ever was, spent or not, to find what a transaction spends from.
    outputs: BTreeMap<OutPoint, TxOut>,
    /// Makes the blocks of a branch differ from those they replace.
    branch: u32,
    /// What a package must pay at least to enter the mempool.
    pub(crate) min_relay_sat_per_kw: u64,
    /// Unset: nothing is recorded.
    recording: Option<Vec<Happening>>,
}

/// A block, with what is asked of it again and again. Nothing of it changes, so copies of the chain share it.
#[derive(Debug)]
struct Mined {
    block: Block,
    hash: BlockHash,
    txids: Vec<Txid>,
    wtxids: Vec<Wtxid>,
}

impl From<Block> for Mined {
    fn from(block: Block) -> Self {
        Self {
            hash: block.block_hash(),
            txids: block.txdata.iter().map(Transaction::compute_txid).collect(),
            wtxids: block.txdata.iter().map(Transaction::compute_wtxid).collect(),
            block,
        }
    }
}

impl Default for Chain {
    fn default() -> Self {
        Self::new()
    }
}

impl Chain {
    /// A young chain whose faucet has coins.
    pub fn new() -> Self {
        let mut chain = Self {
            blocks: Vec::new(),
            places: Places::default(),
            coins: BTreeMap::new(),
            mempool: Vec::new(),
            waiting: Vec::new(),
            outputs: BTreeMap::new(),
            branch: 0,
            min_relay_sat_per_kw: MIN_RELAY_SAT_PER_KW,
            recording: None,
        };
        chain.connect(Arc::new(bitcoin::constants::genesis_block(Network::Regtest).into()));
        chain.mine(FIRST_BLOCKS);
        chain
    }

    /// The height of the last block.
    pub fn height(&self) -> BlockHeight {
        u32::try_from(self.blocks.len()).unwrap_or(u32::MAX) - 1
    }

    /// The hash of the last block.
    pub fn tip(&self) -> BlockHash {
        self.hash(self.height())
    }

    fn hash(&self, height: BlockHeight) -> BlockHash {
        self.blocks[height as usize].hash
    }

    /// When the last block was mined: the time of the world is never earlier.
    pub fn now(&self) -> UnixTime {
        UnixTime(u64::from(self.header(self.height()).time))
    }

    /// The block at a height of this chain.
    pub fn block(&self, height: BlockHeight) -> &Block {
        &self.blocks[height as usize].block
    }

    /// The header at a height of this chain.
    pub fn header(&self, height: BlockHeight) -> &Header {
        &self.block(height).header
    }

    /// What waits for a block.
    pub fn mempool(&self) -> &[Transaction] {
        &self.mempool
    }

    fn set_mempool(&mut self, mempool: Vec<Transaction>) {
        self.waiting = mempool.iter().map(Transaction::compute_wtxid).collect();
        self.mempool = mempool;
    }

    /// Whether a transaction is in a block, and in which.
    pub fn confirmed_at(&self, txid: &Txid) -> Option<BlockHeight> {
        self.places.of(txid).map(|(height, _)| height)
    }

    /// How many blocks confirm a transaction; unset where none does.
    pub fn depth(&self, txid: &Txid) -> Option<u32> {
        self.confirmed_at(txid).map(|height| self.height() + 1 - height)
    }

    /// A transaction of the chain or the mempool.
    pub fn transaction(&self, txid: &Txid) -> Option<&Transaction> {
        let waiting = || self.mempool.iter().find(|tx| tx.compute_txid() == *txid);
        self.places.of(txid).map(|place| self.at(place)).or_else(waiting)
    }

    /// An output of the chain or the mempool, spent or not.
    pub fn output(&self, outpoint: &OutPoint) -> Option<&TxOut> {
        self.outputs.get(outpoint)
    }

    /// Every transaction that is neither a coinbase nor the faucet's, in the chain or the mempool, with its fee.
    pub fn wallet_transactions(&self) -> impl Iterator<Item = (&Transaction, Amount)> {
        let in_blocks = self.blocks.iter().flat_map(|mined| mined.block.txdata.iter().skip(1));
        let faucet_script = block::faucet_script();
        in_blocks.chain(&self.mempool).filter_map(move |tx| {
            let spent: Vec<&TxOut> =
                tx.input.iter().filter_map(|input| self.outputs.get(&input.previous_output)).collect();
            let is_faucet = spent.iter().any(|output| output.script_pubkey == faucet_script);
            let paid: Amount = tx.output.iter().map(|output| output.value).sum();
            let fee = spent.iter().map(|output| output.value).sum::<Amount>().checked_sub(paid)?;
            (!is_faucet).then_some((tx, fee))
        })
    }

    /// The transaction that spends an output, in the chain or the mempool.
    pub fn spend_of(&self, outpoint: &OutPoint) -> Option<&Transaction> {
        let spends = |tx: &&Transaction| tx.input.iter().any(|input| input.previous_output == *outpoint);
        let waiting = || self.mempool.iter().find(spends);
        self.places.of_spend(outpoint).map(|place| self.at(place)).or_else(waiting)
    }

    fn at(&self, (height, index): Place) -> &Transaction {
        &self.block(height).txdata[index]
    }

    /// What lies on a script in the chain.
    pub fn unspent_of(&self, script_pubkey: &ScriptBuf) -> Amount {
        let on = self.coins.values().filter(|coin| coin.output.script_pubkey == *script_pubkey);
        on.map(|coin| coin.output.value).sum()
    }

    /// Takes a transaction into the mempool. One that is known already changes nothing.
    ///
    /// # Errors
    /// Why a node would not relay it.
    pub fn submit(&mut self, tx: &Transaction) -> Result<(), Rejected> {
        self.submit_package(std::slice::from_ref(tx))
    }

    /// Takes transactions together, parents first: their fees count in sum.
    ///
    /// # Errors
    /// Why a node would not relay them. None of them is taken then.
    pub fn submit_package(&mut self, package: &[Transaction]) -> Result<(), Rejected> {
        let is_new = |tx: &&Transaction| self.transaction(&tx.compute_txid()).is_none();
        let new: Vec<Transaction> = package.iter().filter(is_new).cloned().collect();
        if new.is_empty() {
            return Ok(());
        }
        let checked = check::package(self, &new);
        self.note(|| Happening::Published { package: package.to_vec(), is_taken: checked.is_ok() });
        if checked.is_ok() {
            for tx in &new {
                self.remember_outputs(tx);
            }
        }
        let result = checked.map(|mempool| self.set_mempool(mempool));
        self.note_waiting();
        result
    }

    /// Whether blocks of it were ever replaced.
    pub(crate) const fn was_reorganised(&self) -> bool {
        self.branch > 0
    }

    /// Whether full nodes ask for more than usually.
    pub(crate) const fn is_crowded(&self) -> bool {
        self.min_relay_sat_per_kw > MIN_RELAY_SAT_PER_KW
    }

    /// Full nodes ask for more from now on, as they do while their mempools are full.
    pub fn ask_for(&mut self, sat_per_kw: u64) {
        self.min_relay_sat_per_kw = sat_per_kw;
        self.note(|| Happening::Asked(sat_per_kw));
    }

    /// Mines blocks; the first takes the whole mempool.
    pub fn mine(&mut self, count: u32) {
        for _ in 0..count {
            let txs = std::mem::take(&mut self.mempool);
            self.waiting.clear();
            self.mine_block(txs);
        }
        self.note_waiting();
    }

    /// Mines blocks that leave the mempool as it is: miners have better things to do.
    pub fn mine_nothing(&mut self, count: u32) {
        for _ in 0..count {
            self.mine_block(Vec::new());
        }
        self.note_waiting();
    }

    /// Replaces the last blocks by one more than they were. Their transactions are in the mempool again, unless the new
    /// blocks made them invalid.
    pub fn reorg(&mut self, depth: u32) {
        self.reorg_with(depth, Vec::new());
    }

    /// The same, with a transaction in the first of the new blocks: what it conflicts with is gone.
    pub fn reorg_for(&mut self, depth: u32, tx: &Transaction) {
        self.reorg_with(depth, vec![tx.clone()]);
    }

    fn reorg_with(&mut self, depth: u32, mut first: Vec<Transaction>) {
        let kept = self.blocks.len() - depth as usize;
        let undone: Vec<Arc<Mined>> = self.blocks.drain(kept..).collect();
        let blocks = std::mem::take(&mut self.blocks);
        self.places = Places::default();
        self.coins.clear();
        for block in blocks {
            self.connect(block);
        }
        self.branch += 1;
        let waiting = std::mem::take(&mut self.mempool);
        self.waiting.clear();
        for _ in 0..=depth {
            self.mine_block(std::mem::take(&mut first));
        }
        let undone = undone.iter().flat_map(|mined| mined.block.txdata.iter().skip(1));
        let again: Vec<Transaction> = undone.cloned().chain(waiting).collect();
        // A full node does this by itself.
        let recording = self.recording.take();
        for tx in again {
            // One that spends what was mined anew, or a conflict, is simply gone.
            let _ = self.submit(&tx);
        }
        self.recording = recording;
        self.note_waiting();
    }

    /// Sends coins to a script, in the mempool.
    pub fn pay_to(&mut self, script_pubkey: ScriptBuf, amount: Amount) -> Transaction {
        let tx = self.fund(script_pubkey, amount);
        self.submit(&tx).expect("the faucet's own spend is valid");
        tx
    }

    /// A signed transaction that pays to a script, not published. The coin it spends stays free until it is.
    pub fn fund(&self, script_pubkey: ScriptBuf, amount: Amount) -> Transaction {
        block::faucet_spend(self, TxOut { value: amount, script_pubkey })
    }

    fn mine_block(&mut self, txs: Vec<Transaction>) {
        let block = block::mine(self, txs);
        self.note(|| Happening::Mined(block.clone()));
        self.connect(Arc::new(block.into()));
    }

    fn connect(&mut self, mined: Arc<Mined>) {
        let height = u32::try_from(self.blocks.len()).unwrap_or(u32::MAX);
        for (tx, txid) in mined.block.txdata.iter().zip(&mined.txids) {
            for input in &tx.input {
                self.coins.remove(&input.previous_output);
            }
            for (vout, output) in (0..).zip(&tx.output) {
                let outpoint = OutPoint { txid: *txid, vout };
                let is_coinbase = tx.is_coinbase();
                self.coins.insert(outpoint, Coin { output: output.clone(), height, is_coinbase });
                self.outputs.insert(outpoint, output.clone());
            }
        }
        self.places.add(height, &mined, &self.outputs);
        self.blocks.push(mined);
    }

    fn remember_outputs(&mut self, tx: &Transaction) {
        self.outputs.extend(outputs_of(tx));
    }

    fn unspent(&self) -> impl Iterator<Item = (&OutPoint, &Coin)> {
        let spent: BTreeSet<OutPoint> =
            self.mempool.iter().flat_map(|tx| tx.input.iter().map(|input| input.previous_output)).collect();
        self.coins.iter().filter(move |(outpoint, _)| !spent.contains(outpoint))
    }
}

/// What a chain source tells a wallet.
impl Chain {
    /// The headers that a node lacks, so many at once as a wallet asks for. `known` is the hash that it has at a height.
    pub fn headers_for(&self, known: impl Fn(BlockHeight) -> Option<BlockHash>) -> Vec<ChainFact> {
        let is_shared = |height: &BlockHeight| known(*height) == Some(self.hash(*height));
        let Some(fork) = (0..=self.height()).rev().find(is_shared) else { return Vec::new() };
        let headers: Vec<Header> = (fork + 1..=self.height()).map(|height| *self.header(height)).collect();
        headers.chunks(HEADERS_AT_ONCE).map(|headers| ChainFact::Headers(headers.to_vec())).collect()
    }

    /// The history of each script, also of those that have none.
    pub fn histories(&self, scripts: &[ScriptBuf]) -> Vec<History> {
        let scripts: BTreeSet<&ScriptBuf> = scripts.iter().collect();
        scripts.into_iter().map(|script| self.history(script)).collect()
    }

    fn history(&self, script_pubkey: &ScriptBuf) -> History {
        let in_blocks = self.places.of_script(script_pubkey).iter().map(|(height, index)| Seen {
            tx: self.at((*height, *index)).clone(),
            proof: Some(self.prove(*height, *index)),
        });
        let waiting = self.waiting_on(script_pubkey).map(|(tx, _)| Seen { tx: tx.clone(), proof: None });
        History { script_pubkey: script_pubkey.clone(), transactions: in_blocks.chain(waiting).collect() }
    }

    /// All that a history depends on.
    fn outline(&self, script_pubkey: &ScriptBuf) -> Vec<(Wtxid, Option<BlockHash>)> {
        let in_blocks = self.places.of_script(script_pubkey).iter().map(|(height, index)| {
            let mined = &self.blocks[*height as usize];
            (mined.wtxids[*index], Some(mined.hash))
        });
        in_blocks.chain(self.waiting_on(script_pubkey).map(|(_, wtxid)| (*wtxid, None))).collect()
    }

    /// What waits for a block and spends from, or pays to, a script.
    fn waiting_on(&self, script_pubkey: &ScriptBuf) -> impl Iterator<Item = (&Transaction, &Wtxid)> {
        self.mempool.iter().zip(&self.waiting).filter(move |(tx, _)| {
            let spent = tx.input.iter().filter_map(|input| self.outputs.get(&input.previous_output));
            spent.chain(&tx.output).any(|output| output.script_pubkey == *script_pubkey)
        })
    }

    /// The proof for one transaction of a block.
    pub fn prove(&self, height: BlockHeight, index: usize) -> ConfirmationProof {
        proof::prove(&self.blocks[height as usize], index)
    }
}

/// Whether a transaction is a commitment (BOLT 3, Commitment Transaction).
pub fn is_commitment(tx: &Transaction) -> bool {
    tx.lock_time.to_consensus_u32() >> 24 == 0x20
}

fn outputs_of(tx: &Transaction) -> Vec<(OutPoint, TxOut)> {
    let txid = tx.compute_txid();
    (0..).zip(&tx.output).map(|(vout, output)| (OutPoint { txid, vout }, output.clone())).collect()
}

/// How many bytes a transaction has on the wire.
pub(crate) fn raw(tx: &Transaction) -> Vec<u8> {
    serialize(tx)
}

#[cfg(test)]
mod tests;
