//! Reading and writing bytes in order (BOLT 1, Fundamental Types).

use super::{DecodeError, Field, bigsize};

/// Takes values from the front of a slice; never past its end.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
}

/// Room for most rows and messages: what is longer makes its own.
const ROOM: usize = 64;

/// Appends values to a buffer.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl<'a> Reader<'a> {
    /// A reader of all of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// How many bytes are left.
    pub const fn remaining(&self) -> usize {
        self.bytes.len()
    }

    /// Whether no byte is left.
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The next `length` bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], DecodeError> {
        let remaining = self.bytes.len();
        let (taken, rest) = self
            .bytes
            .split_at_checked(length)
            .ok_or(DecodeError::Truncated { needed: length, remaining })?;
        self.bytes = rest;
        Ok(taken)
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.bytes)
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let remaining = self.bytes.len();
        let (taken, rest) =
            self.bytes.split_first_chunk().ok_or(DecodeError::Truncated { needed: N, remaining })?;
        self.bytes = rest;
        Ok(*taken)
    }

    /// The next value of this type.
    ///
    /// # Errors
    /// When the bytes are too few or not such a value.
    pub fn read<T: Field>(&mut self) -> Result<T, DecodeError> {
        T::read(self)
    }

    /// A `bigsize`.
    ///
    /// # Errors
    /// Too few bytes, or more than the number needs.
    pub fn bigsize(&mut self) -> Result<u64, DecodeError> {
        bigsize::read(self)
    }

    /// A `u16` length and that many bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn prefixed(&mut self) -> Result<&'a [u8], DecodeError> {
        let length: u16 = self.read()?;
        self.take(usize::from(length))
    }

    /// A truncated integer of at most `max_length` bytes that takes all that is left.
    fn truncated_integer(&mut self, max_length: usize) -> Result<u64, DecodeError> {
        let bytes = self.rest();
        if bytes.len() > max_length {
            return Err(DecodeError::TrailingBytes { count: bytes.len() - max_length });
        }
        if bytes.first() == Some(&0) {
            return Err(DecodeError::NotMinimal);
        }
        Ok(bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    /// A `tu16`: all that is left, at most 2 bytes.
    ///
    /// # Errors
    /// Too many bytes, or a leading zero.
    pub fn tu16(&mut self) -> Result<u16, DecodeError> {
        u16::try_from(self.truncated_integer(2)?).map_err(|_| DecodeError::NotMinimal)
    }

    /// A `tu32`: all that is left, at most 4 bytes.
    ///
    /// # Errors
    /// Too many bytes, or a leading zero.
    pub fn tu32(&mut self) -> Result<u32, DecodeError> {
        u32::try_from(self.truncated_integer(4)?).map_err(|_| DecodeError::NotMinimal)
    }

    /// A `tu64`: all that is left, at most 8 bytes.
    ///
    /// # Errors
    /// Too many bytes, or a leading zero.
    pub fn tu64(&mut self) -> Result<u64, DecodeError> {
        self.truncated_integer(8)
    }

    /// Nothing may be left.
    ///
    /// # Errors
    /// [`DecodeError::TrailingBytes`].
    pub const fn finish(&self) -> Result<(), DecodeError> {
        if self.bytes.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::TrailingBytes { count: self.bytes.len() })
        }
    }
}

impl Writer {
    /// An empty buffer.
    pub fn new() -> Self {
        Self { bytes: Vec::with_capacity(ROOM) }
    }

    /// What was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// How many bytes were written.
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was written.
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Bytes as they are.
    pub fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// So many zero bytes.
    pub fn put_zeros(&mut self, count: usize) {
        self.bytes.resize(self.bytes.len() + count, 0);
    }

    /// One value.
    pub fn write<T: Field>(&mut self, value: &T) {
        value.write(self);
    }

    /// A `bigsize`.
    pub fn bigsize(&mut self, value: u64) {
        bigsize::write(value, self);
    }

    /// A `u16` count of what follows. Above `u16::MAX` the message is too long to be sent whatever stands here, and
    /// [`super::Message::encode`] refuses it.
    pub fn count(&mut self, count: usize) {
        self.write(&u16::try_from(count).unwrap_or(u16::MAX));
    }

    /// A `u16` length and the bytes.
    pub fn prefixed(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.put(bytes);
    }

    /// A truncated integer (`tu16`, `tu32`, `tu64`): no leading zeros.
    pub fn truncated_integer(&mut self, value: impl Into<u64>) {
        let bytes = value.into().to_be_bytes();
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        self.put(&bytes[zeros..]);
    }
}
