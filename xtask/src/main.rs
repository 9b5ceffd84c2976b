//! Every command of the README and of CI: `cargo xtask <command>`.

mod bench;
mod bindings;
mod bitcoind;
mod ceiling;
mod clock;
mod coverage;
mod demo;
mod fuzz;
mod install;
mod jars;
mod kotlin;
mod mirror;
mod mutants;
mod npm;
mod page;
mod places;
mod programs;
mod report;
mod schedules;
mod shared;
mod shell;
mod size;
mod stage;
mod swift;
mod swiftlang;
mod toolchain;
mod wasm;
mod wheel;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask <command>

  demo             the world, real nodes and the page: prints one URL, Ctrl-C ends all of it
  test [part]...   every test, or the named parts in the given order
  stages           the parts of `test` and what each one runs
  wasm             the package for browsers, in bindings-wasm/pkg [--toolchain auto|rustup|debian]
  size             how large each thing is that ships; fails where one is above its ceiling
  bench            what a payment, an onion, an invoice and a start cost beside LDK [--case NAME] [--no-counts]
  sim              random schedules over the simulator [--seeds N] [--from S] [--secs T] [--seed S]
  fuzz             libFuzzer over the targets of fuzz/ [--seconds N] [--coverage] [target]...
  mutants          takes the rules of docs/security.md out, one by one, and sees that their tests fail [row]...
  swift            writes what is generated into the Swift package, for Xcode or an editor
  bitcoind         brings the full node that tests need and prints where it is
  parity           whether all languages have the same API, and that of docs/api.txt
  api              writes docs/api.txt anew, after a change of the API that is meant

Build results are kept in $KITE_CACHE (unset: ~/.cache/kite), shared by all clones; CARGO_TARGET_DIR overrides the
place of the native ones.";

/// Why a command stopped, in words for the person at the terminal.
type Outcome<T = ()> = Result<T, String>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("xtask: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Outcome {
    let Some((command, rest)) = arguments.split_first() else {
        println!("{USAGE}");
        return Ok(());
    };
    match command.as_str() {
        "demo" => demo::demo(rest),
        "test" => stage::test(rest),
        "stages" => stage::list(),
        "wasm" => wasm::wasm(rest),
        "size" => size::size(),
        "bench" => bench::bench(rest),
        "sim" => schedules::sim(rest),
        "fuzz" => fuzz::fuzz(rest),
        "mutants" => mutants::mutants(rest),
        "swift" => swift::generate(),
        "bitcoind" => bitcoind::bitcoind(),
        "parity" => bindings::parity(),
        "api" => bindings::write_list(),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        other => Err(format!("no command `{other}`\n\n{USAGE}")),
    }
}
