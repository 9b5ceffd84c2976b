//! The JSON of the Esplora API.

use bitcoin::{
    Address, BlockHash, CompactTarget, Network, OutPoint, Script, Transaction, TxMerkleNode, TxOut, Txid,
};
use serde::Serialize;

use super::index::{Index, IndexedBlock, Place, ScriptHash};

#[derive(Debug, Serialize)]
pub struct BlockInfo {
    id: BlockHash,
    height: u32,
    version: i32,
    timestamp: u32,
    tx_count: usize,
    size: usize,
    weight: u64,
    merkle_root: TxMerkleNode,
    previousblockhash: Option<BlockHash>,
    mediantime: u32,
    nonce: u32,
    bits: CompactTarget,
    difficulty: f64,
}

impl BlockInfo {
    pub fn new(indexed: &IndexedBlock) -> Self {
        let header = indexed.header();
        Self {
            id: indexed.hash,
            height: indexed.height,
            version: header.version.to_consensus(),
            timestamp: header.time,
            tx_count: indexed.txids.len(),
            size: indexed.block.total_size(),
            weight: indexed.block.weight().to_wu(),
            merkle_root: header.merkle_root,
            previousblockhash: (indexed.height > 0).then_some(header.prev_blockhash),
            mediantime: indexed.median_time,
            nonce: header.nonce,
            bits: header.bits,
            difficulty: header.difficulty_float(),
        }
    }
}

#[derive(Debug, Serialize)]
pub struct BlockStatus {
    in_best_chain: bool,
    height: Option<u32>,
    next_best: Option<BlockHash>,
}

impl BlockStatus {
    pub fn new(index: &Index, block: &IndexedBlock) -> Self {
        let in_best_chain = index.is_active(block);
        let next = block.height.checked_add(1).and_then(|height| index.at_height(height));
        Self {
            in_best_chain,
            height: in_best_chain.then_some(block.height),
            next_best: next.filter(|_| in_best_chain).map(|next| next.hash),
        }
    }
}

#[derive(Debug, Default, Serialize)]
pub struct Status {
    confirmed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    block_height: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    block_hash: Option<BlockHash>,
    #[serde(skip_serializing_if = "Option::is_none")]
    block_time: Option<u32>,
}

impl Status {
    /// The status of a transaction; unknown ones are unconfirmed.
    pub fn new(index: &Index, txid: &Txid) -> Self {
        let place = index.transaction(txid).and_then(|located| located.place);
        let Some(block) = place.and_then(|place| index.at_height(place.height)) else {
            return Self::default();
        };
        Self {
            confirmed: true,
            block_height: Some(block.height),
            block_hash: Some(block.hash),
            block_time: Some(block.header().time),
        }
    }
}

#[derive(Debug, Serialize)]
struct Output {
    scriptpubkey: String,
    scriptpubkey_asm: String,
    scriptpubkey_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scriptpubkey_address: Option<String>,
    value: u64,
}

impl Output {
    fn new(output: &TxOut) -> Self {
        let script = &output.script_pubkey;
        Self {
            scriptpubkey: script.to_hex_string(),
            scriptpubkey_asm: script.to_asm_string(),
            scriptpubkey_type: script_type(script),
            scriptpubkey_address: Address::from_script(script, Network::Regtest).ok().map(|a| a.to_string()),
            value: output.value.to_sat(),
        }
    }
}

fn script_type(script: &Script) -> &'static str {
    if script.is_p2pkh() {
        "p2pkh"
    } else if script.is_p2sh() {
        "p2sh"
    } else if script.is_p2wpkh() {
        "v0_p2wpkh"
    } else if script.is_p2wsh() {
        "v0_p2wsh"
    } else if script.is_p2tr() {
        "v1_p2tr"
    } else if script.is_op_return() {
        "op_return"
    } else if script.is_p2pk() {
        "p2pk"
    } else if script.is_multisig() {
        "multisig"
    } else {
        "unknown"
    }
}

#[derive(Debug, Serialize)]
struct Input {
    txid: Txid,
    vout: u32,
    prevout: Option<Output>,
    scriptsig: String,
    scriptsig_asm: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    witness: Vec<String>,
    is_coinbase: bool,
    sequence: u32,
}

#[derive(Debug, Serialize)]
pub struct Tx {
    txid: Txid,
    /// Without a sign, as real servers write it.
    version: u32,
    locktime: u32,
    vin: Vec<Input>,
    vout: Vec<Output>,
    size: usize,
    weight: u64,
    fee: u64,
    status: Status,
}

