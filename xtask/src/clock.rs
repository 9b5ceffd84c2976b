//! How long the steps of a part take: what CI's minutes go on.

use std::time::{Duration, Instant};

use crate::Outcome;
use crate::report::Report;

/// The steps of one part, and how long each took.
#[derive(Debug)]
pub struct Clock {
    part: &'static str,
    steps: Vec<String>,
}

impl Clock {
    /// Of the part with this name.
    pub fn new(part: &'static str) -> Self {
        Self { part, steps: Vec::new() }
    }

    /// Takes a step and notes how long it took, also where it fails.
    ///
    /// # Errors
    /// Those of the step.
    pub fn time<T>(&mut self, step: &str, body: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        let start = Instant::now();
        let outcome = body();
        self.note(step, start.elapsed());
        outcome
    }

    /// Notes a step that was timed elsewhere.
    pub fn note(&mut self, step: &str, took: Duration) {
        let told = format!("{step} {}", spoken(took));
        println!("{}: {told}", self.part);
        self.steps.push(told);
    }

    /// Repeats all of it where the runners' closing lines are.
    pub fn close(self, report: &mut Report) {
        report.closing.push(format!("{}: {}", self.part, self.steps.join(", ")));
    }
}

/// As in `12:05 min`.
pub fn spoken(took: Duration) -> String {
    format!("{}:{:02} min", took.as_secs() / 60, took.as_secs() % 60)
}

#[cfg(test)]
mod tests {
    use super::{Clock, spoken};
    use crate::report::Report;
    use std::time::Duration;

    #[test]
    fn steps_are_repeated_at_the_end() {
        let mut clock = Clock::new("tea");
        clock.note("water", Duration::from_secs(65));
        assert_eq!(clock.time("leaves", || Ok(3)), Ok(3));
        assert!(clock.time("milk", || Err::<(), _>("none".to_owned())).is_err());
        let mut report = Report::default();
        clock.close(&mut report);
        assert_eq!(report.closing, ["tea: water 1:05 min, leaves 0:00 min, milk 0:00 min"]);
        assert_eq!(spoken(Duration::from_secs(600)), "10:00 min");
    }
}
