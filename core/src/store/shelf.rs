//! Gathers writes until the next batch, and leaves out what the store holds already.

use super::journal::{self, Change, Entry, LARGE_BYTES, RecentNames};
use super::repeats::History;
use super::{Batch, FRESH_LEN, Op, RecordName, Stored, Vault, VaultError};
use bitcoin::hashes::{Hash, sha256};
use std::collections::{BTreeMap, BTreeSet};

/// The journal is gathered into its records after so many entries, or so many bytes.
const GATHER_AFTER_ENTRIES: usize = 128;
const GATHER_AFTER_BYTES: usize = 64 * 1024;

/// The same for what the entries say, before repetitions are left out.
const GATHER_AFTER_HISTORY: usize = 256 * 1024;

/// What the store holds or will hold once the batches made so far are durable, and what is to be written next.
#[derive(Debug)]
pub struct Shelf {
    vault: Vault,
    expect_fence: u64,
    fence: u64,
    issued: u64,
    written: BTreeMap<RecordName, Written>,
    staged: BTreeMap<RecordName, Option<Vec<u8>>>,
    fence_staged: bool,
    journal: Journal,
}

/// The entries that are in the store, and what they come to.
#[derive(Debug, Default)]
struct Journal {
    /// Where the entries are in the store.
    keys: Vec<Vec<u8>>,
    bytes: usize,
    /// The last change of every record that the entries speak of.
    changes: Entry,
    /// All that they say.
    history: History,
    /// Whom they speak of.
    names: RecentNames,
    /// Of the entries as they are sealed, one after the other: the next opens only behind these.
    digest: [u8; 32],
}

/// The opened records of a store.
pub type Records = BTreeMap<RecordName, Vec<u8>>;

impl Shelf {
    /// Opens every record. The first batch will take the fence from whoever held it before (contract P8).
    ///
    /// # Errors
    /// The first record that does not open.
    pub fn open(vault: Vault, stored: &Stored) -> Result<(Self, Records), VaultError> {
        let (records, journal) = read(&vault, stored)?;
        let shelf = Self {
            vault,
            expect_fence: stored.fence,
            fence: stored.fence + 1,
            issued: 0,
            written: records.iter().map(|(name, content)| (name.clone(), Written::of(content))).collect(),
            staged: BTreeMap::new(),
            fence_staged: true,
            journal,
        };
        Ok((shelf, records))
    }

    /// The same records, for who will not write.
    ///
    /// # Errors
    /// The first record that does not open.
    pub fn records(vault: &Vault, stored: &Stored) -> Result<Records, VaultError> {
        read(vault, stored).map(|(records, _)| records)
    }

