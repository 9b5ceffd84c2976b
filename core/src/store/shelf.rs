//! Gathers writes until the next batch, and leaves out what the store holds already.

use super::{Batch, Op, RecordName, Stored, Vault, VaultError};
use bitcoin::hashes::{Hash, sha256};
use std::collections::{BTreeMap, BTreeSet};

/// What the store holds or will hold once the batches made so far are durable, and what is to be written next.
#[derive(Debug)]
pub struct Shelf {
    vault: Vault,
    expect_fence: u64,
    fence: u64,
    issued: u64,
    written: BTreeMap<RecordName, [u8; 16]>,
    staged: BTreeMap<RecordName, Option<Vec<u8>>>,
    fence_staged: bool,
}

/// The opened records of a store.
pub type Records = BTreeMap<RecordName, Vec<u8>>;

impl Shelf {
    /// Opens every record. The first batch will take the fence from whoever held it before (contract P8).
    ///
    /// # Errors
    /// The first record that does not open.
    pub fn open(vault: Vault, stored: &Stored) -> Result<(Self, Records), VaultError> {
        let mut records = Records::new();
        for (key, value) in &stored.records {
            let (name, content) = vault.open(key, value, stored.fence)?;
            records.insert(name, content);
        }
        let shelf = Self {
            vault,
            expect_fence: stored.fence,
            fence: stored.fence + 1,
            issued: 0,
            written: records.iter().map(|(name, content)| (name.clone(), digest(content))).collect(),
            staged: BTreeMap::new(),
            fence_staged: true,
        };
        Ok((shelf, records))
    }

    /// Writes a record with the next batch, unless the store has this very content.
    pub fn put(&mut self, name: RecordName, content: Vec<u8>) {
        if self.written.get(&name) == Some(&digest(&content)) {
            self.staged.remove(&name);
        } else {
            self.staged.insert(name, Some(content));
        }
    }

    /// Removes a record with the next batch, if the store has it.
    pub fn delete(&mut self, name: &RecordName) {
        if self.written.contains_key(name) {
            self.staged.insert(name.clone(), None);
        } else {
            self.staged.remove(name);
        }
    }

    /// Makes `rows` all there is under the names that start with `prefix`: puts what changed, removes the rest.
    pub fn replace(&mut self, prefix: &RecordName, rows: impl IntoIterator<Item = (RecordName, Vec<u8>)>) {
        let mut kept = BTreeSet::new();
        for (name, content) in rows {
            kept.insert(name.clone());
            self.put(name, content);
        }
        let gone: Vec<RecordName> = self
            .written
            .keys()
            .chain(self.staged.keys())
            .filter(|name| name.kind == prefix.kind && name.which.starts_with(&prefix.which))
            .filter(|name| !kept.contains(*name))
            .cloned()
            .collect();
        for name in gone {
            self.delete(&name);
        }
    }

    /// Whether there is something to write.
    pub fn is_staged(&self) -> bool {
        self.fence_staged || !self.staged.is_empty()
    }

    /// Whether the next batch is the one that takes the fence.
    pub fn takes_fence(&self) -> bool {
        self.fence_staged
    }

    /// The number of the last batch that was made.
    pub fn issued(&self) -> u64 {
        self.issued
    }

    /// The number of the batch that holds everything put so far.
    pub fn batch_of_everything(&self) -> u64 {
        if self.is_staged() { self.issued + 1 } else { self.issued }
    }

    /// The next batch, unless there is nothing to write. `nonce` is called once a record.
    pub fn take_batch(&mut self, mut nonce: impl FnMut() -> [u8; 24]) -> Option<Batch> {
        if !self.is_staged() {
            return None;
        }
        self.issued += 1;
        let mut ops = Vec::with_capacity(self.staged.len());
        for (name, content) in std::mem::take(&mut self.staged) {
            match content {
                Some(content) => {
                    let (key, value) = self.vault.seal(&name, &content, self.fence, nonce());
                    self.written.insert(name, digest(&content));
                    ops.push(Op::Put { key, value });
                }
                None => {
                    self.written.remove(&name);
                    ops.push(Op::Delete { key: self.vault.key(&name) });
                }
            }
        }
        let expect_fence = std::mem::replace(&mut self.expect_fence, self.fence);
        self.fence_staged = false;
        Some(Batch { seq: self.issued, expect_fence, fence: self.fence, ops })
    }
}

