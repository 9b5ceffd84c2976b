//! Proofs that a transaction is in a block.

use super::{Confirmation, HeaderChain};
use crate::types::UnixTime;
use bitcoin::hashes::{Hash, HashEngine, sha256d};
use bitcoin::{BlockHash, Transaction, TxMerkleNode, Txid};

/// A block of 4 million weight units has fewer than 2^17 transactions.
const MAX_DEPTH: usize = 17;

/// Leads from a transaction to the merkle root in a header.
///
/// An inner node of the tree is the hash of 64 bytes, and so is a transaction of that size: one could be passed off as the
/// other (CVE-2017-12842), where the depth of the tree is not known. Therefore the block's coinbase comes along, and both
/// must stand equally deep. Its way up goes left all the time, and it can only stand where the leaves are:
///
/// - Higher up it would be an inner node, thus have 64 bytes, which is refused.
/// - Further down, the real coinbase would have 64 bytes that are a pair of hashes. They begin with a version, the number 1
///   and the first 27 bytes of an id that is zero: nobody finds what has such a hash, for 28 bytes of it are given.
///
/// Then what stands as deep as the coinbase is a leaf of the tree, whatever its own size. A transaction of 64 bytes is proven
/// like any other; it has to be, as a peer can claim an HTLC with one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfirmationProof {
    /// The block.
    pub block_hash: BlockHash,
    /// The place of the transaction in the block.
    pub tx_index: u32,
    /// The hashes beside the way up, from the leaf on.
    pub siblings: Vec<TxMerkleNode>,
    /// The first transaction of the block.
    pub coinbase: Transaction,
    /// The same for the coinbase.
    pub coinbase_siblings: Vec<TxMerkleNode>,
}

/// Why a proof was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The block is not (or no longer) part of the chain known here.
    #[error("block {hash} is not part of the known chain")]
    UnknownBlock {
        /// The block.
        hash: BlockHash,
    },
    /// The way up does not end at the merkle root of the block.
    #[error("the proof for transaction {txid} does not lead to its block")]
    Mismatch {
        /// The transaction.
        txid: Txid,
    },
    /// A coinbase of 64 bytes can be mistaken for an inner node of the tree.
    #[error("the coinbase {txid} has 64 bytes, which proves nothing")]
    Ambiguous {
        /// The coinbase.
        txid: Txid,
    },
}

impl ConfirmationProof {
    /// Where `tx` stands, if this proves it.
    ///
    /// # Errors
    /// What is wrong with the proof.
    pub fn check(&self, tx: &Transaction, chain: &HeaderChain) -> Result<Confirmation, ProofError> {
        let txid = tx.compute_txid();
        let mismatch = ProofError::Mismatch { txid };
        let height =
            chain.height_of(&self.block_hash).ok_or(ProofError::UnknownBlock { hash: self.block_hash })?;
        let header = chain.header(height).ok_or(ProofError::UnknownBlock { hash: self.block_hash })?;
        let coinbase_txid = self.coinbase.compute_txid();
        if self.coinbase.base_size() == 64 {
            return Err(ProofError::Ambiguous { txid: coinbase_txid });
        }
        let same_depth = self.siblings.len() == self.coinbase_siblings.len();
        if !same_depth || self.siblings.len() > MAX_DEPTH || !self.coinbase.is_coinbase() {
            return Err(mismatch);
        }
        let root = merkle_root(txid, self.tx_index, &self.siblings);
        let coinbase_root = merkle_root(coinbase_txid, 0, &self.coinbase_siblings);
        if root != Some(header.merkle_root) || coinbase_root != Some(header.merkle_root) {
            return Err(mismatch);
        }
        Ok(Confirmation {
            height,
            block_hash: self.block_hash,
            block_time: UnixTime(u64::from(header.time)),
            tx_index: self.tx_index,
        })
    }
}

