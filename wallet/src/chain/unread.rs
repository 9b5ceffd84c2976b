//! Scripts whose history cannot be read. The longest that strangers have made is as long with the next look: it is asked for
//! again after ever longer pauses.

use super::ChainError;
use bitcoin::ScriptBuf;
use kite_core::types::Instant;
use std::collections::BTreeMap;

/// The longest pause.
const MAX_PAUSE_MILLIS: u64 = 3_600_000;

/// What could not be read when it was asked for last.
#[derive(Debug)]
pub(super) struct Unread {
    scripts: BTreeMap<ScriptBuf, Failure>,
    /// The first pause.
    pause_millis: u64,
}

#[derive(Debug)]
struct Failure {
    error: ChainError,
    pause_millis: u64,
    again: Instant,
}

impl Unread {
    pub(super) const fn new(pause_millis: u64) -> Self {
        Self { scripts: BTreeMap::new(), pause_millis }
    }

    /// Whether the whole history of a script is to be asked for.
    pub(super) fn is_due(&self, script: &ScriptBuf, now: Instant) -> bool {
        self.scripts.get(script).is_none_or(|failure| failure.again <= now)
    }

    /// It could not be read.
    pub(super) fn failed(&mut self, script: ScriptBuf, error: ChainError, now: Instant) {
        let before = self.scripts.get(&script).map(|failure| failure.pause_millis);
        let pause_millis =
            before.map_or(self.pause_millis, |before| before.saturating_mul(2).min(MAX_PAUSE_MILLIS));
        let again = now.plus_millis(pause_millis);
        self.scripts.insert(script, Failure { error, pause_millis, again });
    }

    /// It was read, and proves nothing: it is asked for at once, for who lied may say something else.
    pub(super) fn disbelieved(&mut self, script: ScriptBuf, error: ChainError, now: Instant) {
        self.scripts.insert(script, Failure { error, pause_millis: self.pause_millis, again: now });
    }

    pub(super) fn was_read(&mut self, script: &ScriptBuf) {
        self.scripts.remove(script);
    }

    /// Forgets all other scripts.
    pub(super) fn retain(&mut self, is_watched: impl Fn(&ScriptBuf) -> bool) {
        self.scripts.retain(|script, _| is_watched(script));
    }

    /// Why one of them could not be read; unset where all could.
    pub(super) fn trouble(&self) -> Option<ChainError> {
        self.scripts.values().next().map(|failure| failure.error.clone())
    }
}
