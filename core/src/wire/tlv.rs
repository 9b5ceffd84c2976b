//! TLV streams (BOLT 1, Type-Length-Value Format).

use super::{DecodeError, Reader, TlvValue, Writer};

/// One record of a stream, its value not yet read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// What the value means; even: it must be understood.
    pub tlv_type: u64,
    /// The bytes of the value.
    pub value: &'a [u8],
}

/// The records of a stream in order. After an error it is exhausted.
#[derive(Debug, Clone)]
pub struct Records<'a> {
    reader: Reader<'a>,
    previous: Option<u64>,
}

impl<'a> Records<'a> {
    /// The records of a stream that is all of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { reader: Reader::new(bytes), previous: None }
    }

    fn read_record(&mut self) -> Result<Record<'a>, DecodeError> {
        let tlv_type = self.reader.bigsize()?;
        if let Some(previous) = self.previous.filter(|previous| *previous >= tlv_type) {
            return Err(DecodeError::TlvOrder { previous, found: tlv_type });
        }
        self.previous = Some(tlv_type);
        // A length beyond usize is beyond the bytes that are there.
        let length = usize::try_from(self.reader.bigsize()?).unwrap_or(usize::MAX);
        Ok(Record { tlv_type, value: self.reader.take(length)? })
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_empty() {
            return None;
        }
        let record = self.read_record();
        if record.is_err() {
            self.reader.rest();
        }
        Some(record)
    }
}

/// Reads a whole stream. `read_known` gets every record; it answers whether it knows the type, and must have read all of
/// the value then.
///
/// # Errors
/// A malformed stream, a malformed value of a known type, or an unknown even type.
pub fn read_stream(
    bytes: &[u8],
    mut read_known: impl FnMut(Record<'_>) -> Result<bool, DecodeError>,
) -> Result<(), DecodeError> {
    for record in Records::new(bytes) {
        let record = record?;
        if !read_known(record)? && record.tlv_type % 2 == 0 {
            return Err(DecodeError::UnknownEvenTlv { tlv_type: record.tlv_type });
        }
    }
    Ok(())
}

/// Reads a value that takes all of `bytes`.
///
/// # Errors
/// When the bytes are too few, too many or not such a value.
pub fn read_value<T: TlvValue>(bytes: &[u8]) -> Result<T, DecodeError> {
    let mut reader = Reader::new(bytes);
    let value = T::read_value(&mut reader)?;
    reader.finish()?;
    Ok(value)
}

/// Writes one record. The caller writes records by increasing type.
pub fn write_record<T: TlvValue>(writer: &mut Writer, tlv_type: u64, value: &T) {
    let mut bytes = Writer::new();
    value.write_value(&mut bytes);
    write_bytes(writer, tlv_type, &bytes.into_bytes());
}

/// Writes one record whose value is given as bytes. The caller writes records by increasing type.
pub fn write_bytes(writer: &mut Writer, tlv_type: u64, value: &[u8]) {
    writer.bigsize(tlv_type);
    writer.bigsize(value.len() as u64);
    writer.put(value);
}
