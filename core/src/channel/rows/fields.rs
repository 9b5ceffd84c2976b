//! Bytes of what rows are made of.

use super::{RowError, RowName, Rows, VERSION};
use crate::store::number;
pub(super) use crate::store::number::write_number;
use crate::types::MilliSatoshi;
use crate::wire::{DecodeError, Reader, Writer};
use bitcoin::consensus::encode;
use bitcoin::{ScriptBuf, Transaction};

/// A row that begins with its version.
pub(super) fn new_row() -> Writer {
    new_row_of(VERSION)
}

/// A row in a later form than most have.
pub(super) fn new_row_of(version: u8) -> Writer {
    let mut writer = Writer::new();
    writer.write(&version);
    writer
}

/// The contents of a row that must be there.
pub(super) fn open<T>(
    rows: &Rows,
    name: RowName,
    read: impl FnOnce(&mut Reader<'_>) -> Result<T, FieldError>,
) -> Result<T, RowError> {
    let bytes = rows.get(&name).ok_or(RowError::Missing { name })?;
    open_bytes(bytes, name, read)
}

/// The contents of a row.
pub(super) fn open_bytes<T>(
    bytes: &[u8],
    name: RowName,
    read: impl FnOnce(&mut Reader<'_>) -> Result<T, FieldError>,
) -> Result<T, RowError> {
    open_versions(bytes, name, VERSION, |_, row| read(row))
}

/// The contents of a row that may have any form up to the newest; which one is given with them.
pub(super) fn open_versions<T>(
    bytes: &[u8],
    name: RowName,
    newest: u8,
    read: impl FnOnce(u8, &mut Reader<'_>) -> Result<T, FieldError>,
) -> Result<T, RowError> {
    let mut reader = Reader::new(bytes);
    let version: u8 = reader.read().map_err(|error| RowError::Damaged { name, error })?;
    if !(VERSION..=newest).contains(&version) {
        return Err(RowError::NewerVersion { name, version });
    }
    let value = read(version, &mut reader).and_then(|value| Ok(reader.finish().map(|()| value)?));
    value.map_err(|error| match error {
        FieldError::Decode(error) => RowError::Damaged { name, error },
        FieldError::Value(what) => RowError::Inconsistent { name, what },
    })
}

/// What is wrong in a row.
pub(super) enum FieldError {
    Decode(DecodeError),
    Value(&'static str),
}

impl From<DecodeError> for FieldError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

pub(super) fn read_number(reader: &mut Reader<'_>) -> Result<u64, FieldError> {
    number::read_number(reader).map_err(|number::NotANumber| FieldError::Value("bytes that are no number"))
}

pub(super) fn write_msat(writer: &mut Writer, amount: MilliSatoshi) {
    write_number(writer, amount.to_msat());
}

pub(super) fn read_msat(reader: &mut Reader<'_>) -> Result<MilliSatoshi, FieldError> {
    MilliSatoshi::try_from_msat(read_number(reader)?)
        .map_err(|_| FieldError::Value("an amount above the supply"))
}

pub(super) fn read_u32(reader: &mut Reader<'_>) -> Result<u32, FieldError> {
    u32::try_from(read_number(reader)?).map_err(|_| FieldError::Value("a number above 32 bits"))
}

pub(super) fn write_bytes(writer: &mut Writer, bytes: &[u8]) {
    // A length in memory fits 64 bits on every platform there is.
    write_number(writer, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    writer.put(bytes);
}

pub(super) fn read_bytes<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], FieldError> {
    let length =
        usize::try_from(read_number(reader)?).map_err(|_| FieldError::Value("a length above memory"))?;
    Ok(reader.take(length)?)
}

pub(super) fn write_text(writer: &mut Writer, text: &str) {
    write_bytes(writer, text.as_bytes());
}

pub(super) fn read_text(reader: &mut Reader<'_>) -> Result<String, FieldError> {
    let bytes = read_bytes(reader)?.to_vec();
    String::from_utf8(bytes).map_err(|_| FieldError::Value("a text that is not UTF-8"))
}

pub(super) fn write_flag(writer: &mut Writer, flag: bool) {
    writer.write(&u8::from(flag));
}

pub(super) fn read_flag(reader: &mut Reader<'_>) -> Result<bool, FieldError> {
    match reader.read::<u8>()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(FieldError::Value("a flag that is neither 0 nor 1")),
    }
}

/// A flag, and the value where it is set.
pub(super) fn write_option<T>(writer: &mut Writer, value: Option<&T>, write: impl FnOnce(&mut Writer, &T)) {
    write_flag(writer, value.is_some());
    if let Some(value) = value {
        write(writer, value);
    }
}

pub(super) fn read_option<'a, T>(
    reader: &mut Reader<'a>,
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, FieldError>,
) -> Result<Option<T>, FieldError> {
    if read_flag(reader)? { read(reader).map(Some) } else { Ok(None) }
}

/// A count and so many values. Nothing is allocated ahead of the bytes that are there.
pub(super) fn read_list<'a, T>(
    reader: &mut Reader<'a>,
    mut read: impl FnMut(&mut Reader<'a>) -> Result<T, FieldError>,
) -> Result<Vec<T>, FieldError> {
    let count = read_number(reader)?;
    let mut list = Vec::new();
    for _ in 0..count {
        list.push(read(reader)?);
    }
    Ok(list)
}

pub(super) fn write_count(writer: &mut Writer, count: usize) {
    write_number(writer, u64::try_from(count).unwrap_or(u64::MAX));
}

pub(super) fn write_script(writer: &mut Writer, script: &ScriptBuf) {
    write_bytes(writer, script.as_bytes());
}

pub(super) fn read_script(reader: &mut Reader<'_>) -> Result<ScriptBuf, FieldError> {
    Ok(ScriptBuf::from_bytes(read_bytes(reader)?.to_vec()))
}

pub(super) fn write_tx(writer: &mut Writer, tx: &Transaction) {
    write_bytes(writer, &encode::serialize(tx));
}

pub(super) fn read_tx(reader: &mut Reader<'_>) -> Result<Transaction, FieldError> {
    encode::deserialize(read_bytes(reader)?).map_err(|_| FieldError::Value("bytes that are no transaction"))
}
