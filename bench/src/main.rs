//! `kite-bench`: measures and prints. `cargo xtask bench` builds and runs it.

use kite_bench::callgrind;
use kite_bench::cases::{CASES, CURVE, Case};
use kite_bench::meter::{Meter, Mode};
use kite_bench::table::{Unit, curve, table};
use std::process::ExitCode;

const USAGE: &str = "\
kite-bench [--case NAME]... [--no-counts]

  --case NAME    only this case; unset: all
  --no-counts    times only";

/// Asked for by this program itself, under callgrind: prints one line a section.
const UNDER_CALLGRIND: &str = "--under-callgrind";

struct Wish {
    cases: Vec<&'static Case>,
    counts: bool,
    under_callgrind: bool,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match wish(&arguments) {
        Ok(wish) if wish.under_callgrind => under_callgrind(&wish.cases),
        Ok(wish) => report(&wish),
        Err(reason) => {
            eprintln!("kite-bench: {reason}\n\n{USAGE}\n\ncases:");
            CASES.iter().for_each(|case| eprintln!("  {:<12} {}", case.name, case.about));
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn wish(arguments: &[String]) -> Result<Wish, String> {
    let mut wish = Wish { cases: Vec::new(), counts: true, under_callgrind: false };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--case" => {
                let name = arguments.next().ok_or("--case needs a name")?;
                let case = CASES.iter().find(|case| case.name == name);
                wish.cases.push(case.ok_or_else(|| format!("no case `{name}`"))?);
            }
            "--no-counts" => wish.counts = false,
            UNDER_CALLGRIND => wish.under_callgrind = true,
            other => return Err(format!("not understood: {other}")),
        }
    }
    if wish.cases.is_empty() {
        wish.cases.extend(CASES);
    }
    Ok(wish)
}

fn run(mode: Mode, cases: &[&Case]) -> Meter {
    let mut meter = Meter::new(mode);
    for case in std::iter::once(&CURVE).chain(cases.iter().copied()) {
        eprintln!(
            "{} {}: {}",
            if mode == Mode::Count { "counting" } else { "timing" },
            case.name,
            case.about
        );
        (case.run)(&mut meter);
    }
    meter
}

fn under_callgrind(cases: &[&Case]) {
    let (readings, _) = run(Mode::Count, cases).into_readings();
    readings.iter().for_each(|reading| println!("{}\t{}", reading.name, reading.value));
}

fn report(wish: &Wish) {
    let (times, notes) = run(Mode::Time, &wish.cases).into_readings();
    let counts = wish.counts.then(|| {
        let names = wish.cases.iter().flat_map(|case| ["--case", case.name]);
        callgrind::count(&[UNDER_CALLGRIND].into_iter().chain(names).collect::<Vec<_>>())
    });
    println!("Process CPU time, best of several rounds\n{}", table(Unit::Nanos, &wish.cases, &times));
    println!("\nlibsecp256k1: {}", curve(Unit::Nanos, &times));
    match counts {
        Some(Ok(counts)) => {
            println!("\nInstructions (callgrind)\n{}", table(Unit::Instructions, &wish.cases, &counts));
            println!("\nlibsecp256k1: {}", curve(Unit::Instructions, &counts));
        }
        Some(Err(reason)) => println!("\nleft out: instruction counts ({reason})"),
        None => println!("\nleft out: instruction counts (not wished for)"),
    }
    println!();
    notes.iter().for_each(|note| println!("{note}"));
}
