//! `cargo xtask fuzz --coverage`: how much of the core the fuzzing inputs reach.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::Outcome;
use crate::fuzz::{found_folder, workspace};
use crate::install;
use crate::places;
use crate::shell;

/// They must be as new as the compiler's own LLVM.
const LLVM: &[install::Need] = &[("llvm-profdata-22", "llvm-22"), ("llvm-cov-22", "llvm-22")];

/// Replays every committed input and every one that fuzzing found on this machine, and prints the lines and functions of
/// the core that ran, file by file.
///
/// # Errors
/// When a tool is missing or an input breaks a target.
pub fn of_the_corpora() -> Outcome {
    install::apt(LLVM)?;
    let folder = places::native_target().join("fuzz-coverage");
    let profiles = folder.join("profiles");
    if profiles.exists() {
        fs::remove_dir_all(&profiles).map_err(|error| format!("{}: {error}", profiles.display()))?;
    }
    let mut build = workspace(&["test", "--locked", "--test", "corpus", "--no-run", "--message-format=json"]);
    build.env("CARGO_TARGET_DIR", &folder).env("RUSTFLAGS", "-Cinstrument-coverage");
    let program = executable(&shell::output(&mut build)?).ok_or("cargo names no test program")?;
    let mut replay = Command::new(&program);
    replay
        .current_dir(places::root())
        .env("KITE_FUZZ_FOUND", found_folder())
        .env("LLVM_PROFILE_FILE", profiles.join("%p.profraw"));
    shell::run(&mut replay)?;
    let merged = folder.join("all.profdata");
    let mut merge = Command::new("llvm-profdata-22");
    merge.args(["merge", "--sparse", "-o"]).arg(&merged);
    for entry in fs::read_dir(&profiles).map_err(|error| format!("{}: {error}", profiles.display()))? {
        merge.arg(entry.map_err(|error| error.to_string())?.path());
    }
    shell::run(&mut merge)?;
    let mut table = Command::new("llvm-cov-22");
    table.arg("report").arg(&program).arg("--instr-profile").arg(&merged);
    table.args(["--show-branch-summary=false", "--show-region-summary=false"]);
    shell::run(table.arg(places::root().join("core/src")))
}

/// The test program that cargo's messages name, one a line: other programs of the package stand among them, in any order.
fn executable(messages: &str) -> Option<PathBuf> {
    let of_test = messages.lines().filter(|message| message.contains("\"kind\":[\"test\"]"));
    let (_, rest) = of_test.filter_map(|message| message.split_once("\"executable\":\"")).next()?;
    rest.split('"').next().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::executable;
    use std::path::Path;

    #[test]
    fn cargo_names_the_program() {
        let library = "{\"kind\":[\"lib\"],\"executable\":null}";
        let test = "{\"kind\":[\"test\"],\"executable\":\"/a/corpus-1\",\"fresh\":true}";
        let other = "{\"kind\":[\"bin\"],\"executable\":\"/a/seeds\",\"fresh\":true}";
        for messages in [[library, test, other], [other, library, test]] {
            assert_eq!(executable(&messages.join("\n")).as_deref(), Some(Path::new("/a/corpus-1")));
        }
        assert_eq!(executable(&[library, other].join("\n")), None);
    }
}
