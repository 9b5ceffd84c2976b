//! Starts a regtest world on loopback and keeps it until Ctrl-C.
//!
//! Progress goes to standard error; when all is ready, one line of JSON goes to standard output.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kite_devnet::{World, WorldOptions};
use lexopt::prelude::{Long, ValueExt};

const HELP: &str = "\
kite-devnet: a regtest world on this machine: chain, Esplora API, faucet, websocket proxy, and the Lightning
nodes alice, bob and carol with channels alice-bob and bob-carol. Ctrl-C ends it.

  --block-secs N      mine a block every N seconds (default 5; 0: only on demand)
  --bitcoind URL      use this regtest bitcoind with wallet (http://user:password@host:port)
  --without-peers     no Lightning nodes
  --esplora-port P    port of the Esplora API      (default: a free one, as for all ports)
  --control-port P    port of faucet and controls
  --proxy-port P      port of the websocket proxy
  --peer-port P       port of alice; bob and carol take the next two
  --help              this text
";

fn parse() -> Result<Option<WorldOptions>, lexopt::Error> {
    let mut options =
        WorldOptions { block_interval: Some(Duration::from_secs(5)), ..WorldOptions::default() };
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("block-secs") => {
                let seconds = arguments.value()?.parse()?;
                options.block_interval =
                    Some(Duration::from_secs(seconds)).filter(|interval| !interval.is_zero());
            }
            Long("bitcoind") => options.bitcoind = Some(arguments.value()?.parse()?),
            Long("without-peers") => options.peers = false,
            Long("esplora-port") => options.esplora_port = arguments.value()?.parse()?,
            Long("control-port") => options.control_port = arguments.value()?.parse()?,
            Long("proxy-port") => options.proxy_port = arguments.value()?.parse()?,
            Long("peer-port") => {
                let first: u16 = arguments.value()?.parse()?;
                options.peer_ports = [first, first.saturating_add(1), first.saturating_add(2)];
            }
            Long("help") => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(options))
}

fn say(line: &str) {
    // A closed terminal is no reason to stop.
    let _ = writeln!(std::io::stderr(), "{line}");
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut options = match parse() {
        Ok(Some(options)) => options,
        Ok(None) => {
            let _ = write!(std::io::stdout(), "{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            say(&format!("{error}\n\n{HELP}"));
            return ExitCode::from(2);
        }
    };
    let started = Instant::now();
    options.progress =
        Some(Arc::new(move |line: &str| say(&format!("[{:6.2} s] {line}", started.elapsed().as_secs_f64()))));
    // Asked to stop while it starts, the world is still completed, so that it can be stopped in order.
    let mut starting = std::pin::pin!(World::start(options));
    let mut asked = false;
    let world = loop {
        tokio::select! {
            world = &mut starting => break world,
            () = asked_to_stop() => {
                if asked {
                    return ExitCode::from(130);
                }
                asked = true;
                say("stopping as soon as all is started (once more: at once)");
            }
        }
    };
    let world = match world {
        Ok(world) => world,
        Err(error) => {
            say(&format!("the world doesn't start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let mut output = std::io::stdout();
    let _ = writeln!(output, "{}", world.describe()).and_then(|()| output.flush());
    if !asked {
        asked_to_stop().await;
    }
    say("stopping");
    world.stop().await;
    ExitCode::SUCCESS
}

/// Ctrl-C, or a polite end by another program.
#[cfg(unix)]
async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn asked_to_stop() {
    let _ = tokio::signal::ctrl_c().await;
}
