//! Bitcoin Core's validation engine judges the embedded chain: it must take every block.

mod kernel;

use std::sync::{Arc, Mutex};

use bitcoin::Block;
use kernel::Kernel;
use kite_devnet::source::Judge;

#[derive(Debug)]
struct Core(Mutex<Kernel>);

/// For one chain, from its first block on.
pub fn judge() -> Arc<dyn Judge> {
    Arc::new(Core(Mutex::new(Kernel::new())))
}

impl Judge for Core {
    fn judge(&self, blocks: &[&Block]) {
        // Where a block was refused, no later one passes either: also a task that nobody waits for fails its test.
        let mut kernel = self.0.lock().expect("a block was refused before");
        let tips = blocks.iter().map(|block| kernel.process(block));
        // A branch becomes the best one with its last block.
        let (tip, last) = (tips.last(), blocks.last().map(|block| block.block_hash()));
        assert_eq!(tip, last, "Bitcoin Core refuses a block that this chain made");
    }
}
