//! What all threads have done so far.

use bitcoin::hashes::{Hash, HashEngine, sha256};
use kite_sim::schedule::{Closes, Outcome, Schedule};
use std::collections::BTreeMap;
use std::fmt;

/// Sums over many seeds, in whatever order they were run.
#[derive(Debug, Default)]
pub struct Tally {
    pub passed: u64,
    /// The seeds that failed.
    pub failed: Vec<u64>,
    /// How many steps there were of each kind.
    steps: BTreeMap<String, u64>,
    payments: u64,
    closes: Closes,
    /// The same for the same seeds, if the bytes are the same.
    digest: [u8; 32],
}

impl Tally {
    pub fn add(&mut self, seed: u64, schedule: &Schedule, outcome: &Outcome) {
        self.passed += 1;
        for step in &schedule.steps {
            *self.steps.entry(step.kind()).or_default() += 1;
        }
        self.payments += u64::try_from(outcome.paid).unwrap_or(u64::MAX);
        self.closes = self.closes + outcome.closes;
        let mut engine = sha256::Hash::engine();
        engine.input(&seed.to_be_bytes());
        engine.input(outcome.transcript.as_byte_array());
        let bytes = sha256::Hash::from_engine(engine).to_byte_array();
        self.digest.iter_mut().zip(bytes).for_each(|(sum, byte)| *sum ^= byte);
    }

    pub fn done(&self) -> u64 {
        self.passed + u64::try_from(self.failed.len()).unwrap_or(u64::MAX)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Closes { alone, revoked, timeouts, preimages } = self.closes;
        let kinds: Vec<String> = self.steps.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        writeln!(f, "{} steps: {}", self.steps.values().sum::<u64>(), kinds.join(", "))?;
        writeln!(
            f,
            "{} payments arrived; {alone} closes by one side alone, {revoked} of them revoked; HTLCs on the chain: \
             {timeouts} timed out, {preimages} claimed with their preimage",
            self.payments
        )?;
        let [a, b, c, d, ..] = self.digest;
        writeln!(f, "bytes {a:02x}{b:02x}{c:02x}{d:02x}")?;
        // A line of its own: who counts tests looks for it.
        write!(f, "{} passed, {} failed", self.passed, self.failed.len())
    }
}
