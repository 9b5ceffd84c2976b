//! The log of a life, in the one form that it has in every language.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::form::folder;

/// What stands for a value that differs from run to run.
const VARIES: &str = "*";

pub struct Log {
    /// Fields whose values differ from run to run, wherever they occur.
    varying: BTreeSet<String>,
    /// Random words in the order in which they appeared: the n-th one is `<n>`.
    words: Vec<String>,
    lines: Vec<String>,
}

impl Log {
    pub fn new() -> Self {
        let varying = fs::read_to_string(folder().join("varying.txt")).expect("varying.txt");
        Self { varying: varying.lines().map(str::to_owned).collect(), words: Vec::new(), lines: Vec::new() }
    }

    /// Adds a line.
    pub fn write(&mut self, line: &Value, varies: &[String]) {
        let line = self.masked(line, varies).to_string();
        self.lines.push(line);
    }

    /// What was written since it was taken last.
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.lines).iter().map(|line| format!("{line}\n")).collect()
    }

    fn masked(&mut self, value: &Value, varies: &[String]) -> Value {
        match value {
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| {
                    let varies_here = self.varying.contains(name) || varies.contains(name);
                    (name.clone(), if varies_here { json!(VARIES) } else { self.masked(value, varies) })
                })
                .collect(),
            Value::Array(values) => values.iter().map(|value| self.masked(value, varies)).collect(),
            Value::String(text) => Value::String(self.named(text)),
            other => other.clone(),
        }
    }

    /// The text with each random word replaced by its number: the same word has the same number everywhere.
    fn named(&mut self, text: &str) -> String {
        let mut named = String::new();
        for piece in pieces(text) {
            if !is_random(piece) {
                named.push_str(piece);
                continue;
            }
            let known = self.words.iter().position(|word| word == piece);
            let at = known.unwrap_or_else(|| {
                self.words.push(piece.to_owned());
                self.words.len() - 1
            });
            named.push_str(&format!("<{}>", at + 1));
        }
        named
    }
}

/// Words of letters and digits, and what is between them.
fn pieces(text: &str) -> Vec<&str> {
    let bytes = text.as_bytes();
    bytes
        .chunk_by(|one, next| one.is_ascii_alphanumeric() == next.is_ascii_alphanumeric())
        // Cut only beside ASCII, and so between characters.
        .map(|piece| std::str::from_utf8(piece).expect("whole characters"))
        .collect()
}

/// Hashes, keys and ids; regtest addresses and invoices.
fn is_random(word: &str) -> bool {
    let is_hex = word.len() >= 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let lower = word.to_ascii_lowercase();
    is_hex || (word.len() >= 20 && (lower.starts_with("bcrt1") || lower.starts_with("lnbcrt")))
}

/// What is unset is left out, as in every language's own records.
pub fn without_unset(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, without_unset(value)))
            .collect(),
        Value::Array(values) => values.into_iter().map(without_unset).collect(),
        other => other,
    }
}
