//! `cargo xtask sim`: the simulator at scale.

use std::process::Command;

use crate::Outcome;
use crate::places;
use crate::report::Report;
use crate::shell::{self, cargo};

/// Optimised, with every assertion: see `Cargo.toml`.
const PROFILE: &str = "schedules";

/// What CI runs: some minutes on two cores.
const SEEDS_OF_A_TEST: &str = "10000";

/// Builds the simulator and runs it with these arguments.
///
/// # Errors
/// When it cannot be built, or a schedule fails.
pub fn sim(arguments: &[String]) -> Outcome {
    shell::run(program()?.args(arguments))
}

/// The schedules of a test run. That they bite is tested with the other tests of the simulator.
///
/// # Errors
/// When the simulator cannot be built.
pub fn stage(report: &mut Report) -> Outcome {
    report.step(program()?.args(["--seeds", SEEDS_OF_A_TEST]), false)
}

fn program() -> Outcome<Command> {
    let build = ["build", "--locked", "--profile", PROFILE, "--package", "kite-sim", "--bin", "schedules"];
    shell::run(&mut cargo(&build))?;
    Ok(Command::new(places::native_target().join(PROFILE).join("schedules")))
}
