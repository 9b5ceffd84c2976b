//! The variable-length integer of TLV streams (BOLT 1, Appendix A).

use super::{DecodeError, Reader, Writer};

/// Reads a `bigsize`.
///
/// # Errors
/// Too few bytes, or more than the number needs.
pub fn read(reader: &mut Reader<'_>) -> Result<u64, DecodeError> {
    let (value, least): (u64, u64) = match reader.read::<u8>()? {
        0xfd => (reader.read::<u16>()?.into(), 0xfd),
        0xfe => (reader.read::<u32>()?.into(), 0x1_0000),
        0xff => (reader.read::<u64>()?, 0x1_0000_0000),
        small => (small.into(), 0),
    };
    if value < least { Err(DecodeError::NotMinimal) } else { Ok(value) }
}

/// Writes a `bigsize` in the fewest bytes.
pub fn write(value: u64, writer: &mut Writer) {
    let bytes = value.to_be_bytes();
    match value {
        0..=0xfc => writer.put(&bytes[7..]),
        0xfd..=0xffff => {
            writer.put(&[0xfd]);
            writer.put(&bytes[6..]);
        }
        0x1_0000..=0xffff_ffff => {
            writer.put(&[0xfe]);
            writer.put(&bytes[4..]);
        }
        _ => {
            writer.put(&[0xff]);
            writer.put(&bytes);
        }
    }
}
