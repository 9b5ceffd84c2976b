//! Leaves out of what is written what was written shortly before.
//!
//! A step of a payment says the same things several times: a payment hash stands in the payment, in its HTLC and among
//! what a penalty needs, a preimage in the payment and in the removal of its HTLC. Whoever writes and whoever reads keep
//! the same history, and a run of bytes that stands in it is replaced by its place.
//!
//! Only runs of [`MIN_RUN`] bytes or more are replaced. Lengths are not sealed: whoever sees the store learns from them
//! that something was said before, and could test a guess of a few bytes if short runs were replaced. With runs of sixteen
//! that takes a text whose bytes around the guess stand in the history as well; a guess at a preimage, a key or a secret
//! of 32 bytes has to get half of it right at once. It is no shield for short secrets beside text that others choose, and
//! none are stored.

use super::number::{NotANumber, read_number, write_number};
use crate::wire::{Reader, Writer};
use std::ops::Range;

/// The shortest run that is replaced.
const MIN_RUN: usize = 16;

/// The table of places has 2 to the power of so many entries.
const TABLE_BITS: u32 = 14;

/// What was written so far.
#[derive(Debug, Default)]
pub(super) struct History {
    bytes: Vec<u8>,
    /// By a hash of [`MIN_RUN`] bytes, where they were written last, counted from 1. Only a hint: what stands there is
    /// compared.
    places: Vec<u32>,
    /// What was read and is not among the places: whoever never writes needs none.
    unnoted: Vec<Range<usize>>,
}

impl History {
    /// How many bytes are remembered.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The text without what stands in the history, of which it becomes a part.
    pub(super) fn shorten(&mut self, text: &[u8]) -> Vec<u8> {
        for read in std::mem::take(&mut self.unnoted) {
            for at in read.clone() {
                self.note(at, read.end);
            }
        }
        let mut at = self.bytes.len();
        self.bytes.extend_from_slice(text);
        let end = self.bytes.len();
        let mut short = Writer::new();
        let mut literal = at;
        while let Some(place) = self.note(at, end) {
            let length = place.map_or(0, |place| self.common_length(place, at));
            let Some(beyond) = length.checked_sub(MIN_RUN) else {
                at += 1;
                continue;
            };
            write_literal(&mut short, &self.bytes[literal..at]);
            write_count(&mut short, beyond);
            write_count(&mut short, at - place.unwrap_or(at));
            at += length;
            literal = at;
        }
        write_literal(&mut short, &self.bytes[literal..]);
        short.into_bytes()
    }

    /// The text that [`History::shorten`] made short after the same history.
    pub(super) fn restore(&mut self, short: &[u8]) -> Result<Vec<u8>, NotANumber> {
        let start = self.bytes.len();
        let mut reader = Reader::new(short);
        loop {
            let length = read_count(&mut reader)?;
            self.bytes.extend_from_slice(reader.take(length).map_err(|_| NotANumber)?);
            if reader.is_empty() {
                break;
            }
            let length = read_count(&mut reader)?.checked_add(MIN_RUN).ok_or(NotANumber)?;
            let distance = read_count(&mut reader)?;
            let place = self.bytes.len().checked_sub(distance).ok_or(NotANumber)?;
            if length > distance {
                return Err(NotANumber);
            }
            self.bytes.extend_from_within(place..place + length);
        }
        self.unnoted.push(start..self.bytes.len());
        Ok(self.bytes[start..].to_vec())
    }

    /// Notes the run that begins here, and tells where one with the same hash began before. Unset where it would go beyond
    /// the end of its text.
    fn note(&mut self, at: usize, end: usize) -> Option<Option<usize>> {
        let run = u128::from_be_bytes(*self.bytes.get(at..end)?.first_chunk::<MIN_RUN>()?);
        let [low, high] = [run >> 64, run & u128::from(u64::MAX)].map(|half| half as u64);
        let hash = (low ^ high.rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        if self.places.is_empty() {
            self.places.resize(1 << TABLE_BITS, 0);
        }
        let slot = self.places.get_mut(usize::try_from(hash >> (64 - TABLE_BITS)).ok()?)?;
        let last = std::mem::replace(slot, u32::try_from(at + 1).unwrap_or(0));
        Some(usize::try_from(last).ok()?.checked_sub(1))
    }

    /// How many bytes are the same from both places on; the first run ends before the second begins.
    fn common_length(&self, place: usize, at: usize) -> usize {
        let (before, text) = self.bytes.split_at(at);
        before[place..].iter().zip(text).take_while(|(a, b)| a == b).count()
    }
}

fn write_literal(short: &mut Writer, bytes: &[u8]) {
    write_count(short, bytes.len());
    short.put(bytes);
}

fn write_count(short: &mut Writer, count: usize) {
    // A length in memory fits 64 bits on every platform there is.
    write_number(short, u64::try_from(count).unwrap_or(u64::MAX));
}

fn read_count(short: &mut Reader<'_>) -> Result<usize, NotANumber> {
    usize::try_from(read_number(short)?).map_err(|_| NotANumber)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_run_that_was_written_before_takes_a_few_bytes() {
        let mut history = History::default();
        let hash: Vec<u8> = (100..132).collect();
        let first = history.shorten(&[b"add ", &hash[..], b" of 7"].concat());
        assert_eq!(first.len(), 4 + 32 + 5 + 1);
        assert!(history.shorten(&[b"remove ", &hash[..]].concat()).len() <= 7 + 4);
        // Fifteen bytes of it stay as they are.
        assert_eq!(history.shorten(&[b"part:", &hash[..15]].concat()).len(), 1 + 5 + 15);
    }

    /// Of what was read, too: it is noted once something is written behind it.
    #[test]
    fn a_run_that_was_read_takes_a_few_bytes_when_it_is_written() {
        let text: Vec<u8> = (0..60).collect();
        let mut reader = History::default();
        reader.restore(&History::default().shorten(&text)).unwrap();
        assert!(reader.shorten(&text[7..]).len() <= 5);
    }

    #[test]
    fn bytes_that_were_not_written_are_errors() {
        let run = |length: u8, distance: u8| [&[2, 1, 2, length, distance][..], &[0]].concat();
        for wrong in [vec![], vec![3, 1], run(0, 3), run(0, 15), run(0, 0), vec![0, 0xff, 0xff, 1]] {
            assert!(History::default().restore(&wrong).is_err(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn every_text_comes_back(texts in prop::collection::vec(
            prop::collection::vec(prop::sample::select(vec![[0u8; 20].to_vec(), (0..40).collect(), vec![7]]), 0..8), 1..8,
        )) {
            let (mut writer, mut reader) = (History::default(), History::default());
            for text in texts {
                let text = text.concat();
                let short = writer.shorten(&text);
                prop_assert_eq!(reader.restore(&short), Ok(text.clone()));
                prop_assert!(short.len() <= text.len() + 3);
                // Damaged bytes are an error or another text, never a panic.
                for cut in 0..short.len() {
                    let _ = History::default().restore(&short[..cut]);
                }
            }
        }
    }
}
