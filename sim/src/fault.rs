//! What is broken on purpose, to see that it is noticed: the tests of the tests.

use crate::disk;

/// Something that is not as it must be, in the world around a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// In the store, or in how the host waits for it.
    Disk(disk::Fault),
}
