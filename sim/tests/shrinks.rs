//! What is printed of a failing seed is worth pasting: it is shrunk, read again from its text, and fails in the same way.

use kite_core::node::StoreFailure;
use kite_sim::disk::{self, Mode};
use kite_sim::fault::Fault;
use kite_sim::host::CRASHES;
use kite_sim::schedule::{Base, Bases, Breach, Lie, Money, Schedule, Step, shrink};
use std::collections::BTreeMap;
use std::fmt::Debug;

const FAULT: Fault = Fault::Disk(disk::Fault::Tears);

fn breach(bases: &Bases, schedule: &Schedule) -> Option<Breach> {
    schedule.run_with(bases, Some(FAULT), false).err().map(|failure| failure.breach)
}

#[test]
fn the_printed_replay_of_a_failing_seed_fails_in_the_same_way() {
    let bases = Bases::with_fault(FAULT);
    let failing = (0..400).map(Schedule::of_seed).find_map(|schedule| {
        let kind = breach(&bases, &schedule)?.kind();
        (schedule.steps.len() > 8).then_some((schedule, kind))
    });
    let (schedule, kind) = failing.expect("a store that tears batches is noticed");
    let fails_so = |schedule: &Schedule| breach(&bases, schedule).is_some_and(|breach| breach.kind() == kind);
    let least = shrink(&schedule, fails_so);
    assert!(least.steps.len() < schedule.steps.len() / 2, "{least}");
    for index in 0..least.steps.len() {
        let mut less = least.clone();
        less.steps.remove(index);
        assert!(!fails_so(&less), "step {index} is not needed: {least}");
    }
    let read = schedule_of(&least.to_string());
    assert_eq!(read, least);
    assert_eq!(breach(&bases, &read), breach(&bases, &least));
    assert!(fails_so(&read) && read.run(&Bases::new()).is_ok(), "it is the fault: {read}");
}

#[test]
fn every_kind_of_step_is_printed_as_it_is_read() {
    for schedule in (0..2_000).map(Schedule::of_seed) {
        assert_eq!(schedule_of(&schedule.to_string()), schedule);
    }
}

/// Reads what is to be pasted, as a compiler would.
fn schedule_of(text: &str) -> Schedule {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    assert_eq!(&lines[..3], ["#[test]", "fn replay() {", "let steps = vec!["]);
    let end = lines.iter().position(|line| *line == "];").expect("the steps end");
    let base = Base::ALL
        .into_iter()
        .find(|base| lines[end + 1] == format!("let schedule = Schedule {{ base: Base::{base:?}, steps }};"));
    let run = "schedule.run(&Bases::new()).unwrap_or_else(|failure| panic!(\"{failure}\"));";
    assert_eq!(&lines[end + 2..], [run, "}"]);
    let steps = lines[3..end].iter().map(|line| step(line.strip_suffix(',').expect("a comma ends it")));
    Schedule { base: base.expect("one of the bases"), steps: steps.collect() }
}

struct Fields<'a>(BTreeMap<&'a str, &'a str>);

impl<'a> Fields<'a> {
    fn new(text: &'a str) -> Self {
        Self(text.split(", ").filter_map(|field| field.split_once(": ")).collect())
    }

    fn number<T: std::str::FromStr<Err: Debug>>(&self, name: &str) -> T {
        self.0[name].parse().expect("a number")
    }

    /// One of these, which are written with the name of their type.
    fn one_of<T: Copy + Debug>(&self, name: &str, all: &[T], path: &str) -> T {
        let is_it = |one: &&T| format!("{path}{one:?}") == self.0[name];
        *all.iter().find(is_it).unwrap_or_else(|| panic!("no {path}: {}", self.0[name]))
    }

