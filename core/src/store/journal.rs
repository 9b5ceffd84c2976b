//! The journal: what a batch changes, as one record, so that a batch costs the overhead of one.
//!
//! Sealing, key and nonce take some sixty bytes a record, and a step of a payment changes half a dozen small ones. A
//! batch therefore appends one entry that lists its changes, without what earlier entries said (see
//! [`super::repeats`]); now and then a batch writes the changed records to their own places and removes the entries.
//! Both are ordinary batches, atomic like any other.

use super::number::{read_number, write_number};
use super::{RecordKind, RecordName, VaultError};
use crate::wire::{DecodeError, Reader, Writer};
use std::collections::BTreeMap;

/// Contents from this size on are written to their own place at once; the entry only says so.
pub(super) const LARGE_BYTES: usize = 4_096;

/// What one batch did to one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It has this content.
    Put(Vec<u8>),
    /// It is gone.
    Delete,
    /// It stands at its own place, and earlier entries about it are void.
    InPlace,
}

/// The changes of one batch.
pub(super) type Entry = BTreeMap<RecordName, Change>;

const DELETE: u64 = 0;
const IN_PLACE: u64 = 1;
/// A number from here on is a content of so many bytes more.
const PUT: u64 = 2;

/// Instead of a kind: kind and first byte of the name are those of the name before. Most names in an entry are those of
/// the rows of one channel.
const AS_BEFORE: u8 = 15;

/// The length of a name that takes a byte of its own, because it does not fit beside the kind.
const LONG_NAME: u8 = 15;

pub(super) fn encode(entry: &Entry) -> Vec<u8> {
    let mut writer = Writer::new();
    let mut before = None;
    for (name, change) in entry {
        let beginning = name.which.first().map(|first| (name.kind, *first));
        let (kind, which) = match beginning.is_some() && beginning == before {
            true => (AS_BEFORE, &name.which[1..]),
            false => (name.kind as u8, &name.which[..]),
        };
        before = beginning;
        let length = u8::try_from(which.len()).unwrap_or(u8::MAX);
        writer.write(&(kind << 4 | length.min(LONG_NAME)));
        if length >= LONG_NAME {
            writer.write(&length);
        }
        writer.put(which);
        match change {
            Change::Delete => write_number(&mut writer, DELETE),
            Change::InPlace => write_number(&mut writer, IN_PLACE),
            Change::Put(content) => {
                // Contents are below `LARGE_BYTES`.
                let length = u64::try_from(content.len()).unwrap_or(u64::MAX);
                write_number(&mut writer, length.saturating_add(PUT));
                writer.put(content);
            }
        }
    }
    writer.into_bytes()
}

pub(super) fn decode(bytes: &[u8]) -> Result<Entry, VaultError> {
    let mut reader = Reader::new(bytes);
    let mut entry = Entry::new();
    let mut before = None;
    while !reader.is_empty() {
        let byte: u8 = reader.read().map_err(damaged)?;
        let (kind, mut which) = match byte >> 4 {
            AS_BEFORE => before.map(|(kind, first)| (kind, vec![first])).ok_or(VaultError::Damaged)?,
            kind => (RecordKind::try_from(kind).map_err(|_| VaultError::Damaged)?, Vec::new()),
        };
        let length = match byte & 0xf {
            LONG_NAME => reader.read().map_err(damaged)?,
            length => length,
        };
        which.extend_from_slice(reader.take(usize::from(length)).map_err(damaged)?);
        before = which.first().map(|first| (kind, *first));
        let name = RecordName { kind, which };
        let change = match read_number(&mut reader).map_err(|_| VaultError::Damaged)? {
            DELETE => Change::Delete,
            IN_PLACE => Change::InPlace,
            length => {
                let length = usize::try_from(length - PUT).map_err(|_| VaultError::Damaged)?;
                Change::Put(reader.take(length).map_err(damaged)?.to_vec())
            }
        };
        entry.insert(name, change);
    }
    Ok(entry)
}

/// An entry opened, so it is what was written; one that does not read is a fault all the same.
fn damaged(_: DecodeError) -> VaultError {
    VaultError::Damaged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::RecordKind;

    #[test]
    fn entries_read_back_and_damaged_ones_are_errors() {
        let name = |which: &[u8]| RecordName::of(RecordKind::Channel, which);
        let entry = Entry::from([
            (name(b"a"), Change::Put(vec![7; 300])),
            (name(b"ab"), Change::Put(vec![7; 3])),
            (name(b"b"), Change::Delete),
            (name(b""), Change::InPlace),
            (name(&[9; 14]), Change::Put(vec![])),
            (name(&[9; 15]), Change::Delete),
            (name(&[9; 250]), Change::Put(vec![1])),
        ]);
        let bytes = encode(&entry);
        assert_eq!(decode(&bytes).as_ref(), Ok(&entry));
        for length in 1..bytes.len() {
            let cut = decode(&bytes[..length]);
            assert!(cut.is_err() || cut.is_ok_and(|cut| cut.len() < entry.len()), "{length}");
        }
        assert!(decode(&[0x20, 9]).is_err());
        assert!(decode(&[0x90, 0]).is_err());
    }
}
