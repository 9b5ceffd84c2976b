//! The Swift package on Linux: the code of an iOS app against the library as phones have it, built for this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;
use crate::bindings;
use crate::places;
use crate::report::Report;
use crate::shell::{self, cargo};
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
    let package = Package { swift: Swift::ready()?, library: bindings::shipped_library()? };
    shell::run(&mut cargo(&["build", "--locked", "--package", "kite-devnet"]))?;
    generate()?;
    println!("compiling the Swift (about a minute)");
    shell::run(&mut package.command("build", &["--build-tests"])?)?;
    shell::run(&mut package.command("build", &["--configuration", "release", "--product", RECEIVE_ONCE])?)?;

    let mut test = package.command("test", &["--skip-build"])?;
    test.env("KITE_DEVNET", places::native_target().join("debug/kite-devnet"));
    test.env("KITE_RECEIVE_ONCE", scratch().join("release").join(RECEIVE_ONCE));
    report.step(&mut test, false)?;
    report.step(&mut package.check_app(), false)
}

/// `cargo xtask swift`: writes what is generated into the package, for Xcode or an editor.
///
/// # Errors
/// When the library does not build.
pub fn generate() -> Outcome {
    // The metadata that bindings are made of is in the symbols, which a library that ships has not.
    let library = bindings::library("kite-uniffi", &[])?;
    let mut generate = cargo(&["run", "--quiet", "--locked", "--package", "kite-ffi", "--", "swift"]);
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
