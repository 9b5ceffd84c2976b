//! Where the wallet learns about the chain: one Esplora server that may lie, hang or send garbage.
//!
//! Nothing is believed here. Facts go to the node, which checks headers and proofs; what is wrong with an answer's form is
//! a [`ChainError`], and the server is asked again later.

mod answers;
mod error;
mod headers;
mod histories;
mod http;
mod proofs;
mod publish;
mod source;
mod unread;

pub use error::ChainError;
pub use publish::{Published, Publisher};
pub use source::{ChainSource, Look};

use bitcoin::{BlockHash, Network, OutPoint, ScriptBuf};
use kite_core::chain::BlockId;

/// Which server, and how often it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainConfig {
    /// The address of the Esplora API, without a slash at its end.
    pub esplora_url: String,
    /// How long after one look the next begins.
    pub poll_millis: u64,
    /// How long every script may go unasked while no block comes.
    pub scripts_millis: u64,
    /// How long fee estimates are used.
    pub fees_millis: u64,
    /// How long one answer may take.
    pub timeout_millis: u64,
}

/// What the node knows, for a look at the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainView {
    /// Blocks of the node's chain from its tip down to its checkpoint, the closer to the tip the denser.
    pub known: Vec<BlockId>,
    /// Every script to be watched.
    pub watches: Vec<ScriptBuf>,
    /// The outputs of channels, each with its script: what has to be known even where the script's history cannot be read.
    pub outputs: Vec<(ScriptBuf, OutPoint)>,
}

impl ChainConfig {
    /// What is right for this network.
    pub fn new(esplora_url: &str, network: Network) -> Self {
        let quick = network == Network::Regtest;
        Self {
            esplora_url: esplora_url.trim().trim_end_matches('/').to_owned(),
            poll_millis: if quick { 1_000 } else { 20_000 },
            scripts_millis: if quick { 0 } else { 60_000 },
            fees_millis: if quick { 10_000 } else { 120_000 },
            timeout_millis: 20_000,
        }
    }
}

impl ChainView {
    /// The node's tip; unset in a view without blocks.
    pub fn tip(&self) -> Option<BlockId> {
        self.known.first().copied()
    }

    /// The outputs of channels at this script.
    pub fn outputs_of<'a>(&'a self, script: &'a ScriptBuf) -> impl Iterator<Item = OutPoint> + 'a {
        self.outputs.iter().filter(move |(at, _)| at == script).map(|(_, outpoint)| *outpoint)
    }

    fn knows(&self, hash: &BlockHash) -> Option<BlockId> {
        self.known.iter().copied().find(|block| block.hash == *hash)
    }
}
