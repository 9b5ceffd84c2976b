//! Runs the schedules of many seeds on every core of the machine: `cargo xtask sim`.

mod options;
mod tally;

use kite_sim::schedule::{Bases, Failure, Outcome, Schedule, shrink};
use options::{Options, USAGE};
use std::io::Write;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tally::Tally;

/// One seed in so many is run twice, to see that the bytes are the same.
const TWICE_EVERY: u64 = 50;
/// Failing seeds beyond these are printed and not shrunk.
const MOST_SHRUNK: usize = 5;
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// What all threads share.
#[derive(Debug)]
struct Run {
    options: Options,
    start: Instant,
    next: AtomicU64,
    /// What each thread is at: every seed below all of these is done.
    at: Vec<AtomicU64>,
    tally: Mutex<Tally>,
}

fn main() -> ExitCode {
    let options = match Options::read(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(reason) => {
            say(&format!("{reason}\n\n{USAGE}"));
            return ExitCode::FAILURE;
        }
    };
    // A panic is a result here, and printed once, with its seed.
    std::panic::set_hook(Box::new(|_| ()));
    let has_passed = match options.seed {
        Some(seed) => tell(seed),
        None => Run::new(options).run(),
    };
    if has_passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Run {
    fn new(options: Options) -> Self {
        let at = (0..options.threads).map(|_| AtomicU64::new(options.from)).collect();
        let (start, next) = (Instant::now(), AtomicU64::new(options.from));
        Self { options, start, next, at, tally: Mutex::default() }
    }

    /// Runs all seeds. Tells whether all passed.
    fn run(&self) -> bool {
        std::thread::scope(|scope| {
            let threads: Vec<_> = self.at.iter().map(|at| scope.spawn(|| self.work(at))).collect();
            let mut reported = Instant::now();
            while threads.iter().any(|thread| !thread.is_finished()) {
                std::thread::sleep(Duration::from_millis(50));
                if reported.elapsed() >= REPORT_EVERY {
                    reported = Instant::now();
                    self.tell_progress();
                }
            }
        });
        let (range, rate, tally) = (self.range(), self.rate(), self.tally());
        say(&format!("\nseeds {range} in {:.0?}, {rate:.1} a second\n{tally}", self.start.elapsed()));
        if !tally.failed.is_empty() {
            say(&format!("failed: {:?}", tally.failed));
        }
        tally.failed.is_empty()
    }

    fn work(&self, at: &AtomicU64) {
        let bases = Bases::new();
        loop {
            let seed = self.next.fetch_add(1, Ordering::SeqCst);
            let is_late = self.options.ends_after.is_some_and(|most| self.start.elapsed() >= most);
            if seed - self.options.from >= self.options.seeds || is_late {
                at.store(u64::MAX, Ordering::SeqCst);
                return;
            }
            at.store(seed, Ordering::SeqCst);
            let schedule = Schedule::of_seed(seed);
            match run_once_or_twice(&bases, &schedule, seed) {
                Ok(outcome) => self.tally().add(seed, &schedule, &outcome),
                Err(failure) => self.fail(&bases, seed, &failure),
            }
        }
    }

    fn fail(&self, bases: &Bases, seed: u64, failure: &Failure) {
        say(&format!("\nseed {seed} {failure}"));
        let so_far = {
            let mut tally = self.tally();
            tally.failed.push(seed);
            tally.failed.len()
        };
        if so_far <= MOST_SHRUNK {
            explain(bases, seed, failure);
        }
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn done(&self) -> u64 {
        self.tally().done()
    }

    /// The seeds that are done, those aside that are done out of turn.
    fn range(&self) -> String {
        let from = self.options.from;
        let under_way = self.at.iter().map(|at| at.load(Ordering::SeqCst)).min();
        match under_way.filter(|least| *least < u64::MAX).unwrap_or(from + self.done()) {
            least if least > from => format!("{from}..={}", least - 1),
            _ => "none".into(),
        }
    }

    fn rate(&self) -> f64 {
        self.done() as f64 / self.start.elapsed().as_secs_f64().max(0.001)
    }

    fn tell_progress(&self) {
        let failed = self.tally().failed.len();
        let (done, range, rate) = (self.done(), self.range(), self.rate());
        let left = self.options.seeds.saturating_sub(done) as f64 / rate.max(0.001);
        say(&format!("seeds {range} are done, {failed} failed, {rate:.1} a second, {left:.0} seconds to go"));
    }
}

fn run_once_or_twice(bases: &Bases, schedule: &Schedule, seed: u64) -> Result<Outcome, Failure> {
    let outcome = schedule.run(bases)?;
    if seed.is_multiple_of(TWICE_EVERY) {
        schedule.run(bases)?.must_equal(&outcome)?;
    }
    Ok(outcome)
}

/// Prints the shortest schedule that fails in the same way.
fn explain(bases: &Bases, seed: u64, failure: &Failure) {
    let kind = failure.breach.kind();
    let still_fails =
        |shorter: &Schedule| shorter.run(bases).is_err_and(|failure| failure.breach.kind() == kind);
    let least = shrink(&Schedule::of_seed(seed), still_fails);
    if let Err(failure) = least.run(bases) {
        say(&format!("the least of seed {seed} that fails so, {failure}\n{least}"));
    }
}

/// One seed with all that happened. Tells whether it passed.
fn tell(seed: u64) -> bool {
    let bases = Bases::new();
    let schedule = Schedule::of_seed(seed);
    say(&schedule.to_string());
    let result = schedule.run_with(&bases, None, true);
    match &result {
        Ok(outcome) => say(&format!("{outcome:?}\n1 passed, 0 failed")),
        Err(failure) => {
            say(&format!("\nseed {seed} {failure}"));
            explain(&bases, seed, failure);
            say("0 passed, 1 failed");
        }
    }
    result.is_ok()
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // Whoever closed the pipe does not want to know.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
