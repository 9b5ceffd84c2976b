//! What an invoice is for.

use bitcoin::hashes::{Hash, sha256};

/// The most bytes that a `d` field carries (1023 groups of 5 bits).
pub(super) const MAX_DESCRIPTION_BYTES: usize = 639;

/// The description of an invoice: the text, or the hash of a text that is found elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Description {
    /// The `d` field exactly as the payee wrote it. Not for display: see [`Description::to_display`].
    Text(String),
    /// The `h` field: the SHA-256 of a description that the payee hands out elsewhere.
    Hash([u8; 32]),
}

impl Description {
    /// A description too long for an invoice, committed to by its hash.
    pub fn hash_of(text: &str) -> Self {
        Self::Hash(sha256::Hash::hash(text.as_bytes()).to_byte_array())
    }

    /// Whether this is the description, or its hash. A text from elsewhere must pass before it is shown.
    pub fn is(&self, text: &str) -> bool {
        match self {
            Self::Text(own) => own == text,
            Self::Hash(_) => *self == Self::hash_of(text),
        }
    }

    /// One line that is safe to show: control and direction characters are gone. Unset where only a hash is known.
    pub fn to_display(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(displayable(text)),
            Self::Hash(_) => None,
        }
    }
}

/// Control characters and line breaks become spaces; characters that turn, hide or reorder text are left out.
fn displayable(text: &str) -> String {
    text.chars()
        .filter(|c| !turns_or_hides(*c))
        .map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c })
        .collect()
}

/// Direction marks, overrides and isolates, invisible operators, interlinear marks, tags and the byte order mark. Not
/// the joiners U+200C and U+200D, which Persian, Indic scripts and emoji need.
fn turns_or_hides(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_stands_on_one_line_and_keeps_its_order() {
        let shown = |text: &str| Description::Text(text.into()).to_display().unwrap();
        assert_eq!(shown("1 cup\r\nof\tcoffee\u{0}"), "1 cup  of coffee ");
        assert_eq!(shown("pay \u{202e}moc.live\u{202c} \u{2066}x\u{2069}\u{200f}"), "pay moc.live x");
        assert_eq!(shown("a\u{2028}b\u{85}c\u{feff}\u{200b}"), "a b c");
        assert_eq!(shown("ナンセンス 1杯 👩\u{200d}🌾"), "ナンセンス 1杯 👩\u{200d}🌾");
        assert_eq!(Description::Hash([0; 32]).to_display(), None);
    }

    #[test]
    fn a_hashed_description_is_recognised() {
        let hashed = Description::hash_of("a long list");
        assert!(hashed.is("a long list") && !hashed.is("another list"));
        assert!(Description::Text("a".into()).is("a") && !Description::Text("a".into()).is("b"));
    }
}
