//! Runs the schedules of many seeds on every core of the machine: `cargo xtask sim`.

use kite_sim::schedule::{Bases, Closes, Failure, Outcome, Schedule, shrink};
use std::io::Write;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const USAGE: &str = "\
schedules [--seeds N] [--from S] [--seed S] [--threads N]

  --seeds N    how many seeds (10000)
  --from S     the first of them (0)
  --seed S     only this one, with the story of what happened
  --threads N  unset: one a core";

/// One seed in so many is run twice, to see that the bytes are the same.
const TWICE_EVERY: u64 = 50;
/// Failing seeds beyond these are printed and not shrunk.
const MOST_SHRUNK: usize = 5;
const REPORT_EVERY: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug)]
struct Options {
    seeds: u64,
    from: u64,
    seed: Option<u64>,
    threads: usize,
}

/// What all threads share.
#[derive(Debug, Default)]
struct Tally {
    next: AtomicU64,
    passed: AtomicU64,
    steps: AtomicU64,
    payments: AtomicU64,
    alone: AtomicU64,
    revoked: AtomicU64,
    timeouts: AtomicU64,
    preimages: AtomicU64,
    failed: Mutex<Vec<(u64, Failure)>>,
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
    let failed = match options.seed {
        Some(seed) => u64::from(!tell(seed)),
        None => run(options),
    };
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Options {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let mut options = Self { seeds: 10_000, from: 0, seed: None, threads };
        while let Some(word) = words.next() {
            let number = words.next().and_then(|number| number.parse::<u64>().ok());
            let number = number.ok_or_else(|| format!("{word} needs a number"))?;
            match word.as_str() {
                "--seeds" => options.seeds = number,
                "--from" => options.from = number,
                "--seed" => options.seed = Some(number),
                "--threads" => options.threads = usize::try_from(number.max(1)).unwrap_or(1),
                other => return Err(format!("no option {other}")),
            }
        }
        Ok(options)
    }
}

impl Tally {
    fn count(&self, closes: Closes) {
        let counted = [
            (&self.alone, closes.alone),
            (&self.revoked, closes.revoked),
            (&self.timeouts, closes.timeouts),
            (&self.preimages, closes.preimages),
        ];
        for (sum, count) in counted {
            sum.fetch_add(count as u64, Ordering::Relaxed);
        }
    }
}

/// Runs all seeds. Tells how many failed.
fn run(options: Options) -> u64 {
    let (tally, start) = (Tally::default(), Instant::now());
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..options.threads).map(|_| scope.spawn(|| work(options, &tally))).collect();
        let mut reported = Instant::now();
        while threads.iter().any(|thread| !thread.is_finished()) {
            std::thread::sleep(Duration::from_millis(50));
            if reported.elapsed() >= REPORT_EVERY {
                reported = Instant::now();
                progress(options, &tally, start);
            }
        }
    });
    let passed = tally.passed.load(Ordering::Relaxed);
    let mut failed = tally.failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    failed.sort_by_key(|(seed, _)| *seed);
    let bases = Bases::new();
    for (seed, failure) in failed.iter().take(MOST_SHRUNK) {
        explain(&bases, *seed, failure);
    }
    let count = u64::try_from(failed.len()).unwrap_or(u64::MAX);
    let rate = per_second(passed + count, start);
    let (steps, payments) = (tally.steps.into_inner(), tally.payments.into_inner());
    let (alone, revoked) = (tally.alone.into_inner(), tally.revoked.into_inner());
    let (timeouts, preimages) = (tally.timeouts.into_inner(), tally.preimages.into_inner());
    say(&format!(
        "\n{steps} steps, {payments} payments arrived, {rate:.1} seeds a second, {:?}",
        start.elapsed()
    ));
    say(&format!(
        "{alone} closes by one side alone, {revoked} of them revoked; HTLCs on the chain: {timeouts} timed out, \
         {preimages} claimed with their preimage"
    ));
    say(&format!("{passed} passed, {count} failed"));
    count
}

fn work(options: Options, tally: &Tally) {
    let bases = Bases::new();
    loop {
        let index = tally.next.fetch_add(1, Ordering::Relaxed);
        if index >= options.seeds {
            return;
        }
        let seed = options.from.saturating_add(index);
        let schedule = Schedule::of_seed(seed);
        match run_once_or_twice(&bases, &schedule, seed) {
            Ok(outcome) => {
                tally.passed.fetch_add(1, Ordering::Relaxed);
                tally.steps.fetch_add(schedule.steps.len() as u64, Ordering::Relaxed);
                tally.payments.fetch_add(outcome.paid as u64, Ordering::Relaxed);
                tally.count(outcome.closes);
            }
            Err(failure) => {
                say(&format!("seed {seed} {failure}"));
                let mut failed = tally.failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                failed.push((seed, failure));
            }
        }
    }
}

fn run_once_or_twice(bases: &Bases, schedule: &Schedule, seed: u64) -> Result<Outcome, Failure> {
    let outcome = schedule.run(bases)?;
    if seed.is_multiple_of(TWICE_EVERY) {
        schedule.run(bases)?.must_equal(&outcome)?;
    }
    Ok(outcome)
}

fn progress(options: Options, tally: &Tally, start: Instant) {
    let failed = tally.failed.lock().map_or(0, |failed| failed.len());
    let done = tally.passed.load(Ordering::Relaxed) + failed as u64;
    let rate = per_second(done, start);
    let left = options.seeds.saturating_sub(done) as f64 / rate.max(0.001);
    say(&format!(
        "{done} of {} seeds, {failed} failed, {rate:.1} a second, {left:.0} seconds to go",
        options.seeds
    ));
}

fn per_second(count: u64, start: Instant) -> f64 {
    count as f64 / start.elapsed().as_secs_f64().max(0.001)
}

/// Prints a failure and the shortest schedule that fails in the same way.
fn explain(bases: &Bases, seed: u64, failure: &Failure) {
    say(&format!("\nseed {seed} {failure}"));
    let schedule = Schedule::of_seed(seed);
    let kind = failure.breach.kind();
    let still_fails =
        |shorter: &Schedule| shorter.run(bases).is_err_and(|failure| failure.breach.kind() == kind);
    let least = shrink(&schedule, still_fails);
    if let Err(failure) = least.run(bases) {
        say(&format!("the least that fails so, {failure}\n{least}"));
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
