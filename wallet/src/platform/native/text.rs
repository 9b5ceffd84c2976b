//! Unicode tables that the program brings along.

use zeroize::Zeroizing;

/// The compatibility decomposition (NFKD), in which the same text typed on two keyboards is the same.
pub fn nfkd(text: &str) -> Zeroizing<String> {
    let mut text = std::borrow::Cow::Borrowed(text);
    bip39::Mnemonic::normalize_utf8_cow(&mut text);
    Zeroizing::new(text.into_owned())
}
