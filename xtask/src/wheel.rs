//! The wheel for Python: the library as phones have it, and the module that loads it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::ceiling;
use crate::install;
use crate::places;
use crate::shell::{self, command};

const PYTHON: &[install::Need] = &[("python3", "python3"), ("pip3", "python3-pip")];
/// The most that pip should have to download: a little more than it does.
const CEILING_BYTES: u64 = 3_500 * 1024;

/// Builds the wheel of `library` and the folder of its `bindings`.
///
/// # Errors
/// When Python or pip is missing or fails, or the wheel is too large.
pub fn make(library: &Path, bindings: &Path) -> Outcome<PathBuf> {
    install::apt(PYTHON)?;
    let wheel = build(library, bindings, &folder())?;
    ceiling::check(&wheel, CEILING_BYTES)?;
    Ok(wheel)
}

/// Makes the wheel and installs it into an environment of its own. Returns the folder in which Python finds it there.
///
/// # Errors
/// When Python or pip is missing or fails, or the wheel is too large.
pub fn install(library: &Path, bindings: &Path) -> Outcome<PathBuf> {
    let wheel = make(library, bindings)?;
    let installed = folder().join("installed");
    places::remove(&installed)?;
    // A folder for it alone, as an environment is, but without the package that Debian keeps environments in.
    let mut pip =
        command("python3", &["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target"]);
    shell::run(pip.env("PIP_ROOT_USER_ACTION", "ignore").arg(&installed).arg(&wheel))?;
    Ok(installed)
}

fn folder() -> PathBuf {
    places::cache().join("wheel")
}

fn build(library: &Path, bindings: &Path, folder: &Path) -> Outcome<PathBuf> {
    let (sources, wheels) = (folder.join("sources"), folder.join("wheels"));
    places::remove(&sources)?;
    places::remove(&wheels)?;
    let module = sources.join("kite_wallet");
    fs::create_dir_all(&module).map_err(|error| format!("{}: {error}", module.display()))?;
    let python = places::root().join("python");
    for name in ["pyproject.toml", "setup.py", "README.md"] {
        copy(&python.join(name), &sources.join(name))?;
    }
    copy(&bindings.join("kite_wallet.py"), &module.join("__init__.py"))?;
    copy(library, &module.join(places::library_name("kite-uniffi")))?;
    fs::write(module.join("py.typed"), "").map_err(|error| format!("{}: {error}", module.display()))?;
    let mut pip = command("python3", &["-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir"]);
    shell::run(pip.env("PIP_ROOT_USER_ACTION", "ignore").arg(&wheels).arg(&sources))?;
    let mut made = fs::read_dir(&wheels).map_err(|error| format!("{}: {error}", wheels.display()))?;
    let wheel = made.next().ok_or("pip made no wheel")?;
    Ok(wheel.map_err(|error| format!("{}: {error}", wheels.display()))?.path())
}

fn copy(from: &Path, to: &Path) -> Outcome {
    fs::copy(from, to).map(|_| ()).map_err(|error| format!("{}: {error}", from.display()))
}
