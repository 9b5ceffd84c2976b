//! The journal: what a batch changes, as one record, so that a batch costs the overhead of one.
//!
//! Sealing, key and nonce take some eighty bytes a record, and a step of a payment changes half a dozen small ones. A
//! batch therefore appends one entry that lists its changes; now and then a batch writes the changed records to their
//! own places and removes the entries. Both are ordinary batches, atomic like any other.

use super::{RecordName, VaultError};
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

const PUT: u8 = 0;
const DELETE: u8 = 1;
const IN_PLACE: u8 = 2;

pub(super) fn encode(entry: &Entry) -> Vec<u8> {
    let mut writer = Writer::new();
    for (name, change) in entry {
        writer.put(&[name.kind as u8]);
        write_bytes(&mut writer, &name.which);
        match change {
            Change::Put(content) => {
                writer.put(&[PUT]);
                write_bytes(&mut writer, content);
            }
            Change::Delete => writer.put(&[DELETE]),
            Change::InPlace => writer.put(&[IN_PLACE]),
        }
    }
    writer.into_bytes()
}

pub(super) fn decode(bytes: &[u8]) -> Result<Entry, VaultError> {
    let mut reader = Reader::new(bytes);
    let mut entry = Entry::new();
    while !reader.is_empty() {
        let [kind]: [u8; 1] = reader.array().map_err(damaged)?;
        let kind = kind.try_into().map_err(|_| VaultError::Damaged)?;
        let name = RecordName::of(kind, read_bytes(&mut reader)?);
        let change = match reader.array().map_err(damaged)? {
            [PUT] => Change::Put(read_bytes(&mut reader)?),
            [DELETE] => Change::Delete,
            [IN_PLACE] => Change::InPlace,
            [_] => return Err(VaultError::Damaged),
        };
        entry.insert(name, change);
    }
    Ok(entry)
}

fn write_bytes(writer: &mut Writer, bytes: &[u8]) {
    writer.bigsize(bytes.len() as u64);
    writer.put(bytes);
}

fn read_bytes(reader: &mut Reader<'_>) -> Result<Vec<u8>, VaultError> {
    let length = usize::try_from(reader.bigsize().map_err(damaged)?).map_err(|_| VaultError::Damaged)?;
    Ok(reader.take(length).map_err(damaged)?.to_vec())
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
            (name(b"b"), Change::Delete),
            (name(b""), Change::InPlace),
        ]);
        let bytes = encode(&entry);
        assert_eq!(decode(&bytes).as_ref(), Ok(&entry));
        for length in 1..bytes.len() {
            let cut = decode(&bytes[..length]);
            assert!(cut.is_err() || cut.is_ok_and(|cut| cut.len() < entry.len()), "{length}");
        }
        assert!(decode(&[2, 0, 9]).is_err());
        assert!(decode(&[99, 0, 1]).is_err());
    }
}
