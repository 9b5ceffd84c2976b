//! The one place that writes: answers on standard output, all else on standard error.

use std::cell::Cell;
use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};

use serde::Serialize;

use crate::failure::Failure;

/// Back to the beginning of the line, which is cleared.
const CLEAR_LINE: &str = "\r\x1b[K";

/// Where a command answers.
#[derive(Debug)]
pub struct Output {
    json: bool,
    /// A line of progress is on the terminal.
    progressing: Cell<bool>,
}

impl Output {
    /// Answers in JSON, or for people.
    pub const fn new(json: bool) -> Self {
        Self { json, progressing: Cell::new(false) }
    }

    /// Whether programs read the answer.
    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// Whether a person sees standard output.
    pub fn is_seen(&self) -> bool {
        !self.json && io::stdout().is_terminal()
    }

    /// Whether a person can be asked.
    pub fn can_ask(&self) -> bool {
        !self.json && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// One answer: a value for programs, or what people read.
    ///
    /// # Errors
    /// When standard output is closed.
    pub fn answer<T: Serialize>(&self, value: &T, text: impl FnOnce() -> String) -> Result<(), Failure> {
        match self.json {
            true => self.json(value),
            false => self.line(text()),
        }
    }

    /// One JSON value on one line.
    ///
    /// # Errors
    /// When standard output is closed.
    pub fn json<T: Serialize>(&self, value: &T) -> Result<(), Failure> {
        let text = serde_json::to_string(value).map_err(io::Error::from)?;
        self.line(text)
    }

    /// One line, or several.
    ///
    /// # Errors
    /// When standard output is closed.
    pub fn line(&self, text: impl Display) -> Result<(), Failure> {
        self.bytes(format!("{text}\n").as_bytes())
    }

    /// Bytes as they are.
    ///
    /// # Errors
    /// When standard output is closed.
    pub fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        self.clear_progress();
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes)?;
        Ok(stdout.flush()?)
    }

    /// Something a person should know that is not the answer.
    pub fn note(&self, text: impl Display) {
        if !self.json {
            self.clear_progress();
            to_stderr(&format!("{text}\n"));
        }
    }

    /// A question, after which the person types.
    pub fn question(&self, text: impl Display) {
        self.clear_progress();
        to_stderr(&format!("{text} "));
    }

    /// What is being waited for, on a line that the next one takes.
    pub fn progress(&self, text: impl Display) {
        if !self.json && io::stderr().is_terminal() {
            to_stderr(&format!("{CLEAR_LINE}{text}"));
            self.progressing.set(true);
        }
    }

    /// Takes the line of progress away.
    pub fn clear_progress(&self) {
        if self.progressing.take() {
            to_stderr(CLEAR_LINE);
        }
    }

    /// Why the command failed.
    pub fn failure(&self, failure: &Failure) {
        self.clear_progress();
        match self.json {
            true => to_stderr(&format!("{}\n", failure.to_json())),
            false => to_stderr(&format!("error: {failure}\n")),
        }
    }
}

fn to_stderr(text: &str) {
    // When it is closed there is nobody left to tell.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
