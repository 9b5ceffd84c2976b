//! Errors that say what Rust's `Display` says of them. UniFFI hands the text over with `export(Display)`, but its generators
//! leave an error's own message to the names of its fields.

use anyhow::{Context as _, ensure};

/// Kotlin has the text as `toString`, and `message` lists fields: `message` becomes the text, and `toString` Java's own,
/// which is the name of the class and the message.
///
/// # Errors
/// When an error does not have the form that is replaced here.
pub fn kotlin(text: &str) -> anyhow::Result<String> {
    let mut finished = String::new();
    let mut rest = text;
    while let Some((before, error, after)) =
        section(rest, ": kotlin.Exception() {", "companion object ErrorHandler")
    {
        let lines: Vec<&str> = error.lines().collect();
        let is_list = |at: usize| {
            let starts =
                |line: Option<&&str>, start| line.is_some_and(|line| line.trim_start().starts_with(start));
            starts(lines.get(at), "override val message") && starts(lines.get(at + 1), "get() = \"")
        };
        let is_dropped = |at: usize| is_list(at) || (at > 0 && is_list(at - 1));
        let kept = (0..lines.len()).filter(|at| !is_dropped(*at));
        let error: String = kept.map(|at| format!("{}\n", lines[at])).collect();
        let own = "override fun toString(): String {";
        ensure!(error.matches(own).count() == 1, "an error without the text of `Display`");
        finished.push_str(before);
        finished.push_str(error.replace(own, "override val message: String get() {").trim_end_matches('\n'));
        rest = after;
    }
    Ok(finished + rest)
}

/// Python declares the function that gives the text, and no method that calls it.
///
/// # Errors
/// When an error has no such function or does not have the form that is replaced here.
pub fn python(text: &str) -> anyhow::Result<String> {
    let mut finished = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(PASS) {
        let class = after.split(' ').next().unwrap_or_default();
        let function = display(text, class).with_context(|| format!("{class} has no text of `Display`"))?;
        finished.push_str(before);
        finished.push_str(&format!(
            "
    def __str__(self):
        lowered = _UniffiFfiConverterType{class}.lower(self)
        return _UniffiFfiConverterString.lift(_uniffi_rust_call_with_error(None, _UniffiLib.{function}, lowered))

_UniffiTemp"
        ));
        rest = after;
    }
    Ok(finished + rest)
}

/// The end of the class that all kinds of an error stand below.
const PASS: &str = "    pass\n\n_UniffiTemp";

/// Swift has the text as `description`, and `errorDescription`, which is behind `localizedDescription`, lists fields.
///
/// # Errors
/// When an error has no text of its own.
pub fn swift(text: &str) -> anyhow::Result<String> {
    let list = "public var errorDescription: String? {\n        String(reflecting: self)\n";
    let errors = text.matches(list).count();
    ensure!(
        text.matches("public var description: String {").count() == errors,
        "an error without the text of `Display`"
    );
    Ok(text.replace(list, "public var errorDescription: String? {\n        description\n"))
}

/// The name of the function behind `Display` of a class.
fn display<'a>(text: &'a str, class: &str) -> Option<&'a str> {
    let end = format!("_fn_method_{}_uniffi_trait_display", class.to_lowercase());
    let at = text.find(&end)?;
    let start = text[..at].rfind(|letter: char| !(letter.is_alphanumeric() || letter == '_'))? + 1;
    Some(&text[start..at + end.len()])
}

/// What is before the end of `start`, what is from there to `end`, and the rest, which begins with `end`.
fn section<'a>(text: &'a str, start: &str, end: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let from = text.find(start)? + start.len();
    let to = from + text[from..].find(end)?;
    Some((&text[..from], &text[from..to], &text[to..]))
}
