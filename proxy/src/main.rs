//! The binary: a proxy that runs until it is told to stop (SIGTERM, SIGINT), then ends its connections in order.

mod args;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use kite_proxy::{Proxy, ProxyConfig};

fn main() -> ExitCode {
    match args::parse(std::env::args_os().skip(1)) {
        Ok(args::Command::Help) => {
            let _ = io::stdout().write_all(args::HELP.as_bytes());
            ExitCode::SUCCESS
        }
        Ok(args::Command::Run(config)) => match run(*config) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                let _ = writeln!(io::stderr(), "kite-proxy: {error}");
                ExitCode::FAILURE
            }
        },
        Err(mistake) => {
            let _ = writeln!(io::stderr(), "kite-proxy: {mistake}\nTry kite-proxy --help.");
            ExitCode::from(2)
        }
    }
}

fn run(config: ProxyConfig) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let proxy = Proxy::start(config).await?;
        writeln!(io::stdout(), "listening on {}", proxy.local_addr())?;
        asked_to_stop().await?;
        proxy.shutdown().await;
        Ok(())
    })
}

#[cfg(unix)]
async fn asked_to_stop() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

#[cfg(not(unix))]
async fn asked_to_stop() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
