//! Names and docs as JavaScript has them.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

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

/// The lines of the doc comment.
pub fn doc_lines(attributes: &[Attribute]) -> Vec<String> {
    attributes
        .iter()
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
                Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
                _ => None,
            },
            _ => None,
        })
        .collect()
}

/// The doc attributes alone, to be repeated on what is generated.
pub fn docs(attributes: &[Attribute]) -> Vec<&Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("doc")).collect()
}

/// The doc comment as TypeScript has it, indented.
pub fn js_doc(attributes: &[Attribute], indent: &str) -> String {
    let lines = doc_lines(attributes);
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
    use super::camel;

    #[test]
    fn names_are_camel_case() {
        for (rust, js) in
            [("amount_msat", "amountMsat"), ("InFlight", "inFlight"), ("id", "id"), ("Bolt11", "bolt11")]
        {
            assert_eq!(camel(rust), js);
        }
    }
}
