//! Runs `kite` as its owner would.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::terminal::at_a_terminal;

pub const PASSPHRASE: &str = "tea for two, please";

/// How long what must come may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// Who has a wallet in a folder.
pub struct Owner {
    folder: tempfile::TempDir,
    esplora: String,
}

/// A command that is over.
#[derive(Debug)]
pub struct Done {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// A command that goes on.
pub struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Owner {
    pub fn new(esplora: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("kite-cli-").tempdir().expect("a folder");
        Self { folder, esplora: esplora.to_owned() }
    }

    pub fn wallet(&self) -> std::path::PathBuf {
        self.folder.path().join("wallet")
    }

    pub fn esplora(&self) -> &str {
        &self.esplora
    }

    /// With the passphrase in the environment and nobody at the keyboard.
    pub async fn kite(&self, arguments: &str) -> Done {
        self.kite_with(arguments, &[("KITE_PASSPHRASE", PASSPHRASE)], "").await
    }

    pub async fn kite_with(&self, arguments: &str, environment: &[(&str, &str)], input: &str) -> Done {
        let mut command = self.command(arguments);
        command.env_remove("KITE_PASSPHRASE").envs(environment.iter().copied());
        let mut child = command.stdin(Stdio::piped()).spawn().expect("it starts");
        let mut stdin = child.stdin.take().expect("piped");
        stdin.write_all(input.as_bytes()).await.expect("it listens");
        drop(stdin);
        let ended = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
        Done::of(ended.expect("it ends in time").expect("it ends"))
    }

    /// What a command answers in JSON.
    pub async fn json(&self, arguments: &str) -> Value {
        let done = self.kite(&format!("{arguments} --json")).await;
        assert_eq!(done.code, 0, "{arguments}: {done:?}");
        assert_eq!(done.stderr, "", "{arguments}");
        done.json()
    }

    /// The error of a command in JSON, after a look at its exit code and at the same for people.
    pub async fn error(&self, code: i32, kind: &str, arguments: &str) -> Value {
        let done = self.kite(&format!("{arguments} --json")).await;
        let error = done.error(code, kind);
        let human = self.kite(arguments).await;
        assert_eq!(human.code, code, "{arguments}: {human:?}");
        assert!(human.stderr.contains("error: "), "{arguments}: {human:?}");
        error
    }

    pub fn start(&self, arguments: &str) -> Running {
        let mut child = self.command(arguments).stdin(Stdio::null()).spawn().expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        Running { child, lines }
    }

    /// With somebody at the terminal; see [`at_a_terminal`].
    pub async fn at_a_terminal(
        &self,
        arguments: &str,
        answer: impl FnMut(&str, &str) -> Option<String> + Send + 'static,
    ) -> (String, i32) {
        let command = self.command(arguments).into_std();
        let ended = tokio::task::spawn_blocking(|| at_a_terminal(command, answer));
        tokio::time::timeout(PATIENCE, ended).await.expect("it ends in time").expect("it ends")
    }

    /// Runs a script that finds `kite` in its path.
    pub async fn script(&self, path: &str, environment: &[(&str, &str)]) -> Done {
        let mut command = Command::new("sh");
        let kite = Path::new(env!("CARGO_BIN_EXE_kite")).parent().expect("a folder");
        let others = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(kite.to_owned()).chain(std::env::split_paths(&others));
        let script = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("run by cargo")).join(path);
        command.arg("-eu").arg(script).env("PATH", std::env::join_paths(folders).expect("folders"));
        let ended = self.prepared(command).envs(environment.iter().copied()).stdin(Stdio::null()).output();
        Done::of(tokio::time::timeout(PATIENCE, ended).await.expect("it ends in time").expect("it ends"))
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kite"));
        command.args(arguments.split_whitespace());
        self.prepared(command)
    }

    fn prepared(&self, mut command: Command) -> Command {
        command
            .env("KITE_WALLET", self.wallet())
            .env("KITE_PASSPHRASE", PASSPHRASE)
            .env_remove("KITE_NETWORK")
            .env_remove("KITE_ESPLORA")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs a command again until its answer is as it must become.
    pub async fn until(&self, what: &str, arguments: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let answer = self.json(arguments).await;
            if is_so(&answer) {
                return answer;
            }
            assert!(began.elapsed() < PATIENCE, "it does not come: {what}: {answer}");
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    /// Everything that is stored beside the database, by name.
    pub fn files(&self) -> Vec<OsString> {
        let entries = std::fs::read_dir(self.wallet()).expect("a folder");
        entries.map(|entry| entry.expect("an entry").file_name()).collect()
    }
}

impl Done {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code().expect("not killed"),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }

    /// The one object on standard output.
    pub fn json(&self) -> Value {
        assert_eq!(self.stdout.lines().count(), 1, "{self:?}");
        serde_json::from_str(&self.stdout).expect("JSON")
    }

    /// The one object on standard error, after one on standard output.
    pub fn failed_after_a_line(&self, code: i32, kind: &str) -> Value {
        assert_eq!((self.code, self.stdout.lines().count()), (code, 1), "{self:?}");
        self.told(kind)
    }

    /// The one object on standard error, and nothing on standard output.
    pub fn error(&self, code: i32, kind: &str) -> Value {
        assert_eq!((self.code, self.stdout.as_str()), (code, ""), "{self:?}");
        self.told(kind)
    }

    fn told(&self, kind: &str) -> Value {
        let answer: Value = serde_json::from_str(&self.stderr).expect("JSON");
        assert_eq!(answer["error"]["type"], kind, "{self:?}");
        assert!(answer["error"]["message"].as_str().is_some_and(|text| !text.is_empty()));
        answer["error"].clone()
    }
}

impl Running {
    /// The next line, in JSON.
    pub async fn json(&mut self) -> Value {
        let line = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
        let line = line.expect("it comes in time").expect("it can be read").expect("there is one");
        serde_json::from_str(&line).expect("JSON")
    }

    /// The next event of a kind; others are passed over.
    pub async fn event(&mut self, kind: &str) -> Value {
        loop {
            let envelope = self.json().await;
            if envelope["event"]["type"] == kind {
                return envelope;
            }
        }
    }

    /// Ctrl-C.
    pub fn interrupt(&self) {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok()).expect("it runs");
        let id = rustix::process::Pid::from_raw(id).expect("not 0");
        rustix::process::kill_process(id, rustix::process::Signal::INT).expect("it is there");
    }

    pub async fn code(mut self) -> i32 {
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        ended.expect("it ends in time").expect("it ends").code().expect("not killed")
    }
}

/// Whether a file is in a folder.
pub fn is_in(folder: &Path, name: &str) -> bool {
    folder.join(name).exists()
}
