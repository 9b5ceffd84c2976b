//! Judges regtest blocks by Bitcoin Core's validation engine: reads one block a line (hex), answers the hash
//! of its tip.
//!
//! It is a process of its own because the engine and `bitcoinconsensus`, which checks the scripts of the
//! embedded chain, define the same C++ symbols and can't be linked into one program.

use std::error::Error;
use std::io::{BufRead, Write};

use bitcoinkernel::{Block, ChainType, ChainstateManager, ContextBuilder};

fn main() -> Result<(), Box<dyn Error>> {
    bitcoinkernel::disable_logging();
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let context = ContextBuilder::new().chain_type(ChainType::Regtest).build()?;
    let manager = ChainstateManager::builder(&context, &path("data"), &path("blocks"))?
        .block_tree_db_in_memory(true)
        .chainstate_db_in_memory(true)
        .build()?;
    manager.import_blocks()?;

    let mut answers = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        // Its verdict on a block is not the verdict on the chain (a new block may hold a bad transaction):
        // the tip is. Bytes that are no block leave the tip as it is.
        if let Ok(block) = Block::new(&hex::decode(line?.trim())?) {
            let _ = manager.process_block(&block);
        }
        writeln!(answers, "{}", manager.active_chain().tip().block_hash())?;
        answers.flush()?;
    }
    Ok(())
}
