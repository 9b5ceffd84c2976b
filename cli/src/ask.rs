//! Questions to the owner.

use std::io;

use crate::failure::Failure;
use crate::output::Output;

/// Asks for consent; `yes` was given beforehand.
///
/// # Errors
/// [`Failure::Declined`], or [`Failure::ConfirmationNeeded`] where nobody can be asked.
pub async fn consent(output: &Output, yes: bool, question: &str) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !output.can_ask() {
        return Err(Failure::ConfirmationNeeded);
    }
    loop {
        output.question(format_args!("{question} [y/n]"));
        match line().await?.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => return Ok(()),
            "n" | "no" | "" => return Err(Failure::Declined),
            _ => {}
        }
    }
}

/// One line that is typed.
///
/// # Errors
/// When standard input has ended.
pub async fn line() -> Result<String, Failure> {
    let read = tokio::task::spawn_blocking(|| {
        let mut text = String::new();
        match io::stdin().read_line(&mut text)? {
            0 => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
            _ => Ok(text),
        }
    });
    Ok(read.await.map_err(io::Error::from)??)
}
