//! Numbers in stored bytes. Most are small, and many are written with every step.

use crate::wire::{Reader, Writer};

/// Bytes that are no number, or one written with more bytes than it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotANumber;

/// A number in groups of seven bits, the lowest first; all but the last group have the high bit set.
pub(crate) fn write_number(writer: &mut Writer, mut number: u64) {
    while number >= 0x80 {
        let [low, ..] = number.to_le_bytes();
        writer.write(&(low | 0x80));
        number >>= 7;
    }
    let [low, ..] = number.to_le_bytes();
    writer.write(&low);
}

pub(crate) fn read_number(reader: &mut Reader<'_>) -> Result<u64, NotANumber> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let group: u8 = reader.read().map_err(|_| NotANumber)?;
        let bits = u64::from(group & 0x7f);
        if bits << shift >> shift != bits {
            return Err(NotANumber);
        }
        number |= bits << shift;
        if group & 0x80 == 0 {
            let is_minimal = group != 0 || shift == 0;
            return is_minimal.then_some(number).ok_or(NotANumber);
        }
    }
    Err(NotANumber)
}

/// As [`read_number`], of 32 bits.
pub(crate) fn read_u32(reader: &mut Reader<'_>) -> Result<u32, NotANumber> {
    u32::try_from(read_number(reader)?).map_err(|_| NotANumber)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back_and_have_one_form() {
        for number in [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, u64::from(u32::MAX), u64::MAX] {
            let mut writer = Writer::new();
            write_number(&mut writer, number);
            let bytes = writer.into_bytes();
            assert_eq!(read_number(&mut Reader::new(&bytes)), Ok(number));
            assert_eq!(read_number(&mut Reader::new(&bytes[..bytes.len() - 1])), Err(NotANumber));
        }
        for wrong in [&[0x80, 0][..], &[0xff; 11], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]]
        {
            assert_eq!(read_number(&mut Reader::new(wrong)), Err(NotANumber));
        }
    }
}
