//! The package for browsers: build, bindings, optimiser, and its size.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::Outcome;
use crate::ceiling;
use crate::install;
use crate::npm;
use crate::places;
use crate::shell::{self, cargo, command};
use crate::toolchain::Toolchain;

const PACKAGE: &str = "kite-wasm";
const MODULE: &str = "kite_wasm_bg.wasm";
/// The most a browser should have to download, compressed with brotli: a little more than it is (docs/adr/0006).
const CEILING_BYTES: u64 = 860 * 1024;
const NODE: &[install::Need] = &[("node", "nodejs"), ("npm", "npm")];

/// The cargo profile of the package that ships; a package of any other profile is not optimised.
const SHIP: &str = "wasm";

/// What the package is made of: it is built again when one of these is newer.
const SOURCES: &[&str] =
    &["Cargo.lock", "core/src", "wallet/src", "wallet/Cargo.toml", "api-macro", "bindings-wasm/src", "npm"];

/// `cargo xtask wasm [--toolchain auto|rustup|debian]`
pub fn wasm(arguments: &[String]) -> Outcome {
    let toolchain = match arguments {
        [] => Toolchain::Auto,
        [flag, name] if flag == "--toolchain" => Toolchain::parse(name)?,
        _ => return Err("usage: cargo xtask wasm [--toolchain auto|rustup|debian]".to_owned()),
    };
    let start = Instant::now();
    let package = package_folder();
    build_with(PACKAGE, &[], &package, toolchain, SHIP, npm::complete)?;
    println!("{} in {} s", package.display(), start.elapsed().as_secs());
    size()
}

/// Builds the package if it is missing or older than its sources.
///
/// # Errors
/// When a tool is missing and cannot be installed, or a step fails.
pub fn ready() -> Outcome {
    let sources = SOURCES.iter().map(|source| places::modified(&places::root().join(source)));
    if places::modified(&package_folder()) < sources.max().flatten() {
        println!("building the wallet for browsers (some minutes the first time)");
        wasm(&[])?;
    }
    Ok(())
}

/// The folder of the package that the web app imports.
pub fn package_folder() -> PathBuf {
    places::root().join("bindings-wasm/pkg")
}

/// Builds `package` with its JavaScript and TypeScript into `folder`.
///
/// # Errors
/// When a tool is missing or a step fails.
pub fn build(
    package: &str,
    features: &[&str],
    folder: &Path,
    toolchain: Toolchain,
    profile: &str,
) -> Outcome {
    build_with(package, features, folder, toolchain, profile, |_| Ok(()))
}

/// As [`build`]; the folder appears when `complete` has added to it.
fn build_with(
    package: &str,
    features: &[&str],
    folder: &Path,
    toolchain: Toolchain,
    profile: &str,
    complete: impl FnOnce(&Path) -> Outcome,
) -> Outcome {
    let compiled = toolchain.build(package, features, profile)?;
    // Built aside and moved: a stopped build never leaves half a package.
    let aside = folder.with_extension("new");
    places::remove(&aside)?;
    println!("writing its JavaScript and types (the generator is compiled the first time)");
    let mut bindgen = cargo(&["run", "--quiet", "--locked", "--package", "kite-bindgen", "--"]);
    shell::run(bindgen.arg(&compiled).arg(&aside))?;
    if profile == SHIP {
        let module = aside.join(format!("{}_bg.wasm", package.replace('-', "_")));
        // No feature flag: the optimiser then keeps to the features the module itself names, which browsers know.
        let optimiser = tools()?.join("node_modules/binaryen/bin/wasm-opt");
        println!("shrinking the module (a minute or two)");
        let mut optimise = command("node", &[&optimiser]);
        shell::run(optimise.args(["-Os", "--strip-producers"]).arg(&module).arg("-o").arg(&module))?;
    }
    complete(&aside)?;
    places::remove(folder)?;
    fs::rename(&aside, folder).map_err(|error| format!("{}: {error}", folder.display()))
}

/// The folder whose `node_modules` hold the pinned JavaScript tools (`xtask/tools`), installed once in the cache.
///
/// # Errors
/// When Node is missing or npm fails.
pub fn tools() -> Outcome<PathBuf> {
    install::apt(NODE)?;
    let folder = places::cache().join("tools");
    let lock = places::root().join("xtask/tools/package-lock.json");
    let wanted = fs::read(&lock).map_err(|error| format!("{}: {error}", lock.display()))?;
    let stamp = folder.join("installed.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(folder);
    }
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(&folder).map_err(failed)?;
    fs::copy(places::root().join("xtask/tools/package.json"), folder.join("package.json")).map_err(failed)?;
    fs::copy(&lock, folder.join("package-lock.json")).map_err(failed)?;
    println!("installing the JavaScript tools into {}", folder.display());
    let mut npm = command("npm", &["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    shell::run(npm.current_dir(&folder))?;
    fs::write(&stamp, wanted).map_err(failed)?;
    Ok(folder)
}

/// Prints the size of the package and fails above the ceiling.
///
/// # Errors
/// When there is no package or it is too large.
pub fn size() -> Outcome {
    install::apt(NODE)?;
    let module = package_folder().join(MODULE);
    if !module.is_file() {
        return Err("there is no package yet; run `cargo xtask wasm`".to_owned());
    }
    let script = places::root().join("xtask/tools/size.mjs");
    let printed = shell::output(command("node", &[&script, &module]).current_dir(places::root()))?;
    let sizes: Vec<u64> = printed.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [raw, gzip, brotli] = sizes[..] else { return Err(format!("size.mjs printed {printed:?}")) };
    println!("{MODULE}: {raw} bytes raw, {gzip} gzip -9, {brotli} brotli 11 (ceiling {CEILING_BYTES})");
    ceiling::under(MODULE, brotli, CEILING_BYTES)
}
