//! Bitcoin Core's validation engine on regtest, in a process of its own.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use bitcoin::consensus::encode::serialize_hex;
use bitcoin::constants::genesis_block;
use bitcoin::{Block, BlockHash, Network};

/// The process and the pipes to it.
#[derive(Debug)]
pub struct Kernel {
    process: Child,
    blocks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
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
        let mut kernel = Self { process, blocks, answers };
        let genesis = genesis_block(Network::Regtest);
        assert_eq!(kernel.process(&genesis), genesis.block_hash());
        kernel
    }

    /// Gives it the block and tells its tip.
    pub fn process(&mut self, block: &Block) -> BlockHash {
        writeln!(self.blocks.as_mut().unwrap(), "{}", serialize_hex(block)).unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer.trim().parse().unwrap()
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        // The end of its input ends the process.
        self.blocks = None;
        let _ = self.process.wait();
    }
}
