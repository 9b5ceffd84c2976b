//! Whoever ends the demo ends all of it. The demo is the real one; what it starts are scripts that tell what befalls them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process};

const PATIENCE: Duration = Duration::from_secs(20);

/// Where the world says it is.
const WORLD: &str = r#"{"esplora_url":"http://127.0.0.1:1","control_url":"http://127.0.0.1:2","proxy_url":"ws://127.0.0.1:3"}"#;
/// What the page says.
const PAGE: &str = r#"{"url":"http://127.0.0.1:4/"}"#;

/// A demo with its parts: cargo and npm do nothing, the world and the page do nothing for long.
struct Demo {
    folder: PathBuf,
    child: Child,
}

impl Demo {
    /// In a group of its own, as a shell starts it. A world that is not `ready` says nothing.
    fn start(name: &str, ready: bool) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("demo-{name}"));
        let _ = fs::remove_dir_all(&folder);
        // As if the page's package had been built, so that nothing is compiled.
        write(&folder.join("checkout/bindings-wasm/pkg/package.json"), "{}");
        for part in ["checkout/web", "checkout/xtask"] {
            fs::create_dir_all(folder.join(part)).expect("a folder");
        }
        for tool in ["cargo", "npm", "g++"] {
            script(&folder.join("bin").join(tool), "exit 0");
        }
        let says = if ready { format!("echo '{WORLD}'") } else { String::new() };
        script(&folder.join("target/debug/kite-devnet"), &lasting("world", &says));
        script(&folder.join("bin/node"), &lasting("page", &format!("echo '{PAGE}'")));
        let path = std::env::var("PATH").expect("a path");
        let child = Command::new(env!("CARGO_BIN_EXE_xtask"))
            .arg("demo")
            .current_dir(&folder)
            .env("CARGO_MANIFEST_DIR", folder.join("checkout/xtask"))
            .env("CARGO_TARGET_DIR", folder.join("target"))
            .env("PATH", format!("{}:{path}", folder.join("bin").display()))
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("the demo starts");
        Self { folder, child }
    }

    fn number(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Reads up to the line that contains `text`.
    fn says(&mut self, text: &str) {
        let output = self.child.stdout.as_mut().expect("its output");
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains(text)), "it never says {text:?}");
    }

    /// What is told in a file of that name, once it is there.
    fn told(&self, name: &str) -> String {
        let file = self.folder.join(name);
        until(&format!("{name} is told"), || {
            fs::read_to_string(&file).ok().filter(|told| told.ends_with('\n'))
        })
    }

    fn number_of(&self, part: &str) -> Pid {
        let number = self.told(&format!("{part}.started")).trim().parse().expect("a number");
        Pid::from_raw(number).expect("not 0")
    }

    /// The demo ended well, and no part is left: each was asked to end, and did.
    fn is_over(&mut self, parts: &[&str]) {
        let numbers: Vec<Pid> = parts.iter().map(|part| self.number_of(part)).collect();
        let status: ExitStatus = until("the end", || self.child.try_wait().expect("it can be waited for"));
        assert!(status.success(), "{status}");
        for (part, number) in parts.iter().zip(numbers) {
            assert_eq!(test_kill_process(number), Err(Errno::SRCH), "{part} still runs");
            assert_eq!(self.told(&format!("{part}.asked")), "asked\n");
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // What a demo that failed has left.
        for part in ["world", "page"] {
            let started = fs::read_to_string(self.folder.join(format!("{part}.started")));
            if let Some(number) = started.ok().and_then(|number| Pid::from_raw(number.trim().parse().ok()?)) {
                let _ = kill_process(number, Signal::KILL);
            }
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A program that ends when it is asked to, and notes that it was.
fn lasting(part: &str, says: &str) -> String {
    format!(
        "trap 'echo asked >> {part}.asked; exit 0' INT TERM HUP\n\
         echo $$ > {part}.started\n\
         {says}\n\
         while :; do sleep 0.05; done"
    )
}

/// The scripts note things in the demo's folder, wherever they are started.
fn script(file: &Path, text: &str) {
    let folder = file.ancestors().find(|folder| folder.join("checkout").is_dir()).expect("the demo's folder");
    write(file, &format!("#!/bin/sh\ncd '{}'\n{text}\n", folder.display()));
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).expect("it can be started");
}

fn write(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    fs::write(file, text).expect("written");
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "it does not come: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn sigterm_to_the_demo_alone_ends_all_of_it() {
    let mut demo = Demo::start("sigterm", true);
    demo.says("Ctrl-C ends all of it");
    kill_process(demo.number(), Signal::TERM).expect("it runs");
    demo.is_over(&["world", "page"]);
}

#[test]
fn ctrl_c_ends_all_of_it() {
    let mut demo = Demo::start("ctrl-c", true);
    demo.says("Ctrl-C ends all of it");
    kill_process_group(demo.number(), Signal::INT).expect("it runs");
    demo.is_over(&["world", "page"]);
}

#[test]
fn a_terminal_that_closes_ends_all_of_it() {
    let mut demo = Demo::start("sighup", true);
    demo.says("Ctrl-C ends all of it");
    kill_process_group(demo.number(), Signal::HUP).expect("it runs");
    demo.is_over(&["world", "page"]);
}

#[test]
fn a_demo_that_is_still_starting_ends_as_well() {
    let mut demo = Demo::start("starting", false);
    demo.number_of("world");
    kill_process(demo.number(), Signal::TERM).expect("it runs");
    demo.is_over(&["world"]);
}
