//! The npm package: the wallet for browsers, its worker, and the page's handle on it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::ceiling;
use crate::install;
use crate::places;
use crate::report::Report;
use crate::shared;
use crate::shell::{self, command};
use crate::wasm;

/// The most that `npm install` should have to download (gzip): the module is nearly all of it.
const CEILING_BYTES: u64 = 1_400 * 1024;

/// Adds what is written in TypeScript to the folder with the module and its bindings.
///
/// # Errors
/// When the compiler is missing or finds a fault, or a file cannot be written.
pub fn complete(folder: &Path) -> Outcome {
    let mut build = command("node", &["npm/build.mjs"]);
    shell::run(build.current_dir(places::root()).arg(folder).arg(wasm::tools()?))
}

/// Packs the package as `npm publish` would.
///
/// # Errors
/// When npm fails, or the package is too large.
pub fn pack() -> Outcome<PathBuf> {
    let folder = places::cache().join("npm");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut npm = command("npm", &["pack", "--silent", "--pack-destination"]);
    let printed = shell::output(npm.arg(&folder).current_dir(wasm::package_folder()))?;
    let name = printed.lines().last().ok_or("npm pack names no file")?;
    let tarball = folder.join(name.trim());
    ceiling::check(&tarball, CEILING_BYTES)?;
    Ok(tarball)
}

/// Installs the packed package into projects that have nothing else, and uses it there.
///
/// # Errors
/// When a step cannot be run.
pub fn stage(report: &mut Report) -> Outcome {
    wasm::ready()?;
    install::apt(install::BROWSER)?;
    let mut test = command("node", &["--test", "--test-reporter=tap", "--test-concurrency=1"]);
    test.args(["node", "vite", "remote", "scenarios"].map(|name| format!("npm/test/{name}.test.mjs")));
    test.env("KITE_TARBALL", pack()?).env("KITE_TOOLS", wasm::tools()?).env("KITE_DEVNET", shared::devnet()?);
    report.step(&mut test, false)
}
