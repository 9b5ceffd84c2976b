//! The passphrase: from a file, from the environment, or typed without being shown. It is forgotten after use.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use kite_wallet::api::WalletError;
use zeroize::Zeroizing;

use crate::arguments::Given;
use crate::failure::Failure;
use crate::output::Output;

/// What is secret and forgotten when dropped.
pub type Secret = Zeroizing<String>;

const VARIABLE: &str = "KITE_PASSPHRASE";
/// As in the web app.
const MIN_CHARACTERS: usize = 8;
/// Longer than any passphrase or list of words.
const MAX_BYTES: u64 = 4_096;

/// The passphrase of a wallet that is there.
///
/// # Errors
/// When it is nowhere and nobody can be asked.
pub fn existing(given: &Given, output: &Output) -> Result<Secret, Failure> {
    match from_elsewhere(given)? {
        Some(passphrase) => Ok(passphrase),
        None => typed("Passphrase:", output),
    }
}

/// The passphrase of a wallet that is being made: typed twice, and not too short.
///
/// # Errors
/// When it is nowhere and nobody can be asked, or it is too short.
pub fn fresh(given: &Given, output: &Output) -> Result<Secret, Failure> {
    if let Some(passphrase) = from_elsewhere(given)? {
        long_enough(&passphrase)?;
        return Ok(passphrase);
    }
    output.note("The passphrase protects the wallet on this machine. It is not part of your words.");
    loop {
        let passphrase = typed("New passphrase:", output)?;
        if let Err(error) = long_enough(&passphrase) {
            output.note(error);
            continue;
        }
        if *typed("Once more:", output)? == *passphrase {
            return Ok(passphrase);
        }
        output.note("These are not the same.");
    }
}

/// The words of a wallet to be restored: typed without being shown, or all of standard input.
///
/// # Errors
/// When nothing can be read.
pub fn words(output: &Output) -> Result<Secret, Failure> {
    if output.can_ask() {
        return typed("Your words, in one line:", output);
    }
    let mut text = Zeroizing::new(String::with_capacity(capacity()));
    io::stdin().lock().take(MAX_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

fn from_elsewhere(given: &Given) -> Result<Option<Secret>, Failure> {
    if let Some(path) = &given.passphrase_file {
        return from_file(path).map(Some);
    }
    match std::env::var(VARIABLE) {
        Ok(passphrase) => Ok(Some(Zeroizing::new(passphrase))),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(Failure::Usage { reason: format!("{VARIABLE} is not Unicode") })
        }
    }
}

/// The first line of a file.
fn from_file(path: &Path) -> Result<Secret, Failure> {
    let failed = |error: io::Error| Failure::PassphraseFile {
        path: path.display().to_string(),
        reason: error.to_string(),
    };
    let mut text = Zeroizing::new(String::with_capacity(capacity()));
    fs::File::open(path).map_err(failed)?.take(MAX_BYTES).read_to_string(&mut text).map_err(failed)?;
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}

/// Enough from the beginning: what grows leaves copies behind.
fn capacity() -> usize {
    usize::try_from(MAX_BYTES).unwrap_or_default()
}

fn typed(question: &str, output: &Output) -> Result<Secret, Failure> {
    if !output.can_ask() {
        return Err(Failure::PassphraseNeeded);
    }
    Ok(Zeroizing::new(rpassword::prompt_password(format!("{question} "))?))
}

fn long_enough(passphrase: &str) -> Result<(), Failure> {
    if passphrase.chars().count() >= MIN_CHARACTERS {
        return Ok(());
    }
    let reason = format!("must have at least {MIN_CHARACTERS} characters");
    Err(WalletError::InvalidInput { field: "passphrase".into(), reason }.into())
}

#[cfg(test)]
mod tests {
    use super::{existing, fresh};
    use crate::arguments::Given;
    use crate::failure::Failure;
    use crate::output::Output;
    use kite_wallet::api::WalletError;
    use std::fs;

    fn with_file(text: &str) -> (tempfile::TempDir, Given) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("passphrase");
        fs::write(&path, text).expect("written");
        (folder, Given { passphrase_file: Some(path), ..Given::default() })
    }

    #[test]
    fn the_first_line_of_a_file_is_the_passphrase() {
        for text in ["tea for two ", "tea for two \n", "tea for two \r\nand cake\n"] {
            let (_folder, given) = with_file(text);
            assert_eq!(*existing(&given, &Output::new(true)).expect("read"), "tea for two ");
        }
        let given = Given { passphrase_file: Some("/nowhere/at/all".into()), ..Given::default() };
        assert!(matches!(existing(&given, &Output::new(true)), Err(Failure::PassphraseFile { .. })));
    }

    #[test]
    fn a_new_passphrase_is_not_too_short() {
        let (_folder, given) = with_file("1234567\n");
        let refused = fresh(&given, &Output::new(true));
        assert!(matches!(refused, Err(Failure::Wallet(WalletError::InvalidInput { .. }))));
        let (_folder, given) = with_file("12345678\n");
        assert_eq!(*fresh(&given, &Output::new(true)).expect("long enough"), "12345678");
    }
}
