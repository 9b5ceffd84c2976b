//! The program: told to stop by the system, it ends in order.
#![cfg(unix)]

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{connect_async, tungstenite::Message};

const PATIENCE: Duration = Duration::from_secs(20);
const OPTIONS: [&str; 8] =
    ["--listen", "127.0.0.1:0", "--origin", "any", "--allow", "*:*", "--allow-private", "127.0.0.0/8"];

/// Killed when a test fails before it has ended.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    /// The program and the address it says it listens on.
    fn start() -> (Self, String) {
        let mut program = Command::new(env!("CARGO_BIN_EXE_kite-proxy"));
        let mut running = Self(program.args(OPTIONS).stdout(Stdio::piped()).spawn().unwrap());
        let mut line = String::new();
        BufReader::new(running.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        (running, line.trim().strip_prefix("listening on ").unwrap().to_owned())
    }

    async fn ends(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it does not end");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_and_sigint_end_the_program_in_order() {
    for signal in [Signal::TERM, Signal::INT] {
        let (mut running, address) = Running::start();
        let remote = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = remote.local_addr().unwrap().port();
        let (mut client, _) = connect_async(format!("ws://{address}/v1/127.0.0.1/{port}")).await.unwrap();
        let (mut stream, _) = remote.accept().await.unwrap();
        stream.write_all(b"on its way").await.unwrap();
        let carried = timeout(PATIENCE, client.next()).await.unwrap().unwrap().unwrap();
        assert_eq!(carried.into_data(), b"on its way".as_slice());

        kill_process(Pid::from_child(&running.0), signal).unwrap();
        match timeout(PATIENCE, client.next()).await.unwrap() {
            Some(Ok(Message::Close(Some(frame)))) => {
                assert_eq!((u16::from(frame.code), frame.reason.as_str()), (1001, "shutting_down"));
            }
            other => panic!("{signal:?}: no close frame: {other:?}"),
        }
        // The answer to the close frame leaves when the client is polled again.
        assert!(timeout(PATIENCE, client.next()).await.unwrap().is_none_or(|end| end.is_err()));
        assert_eq!(timeout(PATIENCE, stream.read(&mut [0; 1])).await.unwrap().unwrap(), 0);
        assert!(running.ends().await.success(), "{signal:?}");
        assert!(TcpStream::connect(address).await.is_err());
    }
}