impl Tx {
    pub fn new(index: &Index, txid: &Txid) -> Option<Self> {
        let transaction = &index.transaction(txid)?.transaction;
        let input = |input: &bitcoin::TxIn| Input {
            txid: input.previous_output.txid,
            vout: input.previous_output.vout,
            prevout: index.output(&input.previous_output).map(Output::new),
            scriptsig: input.script_sig.to_hex_string(),
            scriptsig_asm: input.script_sig.to_asm_string(),
            witness: input.witness.iter().map(hex::encode).collect(),
            is_coinbase: input.previous_output.is_null(),
            sequence: input.sequence.to_consensus_u32(),
        };
        Some(Self {
            txid: *txid,
            version: transaction.version.0 as u32,
            locktime: transaction.lock_time.to_consensus_u32(),
            vin: transaction.input.iter().map(input).collect(),
            vout: transaction.output.iter().map(Output::new).collect(),
            size: transaction.total_size(),
            weight: transaction.weight().to_wu(),
            fee: index.fee_sat(transaction).unwrap_or_default(),
            status: Status::new(index, txid),
        })
    }

    pub fn list<'a>(index: &Index, txids: impl IntoIterator<Item = &'a Txid>) -> Vec<Self> {
        txids.into_iter().filter_map(|txid| Self::new(index, txid)).collect()
    }
}

#[derive(Debug, Default, Serialize)]
pub struct OutputStatus {
    spent: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    txid: Option<Txid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vin: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
}

impl OutputStatus {
    pub fn new(index: &Index, outpoint: &OutPoint) -> Self {
        index.spender(outpoint).map_or_else(Self::default, |spender| Self {
            spent: true,
            txid: Some(spender.txid),
            vin: Some(spender.vin),
            status: Some(Status::new(index, &spender.txid)),
        })
    }
}

#[derive(Debug, Serialize)]
pub struct MerkleProof {
    block_height: u32,
    merkle: Vec<TxMerkleNode>,
    pos: usize,
}

impl MerkleProof {
    /// The proof that the transaction at `place` is in its block; unset when it isn't.
    pub fn new(block: &IndexedBlock, place: Place) -> Option<Self> {
        use bitcoin::hashes::Hash;
        let mut level: Vec<TxMerkleNode> =
            block.txids.iter().map(|txid| TxMerkleNode::from_raw_hash(txid.to_raw_hash())).collect();
        let (mut merkle, mut position) = (Vec::new(), place.position);
        while level.len() > 1 {
            // An odd last hash is paired with itself.
            let sibling = level.get(position ^ 1).or_else(|| level.get(position))?;
            merkle.push(*sibling);
            level = level
                .chunks(2)
                .map(|pair| {
                    let (left, right) = (pair[0].as_byte_array(), pair[pair.len() - 1].as_byte_array());
                    TxMerkleNode::hash(&[left.as_slice(), right.as_slice()].concat())
                })
                .collect();
            position /= 2;
        }
        Some(Self { block_height: block.height, merkle, pos: place.position })
    }
}

#[derive(Debug, Serialize)]
pub struct Utxo {
    txid: Txid,
    vout: u32,
    status: Status,
    value: u64,
}

#[derive(Debug, Default, Serialize)]
pub struct Summary {
    funded_txo_count: u32,
    funded_txo_sum: u64,
    spent_txo_count: u32,
    spent_txo_sum: u64,
    tx_count: usize,
}

impl Summary {
    /// Sums what these transactions pay to and spend from a script.
    pub fn new(index: &Index, script: &ScriptHash, txids: &[Txid]) -> Self {
        let mut summary = Self { tx_count: txids.len(), ..Self::default() };
        for transaction in txids.iter().filter_map(|txid| index.transaction(txid)).map(|l| &l.transaction) {
            for output in outputs_to(transaction, script) {
                summary.funded_txo_count += 1;
                summary.funded_txo_sum += output.1.value.to_sat();
            }
            let spent = transaction.input.iter().filter_map(|input| index.output(&input.previous_output));
            for output in spent.filter(|output| super::index::script_hash(&output.script_pubkey) == *script) {
                summary.spent_txo_count += 1;
                summary.spent_txo_sum += output.value.to_sat();
            }
        }
        summary
    }
}

/// Outputs of `txids` to a script that nothing spends.
pub fn unspent(index: &Index, script: &ScriptHash, txids: &[Txid]) -> Vec<Utxo> {
    let mut utxos = Vec::new();
    for txid in txids {
        let Some(located) = index.transaction(txid) else { continue };
        for (vout, output) in outputs_to(&located.transaction, script) {
            if index.spender(&OutPoint { txid: *txid, vout }).is_none() {
                let status = Status::new(index, txid);
                utxos.push(Utxo { txid: *txid, vout, status, value: output.value.to_sat() });
            }
        }
    }
    utxos
}

fn outputs_to<'a>(
    transaction: &'a Transaction,
    script: &'a ScriptHash,
) -> impl Iterator<Item = (u32, &'a TxOut)> {
    let matches = move |output: &TxOut| super::index::script_hash(&output.script_pubkey) == *script;
    (0u32..).zip(&transaction.output).filter(move |(_, output)| matches(output))
}
