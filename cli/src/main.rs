//! `kite`: the wallet of the phones as one program for the terminal. See `docs/cli.md`.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod amount;
mod arguments;
mod ask;
mod commands;
mod esplora;
mod failure;
mod output;
mod passphrase;
mod qr;
mod session;
mod settings;
mod signals;
mod table;
mod when;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::Arguments;
use failure::Failure;
use output::Output;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return arguments::refused(&error),
    };
    let output = Output::new(arguments.json);
    let result = run(&arguments, &output);
    output.clear_progress();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    // The wallet's loop goes on while this thread asks a question.
    let runtime = builder.worker_threads(2).enable_all().build()?;
    let result = runtime.block_on(commands::run(arguments, output));
    // A thread may still wait for a line that will never be typed.
    runtime.shutdown_background();
    result
}
