//! The web app: its package from Rust, its own tools, and the built page.

use std::path::PathBuf;

use crate::Outcome;
use crate::install;
use crate::places;
use crate::shell::{self, command};
use crate::wasm;

const NODE: &[install::Need] = &[("node", "nodejs"), ("npm", "npm")];
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
    // The names and sizes of its files would stand between a person and the page's address.
    shell::run(
        command("npm", &["run", "--silent", "build", "--", "--logLevel", "warn"]).current_dir(folder()),
    )
}

/// Makes sure of all that the page is built from and checked with: the wallet's package and the page's own tools.
///
/// # Errors
/// When a tool is missing and cannot be installed, or a step fails.
pub fn ready() -> Outcome {
    wasm::ready()?;
    modules()
}

/// Installs the page's tools as its lock file names them.
fn modules() -> Outcome {
    install::apt(NODE)?;
    let (lock, stamp) =
        (folder().join("package-lock.json"), folder().join("node_modules/.package-lock.json"));
    if places::modified(&stamp) >= places::modified(&lock) {
        return Ok(());
    }
    println!("installing the page's tools");
    shell::run(command("npm", &["ci", "--no-audit", "--no-fund"]).current_dir(folder()))
}
