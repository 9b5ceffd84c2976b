//! A chain under test beside Bitcoin Core's validation engine: both must say the same about every block.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use bitcoin::consensus::encode::serialize_hex;
use bitcoin::{Amount, Block, BlockHash, Transaction};
use kite_devnet::chain::{BlockError, Chain, Displaced};

/// Bitcoin Core's engine on regtest, in a process of its own.
pub struct Kernel {
    process: Child,
    blocks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    tip: BlockHash,
}

/// The program `kite-devnet-kernel`, built by the cargo that runs this test.
fn program() -> &'static PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let build =
            ["build", "--package", "kite-devnet-kernel", "--message-format", "json-render-diagnostics"];
        let output = Command::new(env!("CARGO")).args(build).stderr(Stdio::inherit()).output().unwrap();
        assert!(
            output.status.success(),
            "kite-devnet-kernel doesn't build (cmake and libboost-dev are needed)"
        );
        let messages = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<serde_json::Value>();
        let executables =
            messages.filter_map(|message| message.unwrap()["executable"].as_str().map(PathBuf::from));
        executables.last().unwrap()
    })
}

impl Kernel {
    pub fn new() -> Self {
        let mut process =
            Command::new(program()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (blocks, answers) = (process.stdin.take(), BufReader::new(process.stdout.take().unwrap()));
        let mut kernel = Self { process, blocks, answers, tip: Chain::new().tip() };
        kernel.process(&bitcoin::constants::genesis_block(bitcoin::Network::Regtest));
        kernel
    }

    /// Gives it the block and notes its tip.
    pub fn process(&mut self, block: &Block) {
        writeln!(self.blocks.as_mut().unwrap(), "{}", serialize_hex(block)).unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        self.tip = answer.trim().parse().unwrap();
    }

    pub fn tip(&self) -> BlockHash {
        self.tip
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        // The end of its input ends the process.
        self.blocks = None;
        let _ = self.process.wait();
    }
}

/// The chain and its judge.
pub struct Judged {
    pub chain: Chain,
    pub kernel: Kernel,
    pub now: u32,
}

impl Judged {
    /// A chain with one mature coinbase at least.
    pub fn new() -> Self {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let mut judged =
            Self { chain: Chain::new(), kernel: Kernel::new(), now: u32::try_from(now).unwrap() };
        assert_eq!(judged.kernel.tip(), judged.chain.tip());
        judged.mine(110);
        judged
    }

    pub fn mine(&mut self, count: u32) {
        for hash in self.chain.mine(count, self.now).unwrap() {
            self.judge(hash);
        }
    }

    fn judge(&mut self, hash: BlockHash) {
        self.kernel.process(self.chain.block(&hash).unwrap());
        assert_eq!(self.kernel.tip(), hash, "Bitcoin Core refuses a block that this chain made");
    }

    pub fn reorg(&mut self, depth: u32, displaced: Displaced) {
        for hash in self.chain.reorg(depth, displaced, self.now).unwrap() {
            self.kernel.process(self.chain.block(&hash).unwrap());
        }
        assert_eq!(self.kernel.tip(), self.chain.tip(), "Bitcoin Core doesn't follow the reorg");
    }

    /// Offers a block to both and gives their common verdict.
    pub fn offer(&mut self, block: Block) -> Result<BlockHash, BlockError> {
        let before = (self.chain.tip(), self.chain.coins().iter().count());
        self.kernel.process(&block);
        let result = self.chain.connect(block, self.now);
        assert_eq!(result.is_ok(), self.kernel.tip() != before.0, "Bitcoin Core disagrees: {result:?}");
        if result.is_err() {
            assert_eq!((self.chain.tip(), self.chain.coins().iter().count()), before);
        }
        result
    }

    /// Offers a block with these transactions.
    pub fn offer_transactions(&mut self, transactions: Vec<Transaction>) -> Result<BlockHash, BlockError> {
        let block = self.chain.template(transactions, Amount::ZERO, self.now);
        self.offer(block)
    }
}
