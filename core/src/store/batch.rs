//! The one thing a store is asked to do.

/// One write or removal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Op {
    /// Writes `value` under `key`, over whatever was there.
    Put {
        /// An opaque key.
        key: Vec<u8>,
        /// A sealed value.
        value: Vec<u8>,
    },
    /// Removes `key` if it is there.
    Delete {
        /// An opaque key.
        key: Vec<u8>,
    },
}

/// A set of writes that a store applies wholly or not at all (contract P1).
///
/// In the same transaction the store compares its fence with `expect_fence`, fails if they differ, and sets it to
/// `fence` (contract P8). A store without a fence has 0.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    /// Counts from 1 in every run of the node.
    pub seq: u64,
    /// The fence that the store must hold.
    pub expect_fence: u64,
    /// The fence that the store holds afterwards.
    pub fence: u64,
    /// The writes; no key appears twice.
    pub ops: Vec<Op>,
}

/// Everything a store holds, as it is read at start.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stored {
    /// The fence; 0 in a new store.
    pub fence: u64,
    /// Keys with their sealed values, in any order.
    pub records: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Batch {
    /// The bytes that this batch writes, keys and values together.
    pub fn size(&self) -> usize {
        self.ops
            .iter()
            .map(|op| match op {
                Op::Put { key, value } => key.len() + value.len(),
                Op::Delete { key } => key.len(),
            })
            .sum()
    }
}
