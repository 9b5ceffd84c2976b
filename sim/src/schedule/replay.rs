//! A schedule as a test that can be pasted, and failures in words.

use super::{Failure, Schedule, Step};
use std::fmt;

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "#[test]")?;
        writeln!(f, "fn replay() {{")?;
        writeln!(f, "    let steps = vec![")?;
        for step in &self.steps {
            writeln!(f, "        {},", expression(step))?;
        }
        writeln!(f, "    ];")?;
        writeln!(f, "    let schedule = Schedule {{ base: Base::{:?}, steps }};", self.base)?;
        writeln!(f, "    schedule.run(&Bases::new()).unwrap_or_else(|failure| panic!(\"{{failure}}\"));")?;
        write!(f, "}}")
    }
}

/// The fields of steps are named after what they hold, once each.
fn expression(step: &Step) -> String {
    let paths = [
        ("how_much: ", "how_much: Money::"),
        ("how: ", "how: Crash::"),
        ("mode: ", "mode: Mode::"),
        ("Failing(", "Failing(StoreFailure::"),
        ("lie: ", "lie: Lie::"),
    ];
    paths.iter().fold(format!("Step::{step:?}"), |text, (field, path)| text.replace(field, path))
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.after {
            Some(step) => write!(f, "after step {step}: {}", self.breach)?,
            None => write!(f, "in the end: {}", self.breach)?,
        }
        self.story.iter().try_for_each(|story| write!(f, "\n{story}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::Mode;
    use crate::host::Crash;
    use crate::schedule::{Base, Money};
    use kite_core::node::StoreFailure;

    #[test]
    fn a_schedule_is_printed_as_it_is_written() {
        let steps = vec![
            Step::Pay { by: 0, how_much: Money::Msat(7) },
            Step::Crash { host: 1, batch: 2, how: Crash::HalfSent },
            Step::Store { host: 0, mode: Mode::Failing(StoreFailure::Full) },
        ];
        let text = Schedule { base: Base::Balanced, steps }.to_string();
        for line in [
            "Step::Pay { by: 0, how_much: Money::Msat(7) },",
            "Step::Crash { host: 1, batch: 2, how: Crash::HalfSent },",
            "Step::Store { host: 0, mode: Mode::Failing(StoreFailure::Full) },",
            "base: Base::Balanced",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }
}