/// The root above a leaf; unset where the index does not fit the depth.
fn merkle_root(txid: Txid, index: u32, siblings: &[TxMerkleNode]) -> Option<TxMerkleNode> {
    let mut node = txid.to_byte_array();
    let mut index = index;
    for sibling in siblings {
        let sibling = sibling.to_byte_array();
        let (left, right) = if index & 1 == 0 { (node, sibling) } else { (sibling, node) };
        let mut engine = sha256d::Hash::engine();
        engine.input(&left);
        engine.input(&right);
        node = sha256d::Hash::from_engine(engine).to_byte_array();
        index >>= 1;
    }
    (index == 0).then(|| TxMerkleNode::from_byte_array(node))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::chain::headers::tests::{mine_one, regtest};
    use bitcoin::absolute::LockTime;
    use bitcoin::transaction::Version;
    use bitcoin::{Amount, OutPoint, ScriptBuf, TxIn, TxOut};

    fn transaction(previous_output: OutPoint, sat: u64, script_len: usize) -> Transaction {
        Transaction {
            version: Version::TWO,
            lock_time: LockTime::ZERO,
            input: vec![TxIn { previous_output, ..Default::default() }],
            output: vec![TxOut {
                value: Amount::from_sat(sat),
                script_pubkey: ScriptBuf::from(vec![0x51; script_len]),
            }],
        }
    }

    fn block_of(count: u64) -> Vec<Transaction> {
        (0..count)
            .map(|i| {
                let spent = OutPoint { txid: Txid::from_byte_array([7; 32]), vout: 1 };
                transaction(if i == 0 { OutPoint::null() } else { spent }, 1_000 + i, 22)
            })
            .collect()
    }

    fn parent(left: TxMerkleNode, right: TxMerkleNode) -> TxMerkleNode {
        let pair = [left.to_byte_array(), right.to_byte_array()].concat();
        TxMerkleNode::from_byte_array(sha256d::Hash::hash(&pair).to_byte_array())
    }

    pub(crate) fn branch(leaves: &[TxMerkleNode], mut index: usize) -> (Vec<TxMerkleNode>, TxMerkleNode) {
        let (mut level, mut siblings) = (leaves.to_vec(), Vec::new());
        while level.len() > 1 {
            if level.len() % 2 == 1 {
                level.push(*level.last().unwrap());
            }
            siblings.push(level[index ^ 1]);
            level = level.chunks(2).map(|pair| parent(pair[0], pair[1])).collect();
            index /= 2;
        }
        (siblings, level[0])
    }

    pub(crate) fn prove(txs: &[Transaction], index: usize, chain: &mut HeaderChain) -> ConfirmationProof {
        let leaves: Vec<_> =
            txs.iter().map(|tx| TxMerkleNode::from_byte_array(tx.compute_txid().to_byte_array())).collect();
        let (siblings, root) = branch(&leaves, index);
        let header = mine_one(chain.header(chain.height()).unwrap(), root);
        chain.accept(&[header], UnixTime(2_000_000_000)).unwrap();
        ConfirmationProof {
            block_hash: header.block_hash(),
            tx_index: u32::try_from(index).unwrap(),
            siblings,
            coinbase: txs[0].clone(),
            coinbase_siblings: branch(&leaves, 0).0,
        }
    }

    #[test]
    fn every_transaction_of_blocks_of_many_sizes_can_be_proven() {
        let mut chain = regtest();
        for count in [1, 2, 3, 4, 5, 8, 13] {
            let txs = block_of(count);
            for (index, tx) in txs.iter().enumerate() {
                let proof = prove(&txs, index, &mut chain);
                let confirmation = proof.check(tx, &chain).unwrap();
                assert_eq!((confirmation.height, confirmation.tx_index as usize), (chain.height(), index));
            }
        }
    }

    #[test]
    fn a_forged_proof_is_refused() {
        let mut chain = regtest();
        let txs = block_of(5);
        let proof = prove(&txs, 3, &mut chain);
        let refused = |proof: &ConfirmationProof, tx: &Transaction| proof.check(tx, &chain).unwrap_err();
        let mismatch = ProofError::Mismatch { txid: txs[3].compute_txid() };

        assert!(matches!(refused(&proof, &txs[2]), ProofError::Mismatch { .. }));
        let elsewhere = ConfirmationProof { tx_index: 2, ..proof.clone() };
        assert_eq!(refused(&elsewhere, &txs[3]), mismatch);
        let outside = ConfirmationProof { tx_index: 3 + 8, ..proof.clone() };
        assert_eq!(refused(&outside, &txs[3]), mismatch);
        let mut shorter = proof.clone();
        shorter.siblings.pop();
        assert_eq!(refused(&shorter, &txs[3]), mismatch);
        let no_coinbase = ConfirmationProof { coinbase: txs[1].clone(), ..proof.clone() };
        assert_eq!(refused(&no_coinbase, &txs[3]), mismatch);
        let block_hash = BlockHash::from_byte_array([1; 32]);
        let unknown = ConfirmationProof { block_hash, ..proof.clone() };
        assert_eq!(refused(&unknown, &txs[3]), ProofError::UnknownBlock { hash: block_hash });
    }

    #[test]
    fn a_transaction_hidden_under_another_is_refused() {
        // The real leaf's last 32 bytes are the txid of a transaction that is in no block: the leaf poses as a node.
        let mut chain = regtest();
        let fake = transaction(OutPoint { txid: Txid::from_byte_array([9; 32]), vout: 0 }, 21, 22);
        let real = block_of(2);
        let left = TxMerkleNode::from_byte_array([3; 32]);
        let posing = parent(left, TxMerkleNode::from_byte_array(fake.compute_txid().to_byte_array()));
        let coinbase = TxMerkleNode::from_byte_array(real[0].compute_txid().to_byte_array());
        let header = mine_one(chain.header(0).unwrap(), parent(coinbase, posing));
        chain.accept(&[header], UnixTime(2_000_000_000)).unwrap();
        let proof = ConfirmationProof {
            block_hash: header.block_hash(),
            tx_index: 3,
            siblings: vec![left, coinbase],
            coinbase: real[0].clone(),
            coinbase_siblings: vec![posing],
        };
        assert!(matches!(proof.check(&fake, &chain), Err(ProofError::Mismatch { .. })));

        // Nor does a coinbase help that is made up to stand as deep.
        let made_up = transaction(OutPoint::null(), 1, 22);
        let proof = ConfirmationProof { coinbase: made_up, coinbase_siblings: vec![left, posing], ..proof };
        assert!(matches!(proof.check(&fake, &chain), Err(ProofError::Mismatch { .. })));
    }

    /// What its bytes are as a pair of hashes.
    fn as_pair(tx: &Transaction) -> [TxMerkleNode; 2] {
        let bytes = bitcoin::consensus::serialize(tx);
        let half = |half: &[u8]| TxMerkleNode::from_byte_array(half.try_into().unwrap());
        [half(&bytes[..32]), half(&bytes[32..])]
    }

    #[test]
    fn an_inner_node_that_poses_as_a_transaction_is_refused() {
        let mut chain = regtest();
        let posing = transaction(OutPoint { txid: Txid::from_byte_array([7; 32]), vout: 1 }, 5, 4);
        let real = block_of(2);
        let leaf = |tx: &Transaction| TxMerkleNode::from_byte_array(tx.compute_txid().to_byte_array());
        let mut block = |leaves: &[TxMerkleNode]| {
            let header = mine_one(chain.header(chain.height()).unwrap(), branch(leaves, 0).1);
            chain.accept(&[header], UnixTime(2_000_000_000)).unwrap();
            header.block_hash()
        };
        let pair = as_pair(&posing);
        let leaves = [leaf(&real[0]), leaf(&real[1]), pair[0], pair[1]];
        let proof = ConfirmationProof {
            block_hash: block(&leaves),
            tx_index: 1,
            siblings: vec![parent(leaves[0], leaves[1])],
            coinbase: real[0].clone(),
            coinbase_siblings: branch(&leaves, 0).0,
        };
        // The other inner node poses as the coinbase, if anybody should find such leaves.
        let made_up = transaction(OutPoint::null(), 5, 4);
        let leaves = [as_pair(&made_up), pair].concat();
        let both_pose = ConfirmationProof {
            block_hash: block(&leaves),
            siblings: vec![leaf(&made_up)],
            coinbase: made_up.clone(),
            coinbase_siblings: vec![leaf(&posing)],
            ..proof.clone()
        };
        assert!(matches!(proof.check(&posing, &chain), Err(ProofError::Mismatch { .. })));
        let ambiguous = ProofError::Ambiguous { txid: made_up.compute_txid() };
        assert_eq!(both_pose.check(&posing, &chain), Err(ambiguous));
    }

    #[test]
    fn a_transaction_of_64_bytes_is_proven_like_any_other() {
        let mut chain = regtest();
        let mut txs = block_of(3);
        txs[1] = transaction(OutPoint { txid: Txid::from_byte_array([7; 32]), vout: 1 }, 5, 4);
        assert_eq!(txs[1].base_size(), 64);
        let proof = prove(&txs, 1, &mut chain);
        assert_eq!(proof.check(&txs[1], &chain).map(|it| it.tx_index), Ok(1));
    }
}
