//! Names and docs as JavaScript has them.

use syn::{Attribute, Expr, ExprLit, FieldsNamed, Lit, Meta, parse_quote};

/// `amount_msat` and `AmountMsat` as `amountMsat`.
pub fn camel(name: &str) -> String {
    let mut camel = String::new();
    let mut upper = false;
    for letter in name.trim_start_matches("r#").chars() {
        if letter == '_' {
            upper = !camel.is_empty();
        } else if upper {
            camel.extend(letter.to_uppercase());
            upper = false;
        } else if camel.is_empty() {
            camel.extend(letter.to_lowercase());
        } else {
            camel.push(letter);
        }
    }
    camel
}

/// The lines of the doc comment, with names as JavaScript has them: ``[`Wallet::next_event`]`` is `Wallet.nextEvent`.
fn doc_lines(attributes: &[Attribute]) -> Vec<String> {
    attributes
        .iter()
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
                Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(neutral(text.value().trim())),
                _ => None,
            },
            _ => None,
        })
        .collect()
}

/// Whether there is a doc comment.
pub fn has_docs(attributes: &[Attribute]) -> bool {
    doc_lines(attributes).iter().any(|line| !line.is_empty())
}

/// The doc comment, to be repeated on what is generated for JavaScript.
pub fn docs(attributes: &[Attribute]) -> Vec<Attribute> {
    doc_lines(attributes).iter().map(|line| parse_quote!(#[doc = #line])).collect()
}

/// A line with each of Rust's links as a plain name.
fn neutral(line: &str) -> String {
    let mut pieces = line.split("[`");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        match piece.split_once("`]") {
            Some((path, rest)) => {
                let parts = path.split("::").filter(|part| *part != "super" && *part != "crate");
                let is_type = |part: &str| part.starts_with(char::is_uppercase);
                let names: Vec<_> =
                    parts.map(|part| if is_type(part) { part.into() } else { camel(part) }).collect();
                text.push_str(&format!("`{}`{rest}", names.join(".")));
            }
            None => text.push_str(&format!("[`{piece}")),
        }
    }
    text
}

/// The doc comment as TypeScript has it, indented.
pub fn js_doc(attributes: &[Attribute], indent: &str) -> String {
    comment(&doc_lines(attributes), indent)
}

/// The same of a case, whose fields stand on its own line: what is said of them follows as a list.
pub fn js_doc_with_fields(attributes: &[Attribute], fields: &FieldsNamed, indent: &str) -> String {
    let mut lines = doc_lines(attributes);
    for (place, field) in fields.named.iter().enumerate() {
        // Named fields have an identifier.
        let Some(ident) = &field.ident else { continue };
        if place == 0 {
            lines.push(String::new());
        }
        lines.push(format!("- `{}`: {}", camel(&ident.to_string()), doc_lines(&field.attrs).join(" ")));
    }
    comment(&lines, indent)
}

fn comment(lines: &[String], indent: &str) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let mut text = format!("{indent}/**\n");
    for line in lines {
        text.push_str(format!("{indent} * {}", line.replace("*/", "*\\/")).trim_end());
        text.push('\n');
    }
    text.push_str(indent);
    text.push_str(" */\n");
    text
}

#[cfg(test)]
mod tests {
    use super::{camel, neutral};

    #[test]
    fn names_are_camel_case() {
        for (rust, js) in
            [("amount_msat", "amountMsat"), ("InFlight", "inFlight"), ("id", "id"), ("Bolt11", "bolt11")]
        {
            assert_eq!(camel(rust), js);
        }
    }
    #[test]
    fn links_are_plain_names() {
        assert_eq!(
            neutral("see [`Wallet::next_event`] and [`super::Payment`]."),
            "see `Wallet.nextEvent` and `Payment`."
        );
        assert_eq!(neutral("a list [`a`, `b`"), "a list [`a`, `b`");
    }
}
