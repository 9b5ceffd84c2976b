//! The way from a transaction to the merkle root.

use super::Mined;
use bitcoin::hashes::{Hash, HashEngine, sha256d};
use bitcoin::{TxMerkleNode, Txid};
use kite_core::chain::ConfirmationProof;

/// Proves that the transaction at `index` is in the block.
pub(super) fn prove(mined: &Mined, index: usize) -> ConfirmationProof {
    ConfirmationProof {
        block_hash: mined.hash,
        tx_index: u32::try_from(index).unwrap_or(u32::MAX),
        siblings: siblings(&mined.txids, index),
        coinbase: mined.block.txdata[0].clone(),
        coinbase_siblings: siblings(&mined.txids, 0),
    }
}

fn siblings(txids: &[Txid], index: usize) -> Vec<TxMerkleNode> {
    let mut level: Vec<TxMerkleNode> =
        txids.iter().map(|txid| TxMerkleNode::from_raw_hash(txid.to_raw_hash())).collect();
    let (mut index, mut siblings) = (index, Vec::new());
    while level.len() > 1 {
        if level.len() % 2 == 1 {
            level.extend(level.last().copied());
        }
        siblings.push(level[index ^ 1]);
        level = level.chunks(2).map(|pair| parent(pair[0], pair[1])).collect();
        index /= 2;
    }
    siblings
}

fn parent(left: TxMerkleNode, right: TxMerkleNode) -> TxMerkleNode {
    let mut engine = sha256d::Hash::engine();
    engine.input(left.as_byte_array());
    engine.input(right.as_byte_array());
    TxMerkleNode::from_raw_hash(sha256d::Hash::from_engine(engine))
}
