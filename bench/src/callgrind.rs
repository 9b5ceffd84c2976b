//! Instructions instead of seconds: this program once more, under callgrind. The same on a busy machine and on an idle one.

use crate::meter::{COUNTED, END, Reading};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why nothing was counted.
#[derive(Debug)]
pub enum CountError {
    /// There is no valgrind on this machine.
    NoValgrind,
    /// It ran and did not end well.
    Failed(String),
}

impl std::fmt::Display for CountError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoValgrind => f.write_str("this machine has no valgrind"),
            Self::Failed(reason) => f.write_str(reason),
        }
    }
}

/// Runs this program under callgrind with these arguments, which must make it print one line a section: its name, a tab,
/// and its units. Tells what a unit of each cost, in instructions.
///
/// # Errors
/// [`CountError`].
pub fn count(arguments: &[&str]) -> Result<Vec<Reading>, CountError> {
    let failed = |error: std::io::Error| CountError::Failed(error.to_string());
    let itself = std::env::current_exe().map_err(failed)?;
    let folder = Folder::new().map_err(failed)?;
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--quiet", "--tool=callgrind", "--collect-atstart=no"])
        .arg(format!("--toggle-collect={COUNTED}"))
        .arg(format!("--dump-after={END}"))
        .arg(format!("--callgrind-out-file={}", folder.0.join("dump").display()))
        .arg(itself)
        .args(arguments)
        .stderr(Stdio::inherit());
    let output = valgrind.output().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => CountError::NoValgrind,
        _ => failed(error),
    })?;
    if !output.status.success() {
        return Err(CountError::Failed(format!("valgrind ended with {}", output.status)));
    }
    let sections = String::from_utf8_lossy(&output.stdout);
    (1..)
        .zip(sections.lines())
        .map(|(number, line)| {
            let (name, units) =
                line.split_once('\t').and_then(|(name, units)| Some((name, units.parse::<f64>().ok()?)))?;
            let instructions = total(&folder.0.join(format!("dump.{number}")))?;
            Some(Reading { name: name.to_owned(), value: instructions / units })
        })
        .collect::<Option<_>>()
        .ok_or_else(|| CountError::Failed("valgrind's dumps are not as expected".to_owned()))
}

/// The sum in a dump: the line `summary:`, or `totals:`.
fn total(dump: &Path) -> Option<f64> {
    let text = std::fs::read_to_string(dump).ok()?;
    let sum =
        text.lines().find_map(|line| line.strip_prefix("summary: ").or(line.strip_prefix("totals: ")))?;
    sum.split_whitespace().next()?.parse().ok()
}

/// For the dumps; gone when this is.
struct Folder(PathBuf);

impl Folder {
    fn new() -> std::io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("kite-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays behind in the folder for temporary files does no harm.
        drop(std::fs::remove_dir_all(&self.0));
    }
}
