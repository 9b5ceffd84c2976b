//! The wheel for Python: the library as phones have it, and the module that loads it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::install;
use crate::places;
use crate::shell::{self, cargo, command};

const PYTHON: &[install::Need] = &[("python3", "python3"), ("pip3", "python3-pip")];
/// The most that the library may take on a device, and the wheel on its way to it: a little more than they do.
const LIBRARY_CEILING_BYTES: u64 = 8_700 * 1024;
const WHEEL_CEILING_BYTES: u64 = 4_750 * 1024;

/// Builds the library as it ships: small, and without symbols.
///
/// # Errors
/// When it cannot be built, or is too large.
pub fn library() -> Outcome<PathBuf> {
    println!("building the library for phones and Python (some minutes the first time)");
    shell::run(&mut cargo(&[
        "build",
        "--locked",
        "--profile",
        "mobile",
        "--package",
        "kite-uniffi",
        "--lib",
    ]))?;
    let library = places::native_target().join("mobile").join(places::library_name("kite-uniffi"));
    print_size(&library, LIBRARY_CEILING_BYTES)?;
    Ok(library)
}

/// Builds the wheel of `library` and the folder of its `bindings`, and installs it into an environment of its own.
/// Returns the folder in which Python finds it there.
///
/// # Errors
/// When Python or pip is missing or fails, or the wheel is too large.
pub fn install(library: &Path, bindings: &Path) -> Outcome<PathBuf> {
    install::apt(PYTHON)?;
    let folder = places::cache().join("wheel");
    let wheel = build(library, bindings, &folder)?;
    print_size(&wheel, WHEEL_CEILING_BYTES)?;
    let installed = folder.join("installed");
    remove(&installed)?;
    // A folder for it alone, as an environment is, but without the package that Debian keeps environments in.
    let mut pip =
        command("python3", &["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target"]);
    shell::run(pip.env("PIP_ROOT_USER_ACTION", "ignore").arg(&installed).arg(&wheel))?;
    Ok(installed)
}

fn build(library: &Path, bindings: &Path, folder: &Path) -> Outcome<PathBuf> {
    let (sources, wheels) = (folder.join("sources"), folder.join("wheels"));
    remove(&sources)?;
    remove(&wheels)?;
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

fn remove(folder: &Path) -> Outcome {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{}: {error}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn print_size(file: &Path, ceiling: u64) -> Outcome {
    let bytes = fs::metadata(file).map_err(|error| format!("{}: {error}", file.display()))?.len();
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    println!("{name}: {bytes} bytes (ceiling {ceiling})");
    if bytes > ceiling {
        return Err(format!("{name} is {} bytes over its ceiling", bytes - ceiling));
    }
    Ok(())
}
