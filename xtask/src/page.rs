//! The web app: its package from Rust, its own tools, and the built page.

use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::Outcome;
use crate::install;
use crate::places;
use crate::shell::{self, command};
use crate::wasm;

const NODE: &[install::Need] = &[("node", "nodejs"), ("npm", "npm")];
/// What the package is made of: it is built again when one of these is newer.
const SOURCES: &[&str] =
    &["Cargo.lock", "core/src", "wallet/src", "wallet/Cargo.toml", "api-macro", "bindings-wasm/src"];

/// The folder of the web app.
pub fn folder() -> PathBuf {
    places::root().join("web")
}

/// Builds what is missing or older than its sources, and then the page.
///
/// # Errors
/// When a tool is missing and cannot be installed, or a step fails.
pub fn build() -> Outcome {
    ready()?;
    shell::run(command("npm", &["run", "--silent", "build"]).current_dir(folder()))
}

/// Makes sure of all that the page is built from and checked with: the wallet's package and the page's own tools.
///
/// # Errors
/// When a tool is missing and cannot be installed, or a step fails.
pub fn ready() -> Outcome {
    let package = wasm::package_folder();
    if modified(&package)
        < SOURCES.iter().map(|source| modified(&places::root().join(source))).max().flatten()
    {
        println!("building the wallet for browsers (some minutes the first time)");
        wasm::wasm(&[])?;
    }
    modules()
}

/// Installs the page's tools as its lock file names them.
fn modules() -> Outcome {
    install::apt(NODE)?;
    let (lock, stamp) =
        (folder().join("package-lock.json"), folder().join("node_modules/.package-lock.json"));
    if modified(&stamp) >= modified(&lock) {
        return Ok(());
    }
    println!("installing the page's tools");
    shell::run(command("npm", &["ci", "--no-audit", "--no-fund"]).current_dir(folder()))
}

/// When a file, or the newest file below a folder, was changed; unset if there is none.
fn modified(path: &std::path::Path) -> Option<SystemTime> {
    let of_file = |path: &std::path::Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    if !path.is_dir() {
        return of_file(path);
    }
    let entries = fs::read_dir(path).ok()?;
    entries.filter_map(|entry| modified(&entry.ok()?.path())).max()
}
