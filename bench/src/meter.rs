//! Where the measured work goes through: it is timed, or marked for callgrind, or just done.

use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Process CPU time, the best of several rounds.
    Time,
    /// Instructions: callgrind counts inside of [`Meter::part`] only, and writes a dump at every [`Meter::end`].
    Count,
    /// Nothing: everything runs once, on as little as possible. For tests.
    Once,
}

/// What one section cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Which section.
    pub name: String,
    /// What one unit of it cost: nanoseconds. Of [`Mode::Count`], the units of which the dump holds the sum.
    pub value: f64,
}

/// Work that belongs together, done in one or many parts.
#[derive(Debug, Default)]
pub struct Section {
    nanos: u64,
}

/// Takes the readings.
#[derive(Debug)]
pub struct Meter {
    mode: Mode,
    readings: Vec<Reading>,
    notes: Vec<String>,
}

impl Meter {
    /// A meter that has read nothing.
    pub const fn new(mode: Mode) -> Self {
        Self { mode, readings: Vec::new(), notes: Vec::new() }
    }

    /// How often a section is to be repeated; and how much of something large to take.
    pub const fn pick(&self, time: usize, count: usize, once: usize) -> usize {
        match self.mode {
            Mode::Time => time,
            Mode::Count => count,
            Mode::Once => once,
        }
    }

    /// Does a part of the work of a section.
    pub fn part<R>(&self, section: &mut Section, work: impl FnOnce() -> R) -> R {
        match self.mode {
            Mode::Once => work(),
            Mode::Count => counted(work),
            Mode::Time => {
                let before = cpu_nanos();
                let result = work();
                section.nanos += cpu_nanos() - before;
                result
            }
        }
    }

    /// The section is complete: it did so many units. Of a section that is repeated, the best is kept.
    pub fn end(&mut self, name: &str, units: usize, section: &Section) {
        let known = self.readings.iter_mut().find(|reading| reading.name == name);
        let units = units as f64;
        match (self.mode, known) {
            (Mode::Once, Some(_)) => {}
            (Mode::Once, None) => self.readings.push(Reading { name: name.to_owned(), value: 0.0 }),
            (Mode::Count, _) => {
                end_of_section();
                self.readings.push(Reading { name: name.to_owned(), value: units });
            }
            (Mode::Time, None) => {
                self.readings.push(Reading { name: name.to_owned(), value: section.nanos as f64 / units });
            }
            (Mode::Time, Some(known)) => known.value = known.value.min(section.nanos as f64 / units),
        }
    }

    /// A section of one part.
    pub fn measure<R>(&mut self, name: &str, units: usize, work: impl FnOnce() -> R) -> R {
        let mut section = Section::default();
        let result = self.part(&mut section, work);
        self.end(name, units, &section);
        result
    }

    /// Something to be told below the tables, once.
    pub fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Everything that was read, in the order of its first reading.
    pub fn into_readings(self) -> (Vec<Reading>, Vec<String>) {
        (self.readings, self.notes)
    }
}

/// The functions by whose names callgrind is told when to count and when to write.
pub const COUNTED: &str = "*kite_bench::meter::counted*";
/// See [`COUNTED`].
pub const END: &str = "*kite_bench::meter::end_of_section*";

#[inline(never)]
fn counted<R>(work: impl FnOnce() -> R) -> R {
    // What is done after the work keeps this function on the stack until the work is done.
    black_box(work())
}

#[inline(never)]
fn end_of_section() {
    black_box(());
}

fn cpu_nanos() -> u64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    // The CPU time of a process is not negative.
    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}
