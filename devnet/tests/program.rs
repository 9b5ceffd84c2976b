//! The program: told to stop by the system, it ends all of its world.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(30);

/// Killed when a test fails before it has ended.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// The program, and what it says of its world.
    fn start() -> (Self, Value) {
        let mut program = Command::new(env!("CARGO_BIN_EXE_kite-devnet"));
        program.args(["--without-peers", "--block-secs", "1"]).stdout(Stdio::piped());
        let mut running = Self(program.spawn().unwrap());
        let mut line = String::new();
        BufReader::new(running.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        (running, serde_json::from_str(&line).unwrap())
    }

    fn end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn sigterm_and_sigint_end_chain_server_faucet_and_proxy() {
    for signal in [Signal::TERM, Signal::INT] {
        let (mut running, world) = Running::start();
        let served = ["esplora_url", "control_url", "proxy_url"].map(|name| -> SocketAddr {
            world[name].as_str().unwrap().rsplit_once('/').unwrap().1.parse().unwrap()
        });
        assert!(served.iter().all(|address| TcpStream::connect(address).is_ok()), "{world}");
        kill_process(Pid::from_child(&running.0), signal).unwrap();
        assert!(running.end().success(), "{signal:?}");
        assert!(served.iter().all(|address| TcpStream::connect(address).is_err()), "{world}");
    }
}
