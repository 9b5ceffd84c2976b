//! `cargo xtask fuzz`: libFuzzer over the targets of `fuzz/`, with the stable compiler.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;
use crate::places;
use crate::shell::{self, cargo};

/// What cargo-fuzz asks of the compiler, as far as it is stable: a counter on every edge, and what is compared.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg=fuzzing";

/// Inputs are not longer than this.
const MAX_LEN: &str = "-max_len=8192";

/// `[--seconds N] [target]...`: fuzzes the named targets, or all.
///
/// # Errors
/// When they cannot be built, or an input breaks a promise; libFuzzer prints and keeps it.
pub fn fuzz(arguments: &[String]) -> Outcome {
    let (mut seconds, mut names) = (60, Vec::new());
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--seconds" => {
                let number = words.next().and_then(|number| number.parse().ok());
                seconds = number.ok_or("--seconds needs a number")?;
            }
            name => names.push(name.to_owned()),
        }
    }
    let folder = build()?;
    if names.is_empty() {
        names = targets()?;
    }
    names.iter().try_for_each(|name| shell::run(&mut program(&folder, name, seconds)?))
}

/// One target. What it finds goes to a folder of the build results; the committed corpus is only read.
fn program(folder: &Path, name: &str, seconds: u64) -> Outcome<Command> {
    let known = targets()?;
    if !known.iter().any(|target| target == name) {
        return Err(format!("no target `{name}`; there are: {}", known.join(", ")));
    }
    let found = folder.join("found").join(name);
    std::fs::create_dir_all(&found).map_err(|error| format!("{}: {error}", found.display()))?;
    let mut command = Command::new(folder.join(name));
    command
        .arg(&found)
        .arg(root().join("corpus").join(name))
        .args([MAX_LEN, "-timeout=60", "-rss_limit_mb=4096", "-print_final_stats=1"])
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/", found.display()));
    Ok(command)
}

/// The targets are the folders of the corpus; `fuzz/tests/corpus.rs` makes sure that each has one.
fn targets() -> Outcome<Vec<String>> {
    let corpus = root().join("corpus");
    let broken = |error: std::io::Error| format!("{}: {error}", corpus.display());
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&corpus).map_err(broken)? {
        names.push(entry.map_err(broken)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn build() -> Outcome<PathBuf> {
    let triple = host()?;
    let bins = ["build", "--release", "--locked", "--features", "libfuzzer", "--bins", "--target", &triple];
    let mut build = workspace(&bins);
    let target = target_folder();
    // With a target named, programs that run while building are spared the counters.
    shell::run(build.env("RUSTFLAGS", COVERAGE).env("CARGO_TARGET_DIR", &target))?;
    Ok(target.join(triple).join("release"))
}

fn workspace(arguments: &[&str]) -> Command {
    let mut command = cargo(arguments);
    command.current_dir(root());
    command
}

fn root() -> PathBuf {
    places::root().join("fuzz")
}

fn target_folder() -> PathBuf {
    places::native_target().join("fuzz")
}

fn host() -> Outcome<String> {
    let text = shell::output(Command::new("rustc").arg("-vV"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("host: "));
    line.map(str::to_owned).ok_or_else(|| "rustc does not tell its host".to_owned())
}
