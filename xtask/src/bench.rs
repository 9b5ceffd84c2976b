//! `cargo xtask bench`: what Kite costs beside LDK, in time and instructions.

use std::process::Command;

use crate::Outcome;
use crate::install;
use crate::places;
use crate::shell::{self, cargo};

/// What counts instructions.
const VALGRIND: &[install::Need] = &[("valgrind", "valgrind")];

/// Builds the bench as it would be shipped and runs it with these arguments.
///
/// # Errors
/// When it cannot be built, or a case does not do what it should.
pub fn bench(arguments: &[String]) -> Outcome {
    if let Err(reason) = install::apt(VALGRIND) {
        // Times are printed all the same, and the bench itself says what is left out.
        eprintln!("xtask: {reason}");
    }
    eprintln!("building kite-bench with LDK beside it: minutes at the first time");
    shell::run(&mut cargo(&["build", "--locked", "--release", "--package", "kite-bench"]))?;
    let mut bench = Command::new(places::native_target().join("release/kite-bench"));
    shell::run(bench.args(arguments).env("CARGO_MANIFEST_DIR", places::root().join("bench")))
}
