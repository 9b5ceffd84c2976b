//! The Swift package on Linux: the code of an iOS app against the library as phones have it, built for this machine.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use crate::Outcome;
use crate::bindings;
use crate::clock::Clock;
use crate::places;
use crate::report::Report;
use crate::shared;
use crate::shell::{self, command};
use crate::swiftlang::Swift;

const PACKAGE: &str = "ios";
const CONFIG: &str = "ios/uniffi.toml";
const SOURCES: &str = "ios/Sources/Kite/Generated";
const HEADERS: &str = "ios/Sources/KiteFFI";
/// What no Linux can build: checked against declarations.
const CHECK_APP: &str = "xtask/swift/check-app.sh";
/// The program that receives a payment and does nothing else, built as it ships.
const RECEIVE_ONCE: &str = "receive-once";

/// Generates and compiles the package, runs its tests against real nodes, and type-checks what only a Mac builds.
///
/// # Errors
/// When something cannot be had, does not compile or cannot be started.
pub fn stage(report: &mut Report) -> Outcome {
    if cfg!(target_os = "macos") {
        return Err("on a Mac, run the command of ios/README.md: it tests this and more".to_owned());
    }
    let mut clock = Clock::new("swift");
    let outcome = run(report, &mut clock);
    clock.close(report);
    outcome
}

fn run(report: &mut Report, clock: &mut Clock) -> Outcome {
    // One waits for the network and the disk, the other for the processor.
    let (swift, built) = thread::scope(|scope| {
        let swift = scope.spawn(Swift::ready);
        let built = build(clock);
        let swift =
            clock.time("then waiting for Swift", || swift.join().map_err(|_| "a panic".to_owned())?);
        (swift, built)
    });
    let (library, devnet) = built?;
    let package = Package { swift: swift?, library };

    let mut build = package.command("build", &["--build-tests"])?;
    clock.time("compiling the Swift", || shell::run(&mut build))?;
    let mut build = package.command("build", &["--configuration", "release", "--product", RECEIVE_ONCE])?;
    clock.time("compiling what receives, as it ships", || shell::run(&mut build))?;

    let mut test = package.command("test", &["--skip-build"])?;
    test.env("KITE_DEVNET", devnet);
    test.env("KITE_RECEIVE_ONCE", scratch().join("release").join(RECEIVE_ONCE));
    clock.time("tests", || report.step(&mut test, false))?;
    clock.time("checking the app", || report.step(&mut package.check_app(), false))
}

/// What is made of Rust: the library as it ships, the devnet's program, the generated Swift.
fn build(clock: &mut Clock) -> Outcome<(PathBuf, PathBuf)> {
    let library = clock.time("building the library", bindings::shipped_library)?;
    let devnet = clock.time("building the devnet", shared::devnet)?;
    clock.time("generating the Swift", generate)?;
    Ok((library, devnet))
}

/// `cargo xtask swift`: writes what is generated into the package, for Xcode or an editor.
///
/// # Errors
/// When the library does not build.
pub fn generate() -> Outcome {
    // The metadata that bindings are made of is in the symbols, which a library that ships has not.
    let (library, program) = shared::library()?;
    let mut generate = command(program, &["swift"]);
    shell::run(generate.arg(library).args([CONFIG, SOURCES, HEADERS]))
}

struct Package {
    swift: Swift,
    library: PathBuf,
}

impl Package {
    /// `swift build` or `swift test`.
    fn command(&self, verb: &str, options: &[&str]) -> Outcome<Command> {
        let library = self.library.parent().ok_or("a library is in a folder")?;
        let (root, target) = (places::root(), places::native_target());
        let mut swift = self.swift.command(&[&root, &target], "swift", &[verb]);
        swift
            .arg("--package-path")
            .arg(root.join(PACKAGE))
            .arg("--scratch-path")
            .arg(scratch())
            .args(options);
        // Observation of Swift 6.0 on Linux leaves a function undefined, which is called where a lock is broken.
        let undefined = Path::new("--allow-shlib-undefined");
        for option in [Path::new("-L"), library, Path::new("-rpath"), library, undefined] {
            swift.arg("-Xlinker").arg(option);
        }
        Ok(swift)
    }

    /// The compiler, which only checks what a Mac builds.
    fn check_app(&self) -> Command {
        let (root, target) = (places::root(), places::native_target());
        let mut check = self.swift.command(&[&root, &target], "sh", &[root.join(CHECK_APP)]);
        check.arg(root.join(PACKAGE)).arg(scratch().join("declarations"));
        check
    }
}

fn scratch() -> PathBuf {
    places::native_target().join("swift")
}
