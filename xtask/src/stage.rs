//! The parts of `cargo xtask test`, in the order in which they run.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::bindings;
use crate::bitcoind;
use crate::clock::spoken;
use crate::fuzz;
use crate::install;
use crate::kotlin;
use crate::npm;
use crate::page;
use crate::report::Report;
use crate::schedules;
use crate::shared::{CPP_TOOLS, devnet, packages};
use crate::shell::{cargo, command};
use crate::swift;
use crate::wasm;

/// One named part.
struct Stage {
    name: &'static str,
    about: &'static str,
    run: fn(&mut Report) -> Outcome,
}

const STAGES: &[Stage] = &[
    Stage {
        name: "native",
        about: "formatting, clippy without warnings, every test of the Rust crates",
        run: native,
    },
    Stage { name: "sim", about: "10,000 random schedules over the simulator", run: schedules::stage },
    Stage {
        name: "fuzz",
        about: "the corpora replayed, then every decoder, state and schedule fuzzed for a minute",
        run: fuzz::stage,
    },
    Stage {
        name: "interop",
        about: "Bitcoin Core's validation, a full node's mempool, real LDK nodes; the terminal against them",
        run: interop,
    },
    Stage {
        name: "wasm",
        about: "the package for browsers and its size; #[api] in Node; the store, locks and sockets in Chromium",
        run: wasm,
    },
    Stage {
        name: "parity",
        about: "one API in every language, as docs/api.txt has it",
        run: bindings::compare,
    },
    Stage {
        name: "python",
        about: "the wheel: the wallet through UniFFI, from Python",
        run: bindings::python,
    },
    Stage {
        name: "kotlin",
        about: "the library for Android on the JVM: real nodes, a flow of events, threads, a key in a file",
        run: kotlin::stage,
    },
    Stage {
        name: "swift",
        about: "the package for iOS on Linux: real nodes, events, tasks, a key, the memory that receiving takes",
        run: swift::stage,
    },
    Stage {
        name: "npm",
        about: "the package for TypeScript, installed into an empty Vite and an empty Node.js project",
        run: npm::stage,
    },
    Stage { name: "web", about: "the page: types, pure functions", run: web },
    Stage { name: "e2e", about: "real Chromium, real nodes: everything a person does", run: e2e },
];

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
    if report.is_green() && report.passed == 0 {
        report.broke(format!("{} counted no test: what its runner says is not read", stage.name));
    }
    (report, start.elapsed())
}

fn header(text: &str) {
    println!("\n==== {text} ====");
}

fn native(report: &mut Report) -> Outcome {
    report.step(&mut cargo(&["fmt", "--all", "--check"]), false)?;
    lint_and_test(report, &packages("native")?)
}

fn interop(report: &mut Report) -> Outcome {
    install::apt(CPP_TOOLS)?;
    let bitcoind = bitcoind::program()?;
    lint_and_test_with(report, &packages("interop")?, &[("BITCOIND_EXE", bitcoind)])
}

fn wasm(report: &mut Report) -> Outcome {
    wasm::wasm(&[])?;
    bindings::node(report)?;
    install::apt(install::BROWSER)?;
    bindings::browser(report)
}

fn web(report: &mut Report) -> Outcome {
    page::ready()?;
    report.step(command("npm", &["run", "--silent", "typecheck"]).current_dir(page::folder()), false)?;
    report.step(command("npm", &["run", "--silent", "test:unit"]).current_dir(page::folder()), false)
}

fn e2e(report: &mut Report) -> Outcome {
    install::apt(install::BROWSER)?;
    page::build()?;
    let mut test = command("npm", &["run", "--silent", "e2e"]);
    test.current_dir(page::folder()).env("KITE_DEVNET", devnet()?);
    report.step(&mut test, false)
}

fn lint_and_test(report: &mut Report, packages: &[String]) -> Outcome {
    lint_and_test_with(report, packages, &[])
}

fn lint_and_test_with(report: &mut Report, packages: &[String], variables: &[(&str, PathBuf)]) -> Outcome {
    let mut clippy = cargo(&["clippy", "--all-targets", "--locked"]);
    clippy.args(packages).args(["--", "-D", "warnings"]);
    report.step(&mut clippy, false)?;
    let mut test = cargo(&["test", "--no-fail-fast", "--locked"]);
    test.envs(variables.iter().map(|(name, value)| (name, value)));
    report.step(test.args(packages), false)
}

#[cfg(test)]
mod tests {
    use super::{STAGES, Stage, run};
    use crate::shared::ELSEWHERE;

    #[test]
    fn a_part_that_counts_no_test_is_not_green() {
        let stage = |run| Stage { name: "silent", about: "says nothing", run };
        assert!(!run(&stage(|_| Ok(()))).0.is_green());
        let (report, _) = run(&stage(|report| {
            report.count(1, Vec::new());
            Ok(())
        }));
        assert!(report.is_green());
    }

    #[test]
    fn what_is_tested_elsewhere_is_tested() {
        assert!(ELSEWHERE.iter().all(|(_, stage)| STAGES.iter().any(|known| known.name == *stage)));
    }
}
