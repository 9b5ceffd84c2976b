//! Names in docs, as the language that reads them has them.

use crate::types::camel;

/// The text with each link of Rust's docs, such as ``[`Wallet::open_channel`]``, as a link or a name of `language`.
pub fn named(text: &str, language: &str) -> String {
    let mut named = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("[`") {
        named.push_str(before);
        let path = after.split_once("`]").filter(|(path, _)| is_path(path));
        rest = match path {
            Some((path, after)) => {
                named.push_str(&link(path, language));
                after
            }
            None => {
                named.push_str("[`");
                after
            }
        };
    }
    named + rest
}

fn is_path(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_alphanumeric() || "_:".contains(letter))
}

fn link(path: &str, language: &str) -> String {
    let parts = path.split("::").filter(|part| *part != "super" && *part != "crate");
    let parts = parts.map(|part| match part.chars().next().is_some_and(char::is_uppercase) {
        false if language != "python" => camel(part),
        _ => part.to_owned(),
    });
    let name = parts.collect::<Vec<_>>().join(".");
    if language == "kotlin" { format!("[{name}]") } else { format!("`{name}`") }
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn links_are_the_languages_own() {
        let docs = "for [`Wallet::get_payment`], see [`super::Payment`]; a[`b` and [`c d`] stay";
        for (language, expected) in [
            ("kotlin", "for [Wallet.getPayment], see [Payment]; a[`b` and [`c d`] stay"),
            ("swift", "for `Wallet.getPayment`, see `Payment`; a[`b` and [`c d`] stay"),
            ("python", "for `Wallet.get_payment`, see `Payment`; a[`b` and [`c d`] stay"),
        ] {
            assert_eq!(named(docs, language), expected);
        }
    }
}
