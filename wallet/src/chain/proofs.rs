//! Proofs that transactions are in blocks, asked for once.

use super::ChainError;
use super::http::{Http, LARGE, MEDIUM, garbage, missing};
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, Transaction, TxMerkleNode, Txid};
use esplora_client::api::MerkleProof;
use kite_core::chain::ConfirmationProof;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// More than a wallet's recent history; beyond that they are asked for again.
const CAPACITY: usize = 4_096;

/// The proofs that were asked for so far.
#[derive(Debug, Default)]
pub(super) struct Proofs {
    of: Mutex<BTreeMap<(BlockHash, Txid), ConfirmationProof>>,
    coinbases: Mutex<BTreeMap<BlockHash, (Transaction, Vec<TxMerkleNode>)>>,
}

impl Proofs {
    /// The proof that `tx` is in this block, as the server gives it.
    pub(super) async fn get(
        &self,
        http: &Http,
        tx: &Transaction,
        block: BlockHash,
        height: u32,
    ) -> Result<ConfirmationProof, ChainError> {
        let key = (block, tx.compute_txid());
        if let Some(proof) = lock(&self.of).get(&key) {
            return Ok(proof.clone());
        }
        let (tx_index, siblings) = branch(http, key.1, height).await?;
        let (coinbase, coinbase_siblings) = match tx.is_coinbase() {
            true => (tx.clone(), siblings.clone()),
            false => self.coinbase(http, block, height).await?,
        };
        let proof = ConfirmationProof { block_hash: block, tx_index, siblings, coinbase, coinbase_siblings };
        insert(&self.of, key, proof.clone());
        Ok(proof)
    }

    /// Forgets everything: the server turned out to be broken or lying.
    pub(super) fn forget(&self) {
        lock(&self.of).clear();
        lock(&self.coinbases).clear();
    }

    async fn coinbase(
        &self,
        http: &Http,
        block: BlockHash,
        height: u32,
    ) -> Result<(Transaction, Vec<TxMerkleNode>), ChainError> {
        if let Some(found) = lock(&self.coinbases).get(&block) {
            return Ok(found.clone());
        }
        let path = format!("/block/{block}/txid/0");
        let txid: Txid = http.text(&path).await?.ok_or(ChainError::Changed)?;
        let path = format!("/tx/{txid}/raw");
        let coinbase: Transaction = http.decoded(&path, LARGE).await?.ok_or_else(|| missing(&path))?;
        if coinbase.compute_txid() != txid {
            return Err(garbage(&path, "another transaction"));
        }
        let (_, siblings) = branch(http, txid, height).await?;
        insert(&self.coinbases, block, (coinbase.clone(), siblings.clone()));
        Ok((coinbase, siblings))
    }
}

async fn branch(http: &Http, txid: Txid, height: u32) -> Result<(u32, Vec<TxMerkleNode>), ChainError> {
    let path = format!("/tx/{txid}/merkle-proof");
    let proof: MerkleProof = http.json(&path, MEDIUM).await?.ok_or(ChainError::Changed)?;
    if proof.block_height != height {
        return Err(ChainError::Changed);
    }
    let index = u32::try_from(proof.pos).map_err(|_| garbage(&path, "a place beyond any block"))?;
    // The API gives the hashes of inner nodes in the form of transaction ids.
    let siblings =
        proof.merkle.iter().map(|node| TxMerkleNode::from_byte_array(node.to_byte_array())).collect();
    Ok((index, siblings))
}

/// What it guards is a cache: whatever a panic left there can be used or asked for again.
fn lock<T>(cache: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    cache.lock().unwrap_or_else(PoisonError::into_inner)
}

fn insert<K: Ord, V>(cache: &Mutex<BTreeMap<K, V>>, key: K, value: V) {
    let mut cache = lock(cache);
    if cache.len() >= CAPACITY {
        cache.clear();
    }
    cache.insert(key, value);
}
