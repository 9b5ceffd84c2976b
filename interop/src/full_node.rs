//! A full node on regtest, which is told all that came to the simulator's chain and must judge the same.

mod crowd;
mod kind;

use bitcoin::consensus::encode::serialize_hex;
use bitcoin::{OutPoint, Transaction, Txid};
use corepc_node::{Conf, Node, P2P};
use kite_sim::chain::{Chain, Happening};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

pub use kind::Kind;

/// What the node is started with: the rules of Bitcoin Core that a user's transactions meet, and a clock that lets the
/// simulator's old blocks count as new.
const ARGUMENTS: [&str; 9] = [
    "-regtest",
    "-corepolicy=1",
    "-acceptnonstdtxn=0",
    "-minrelaytxfee=0.00001",
    "-incrementalrelayfee=0.00001",
    "-softwareexpiry=0",
    "-maxtipage=1000000000",
    "-persistmempool=0",
    "-dbcache=16",
];

/// A `bitcoind` with a folder and a port of its own. It ends with this value.
#[derive(Debug)]
pub struct FullNode {
    node: Node,
}

/// What the node took on the way, beyond the blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// How much of each kind its mempool took.
    pub kinds: BTreeMap<Kind, usize>,
    /// How many packages it took of which it would not have taken the parent alone.
    pub packages: usize,
    /// How many transactions replaced another (BIP 125), by the kind of their first inputs.
    pub replacements: BTreeMap<Kind, usize>,
}

impl FullNode {
    /// Starts the `bitcoind` that `BITCOIND_EXE` names.
    ///
    /// # Panics
    /// There is none, or it does not start.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same, with a mempool that can be full ([`Chain::ask_for`]).
    ///
    /// # Panics
    /// As [`FullNode::start`].
    pub fn start_small() -> Self {
        Self::start_with(&crowd::SMALL_MEMPOOL)
    }

    fn start_with(more: &[&str]) -> Self {
        let program = std::env::var_os("BITCOIND_EXE").expect(
            "these tests need a bitcoind: `cargo xtask test interop` brings one; to run them by hand, \
             set BITCOIND_EXE to what `cargo xtask bitcoind` prints",
        );
        let mut conf = Conf::default();
        conf.args = [&ARGUMENTS, more].concat();
        conf.p2p = P2P::No;
        conf.wallet = None;
        Self { node: Node::with_conf(program, &conf).expect("bitcoind starts") }
    }

    /// Does everything that was recorded, in its order, as the wallet would do it with an Esplora server.
    ///
    /// # Panics
    /// A block is refused, or the mempool holds something else than the chain's at any time: then the node's reasons are
    /// told.
    pub fn follow(&self, chain: &Chain) -> Taken {
        let mut taken = Taken::default();
        let (mut height, mut crowd) = (0, BTreeSet::new());
        let mut before = BTreeMap::new();
        let mut said = Vec::new();
        for (step, happening) in chain.recording().iter().enumerate() {
            match happening {
                Happening::Published { package, is_taken } => {
                    said = self.publish(package);
                    taken.note(chain, package, *is_taken, &said, &before);
                }
                Happening::Asked(sat_per_kw) => crowd.extend(self.fill(chain, height, *sat_per_kw)),
                Happening::Mined(block) => {
                    let answer = self.call("submitblock", &[json!(serialize_hex(block))]);
                    // A branch that has no more work yet is "inconclusive".
                    let is_taken = matches!(&answer, Ok(Value::Null))
                        || answer.as_ref().is_ok_and(|answer| answer == "inconclusive");
                    assert!(is_taken, "step {step}: a block is refused: {answer:?}");
                    height =
                        block.bip34_block_height().map_or(height, |it| u32::try_from(it).unwrap_or(height));
                    said.clear();
                }
                Happening::Waiting(expected) => {
                    let waiting = self.waiting(&crowd);
                    assert_eq!(
                        waiting.keys().collect::<BTreeSet<_>>(),
                        expected.iter().collect::<BTreeSet<_>>(),
                        "step {step}: the mempools differ (left: the node's); it said {said:?}, after {:?}",
                        chain.recording()[..step].last(),
                    );
                    before = waiting;
                }
            }
        }
        let tip = self.call("getbestblockhash", &[]);
        assert_eq!(tip, Ok(json!(chain.tip())));
        taken
    }

