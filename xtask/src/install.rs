//! What the machine must have: installed when missing, with a word about it.

use std::path::Path;
use std::process::Command;

use crate::Outcome;
use crate::shell::{self, command};

/// A file a package brings, and the package's name.
pub type Need = (&'static str, &'static str);

/// What pages are tried in.
pub const BROWSER: &[Need] = &[("/usr/bin/chromium", "chromium")];

/// Makes sure that each package is there, through `apt-get` as root or with `sudo`.
///
/// # Errors
/// When one is missing and cannot be installed; the message says which.
pub fn apt(needs: &[Need]) -> Outcome {
    let missing: Vec<&str> =
        needs.iter().filter(|(file, _)| !present(file)).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    let by_hand = format!("install them by hand: apt-get install -y --no-install-recommends {names}");
    if !on_path("apt-get") {
        return Err(format!("needed and missing: {names}. This machine has no apt-get; {by_hand}"));
    }
    println!("installing {names}");
    // Another step may be at it.
    let mut install: Vec<&str> =
        vec!["install", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"];
    install.extend(&missing);
    // The lists may be older than the mirror: one update, one more try.
    let installed = shell::run(&mut as_root(&install))
        .or_else(|_| shell::run(&mut as_root(&["update"])).and_then(|()| shell::run(&mut as_root(&install))));
    installed.map_err(|reason| format!("needed and missing: {names} ({reason}); {by_hand}"))
}

/// Whether a command of this name can be started.
pub fn on_path(name: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(name).is_file()))
}

fn present(file: &str) -> bool {
    if file.starts_with('/') { Path::new(file).exists() } else { on_path(file) }
}

fn as_root(arguments: &[&str]) -> Command {
    let is_root = shell::output(&mut command("id", &["-u"])).is_ok_and(|id| id.trim() == "0");
    let mut apt = if is_root { command("apt-get", arguments) } else { command("sudo", &["-n", "apt-get"]) };
    if !is_root {
        apt.args(arguments);
    }
    apt.env("DEBIAN_FRONTEND", "noninteractive");
    apt
}
