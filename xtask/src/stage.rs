//! The parts of `cargo xtask test`, in the order in which they run.

use std::time::{Duration, Instant};

use crate::Outcome;
use crate::places::{self, Member};
use crate::report::Report;
use crate::shell::cargo;

/// One named part.
struct Stage {
    name: &'static str,
    about: &'static str,
    run: fn(&mut Report) -> Outcome,
}

const STAGES: &[Stage] = &[Stage {
    name: "native",
    about: "formatting, clippy without warnings, every test of the Rust crates",
    run: native,
}];

/// Members whose tests belong to another stage than `native`, and that stage.
const ELSEWHERE: &[(&str, &str)] = &[("kite-devnet", "interop")];

/// Prints the parts.
pub fn list() -> Outcome {
    for stage in STAGES {
        println!("{:<10} {}", stage.name, stage.about);
    }
    Ok(())
}

/// Runs the named parts, or all of them.
///
/// # Errors
/// When a test fails, a step breaks or a part does not exist.
pub fn test(names: &[String]) -> Outcome {
    let stages: Vec<&Stage> = if names.is_empty() {
        STAGES.iter().collect()
    } else {
        names.iter().map(|name| find(name)).collect::<Outcome<_>>()?
    };
    let mut total = Report::default();
    let mut rows = Vec::new();
    for stage in stages {
        let (report, took) = run(stage);
        rows.push(format!(
            "{:<10} {:>6} passed {:>4} failed {:>4} ignored   {}",
            stage.name,
            report.passed,
            report.failed,
            report.ignored,
            spoken(took)
        ));
        total.add(report);
    }
    header("summary");
    for line in &total.closing {
        println!("{line}");
    }
    println!();
    for row in rows {
        println!("{row}");
    }
    for broken in &total.broken {
        println!("broken: {broken}");
    }
    println!("\n{} passed, {} failed", total.passed, total.failed);
    if total.is_green() { Ok(()) } else { Err("the tests are not green".to_owned()) }
}

fn find(name: &str) -> Outcome<&'static Stage> {
    STAGES.iter().find(|stage| stage.name == name).ok_or_else(|| {
        let known: Vec<&str> = STAGES.iter().map(|stage| stage.name).collect();
        format!("no part `{name}`; there are: {}", known.join(", "))
    })
}

fn run(stage: &Stage) -> (Report, Duration) {
    header(&format!("{}: {}", stage.name, stage.about));
    let start = Instant::now();
    let mut report = Report::default();
    if let Err(reason) = (stage.run)(&mut report) {
        report.broke(reason);
    }
    (report, start.elapsed())
}

fn header(text: &str) {
    println!("\n==== {text} ====");
}

fn spoken(took: Duration) -> String {
    format!("{}:{:02} min", took.as_secs() / 60, took.as_secs() % 60)
}

fn native(report: &mut Report) -> Outcome {
    let packages = native_packages(&places::members()?);
    report.step(&mut cargo(&["fmt", "--all", "--check"]), false)?;
    let mut clippy = cargo(&["clippy", "--all-targets", "--locked"]);
    clippy.args(&packages).args(["--", "-D", "warnings"]);
    report.step(&mut clippy, false)?;
    let mut test = cargo(&["test", "--no-fail-fast", "--locked"]);
    report.step(test.args(&packages), false)
}

/// Every member that no other stage tests: a new crate is in from its first commit.
fn native_packages(members: &[Member]) -> Vec<String> {
    members
        .iter()
        .filter(|member| ELSEWHERE.iter().all(|(name, _)| *name != member.name))
        .flat_map(|member| ["-p".to_owned(), member.name.clone()])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{ELSEWHERE, STAGES, native_packages};
    use crate::places::Member;

    #[test]
    fn a_new_member_is_tested_natively() {
        let member = |name: &str| Member { folder: name.to_owned(), name: name.to_owned() };
        assert_eq!(native_packages(&[member("kite-core"), member("kite-devnet")]), ["-p", "kite-core"]);
    }

    #[test]
    fn what_is_tested_elsewhere_has_a_name() {
        assert!(ELSEWHERE.iter().all(|(member, stage)| !member.is_empty() && !stage.is_empty()));
        assert!(STAGES.iter().all(|stage| !stage.about.is_empty()));
    }
}
