//! Facts of a chain server.

use crate::Pieces;
use bitcoin::block::Header;
use bitcoin::consensus::encode::deserialize;
use bitcoin::hashes::Hash;
use bitcoin::{Network, Transaction, TxMerkleNode};
use kite_core::chain::{Checkpoint, ConfirmationProof, HeaderChain};
use kite_core::types::UnixTime;
use kite_sim::chain::Chain;
use std::cell::OnceCell;

const NOW: UnixTime = UnixTime(1_800_000_000);

/// Headers over a chain that is known, and proofs for a block of it.
pub fn chain(bytes: &[u8]) {
    let mut pieces = Pieces(bytes);
    let (chain, mut known) = start();
    if pieces.byte() % 2 == 0 {
        let before = known.clone();
        let headers: Vec<Header> =
            pieces.0.chunks(Header::SIZE).filter_map(|bytes| deserialize(bytes).ok()).collect();
        match known.accept(&headers, NOW) {
            Ok(_) => assert!(known.height() >= before.height(), "the chain became shorter"),
            Err(_) => assert_eq!(known, before, "refused headers changed the chain"),
        }
        return;
    }
    let height = u32::from(pieces.byte()) % (chain.height() + 1);
    let honest = chain.prove(height, 0);
    let tx_index = u32::from(pieces.byte());
    let mut siblings = |count: u8| -> Vec<TxMerkleNode> {
        (0..count % 16)
            .filter_map(|_| Some(TxMerkleNode::from_byte_array(*pieces.take(32).first_chunk()?)))
            .collect()
    };
    let (siblings, coinbase_siblings) = (siblings(3), siblings(2));
    let coinbase: Transaction = deserialize(pieces.piece()).unwrap_or_else(|_| honest.coinbase.clone());
    let proof = ConfirmationProof { tx_index, siblings, coinbase, coinbase_siblings, ..honest };
    let Ok(tx) = deserialize::<Transaction>(pieces.0) else { return };
    if proof.check(&tx, &known).is_ok() {
        let is_there =
            chain.block(height).txdata.iter().any(|other| other.compute_txid() == tx.compute_txid());
        assert!(is_there, "proved what is not in the block");
    }
}

fn start() -> (Chain, HeaderChain) {
    thread_local!(static START: OnceCell<(Chain, HeaderChain)> = const { OnceCell::new() });
    START.with(|start| {
        start
            .get_or_init(|| {
                let chain = Chain::new();
                let mut known = HeaderChain::new(Network::Regtest, Checkpoint::genesis(Network::Regtest));
                let headers: Vec<Header> = (1..=chain.height()).map(|height| *chain.header(height)).collect();
                known.accept(&headers, NOW).expect("a chain with work");
                (chain, known)
            })
            .clone()
    })
}
