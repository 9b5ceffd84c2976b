//! Text from a peer, made safe to show.

/// The longest text that is shown, in characters.
pub const MAX_TEXT_LEN: usize = 512;

/// The data of an `error` or `warning` as text: printable ASCII as it is, each other byte as `?`, cut at
/// [`MAX_TEXT_LEN`] with `...` in place of the rest (BOLT 1: not to be printed verbatim otherwise).
pub fn printable(data: &[u8]) -> String {
    let character = |byte: &u8| if (32..=126).contains(byte) { char::from(*byte) } else { '?' };
    if data.len() <= MAX_TEXT_LEN {
        data.iter().map(character).collect()
    } else {
        data.iter().take(MAX_TEXT_LEN - 3).map(character).chain("...".chars()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_printable_ascii_remains() {
        assert_eq!(printable(b"bad fee: 5%"), "bad fee: 5%");
        assert_eq!(printable(b"\x1b[31mred\n\0\x7f\xff"), "?[31mred????");
        assert_eq!(printable("ж".as_bytes()), "??");
        assert_eq!(printable(b""), "");
    }

    #[test]
    fn long_text_is_cut() {
        assert_eq!(printable(&[b'a'; MAX_TEXT_LEN]), "a".repeat(MAX_TEXT_LEN));
        let cut = printable(&[b'a'; 65_000]);
        assert_eq!(cut.len(), MAX_TEXT_LEN);
        assert!(cut.ends_with("a..."));
    }
}