    fn lie(&self) -> Lie {
        let absurd = |are_absurd| Lie::Fees { are_absurd };
        let all = [
            Lie::NoWork,
            Lie::ShorterBranch,
            Lie::EarlyConfirmation,
            Lie::NothingHappened,
            Lie::CutPreimages,
            Lie::InventedSpends,
            Lie::Endless,
            Lie::WrongTip,
            absurd(true),
            absurd(false),
        ];
        self.one_of("lie", &all, "Lie::")
    }

    fn mode(&self) -> Mode {
        let failing = [StoreFailure::Full, StoreFailure::Failed];
        match self.0["mode"].strip_prefix("Mode::Failing(") {
            Some(_) => {
                let text = |failure| format!("Mode::Failing(StoreFailure::{failure:?})");
                Mode::Failing(failing.into_iter().find(|it| text(*it) == self.0["mode"]).expect("a failure"))
            }
            None => self.one_of("mode", &[Mode::Prompt, Mode::Delayed], "Mode::"),
        }
    }

    fn money(&self) -> Money {
        match self.0["how_much"].strip_prefix("Money::Msat(") {
            Some(msat) => Money::Msat(msat.trim_end_matches(')').parse().expect("an amount")),
            None => self.one_of("how_much", &[Money::All, Money::TooMuch], "Money::"),
        }
    }
}

fn step(text: &str) -> Step {
    let text = text.strip_prefix("Step::").expect("a step");
    let (name, fields) = text.split_once(" { ").unwrap_or((text, ""));
    let fields = Fields::new(fields.strip_suffix(" }").unwrap_or(fields));
    let (host, by, blocks, depth) = (
        || fields.number("host"),
        || fields.number("by"),
        || fields.number("blocks"),
        || fields.number("depth"),
    );
    match name {
        "Pay" => Step::Pay { by: by(), how_much: fields.money() },
        "PayForgotten" => Step::PayForgotten { by: by(), msat: fields.number("msat") },
        "PayAgain" => Step::PayAgain { by: by() },
        "Repeat" => Step::Repeat { by: by() },
        "Open" => Step::Open { by: by(), sat: fields.number("sat") },
        "Close" => Step::Close { by: by() },
        "ForceClose" => Step::ForceClose { by: by() },
        "Cheat" => Step::Cheat { by: by(), looks: fields.number("looks") },
        "FeeRate" => Step::FeeRate { host: host(), sat_per_kw: fields.number("sat_per_kw") },
        "Deliver" => Step::Deliver { pieces: fields.number("pieces"), order: fields.number("order") },
        "Settle" => Step::Settle { order: fields.number("order") },
        "Cut" => Step::Cut,
        "CutAt" => Step::CutAt { delivery: fields.number("delivery") },
        "Crash" => Step::Crash {
            host: host(),
            batch: fields.number("batch"),
            how: fields.one_of("how", &CRASHES, "Crash::"),
        },
        "Restart" => Step::Restart { host: host() },
        "Off" => Step::Off { host: host() },
        "Neglect" => Step::Neglect { host: host(), blocks: blocks() },
        "Deaf" => Step::Deaf { host: host() },
        "Store" => Step::Store { host: host(), mode: fields.mode() },
        "Mine" => Step::Mine { blocks: blocks() },
        "Wait" => Step::Wait { blocks: blocks() },
        "Crowd" => Step::Crowd { blocks: blocks() },
        "Reorg" => Step::Reorg { depth: depth() },
        "Swap" => Step::Swap { depth: depth() },
        "Pass" => Step::Pass { secs: fields.number("secs") },
        "Silence" => Step::Silence { is_silent: fields.number("is_silent") },
        "Lie" => Step::Lie { host: host(), lie: fields.lie() },
        "Mislead" => Step::Mislead { host: host(), lie: fields.lie(), steps: fields.number("steps") },
        "SecondInstance" => Step::SecondInstance { host: host() },
        "Copy" => Step::Copy { host: host() },
        "Restore" => Step::Restore { host: host() },
        other => panic!("no step is called {other}"),
    }
}
