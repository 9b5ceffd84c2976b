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

/// Instead of a kind: the name is among the recent ones, and beside this stands its place there. Not in entries of before
/// version 3.
const RECENT: u8 = 0;

/// A length of a name, or a place among the recent ones, that takes a byte of its own, because it does not fit beside the
/// kind.
const LONG: u8 = 15;

/// The names that entries spoke of last, the last one first: a step of a payment changes the rows that the one before
/// changed.
#[derive(Debug, Default)]
pub(super) struct RecentNames(Vec<RecordName>);

impl RecentNames {
    const MOST: usize = 64;

    fn place(&self, name: &RecordName) -> Option<u8> {
        let place = self.0.iter().position(|recent| recent == name)?;
        u8::try_from(place).ok()
    }

    /// Notes a name that stands at this place, or at none.
    fn note(&mut self, name: &RecordName, place: Option<u8>) {
        match place {
            Some(place) => self.0[..=usize::from(place)].rotate_right(1),
            None => {
                self.0.truncate(Self::MOST - 1);
                self.0.insert(0, name.clone());
            }
        }
    }
}

pub(super) fn encode(entry: &Entry, recent: &mut RecentNames) -> Vec<u8> {
    let mut writer = Writer::new();
    let mut before = None;
    for (name, change) in entry {
        let beginning = name.which.first().map(|first| (name.kind, *first));
        let place = recent.place(name);
        if let Some(place) = place {
            write_nibbles(&mut writer, RECENT, place);
        } else {
            let (kind, which) = match beginning.is_some() && beginning == before {
                true => (AS_BEFORE, &name.which[1..]),
                false => (name.kind as u8, &name.which[..]),
            };
            write_nibbles(&mut writer, kind, u8::try_from(which.len()).unwrap_or(u8::MAX));
            writer.put(which);
        }
        recent.note(name, place);
        before = beginning;
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

pub(super) fn decode(bytes: &[u8], recent: &mut RecentNames) -> Result<Entry, VaultError> {
    let mut reader = Reader::new(bytes);
    let mut entry = Entry::new();
    let mut before = None;
    while !reader.is_empty() {
        let byte: u8 = reader.read().map_err(damaged)?;
        let low = match byte & 0xf {
            LONG => reader.read().map_err(damaged)?,
            low => low,
        };
        let name = match byte >> 4 {
            RECENT => recent.0.get(usize::from(low)).cloned().ok_or(VaultError::Damaged)?,
            kind => {
                let (kind, mut which) = match kind {
                    AS_BEFORE => {
                        before.map(|(kind, first)| (kind, vec![first])).ok_or(VaultError::Damaged)?
                    }
                    kind => (RecordKind::try_from(kind).map_err(|_| VaultError::Damaged)?, Vec::new()),
                };
                which.extend_from_slice(reader.take(usize::from(low)).map_err(damaged)?);
                RecordName { kind, which }
            }
        };
        recent.note(&name, recent.place(&name));
        before = name.which.first().map(|first| (name.kind, *first));
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

/// A half byte and a number that is mostly below 15.
fn write_nibbles(writer: &mut Writer, high: u8, low: u8) {
    writer.write(&(high << 4 | low.min(LONG)));
    if low >= LONG {
        writer.write(&low);
    }
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
        let bytes = encode(&entry, &mut RecentNames::default());
        let decode = |bytes: &[u8]| decode(bytes, &mut RecentNames::default());
        assert_eq!(decode(&bytes).as_ref(), Ok(&entry));
        for length in 1..bytes.len() {
            let cut = decode(&bytes[..length]);
            assert!(cut.is_err() || cut.is_ok_and(|cut| cut.len() < entry.len()), "{length}");
        }
        assert!(decode(&[0x20, 9]).is_err());
        assert!(decode(&[0x90, 0]).is_err());
        assert!(decode(&[0x00, 0]).is_err(), "a recent name where there is none");
    }

    #[test]
    fn a_name_of_before_takes_a_byte_and_of_long_before_all_of_it() {
        let (mut writer, mut reader) = (RecentNames::default(), RecentNames::default());
        let mut write = |names: &[u8]| {
            let name = |byte: &u8| RecordName::of(RecordKind::Payment, vec![*byte; 14]);
            let entry: Entry = names.iter().map(|byte| (name(byte), Change::Delete)).collect();
            let bytes = encode(&entry, &mut writer);
            assert_eq!(decode(&bytes, &mut reader), Ok(entry));
            bytes.len()
        };
        assert_eq!(write(&[1, 2]), 2 * 16);
        assert_eq!(write(&[1, 2]), 2 * 2);
        assert_eq!(write(&[3]), 16);
        assert_eq!(write(&[1]), 2);
        assert_eq!(write(&(10..70).collect::<Vec<_>>()), 60 * 16);
        assert_eq!(write(&[1, 70, 71, 72, 73]), 3 + 4 * 16, "at place 60");
        assert_eq!(write(&[2]), 16, "64 names are remembered");
    }
}