    /// Writes a record with the next batch, unless the store has this very content.
    pub fn put(&mut self, name: RecordName, content: Vec<u8>) {
        if self.written.get(&name).is_some_and(|written| written.is(&content)) {
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

    /// The next batch, unless there is nothing to write. `fresh` is called once a record.
    pub fn take_batch(&mut self, mut fresh: impl FnMut() -> [u8; FRESH_LEN]) -> Option<Batch> {
        if !self.is_staged() {
            return None;
        }
        self.issued += 1;
        let (vault, fence) = (&self.vault, self.fence);
        let mut ops = Vec::new();
        let mut put = |ops: &mut Vec<Op>, name: &RecordName, content: &[u8]| {
            let (key, value) = vault.seal(name, content, fence, fresh());
            ops.push(Op::Put { key, value });
        };
        let mut entry = Entry::new();
        for (name, content) in std::mem::take(&mut self.staged) {
            match content {
                Some(content) => {
                    self.written.insert(name.clone(), Written::of(&content));
                    if content.len() >= LARGE_BYTES {
                        put(&mut ops, &name, &content);
                        entry.insert(name, Change::InPlace);
                    } else {
                        entry.insert(name, Change::Put(content));
                    }
                }
                None => {
                    self.written.remove(&name);
                    entry.insert(name, Change::Delete);
                }
            }
        }
        if self.journal.is_full() {
            let Journal { keys, mut changes, .. } = std::mem::take(&mut self.journal);
            ops.extend(keys.into_iter().map(|key| Op::Delete { key }));
            changes.append(&mut entry);
            for (name, change) in changes {
                match change {
                    Change::Put(content) => put(&mut ops, &name, &content),
                    Change::Delete => ops.push(Op::Delete { key: vault.key(&name) }),
                    Change::InPlace => {}
                }
            }
        } else if !entry.is_empty() {
            let Journal { history, names, digest, .. } = &mut self.journal;
            let bytes = history.shorten(&journal::encode(&entry, names));
            let (key, value) = vault.seal_entry(digest, &bytes, fence, fresh());
            self.journal.append(entry, bytes.len(), &key, &value);
            ops.push(Op::Put { key, value });
        }
        let batch = Batch { seq: self.issued, expect_fence: self.expect_fence, fence, ops };
        self.fence_staged = false;
        // It rises with every batch: whoever opened the store before one of them has not read it, and must not write.
        self.expect_fence = fence;
        self.fence = fence.saturating_add(1);
        Some(batch)
    }
}

/// Opens the records that stand at their own places, and amends them by the journal.
fn read(vault: &Vault, stored: &Stored) -> Result<(Records, Journal), VaultError> {
    let mut records = Records::new();
    let (entries, others): (Vec<_>, Vec<_>) =
        stored.records.iter().partition(|(key, _)| Vault::is_of_entry(key));
    for (key, value) in others {
        let (name, content) = vault.open(key, value, stored.fence)?;
        records.insert(name, content);
    }
    let journal = Journal::replay(vault, entries, stored.fence)?;
    journal.amend(&mut records);
    Ok((records, journal))
}

impl Journal {
    /// Reads the entries of a store with this fence. Each batch has a fence of its own and writes at most one entry.
    fn replay(
        vault: &Vault,
        entries: Vec<&(Vec<u8>, Vec<u8>)>,
        store_fence: u64,
    ) -> Result<Self, VaultError> {
        let mut in_order = Vec::new();
        for (key, value) in entries {
            in_order.push((Vault::fence_of_entry(key, value)?, key, value));
        }
        in_order.sort();
        let mut journal = Self::default();
        for (_, key, value) in in_order {
            // A lost entry is found because those after it do not open.
            let bytes = vault.open_entry(&journal.digest, key, value, store_fence)?;
            let entry = journal.history.restore(&bytes).map_err(|_| VaultError::Damaged)?;
            let entry = journal::decode(&entry, &mut journal.names)?;
            journal.append(entry, bytes.len(), key, value);
        }
        Ok(journal)
    }

    /// Applies what the entries say to the records.
    fn amend(&self, records: &mut Records) {
        for (name, change) in &self.changes {
            match change {
                Change::Put(content) => {
                    records.insert(name.clone(), content.clone());
                }
                Change::Delete => {
                    records.remove(name);
                }
                Change::InPlace => {}
            }
        }
    }

    fn append(&mut self, entry: Entry, bytes: usize, key: &[u8], sealed: &[u8]) {
        self.keys.push(key.to_vec());
        self.bytes += bytes;
        // One by one: an entry is short, and appending would rebuild all that earlier ones changed.
        self.changes.extend(entry);
        self.digest = sha256::Hash::hash(&[&self.digest[..], sealed].concat()).to_byte_array();
    }

    fn is_full(&self) -> bool {
        self.keys.len() >= GATHER_AFTER_ENTRIES
            || self.bytes >= GATHER_AFTER_BYTES
            || self.history.len() >= GATHER_AFTER_HISTORY
    }
}

/// What the store holds of a record: all of it, or a digest of what is large.
#[derive(Debug)]
enum Written {
    Content(Vec<u8>),
    Digest([u8; 16]),
}

impl Written {
    fn of(content: &[u8]) -> Self {
        match content.len() {
            LARGE_BYTES.. => Self::Digest(digest(content)),
            _ => Self::Content(content.to_vec()),
        }
    }

    fn is(&self, content: &[u8]) -> bool {
        match self {
            Self::Content(written) => written == content,
            Self::Digest(written) => content.len() >= LARGE_BYTES && *written == digest(content),
        }
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
        let batch = shelf.take_batch(|| [0; FRESH_LEN]).unwrap();
        assert_eq!((batch.seq, batch.expect_fence, batch.fence, batch.ops.len()), (1, 4, 5, 0));
        assert_eq!(shelf.take_batch(|| [0; FRESH_LEN]), None);
        shelf.put(name(b"a"), vec![1]);
        let batch = shelf.take_batch(|| [0; FRESH_LEN]).unwrap();
        assert_eq!((batch.seq, batch.expect_fence, batch.fence), (2, 5, 6));
    }

    #[test]
    fn who_opened_the_store_before_another_wrote_takes_no_fence() {
        let mut stored = Stored::default();
        let (mut first, _) = open(&stored);
        assert!(apply(&mut stored, first.take_batch(|| [0; FRESH_LEN]).unwrap()));
        let (mut second, _) = open(&stored);
        first.put(name(b"what the second has not read"), vec![1]);
        assert!(apply(&mut stored, first.take_batch(|| [0; FRESH_LEN]).unwrap()));
        assert!(!apply(&mut stored, second.take_batch(|| [0; FRESH_LEN]).unwrap()));
    }

    #[test]
    fn the_second_of_two_that_opened_the_same_store_wins_and_the_first_can_write_no_more() {
        let mut stored = Stored::default();
        let (mut first, _) = open(&stored);
        assert!(apply(&mut stored, first.take_batch(|| [0; FRESH_LEN]).unwrap()));
        let (mut second, _) = open(&stored);
        assert!(apply(&mut stored, second.take_batch(|| [0; FRESH_LEN]).unwrap()));
        first.put(name(b"old state"), vec![1]);
        assert!(!apply(&mut stored, first.take_batch(|| [0; FRESH_LEN]).unwrap()));
    }

    #[test]
    fn only_what_changed_is_written_and_what_is_gone_is_removed() {
        let mut stored = Stored::default();
        let (mut shelf, _) = open(&stored);
        let rows = |b: u8| vec![(name(b"1/a"), vec![1]), (name(b"1/b"), vec![b]), (name(b"1/c"), vec![3])];
        shelf.replace(&name(b"1/"), rows(2));
        shelf.put(name(b"2/a"), vec![8]);
        assert!(apply(&mut stored, shelf.take_batch(|| [0; FRESH_LEN]).unwrap()));

        shelf.replace(&name(b"1/"), rows(2));
        assert!(!shelf.is_staged());
        shelf.replace(&name(b"1/"), rows(7));
        assert!(apply(&mut stored, shelf.take_batch(|| [1; FRESH_LEN]).unwrap()));
        shelf.replace(&name(b"1/"), rows(7).drain(..2));
        assert!(apply(&mut stored, shelf.take_batch(|| [2; FRESH_LEN]).unwrap()));
        let (_, records) = open(&stored);
        assert_eq!(records.keys().cloned().collect::<Vec<_>>(), [name(b"1/a"), name(b"1/b"), name(b"2/a")]);
        assert_eq!(records[&name(b"1/b")], [7]);
    }

    #[test]
    fn reads_back_what_was_written() {
        let mut stored = Stored::default();
        let (mut shelf, records) = open(&stored);
        assert!(records.is_empty());
        shelf.put(name(b"a"), vec![1]);
        shelf.put(name(b"b"), vec![2]);
        shelf.delete(&name(b"b"));
        assert!(apply(&mut stored, shelf.take_batch(|| [0; FRESH_LEN]).unwrap()));
        let (_, records) = open(&stored);
        assert_eq!(records.into_iter().collect::<Vec<_>>(), [(name(b"a"), vec![1])]);
    }

    #[test]
    fn a_write_that_is_taken_back_before_the_batch_is_not_written() {
        let mut stored = Stored::default();
        let (mut shelf, _) = open(&stored);
        shelf.put(name(b"a"), vec![1]);
        assert!(apply(&mut stored, shelf.take_batch(|| [0; FRESH_LEN]).unwrap()));
        shelf.put(name(b"a"), vec![2]);
        shelf.put(name(b"a"), vec![1]);
        assert_eq!(shelf.take_batch(|| [0; FRESH_LEN]), None);
    }

    /// Small and large records, written, changed and removed in every order, read back at every point.
    #[test]
    fn the_journal_and_the_records_give_what_was_written_last() {
        let mut stored = Stored::default();
        let (mut shelf, _) = open(&stored);
        let mut model = Records::new();
        let mut most = 0;
        for step in 0..600u32 {
            let which = name(&[u8::try_from(step % 7).unwrap()]);
            let size = [3, LARGE_BYTES + 5, 40][usize::try_from(step % 3).unwrap()];
            if step % 11 == 5 {
                shelf.delete(&which);
                model.remove(&which);
            } else {
                let mut content = step.to_be_bytes().to_vec();
                content.resize(size, 1);
                shelf.put(which.clone(), content.clone());
                model.insert(which, content);
            }
            if step % 2 == 0
                && let Some(batch) = shelf.take_batch(|| [0; FRESH_LEN])
            {
                assert!(apply(&mut stored, batch));
                most = most.max(stored.records.len());
                let (again, records) = open(&stored);
                assert_eq!(records, model, "step {step}");
                if step % 50 == 0 {
                    shelf = again;
                }
            }
        }
        assert!(most < 200, "the journal is never gathered: {most} records");
    }

    /// Two copies of one store go on apart; an entry of one takes the place of that of the other. It has the same fence,
    /// and what it says stands in no earlier one.
    #[test]
    fn an_entry_of_another_copy_is_found() {
        let write = |stored: &mut Stored, content: u8| {
            let (mut shelf, _) = open(stored);
            for step in 0..3 {
                shelf.put(name(b"a"), vec![content + step]);
                assert!(apply(stored, shelf.take_batch(|| [content; FRESH_LEN]).unwrap()));
            }
        };
        let mut before = Stored::default();
        write(&mut before, 0);
        let [mut one, mut other] = [before.clone(), before];
        write(&mut one, 10);
        write(&mut other, 20);
        assert_eq!(one.fence, other.fence);
        for fence in 4..7 {
            let key = Vault::entry_key(fence);
            let entry = |stored: &Stored| stored.records.iter().position(|(other, _)| *other == key).unwrap();
            let mut mixed = one.clone();
            mixed.records[entry(&one)] = other.records[entry(&other)].clone();
            let opened = Shelf::open(Vault::new(&[5; 32]), &mixed);
            // The last one follows from nothing, but has to follow on the others.
            assert!(matches!(opened, Err(VaultError::Damaged)), "entry {fence}");
        }
    }

    #[test]
    fn a_lost_entry_is_found() {
        let mut stored = Stored::default();
        let (mut shelf, _) = open(&stored);
        for byte in 0..3 {
            shelf.put(name(b"a"), vec![byte]);
            assert!(apply(&mut stored, shelf.take_batch(|| [0; FRESH_LEN]).unwrap()));
        }
        for fence in 1..3 {
            let mut without = stored.clone();
            without.records.retain(|(other, _)| *other != Vault::entry_key(fence));
            assert!(without.records.len() == 2);
            assert!(matches!(Shelf::open(Vault::new(&[5; 32]), &without), Err(VaultError::Damaged)));
        }
    }
}
