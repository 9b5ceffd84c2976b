//! What a chain server says that is not so.

use super::{Lie, Life};
use crate::chain::Source;
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, block::Header};
use kite_core::chain::{ChainFact, History, Seen};
use kite_core::node::Input;

impl Life {
    pub(super) fn lie(&mut self, host: usize, lie: Lie) {
        let chain = &self.world.chain;
        let facts: Vec<ChainFact> = match lie {
            Lie::NoWork => vec![ChainFact::Headers(vec![without_work(chain.header(chain.height()))])],
            Lie::ShorterBranch => {
                let fork = chain.height().saturating_sub(3);
                vec![ChainFact::Headers(vec![with_work(chain.header(fork))])]
            }
            Lie::EarlyConfirmation => {
                let proof = chain.prove(chain.height(), 0);
                let seen = |tx: &bitcoin::Transaction| Seen { tx: tx.clone(), proof: Some(proof.clone()) };
                let waiting: Vec<Seen> = chain.mempool().iter().map(seen).collect();
                let script = |seen: &Seen| seen.tx.output.first().map(|output| output.script_pubkey.clone());
                let watches = self.world.hosts[host].node().map(|node| node.watches()).unwrap_or_default();
                let scripts = waiting.first().and_then(script).into_iter().chain(watches);
                scripts
                    .take(6)
                    .map(|script_pubkey| {
                        ChainFact::History(History { script_pubkey, transactions: waiting.clone() })
                    })
                    .collect()
            }
            Lie::NothingHappened => {
                let watches = self.world.hosts[host].node().map(|node| node.watches()).unwrap_or_default();
                let empty = |script_pubkey| History { script_pubkey, transactions: Vec::new() };
                watches.into_iter().map(empty).map(ChainFact::History).collect()
            }
            // A single one of these is taken back by the truth that follows: see `liar.rs`.
            Lie::CutPreimages | Lie::InventedSpends | Lie::Endless => Vec::new(),
            Lie::WrongTip => {
                let tip = BlockHash::from_byte_array([7; 32]);
                vec![ChainFact::Synced { tip, at: chain.now() }]
            }
            Lie::Fees { are_absurd } => {
                return self.tell_feerate(host, if are_absurd { u32::MAX } else { 0 });
            }
        };
        for fact in facts {
            self.world.input(host, Input::Chain(fact));
        }
        self.is_misled[host] |= !matches!(lie, Lie::NoWork | Lie::ShorterBranch | Lie::WrongTip);
        // Another server tells the truth, from the beginning.
        self.world.sources[host] = Source::default();
    }
}

/// A next block whose hash is above the target.
fn without_work(tip: &Header) -> Header {
    let mut header = Header { prev_blockhash: tip.block_hash(), time: tip.time + 600, ..*tip };
    while header.validate_pow(header.target()).is_ok() {
        header.nonce = header.nonce.wrapping_add(1);
    }
    header
}

/// A next block after an earlier one.
fn with_work(fork: &Header) -> Header {
    let mut header = Header { prev_blockhash: fork.block_hash(), time: fork.time + 601, ..*fork };
    while header.validate_pow(header.target()).is_err() {
        header.nonce = header.nonce.wrapping_add(1);
    }
    header
}
