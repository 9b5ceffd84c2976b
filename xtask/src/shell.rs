//! Starting other programs, and reading what they say.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use crate::Outcome;
use crate::places;

/// A command that runs in the root of the checkout.
pub fn command<A: AsRef<OsStr>>(program: impl AsRef<OsStr>, arguments: &[A]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(places::root());
    command
}

/// `cargo` for this machine's own architecture, with the shared target folder.
pub fn cargo<A: AsRef<OsStr>>(arguments: &[A]) -> Command {
    let mut cargo = command("cargo", arguments);
    cargo.env("CARGO_TARGET_DIR", places::native_target());
    // Set by the `cargo run` around us; a build script that reads one would see xtask's.
    for variable in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "CARGO_PKG_VERSION"] {
        cargo.env_remove(variable);
    }
    cargo
}

/// Runs to the end, with our terminal.
///
/// # Errors
/// When it cannot be started or ends badly.
pub fn run(command: &mut Command) -> Outcome {
    let status = command.status().map_err(|error| format!("{}: {error}", line(command)))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` ended with {status}", line(command))) }
}

/// Runs to the end and returns what it printed.
///
/// # Errors
/// When it cannot be started, ends badly or prints something else than UTF-8.
pub fn output(command: &mut Command) -> Outcome<String> {
    let output =
        command.stderr(Stdio::inherit()).output().map_err(|error| format!("{}: {error}", line(command)))?;
    if !output.status.success() {
        return Err(format!("`{}` ended with {}", line(command), output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("`{}` printed no text", line(command)))
}

/// Runs to the end and shows `read` each line of its output, which is also printed. With `both`, the error stream too
/// (some test runners speak there). Returns whether it ended well.
///
/// # Errors
/// When it cannot be started.
pub fn watch(command: &mut Command, both: bool, mut read: impl FnMut(&str)) -> Outcome<bool> {
    let name = line(command);
    let broken = |error: std::io::Error| format!("{name}: {error}");
    let (reader, writer) = std::io::pipe().map_err(broken)?;
    if both {
        command.stderr(writer.try_clone().map_err(broken)?);
    }
    command.stdout(writer).stdin(Stdio::null());
    let mut child = command.spawn().map_err(broken)?;
    // The command keeps our ends of the pipe open; without them the reader sees the end when the child is gone.
    command.stdout(Stdio::null()).stderr(Stdio::inherit());
    let mut out = std::io::stdout();
    let mut lines = BufReader::new(reader);
    let mut bytes = Vec::new();
    while lines.read_until(b'\n', &mut bytes).map_err(broken)? > 0 {
        out.write_all(&bytes).and_then(|()| out.flush()).map_err(broken)?;
        read(String::from_utf8_lossy(&bytes).trim_end());
        bytes.clear();
    }
    Ok(child.wait().map_err(broken)?.success())
}

/// The command as one would type it.
pub fn line(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}
