//! The bindings for Kotlin, Swift and Python, and the comparison with those for TypeScript.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::ceiling;
use crate::install;
use crate::places;
use crate::report::Report;
use crate::shared;
use crate::shell::{self, cargo, command};
use crate::toolchain::Toolchain;
use crate::wasm;
use crate::wheel;

const PYTHON: &[install::Need] = &[("python3", "python3")];
/// What is built with it ships; the scripts for phones name it, too.
const PROFILE: &str = "mobile";
const LIST: &str = "docs/api.txt";
/// The most that the library may take on a device: a little more than it does.
pub const CEILING_BYTES: u64 = 6_900 * 1024;
/// Names that a language wants otherwise than the crate has them.
const UNIFFI: &str = "android/uniffi.toml";

/// Runs the small API and the wallet itself from Python.
///
/// # Errors
/// When a step cannot be run.
pub fn python(report: &mut Report) -> Outcome {
    install::apt(PYTHON)?;
    // First the wallet's, which builds every library: the sample's has other features.
    let (_, program) = shared::library()?;
    python_test(report, &generate_python(&program, &sample()?)?, "api-macro/tests/run.py", &[])?;
    let bindings = wheel::install(&shipped_library()?, &python_module()?)?;
    python_test(report, &bindings, "bindings-uniffi/smoke.py", &[])?;
    let devnet = shared::devnet()?;
    python_test(report, &bindings, "bindings-uniffi/payment.py", &[&devnet])?;
    python_test(report, &bindings, "bindings-uniffi/killed.py", &[&devnet])?;
    python_test(report, &bindings, "bindings-uniffi/scenarios.py", &[&devnet])
}

/// Runs the small API from Node.
///
/// # Errors
/// When a step cannot be run.
pub fn node(report: &mut Report) -> Outcome {
    let folder = places::wasm_target().join("sample");
    wasm::build("kite-api-tests", &["--features", "wasm"], &folder, Toolchain::Auto, "dev")?;
    fs::write(folder.join("package.json"), "{\"type\":\"module\"}\n")
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut test = command("node", &["--test-reporter=tap", "api-macro/tests/run.mjs"]);
    report.step(test.arg(&folder), false)
}

/// Runs the cases of every store in Chromium.
///
/// # Errors
/// When a step cannot be run.
pub fn browser(report: &mut Report) -> Outcome {
    let folder = places::wasm_target().join("conformance");
    wasm::build("kite-conformance", &[], &folder, Toolchain::Auto, "dev")?;
    shell::run(&mut cargo(&["build", "--locked", "--package", "kite-proxy"]))?;
    let mut test = command("node", &["xtask/tools/browser-tests.mjs"]);
    test.arg(wasm::tools()?).arg(&folder).arg(places::native_target().join("debug/kite-proxy"));
    report.step(&mut test, false)
}

/// `cargo xtask parity`: one API, in the metadata of UniFFI, in the TypeScript declarations and in `docs/api.txt`.
///
/// # Errors
/// When they differ, or something has no docs.
pub fn parity() -> Outcome {
    let mut report = Report::default();
    compare(&mut report)?;
    if report.is_green() {
        Ok(())
    } else {
        Err("the API differs between languages, or from docs/api.txt".to_owned())
    }
}

/// The same as a part of the tests.
///
/// # Errors
/// When a step cannot be run.
pub fn compare(report: &mut Report) -> Outcome {
    let listed = list()?;
    let declarations = wasm::package_folder().join("kite_wasm.d.ts");
    if !declarations.is_file() {
        wasm::wasm(&[])?;
    }
    let found = places::native_target().join("api.txt");
    fs::write(&found, listed).map_err(|error| format!("{}: {error}", found.display()))?;
    let mut compare = command("node", &["xtask/tools/parity.mjs"]);
    report.step(compare.arg(&found).arg(&declarations).arg(places::root().join(LIST)), false)
}

