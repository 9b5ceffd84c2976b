//! `cargo xtask fuzz`: libFuzzer over the targets of `fuzz/`, with the stable compiler.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;

use crate::Outcome;
use crate::coverage;
use crate::places;
use crate::report::Report;
use crate::shell::{self, cargo};

/// What cargo-fuzz asks of the compiler, as far as it is stable: a counter on every edge, and what is compared.
const COUNTERS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg=fuzzing";

/// Inputs are not longer than this.
const MAX_LEN: &str = "-max_len=8192";

/// For how long each target is fuzzed unless said otherwise, and in a test run.
const SECONDS: u64 = 60;

/// `[--seconds N] [target]...`: fuzzes the named targets, or all. `--coverage`: how much of the core the inputs reach that
/// are committed or were found since.
///
/// # Errors
/// When they cannot be built, or an input breaks a promise; libFuzzer prints and keeps it.
pub fn fuzz(arguments: &[String]) -> Outcome {
    let (mut seconds, mut names) = (SECONDS, Vec::new());
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--coverage" => return coverage::of_the_corpora(),
            "--seconds" => {
                let number = words.next().and_then(|number| number.parse().ok());
                seconds = number.ok_or("--seconds needs a number")?;
            }
            name => names.push(name.to_owned()),
        }
    }
    let broken = run(names, seconds)?;
    if broken.is_empty() { Ok(()) } else { Err(format!("broken by some input: {}", broken.join(", "))) }
}

/// The corpora replayed by ordinary tests, then each target fuzzed for a minute.
///
/// # Errors
/// When the targets cannot be built.
pub fn stage(report: &mut Report) -> Outcome {
    report.step(&mut workspace(&["fmt", "--check"]), false)?;
    report.step(
        workspace(&["test", "--locked", "--no-fail-fast"]).env("CARGO_TARGET_DIR", replay_folder()),
        false,
    )?;
    let count = targets()?.len();
    let broken = run(Vec::new(), SECONDS)?;
    report.count(count - broken.len(), broken);
    Ok(())
}

/// Fuzzes as many targets at once as there are processors. Gives the names of those that some input broke.
fn run(mut names: Vec<String>, seconds: u64) -> Outcome<Vec<String>> {
    let known = targets()?;
    if let Some(name) = names.iter().find(|name| !known.contains(name)) {
        return Err(format!("no target `{name}`; there are: {}", known.join(", ")));
    }
    if names.is_empty() {
        names = known;
    }
    let folder = build(&names)?;
    println!("fuzzing {} for {seconds} s each", names.join(", "));
    let (waiting, broken) = (Mutex::new(names), Mutex::new(Vec::new()));
    let next = || waiting.lock().ok().and_then(|mut names| names.pop());
    let work = || -> Outcome {
        while let Some(name) = next() {
            if !fuzz_one(&folder, &name, seconds)?
                && let Ok(mut broken) = broken.lock()
            {
                broken.push(name);
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> =
            (0..thread::available_parallelism().map_or(1, usize::from)).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| "a fuzzing thread panicked")?)
    })?;
    broken.into_inner().map_err(|_| "a fuzzing thread panicked".to_owned())
}

/// Fuzzes one target; what it says goes to a file, of which the last words are shown. Whether no input broke it.
fn fuzz_one(folder: &Path, name: &str, seconds: u64) -> Outcome<bool> {
    let found = found_folder().join(name);
    let log = found_folder().join(format!("{name}.log"));
    let broken = |error: std::io::Error| format!("{}: {error}", log.display());
    fs::create_dir_all(&found).map_err(broken)?;
    let file = File::create(&log).map_err(broken)?;
    let status = Command::new(folder.join(name))
        .arg(&found)
        .arg(root().join("corpus").join(name))
        .args([MAX_LEN, "-timeout=60", "-rss_limit_mb=4096", "-print_final_stats=1"])
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}-", found.display()))
        .stdout(Stdio::null())
        .stderr(file)
        .status()
        .map_err(broken)?;
    let said = String::from_utf8_lossy(&fs::read(&log).map_err(broken)?).into_owned();
    if !status.success() {
        let lines: Vec<&str> = said.lines().collect();
        println!("{name}: broken by an input; all of it is in {}", log.display());
        lines.iter().skip(lines.len().saturating_sub(30)).for_each(|line| println!("  {line}"));
        return Ok(false);
    }
    let executions = number_after(&said, "stat::number_of_executed_units:");
    println!(
        "{name:<16} {executions:>10} executions {:>8} a second {:>7} edges",
        executions / seconds.max(1),
        number_after(&said, " cov:")
    );
    Ok(true)
}

/// The number behind the last of such words.
fn number_after(text: &str, word: &str) -> u64 {
    let rest = text.rsplit_once(word).map_or("", |(_, rest)| rest);
    rest.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// The targets are the folders of the corpus; `fuzz/tests/corpus.rs` makes sure that each has one.
fn targets() -> Outcome<Vec<String>> {
    let corpus = root().join("corpus");
    let broken = |error: std::io::Error| format!("{}: {error}", corpus.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(&corpus).map_err(broken)? {
        names.push(entry.map_err(broken)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn build(names: &[String]) -> Outcome<PathBuf> {
    let triple = host()?;
    let mut build =
        workspace(&["build", "--release", "--locked", "--features", "libfuzzer", "--target", &triple]);
    build.args(names.iter().flat_map(|name| ["--bin", name]));
    // With a target named, programs that run while building are spared the counters.
    shell::run(build.env("RUSTFLAGS", COUNTERS).env("CARGO_TARGET_DIR", target_folder()))?;
    Ok(target_folder().join(triple).join("release"))
}

/// A cargo command in the workspace of the targets.
pub fn workspace(arguments: &[&str]) -> Command {
    let mut command = cargo(arguments);
    command.current_dir(root());
    command
}

/// What fuzzing found: inputs that reach something new, by target, and the inputs that broke one.
pub fn found_folder() -> PathBuf {
    target_folder().join("found")
}

fn root() -> PathBuf {
    places::root().join("fuzz")
}

fn target_folder() -> PathBuf {
    places::native_target().join("fuzz")
}

/// Without counters: another compiler's settings, another folder.
fn replay_folder() -> PathBuf {
    target_folder().join("replay")
}

fn host() -> Outcome<String> {
    let text = shell::output(Command::new("rustc").arg("-vV"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("host: "));
    line.map(str::to_owned).ok_or_else(|| "rustc does not tell its host".to_owned())
}

#[cfg(test)]
mod tests {
    use super::number_after;

    #[test]
    fn the_last_number_behind_a_word_counts() {
        let said =
            "#3 INITED cov: 38 ft: 1\n#9 DONE cov: 209 ft: 4\nstat::number_of_executed_units: 5463306\n";
        assert_eq!(number_after(said, " cov:"), 209);
        assert_eq!(number_after(said, "stat::number_of_executed_units:"), 5_463_306);
        assert_eq!(number_after("", " cov:"), 0);
    }
}