fn digest(content: &[u8]) -> [u8; 16] {
    let hash = sha256::Hash::hash(content).to_byte_array();
    // A SHA-256 has 32 bytes.
    *hash.first_chunk().expect("16 of 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::RecordKind;

    fn name(which: &[u8]) -> RecordName {
        RecordName::of(RecordKind::Channel, which)
    }

    fn open(stored: &Stored) -> (Shelf, Records) {
        Shelf::open(Vault::new(&[5; 32]), stored).unwrap()
    }

    /// What a store does with a batch.
    fn apply(stored: &mut Stored, batch: Batch) -> bool {
        if stored.fence != batch.expect_fence {
            return false;
        }
        stored.fence = batch.fence;
        for op in batch.ops {
            let (Op::Put { key, .. } | Op::Delete { key }) = &op;
            stored.records.retain(|(other, _)| other != key);
            if let Op::Put { key, value } = op {
                stored.records.push((key, value));
            }
        }
        true
    }

    #[test]
    fn the_first_batch_takes_the_fence_even_if_empty() {
        let (mut shelf, _) = open(&Stored { fence: 4, records: vec![] });
        assert_eq!(shelf.batch_of_everything(), 1);
        let batch = shelf.take_batch(|| [0; 24]).unwrap();
        assert_eq!((batch.seq, batch.expect_fence, batch.fence, batch.ops.len()), (1, 4, 5, 0));
        assert_eq!(shelf.take_batch(|| [0; 24]), None);
        shelf.put(name(b"a"), vec![1]);
        let batch = shelf.take_batch(|| [0; 24]).unwrap();
        assert_eq!((batch.seq, batch.expect_fence, batch.fence), (2, 5, 5));
    }

    #[test]
    fn the_second_of_two_that_opened_the_same_store_wins_and_the_first_can_write_no_more() {
        let mut stored = Stored::default();
        let (mut first, _) = open(&stored);
        assert!(apply(&mut stored, first.take_batch(|| [0; 24]).unwrap()));
        let (mut second, _) = open(&stored);
        assert!(apply(&mut stored, second.take_batch(|| [0; 24]).unwrap()));
        first.put(name(b"old state"), vec![1]);
        assert!(!apply(&mut stored, first.take_batch(|| [0; 24]).unwrap()));
    }

    #[test]
    fn only_what_changed_is_written_and_what_is_gone_is_removed() {
        let mut stored = Stored::default();
        let (mut shelf, _) = open(&stored);
        let rows = |b: u8| vec![(name(b"1/a"), vec![1]), (name(b"1/b"), vec![b]), (name(b"1/c"), vec![3])];
        shelf.replace(&name(b"1/"), rows(2));
        shelf.put(name(b"2/a"), vec![8]);
        assert!(apply(&mut stored, shelf.take_batch(|| [0; 24]).unwrap()));

        shelf.replace(&name(b"1/"), rows(2));
        assert!(!shelf.is_staged());
        shelf.replace(&name(b"1/"), rows(7));
        assert_eq!(shelf.take_batch(|| [1; 24]).unwrap().ops.len(), 1);
        shelf.replace(&name(b"1/"), rows(7).drain(..2));
        let batch = shelf.take_batch(|| [2; 24]).unwrap();
        assert!(matches!(&batch.ops[..], [Op::Delete { .. }]));
    }

    #[test]
    fn reads_back_what_was_written() {
        let mut stored = Stored::default();
        let (mut shelf, records) = open(&stored);
        assert!(records.is_empty());
        shelf.put(name(b"a"), vec![1]);
        shelf.put(name(b"b"), vec![2]);
        shelf.delete(&name(b"b"));
        assert!(apply(&mut stored, shelf.take_batch(|| [0; 24]).unwrap()));
        let (_, records) = open(&stored);
        assert_eq!(records.into_iter().collect::<Vec<_>>(), [(name(b"a"), vec![1])]);
    }

    #[test]
    fn a_write_that_is_taken_back_before_the_batch_is_not_written() {
        let mut stored = Stored::default();
        let (mut shelf, _) = open(&stored);
        shelf.put(name(b"a"), vec![1]);
        assert!(apply(&mut stored, shelf.take_batch(|| [0; 24]).unwrap()));
        shelf.put(name(b"a"), vec![2]);
        shelf.put(name(b"a"), vec![1]);
        assert_eq!(shelf.take_batch(|| [0; 24]), None);
    }
}
