//! Somebody at a terminal who reads and types.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// Runs a command at a terminal. `answer` is given everything that was shown, and what was shown since the last answer,
/// with every piece that comes; what it gives is typed. Returns what was shown, and the exit code.
pub fn at_a_terminal(
    mut command: Command,
    mut answer: impl FnMut(&str, &str) -> Option<String>,
) -> (String, i32) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&terminal).and_then(|()| unlockpt(&terminal)).expect("ours");
    let name = ptsname(&terminal, Vec::new()).expect("its name").into_string().expect("text");
    let side = || File::options().read(true).write(true).open(&name).expect("its other side");
    command.stdin(Stdio::from(side())).stdout(Stdio::from(side())).stderr(Stdio::from(side()));
    let mut child = command.spawn().expect("it starts");
    // The command holds the other side, which closes when it ends.
    drop(command);
    let mut terminal = File::from(terminal);
    let (mut shown, mut answered, mut piece) = (String::new(), 0, [0; 4_096]);
    // The end of the other side is an error here.
    while let Ok(length @ 1..) = terminal.read(&mut piece) {
        shown.push_str(&String::from_utf8_lossy(&piece[..length]));
        if let Some(line) = answer(&shown, &shown[answered..]) {
            answered = shown.len();
            terminal.write_all(format!("{line}\n").as_bytes()).expect("typed");
        }
    }
    (shown, child.wait().expect("it ends").code().expect("not killed"))
}
