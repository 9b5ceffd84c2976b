//! What can be asked of `kite`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::amount::{Msat, Sat};
use crate::failure::{Failure, USAGE};
use crate::output::Output;

/// Exit codes, at the end of the help.
const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed, 2 cannot be used as given, 3 locked (wrong passphrase, or open elsewhere),
4 network, 5 the wallet's data, 6 not decided yet, 130 stopped by Ctrl-C.";

/// A self-custodial Lightning wallet.
#[derive(Debug, Parser)]
#[command(name = "kite", version, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub struct Arguments {
    /// Answer in JSON, an error too (on standard error). Nothing is asked.
    #[arg(long, global = true)]
    pub json: bool,
    /// Where the wallet is and how it is opened.
    #[command(flatten, next_help_heading = "Settings")]
    pub given: Given,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Settings of every command. A flag counts before the environment, and that before `kite.toml` in the wallet's folder.
#[derive(Args, Debug, Default)]
pub struct Given {
    /// The wallet's folder [default: .kite in your home]
    #[arg(long, global = true, env = "KITE_WALLET", value_name = "FOLDER", hide_env_values = true)]
    pub wallet: Option<PathBuf>,
    /// regtest, signet or bitcoin [default: what the wallet was made with]
    #[arg(long, global = true, env = "KITE_NETWORK", hide_env_values = true)]
    pub network: Option<String>,
    /// An Esplora server of that network [default: what the wallet was made with]
    #[arg(long, global = true, env = "KITE_ESPLORA", value_name = "URL", hide_env_values = true)]
    pub esplora: Option<String>,
    /// For bitcoin: you have read what is young about Kite there and want to go on [default: what the wallet was made with]
    #[arg(long, global = true)]
    pub accept_young_mainnet: bool,
    /// A file with the passphrase in its first line [default: KITE_PASSPHRASE, or it is asked for]
    #[arg(long, global = true, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// How long to wait for the chain while nothing moves, in seconds
    #[arg(long, global = true, value_name = "SECS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub sync_timeout: u32,
}

/// One thing to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a new wallet; its twelve words are shown once
    Init,
    /// Make a wallet from its words, read from the terminal or from standard input
    ///
    /// Words bring back the keys and the on-chain coins, not open channels and not the history.
    Restore,
    /// How the wallet is doing
    Info(Look),
    /// What the wallet holds
    Balance(Look),
    /// A new on-chain address
    Receive,
    /// Ask for a payment over Lightning
    Invoice(Invoice),
    /// Pay an invoice, an address or a link with them
    Pay(Pay),
    /// Open a channel
    Open(Open),
    /// Close a channel
    Close(Close),
    /// All channels
    Channels(Look),
    /// All payments, the newest first
    History(History),
    /// Keep the wallet running and tell what happens, until Ctrl-C
    ///
    /// A wallet that does not run cannot be paid over Lightning.
    Watch,
    /// Check everything, and say what to do
    Doctor,
    /// Print completions for a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
}

/// A shell that can complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Shell {
    /// bash
    Bash,
    /// zsh
    Zsh,
    /// fish
    Fish,
}

/// How to look at the wallet.
#[derive(Args, Debug)]
pub struct Look {
    /// Show what is known here, without the network
    #[arg(long)]
    pub offline: bool,
}

/// An invoice to be made.
#[derive(Args, Debug)]
pub struct Invoice {
    /// How much, in sat; left out: the payer chooses
    pub amount: Option<Msat>,
    /// What it is for; the payer sees it
    #[arg(long, short, default_value = "", hide_default_value = true)]
    pub description: String,
    /// How long it can be paid, in seconds
    #[arg(long, value_name = "SECS", default_value_t = 3600)]
    pub expiry: u32,
    /// Wait until it is paid or expired
    #[arg(long)]
    pub wait: bool,
}

/// A payment to be made.
#[derive(Args, Debug)]
pub struct Pay {
    /// What to pay: an invoice, an address, or a `lightning:` or `bitcoin:` link
    #[arg(value_name = "INVOICE")]
    pub input: String,
    /// How much, in sat, where the invoice does not say it
    #[arg(long)]
    pub amount: Option<Msat>,
    /// The most to pay on top over Lightning, in sat [default: 1 %, at least 10]
    #[arg(long, value_name = "AMOUNT")]
    pub max_fee: Option<Msat>,
    /// How long to look for a way, in seconds
    #[arg(long, value_name = "SECS", default_value_t = 60)]
    pub timeout: u32,
    /// A note for yourself
    #[arg(long)]
    pub note: Option<String>,
    /// A name of this payment: the same one never pays twice
    #[arg(long, value_name = "NAME")]
    pub idempotency_key: Option<String>,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

/// A channel to be opened.
#[derive(Args, Debug)]
pub struct Open {
    /// With whom: NODE_ID@HOST:PORT
    pub node: String,
    /// What it holds, in sat, paid from your on-chain coins
    pub amount: Sat,
    /// What its transaction pays, in sat per virtual byte [default: what is normal these days]
    #[arg(long, value_name = "SAT_PER_VB")]
    pub feerate: Option<u32>,
    /// Wait until the channel can be used
    #[arg(long)]
    pub wait: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

/// A channel to be closed.
#[derive(Args, Debug)]
pub struct Close {
    /// Which one: its id in `kite channels`
    pub channel: String,
    /// Close alone: for a peer that does not answer. It takes days and costs more
    #[arg(long)]
    pub force: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

/// Which payments to list, and how.
#[derive(Args, Debug)]
pub struct History {
    /// As CSV (RFC 4180)
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
    /// The most to list [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// Show what is known here, without the network
    #[arg(long)]
    pub offline: bool,
}

/// Says why the arguments cannot be used, or gives the help that was asked for.
pub fn refused(error: &clap::Error) -> ExitCode {
    let json = std::env::args_os().any(|argument| argument == "--json");
    if !error.use_stderr() || !json {
        // A closed terminal is nobody to tell.
        let _ = error.print();
        return ExitCode::from(if error.use_stderr() { USAGE } else { 0 });
    }
    let text = error.to_string();
    let reason = text.lines().take_while(|line| !line.starts_with("Usage:")).map(str::trim);
    let reason = reason.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    let reason = reason.strip_prefix("error: ").unwrap_or(&reason).to_owned();
    Output::new(true).failure(&Failure::Usage { reason });
    ExitCode::from(USAGE)
}

#[cfg(test)]
mod tests;