    /// Others publish so much that the mempool is full, and takes nothing that pays less than they do.
    fn fill(&self, chain: &Chain, height: u32, sat_per_kw: u64) -> BTreeSet<Txid> {
        let mut crowd = BTreeSet::new();
        for tx in crowd::crowd(chain, height, sat_per_kw) {
            if let Err(reason) = self.call("sendrawtransaction", &[json!(serialize_hex(&tx))]) {
                assert!(reason.contains("mempool"), "not for the lack of room: {reason}");
                return crowd;
            }
            crowd.insert(tx.compute_txid());
        }
        panic!("{} transactions do not fill the mempool", crowd.len());
    }

    /// As `Publisher` of the wallet: together where possible, else one by one. Gives what was said of each.
    fn publish(&self, package: &[Transaction]) -> Vec<Said> {
        let hex: Vec<String> = package.iter().map(serialize_hex).collect();
        if package.len() > 1 {
            let alone = self.call("testmempoolaccept", &[json!(hex[..1])]);
            let is_needed = alone.is_ok_and(|answers| answers[0]["allowed"] == false);
            let answer = self.call("submitpackage", &[json!(hex)]);
            if answer.as_ref().is_ok_and(|answer| answer["package_msg"] == "success") {
                return vec![Said::TakenTogether { is_needed }; package.len()];
            }
        }
        let one = |hex| match self.call("sendrawtransaction", &[json!(hex)]) {
            Ok(_) => Said::Taken,
            Err(reason) => Said::Refused(reason),
        };
        hex.iter().map(one).collect()
    }

    /// The mempool without the crowd: what each transaction in it spends.
    fn waiting(&self, crowd: &BTreeSet<Txid>) -> BTreeMap<Txid, Vec<OutPoint>> {
        let txids = self.call("getrawmempool", &[]).expect("a node knows its mempool");
        let txids: Vec<Txid> = serde_json::from_value(txids).expect("a list of ids");
        let spends = |txid: &Txid| {
            let hex = self.call("getrawtransaction", &[json!(txid)]).expect("it is in the mempool");
            let hex = hex.as_str().expect("hexadecimal");
            let tx: Transaction = bitcoin::consensus::encode::deserialize_hex(hex).expect("a transaction");
            tx.input.iter().map(|input| input.previous_output).collect()
        };
        let txids = txids.into_iter().filter(|txid| !crowd.contains(txid));
        txids.map(|txid| (txid, spends(&txid))).collect()
    }

    fn call(&self, method: &str, arguments: &[Value]) -> Result<Value, String> {
        self.node.client.call(method, arguments).map_err(|error| error.to_string())
    }
}

impl Drop for FullNode {
    fn drop(&mut self) {
        // Its folder can go only after it. What it does not hear, the library kills.
        let _ = self.node.stop();
    }
}

/// What the node said of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Said {
    TakenTogether { is_needed: bool },
    Taken,
    Refused(String),
}

impl Taken {
    fn note(
        &mut self,
        chain: &Chain,
        package: &[Transaction],
        is_taken: bool,
        said: &[Said],
        before: &BTreeMap<Txid, Vec<OutPoint>>,
    ) {
        let is_new = |tx: &&Transaction| !before.contains_key(&tx.compute_txid());
        let new: Vec<&Transaction> = package.iter().filter(is_new).collect();
        if !is_taken {
            return;
        }
        for tx in &new {
            let kinds = Kind::of(chain, tx);
            let replaces = |input: &bitcoin::TxIn| {
                before.values().flatten().any(|outpoint| *outpoint == input.previous_output)
            };
            if tx.input.iter().any(replaces) {
                *self.replacements.entry(kinds[0]).or_default() += 1;
            }
            kinds.into_iter().for_each(|kind| *self.kinds.entry(kind).or_default() += 1);
        }
        let is_needed = said.contains(&Said::TakenTogether { is_needed: true }) && new.len() > 1;
        self.packages += usize::from(is_needed);
    }
}
