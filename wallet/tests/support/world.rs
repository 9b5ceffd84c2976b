//! A regtest chain in memory.

use bitcoin::absolute::LockTime;
use bitcoin::block::{Header, Version};
use bitcoin::blockdata::constants::genesis_block;
use bitcoin::hashes::{Hash, HashEngine, sha256d};
use bitcoin::{
    Amount, BlockHash, Network, OutPoint, ScriptBuf, Transaction, TxIn, TxMerkleNode, TxOut, Txid, Witness,
};

#[derive(Clone)]
pub struct Block {
    pub header: Header,
    pub txs: Vec<Transaction>,
}

#[derive(Clone)]
pub struct World {
    pub blocks: Vec<Block>,
    pub mempool: Vec<Transaction>,
}

impl World {
    pub fn new() -> Self {
        let genesis = genesis_block(Network::Regtest);
        Self { blocks: vec![Block { header: genesis.header, txs: genesis.txdata }], mempool: Vec::new() }
    }

    pub fn tip(&self) -> BlockHash {
        self.blocks.last().unwrap().header.block_hash()
    }

    pub fn height_of(&self, hash: &str) -> Option<usize> {
        self.blocks.iter().position(|block| block.header.block_hash().to_string() == hash)
    }

    /// A block with everything that waits. `salt` tells branches apart.
    pub fn mine(&mut self, salt: u8) {
        let height = self.blocks.len();
        let mut txs = vec![coinbase(height, salt)];
        txs.append(&mut self.mempool);
        let leaves: Vec<[u8; 32]> = txs.iter().map(|tx| tx.compute_txid().to_byte_array()).collect();
        let previous = self.blocks.last().unwrap().header;
        let mut header = Header {
            version: Version::from_consensus(0x2000_0000),
            prev_blockhash: previous.block_hash(),
            merkle_root: TxMerkleNode::from_byte_array(branch(&leaves, 0).1),
            time: previous.time + 600,
            bits: previous.bits,
            nonce: 0,
        };
        while header.validate_pow(header.target()).is_err() {
            header.nonce += 1;
        }
        self.blocks.push(Block { header, txs });
    }

    pub fn mine_many(&mut self, count: usize) {
        (0..count).for_each(|_| self.mine(0));
    }

    pub fn pay(&mut self, script: &ScriptBuf, sat: u64) -> Txid {
        let tx = payment(script, sat);
        let txid = tx.compute_txid();
        self.mempool.push(tx);
        txid
    }

    pub fn place(&self, txid: Txid) -> Option<(usize, usize)> {
        self.blocks.iter().enumerate().find_map(|(height, block)| {
            Some((height, block.txs.iter().position(|tx| tx.compute_txid() == txid)?))
        })
    }

    pub fn tx(&self, txid: Txid) -> Option<&Transaction> {
        let mined = self.blocks.iter().flat_map(|block| &block.txs);
        mined.chain(&self.mempool).find(|tx| tx.compute_txid() == txid)
    }

    pub fn spender(&self, outpoint: OutPoint) -> Option<&Transaction> {
        let mut all = self.blocks.iter().flat_map(|block| &block.txs).chain(&self.mempool);
        all.find(|tx| tx.input.iter().any(|input| input.previous_output == outpoint))
    }

    pub fn merkle_branch(&self, height: usize, index: usize) -> Vec<[u8; 32]> {
        let txs = &self.blocks[height].txs;
        let leaves: Vec<[u8; 32]> = txs.iter().map(|tx| tx.compute_txid().to_byte_array()).collect();
        branch(&leaves, index).0
    }
}

/// Spends a coin of nobody, another one for each amount.
pub fn payment(script: &ScriptBuf, sat: u64) -> Transaction {
    Transaction {
        version: bitcoin::transaction::Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint { txid: Txid::hash(&sat.to_be_bytes()), vout: 1 },
            witness: Witness::from_slice(&[vec![1, 2, 3], vec![]]),
            ..Default::default()
        }],
        output: vec![TxOut { value: Amount::from_sat(sat), script_pubkey: script.clone() }],
    }
}

/// Spends this output to a script of nobody.
pub fn spend(previous_output: OutPoint) -> Transaction {
    let mut tx = payment(&ScriptBuf::from(vec![0x53; 22]), 600);
    tx.input[0].previous_output = previous_output;
    tx
}

fn coinbase(height: usize, salt: u8) -> Transaction {
    let height = i64::try_from(height).unwrap();
    Transaction {
        version: bitcoin::transaction::Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::null(),
            script_sig: bitcoin::script::Builder::new().push_int(height).push_slice([salt; 4]).into_script(),
            ..Default::default()
        }],
        output: vec![TxOut {
            value: Amount::from_sat(5_000_000_000),
            script_pubkey: ScriptBuf::from(vec![0x51; 22]),
        }],
    }
}

fn branch(leaves: &[[u8; 32]], mut index: usize) -> (Vec<[u8; 32]>, [u8; 32]) {
    let (mut level, mut siblings) = (leaves.to_vec(), Vec::new());
    while level.len() > 1 {
        if level.len() % 2 == 1 {
            level.push(*level.last().unwrap());
        }
        siblings.push(level[index ^ 1]);
        level = level
            .chunks(2)
            .map(|pair| {
                let mut engine = sha256d::Hash::engine();
                pair.iter().for_each(|node| engine.input(node));
                sha256d::Hash::from_engine(engine).to_byte_array()
            })
            .collect();
        index /= 2;
    }
    (siblings, level[0])
}
