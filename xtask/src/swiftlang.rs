//! Swift 6: this machine's own, or Debian's from trixie in a root folder of its own. Bookworm, which CI runs on, has none, and
//! what it needs (glibc, libstdc++) is newer than bookworm's.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;
use crate::install;
use crate::mirror;
use crate::places;
use crate::shell::{self, command};

const SUITE: &str = "trixie";
/// The compiler, and what it only recommends: without the others it links nothing.
const PACKAGES: &[&str] = &["swiftlang", "libc6-dev", "libstdc++-14-dev", "libgcc-14-dev"];
const TOOLS: &[install::Need] = &[
    ("mmdebstrap", "mmdebstrap"),
    ("/usr/share/keyrings/debian-archive-keyring.gpg", "debian-archive-keyring"),
    ("setpriv", "util-linux"),
    ("unshare", "util-linux"),
];
const INSIDE: &str = "xtask/swift/inside.sh";
/// A command whose processes all end when it does, and which ends when we do, however that is: no devnet of the tests is left.
const TO_THE_END: &[&str] = &["--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child"];

/// A Swift that runs.
#[derive(Debug)]
pub enum Swift {
    /// On the path.
    Own,
    /// In this root folder.
    Inside(PathBuf),
}

impl Swift {
    /// Brings it when it is not there yet: 570 MB to download the first time, 2.5 GB on disk.
    ///
    /// # Errors
    /// It cannot be had or does not start; the message says what to do by hand.
    pub fn ready() -> Outcome<Self> {
        let swift = if install::on_path("swift") { Self::Own } else { Self::Inside(root()?) };
        let version = shell::output(&mut swift.command(&[], "swift", &["--version"]))?;
        println!("{}", version.trim());
        Ok(swift)
    }

    /// A command of the machine that Swift is on. It sees these folders, under the paths that they have here.
    pub fn command<A: AsRef<OsStr>>(&self, folders: &[&Path], program: &str, arguments: &[A]) -> Command {
        match self {
            Self::Own => command(program, arguments),
            Self::Inside(root) => {
                let mut inside = command("setpriv", TO_THE_END);
                inside.args(["sh", INSIDE]).arg(root).args(folders).arg("--").arg(program).args(arguments);
                inside
            }
        }
    }
}

/// The root folder, made when there is none of these packages.
fn root() -> Outcome<PathBuf> {
    let folder = places::cache().join("swift");
    let (root, stamp) = (folder.join("root"), folder.join("stamp"));
    if fs::read_to_string(&stamp).is_ok_and(|made| made == recipe()) {
        return Ok(root);
    }
    println!(
        "no Swift here: making a root folder with Debian {SUITE}'s in {} (570 MB to download, 2.5 GB on disk)",
        folder.display()
    );
    // What is half there never has the name that is looked for.
    let unfinished = places::cache().join(format!("swift-{}", std::process::id()));
    let told = |error: std::io::Error| format!("{}: {error}", folder.display());
    // Older versions of what fills the root folder make that folder and none above it.
    let made = fs::create_dir_all(&unfinished).map_err(told);
    let made = made.and_then(|()| make(&unfinished.join("root"))).and_then(|()| {
        fs::write(unfinished.join("stamp"), recipe()).map_err(told)?;
        places::remove(&folder)?;
        fs::rename(&unfinished, &folder).map_err(told)
    });
    if made.is_err() {
        places::remove(&unfinished)?;
    }
    let by_hand = "needed: Swift 6. Run this as root on a Debian, or put a `swift` on the path (https://swift.org/install)";
    made.map(|()| root).map_err(|reason| format!("{reason}; {by_hand}"))
}

fn recipe() -> String {
    format!("{SUITE} {}\n", PACKAGES.join(" "))
}

fn make(root: &Path) -> Outcome {
    if shell::output(&mut command("id", &["-u"]))?.trim() != "0" {
        return Err("a root folder can only be made by root".to_owned());
    }
    install::apt(TOOLS)?;
    // What is half there is thrown away: nothing is gained by waiting for the disk.
    let mut bootstrap = command("mmdebstrap", &["--variant=essential", "--dpkgopt=force-unsafe-io"]);
    bootstrap.arg(format!("--include={}", PACKAGES.join(","))).arg(SUITE);
    shell::run(bootstrap.arg(root).arg(mirror::debian()))
}
