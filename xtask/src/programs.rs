//! Programs that run beside us until we end, however we end.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::Outcome;

/// With what a terminal, or another program, asks us to end.
const ENDS: [i32; 4] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];

const POLL: Duration = Duration::from_millis(20);

/// Programs that are asked to end when we are, or when this value is dropped.
#[derive(Debug)]
pub struct Programs {
    state: Arc<Mutex<State>>,
    patience: Duration,
}

#[derive(Debug, Default)]
struct State {
    is_asked: bool,
    running: Vec<Running>,
}

#[derive(Debug)]
struct Running {
    name: &'static str,
    child: Child,
    is_asked: bool,
}

impl Programs {
    /// None yet. What has not ended `patience` after it was asked is killed.
    pub fn new(patience: Duration) -> Self {
        Self { state: Arc::default(), patience }
    }

    /// From now on, who asks us to end asks them; each time.
    ///
    /// # Errors
    /// When the system does not let us.
    pub fn end_when_asked(&self) -> Outcome {
        let mut signals = Signals::new(ENDS).map_err(|error| format!("signals: {error}"))?;
        let state = Arc::clone(&self.state);
        thread::spawn(move || {
            for _ in signals.forever() {
                let mut state = locked(&state);
                state.is_asked = true;
                state.running.iter_mut().for_each(Running::ask);
            }
        });
        Ok(())
    }

    /// Whether somebody asked us to end.
    pub fn is_asked(&self) -> bool {
        locked(&self.state).is_asked
    }

    /// Starts a program and returns the line with which it says that it is ready.
    ///
    /// # Errors
    /// When it cannot be started or ends before, or we are to end.
    pub fn start(&self, name: &'static str, command: &mut Command) -> Outcome<String> {
        let output = self.spawn(name, command)?.ok_or_else(|| format!("{name} has no output"))?;
        let mut line = String::new();
        let mut reader = BufReader::new(output);
        reader.read_line(&mut line).map_err(|error| format!("{name}: {error}"))?;
        // Kept open, so that later output of the program does not end it.
        thread::spawn(move || reader.lines().for_each(drop));
        if line.is_empty() { Err(format!("{name} ended before it was ready")) } else { Ok(line) }
    }

    fn spawn(&self, name: &'static str, command: &mut Command) -> Outcome<Option<ChildStdout>> {
        // In a group of its own, where a terminal's Ctrl-C does not reach it: it hears of it from us, and once. The
        // devnet takes a second time for haste.
        command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
        // Locked until it is noted: nobody is asked to end in between.
        let mut state = locked(&self.state);
        if state.is_asked {
            return Err("asked to end".to_owned());
        }
        let mut child = command.spawn().map_err(|error| format!("{name}: {error}"))?;
        let output = child.stdout.take();
        state.running.push(Running { name, child, is_asked: false });
        Ok(output)
    }

    /// Waits until one of them ends by itself, or all are asked to.
    ///
    /// # Errors
    /// When one ended badly.
    pub fn wait(&self) -> Outcome {
        while !self.is_asked() {
            for program in &mut locked(&self.state).running {
                let status =
                    program.child.try_wait().map_err(|error| format!("{}: {error}", program.name))?;
                match status {
                    Some(status) if status.success() => return Ok(()),
                    Some(status) => return Err(format!("{} ended with {status}", program.name)),
                    None => {}
                }
            }
            thread::sleep(POLL);
        }
        Ok(())
    }
}

impl Drop for Programs {
    fn drop(&mut self) {
        let deadline = Instant::now() + self.patience;
        let unasked = |program: &&mut Running| !program.is_asked;
        locked(&self.state).running.iter_mut().filter(unasked).for_each(Running::ask);
        loop {
            let mut state = locked(&self.state);
            state.running.retain_mut(|program| !matches!(program.child.try_wait(), Ok(Some(_))));
            if Instant::now() >= deadline {
                state.running.iter_mut().for_each(Running::kill);
            }
            if state.running.is_empty() || Instant::now() >= deadline {
                return;
            }
            drop(state);
            thread::sleep(POLL);
        }
    }
}

impl Running {
    fn ask(&mut self) {
        self.is_asked = true;
        // It may have ended by itself. Its number is still its own: we have not taken note of its end.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // Whoever panicked changed nothing halfway.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{Programs, locked};
    use rustix::io::Errno;
    use rustix::process::{Pid, test_kill_process};
    use std::process::Command;
    use std::time::{Duration, Instant};

    fn script(text: &str) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", text]);
        shell
    }

    fn number(programs: &Programs) -> Pid {
        Pid::from_child(&locked(&programs.state).running[0].child)
    }

    #[test]
    fn what_does_not_end_when_it_is_asked_is_killed() {
        let programs = Programs::new(Duration::from_millis(300));
        let mut deaf = script("trap '' TERM; echo ready; while :; do sleep 0.05; done");
        assert_eq!(programs.start("deaf", &mut deaf).as_deref(), Ok("ready\n"));
        let (number, begun) = (number(&programs), Instant::now());
        drop(programs);
        assert_eq!(test_kill_process(number), Err(Errno::SRCH));
        assert!(begun.elapsed() >= Duration::from_millis(300));
    }

    #[test]
    fn who_ends_first_says_how_it_went() {
        let programs = Programs::new(Duration::from_secs(20));
        programs.start("steady", &mut script("echo ready; exec sleep 60")).expect("it starts");
        let number = number(&programs);
        programs.start("hasty", &mut script("echo ready; exit 3")).expect("it starts");
        assert_eq!(programs.wait(), Err("hasty ended with exit status: 3".to_owned()));
        let silent = programs.start("silent", &mut script("exit 0"));
        assert_eq!(silent, Err("silent ended before it was ready".to_owned()));
        drop(programs);
        assert_eq!(test_kill_process(number), Err(Errno::SRCH));
    }
}
