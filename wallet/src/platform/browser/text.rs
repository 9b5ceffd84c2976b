//! The browser's own Unicode tables: ours would be a tenth of the program.

use js_sys::JsString;
use zeroize::Zeroizing;

/// The compatibility decomposition (NFKD), in which the same text typed on two keyboards is the same.
pub fn nfkd(text: &str) -> Zeroizing<String> {
    Zeroizing::new(JsString::from(text).normalize("NFKD").into())
}