/// `cargo xtask api`: writes `docs/api.txt` anew, after a change of the API that is meant.
///
/// # Errors
/// When the library cannot be built.
pub fn write_list() -> Outcome {
    let path = places::root().join(LIST);
    fs::write(&path, list()?).map_err(|error| format!("{}: {error}", path.display()))
}

fn list() -> Outcome<String> {
    let (library, program) = shared::library()?;
    shell::output(command(program, &["list"]).arg(library))
}

/// Builds the small API of the tests with UniFFI's exports and returns its file.
fn sample() -> Outcome<PathBuf> {
    let package = "kite-api-tests";
    shell::run(&mut cargo(&["build", "--locked", "--package", package, "--lib", "--features", "uniffi"]))?;
    Ok(places::native_target().join("debug").join(places::library_name(package)))
}

/// Builds the library as it ships: small, and without symbols.
///
/// # Errors
/// When it cannot be built, or is too large.
pub fn shipped_library() -> Outcome<PathBuf> {
    println!("building the library for phones and Python (some minutes the first time)");
    shell::run(&mut cargo(&[
        "build",
        "--locked",
        "--profile",
        PROFILE,
        "--package",
        "kite-uniffi",
        "--features",
        "small-tables",
        "--lib",
    ]))?;
    let library = places::native_target().join(PROFILE).join(places::library_name("kite-uniffi"));
    ceiling::check(&library, CEILING_BYTES)?;
    Ok(library)
}

/// Writes the bindings of a library into `folder`, by `kite-ffi`.
///
/// # Errors
/// When the library has no metadata or the folder cannot be written.
pub fn generate(program: &Path, library: &Path, language: &str, folder: &Path) -> Outcome {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut generate = command(program, &["generate"]);
    generate.args(["--language", language, "--no-format", "--config", UNIFFI, "--library"]).arg(library);
    shell::run(generate.arg("--out-dir").arg(folder))
}

/// The folder of the wallet's Python bindings.
///
/// # Errors
/// When the library they are made of does not build.
pub fn python_module() -> Outcome<PathBuf> {
    // The metadata that bindings are made of is in the symbols, which a library that ships has not.
    let (library, program) = shared::library()?;
    generate_python(&program, &library)
}

/// The folder of a library's Python bindings, made anew.
fn generate_python(program: &Path, library: &Path) -> Outcome<PathBuf> {
    let name = library.file_name().ok_or("a library has a file name")?;
    let folder = places::native_target().join("python").join(name);
    generate(program, library, "python", &folder)?;
    // The bindings load the library of their own crate's name from beside them.
    fs::copy(library, folder.join(name)).map_err(|error| format!("{}: {error}", library.display()))?;
    Ok(folder)
}

fn python_test(report: &mut Report, bindings: &Path, script: &str, arguments: &[&Path]) -> Outcome {
    report.step(command("python3", &[script]).arg(bindings).args(arguments), true)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::PROFILE;
    use crate::places;

    /// A section of the workspace's manifest.
    fn section(manifest: &str, title: &str) -> Vec<String> {
        let lines = manifest.lines().skip_while(|line| *line != title).skip(1);
        lines.take_while(|line| !line.starts_with('[')).map(str::to_owned).collect()
    }

    /// `api-macro/tests/run.py` sees that a panic is an exception; where panics abort, it would be the end of the app.
    #[test]
    fn a_panic_of_what_ships_is_an_exception_of_the_language() {
        let read =
            |file: &str| fs::read_to_string(places::root().join(file)).expect("a file of the workspace");
        let profile = section(&read("Cargo.toml"), &format!("[profile.{PROFILE}]"));
        assert!(profile.contains(&"panic = \"unwind\"".to_owned()), "{profile:?}");
        for script in ["android/scripts/build-native.sh", "ios/build-xcframework.sh"] {
            let build = format!("--profile {PROFILE} --package kite-uniffi");
            assert!(read(script).contains(&build), "{script}");
        }
    }
}
