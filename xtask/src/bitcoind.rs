//! A `bitcoind` for tests, from Debian's archive: `bitcoin-knots`, a derivative of Bitcoin Core, since no suite has Core's
//! own. A regtest fixture and nothing else. Unpacked with the libraries of its suite, so that it runs on any Debian, and
//! without root.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::install;
use crate::mirror;
use crate::places;
use crate::shell::{self, command};

const SUITE: &str = "trixie";
const PACKAGE: &str = "bitcoin-knots";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// bitcoin-knots asks for a systemd program that makes users. This is the smallest that offers it.
const WITHOUT_SYSTEMD: &str = "systemd-standalone-sysusers";

/// Prints where it is, after it was brought.
///
/// # Errors
/// As [`program`].
pub fn bitcoind() -> Outcome {
    println!("{}", program()?.display());
    Ok(())
}

/// The program, fetched when it is not there yet: 19 MB, 60 MB unpacked.
///
/// # Errors
/// The package cannot be had, or what it brings does not start; the message says what to do by hand.
pub fn program() -> Outcome<PathBuf> {
    if let Some(own) = std::env::var_os("BITCOIND_EXE") {
        return Ok(PathBuf::from(own));
    }
    let folder = places::cache().join("bitcoind");
    let program = folder.join("bitcoind");
    if starts(&program).is_ok() {
        return Ok(program);
    }
    eprintln!("fetching {PACKAGE} of Debian's {SUITE}-backports into {}", folder.display());
    // What is half done never has the name that is looked for.
    let unfinished = places::cache().join(format!("bitcoind-{}", std::process::id()));
    let fetched = fetch(&unfinished).and_then(|()| starts(&unfinished.join("bitcoind")));
    let moved = fetched.and_then(|version| {
        // Gone when it is there no more, or another process was faster.
        let _ = fs::remove_dir_all(&folder);
        fs::rename(&unfinished, &folder).map_err(told(&folder))?;
        eprintln!("{version}");
        Ok(program)
    });
    let _ = fs::remove_dir_all(&unfinished);
    moved.map_err(|reason| {
        format!("{reason}; needed: a bitcoind. Name one that is there: BITCOIND_EXE=/path/to/bitcoind")
    })
}

/// The first line of what it says of itself.
fn starts(program: &Path) -> Outcome<String> {
    let version = shell::output(&mut command(program, &["--version"]))?;
    version.lines().next().map(str::to_owned).ok_or_else(|| format!("{} says nothing", program.display()))
}

fn fetch(folder: &Path) -> Outcome {
    if !install::on_path("apt-get") || !install::on_path("dpkg-deb") {
        return Err("this machine has no apt-get and dpkg-deb".to_owned());
    }
    let apt = folder.join("apt");
    for part in ["lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(apt.join(part)).map_err(told(&apt))?;
    }
    write(&apt.join("status"), "")?;
    write(&apt.join("sources.list"), &sources(&mirror::debian()))?;
    let options = options(&apt);
    let get = |words: &[&str]| {
        let mut get = command("apt-get", &["-qq"]);
        // What it prints is no answer of ours.
        get.args(&options).args(words).stdout(std::io::stderr());
        shell::run(&mut get)
    };
    get(&["update"])?;
    let package = format!("{PACKAGE}/{SUITE}-backports");
    get(&["install", "-y", "--no-install-recommends", "--download-only", &package, WITHOUT_SYSTEMD])?;
    let root = folder.join("root");
    for archive in files(&apt.join("cache/archives"))? {
        if archive.extension().is_some_and(|ending| ending == "deb") {
            let mut unpack = command("dpkg-deb", &["-x"]);
            shell::run(unpack.arg(&archive).arg(&root))?;
        }
    }
    fs::remove_dir_all(&apt).map_err(told(&apt))?;
    launcher(folder, &root)
}

/// apt with nothing of this machine's: neither its sources nor what it has installed.
fn options(apt: &Path) -> Vec<String> {
    let place = |name: &str, file: &str| format!("{name}={}", apt.join(file).display());
    let options = [
        place("Dir::Etc::sourcelist", "sources.list"),
        "Dir::Etc::sourceparts=/dev/null".to_owned(),
        "Dir::Etc::preferences=/dev/null".to_owned(),
        "Dir::Etc::preferencesparts=/dev/null".to_owned(),
        place("Dir::State::Lists", "lists"),
        place("Dir::State::status", "status"),
        place("Dir::Cache", "cache"),
        "APT::Sandbox::User=root".to_owned(),
        "Acquire::Languages=none".to_owned(),
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false".to_owned(),
    ];
    options.into_iter().flat_map(|option| ["-o".to_owned(), option]).collect()
}

fn sources(mirror: &str) -> String {
    let signed = if Path::new(KEYRING).exists() { format!("[signed-by={KEYRING}] ") } else { String::new() };
    format!("deb {signed}{mirror} {SUITE} main\ndeb {signed}{mirror} {SUITE}-backports main\n")
}

/// Starts it through the loader that came with it: this machine's libraries may be too old.
fn launcher(folder: &Path, root: &Path) -> Outcome {
    let libraries = files(&root.join("usr/lib"))?;
    let loader = libraries
        .iter()
        .filter_map(|libraries| files(libraries).ok())
        .flatten()
        .find(|file| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ld-linux")))
        .ok_or("the packages bring no loader")?;
    let inside = loader.strip_prefix(root).map_err(|_| "the loader is elsewhere")?;
    let script = format!(
        "#!/bin/sh\n\
         r=$(cd \"$(dirname \"$0\")/root\" && pwd); l=$r/{}\n\
         exec \"$l\" --library-path \"$(dirname \"$l\")\" --argv0 bitcoind \"$r/usr/bin/bitcoind\" \"$@\"\n",
        inside.display()
    );
    let launcher = folder.join("bitcoind");
    write(&launcher, &script)?;
    fs::set_permissions(&launcher, fs::Permissions::from_mode(0o755)).map_err(told(&launcher))
}

fn files(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(told(folder))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    Ok(paths)
}

fn write(path: &Path, text: &str) -> Outcome {
    fs::write(path, text).map_err(told(path))
}

fn told(path: &Path) -> impl Fn(std::io::Error) -> String {
    let path = path.display().to_string();
    move |error| format!("{path}: {error}")
}
