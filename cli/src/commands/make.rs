//! `kite init` and `kite restore`.

use std::sync::Arc;

use kite_wallet::api::{Wallet, WalletConfig, WalletError, check_mnemonic};
use kite_wallet::keyslot::KdfCost;
use kite_wallet::platform::Entropy as _;
use kite_wallet::platform::native::OsEntropy;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::arguments::Given;
use crate::failure::Failure;
use crate::output::Output;
use crate::passphrase::{self, Secret};
use crate::session::{is_there, platform};
use crate::{ask, settings, table};

/// How many of the words are asked for.
const ASKED: usize = 3;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Made<'a> {
    node_id: String,
    network: &'a str,
    data: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    mnemonic: Option<&'a str>,
}

/// A new wallet, whose words are shown once and asked for.
pub async fn init(given: &Given, output: &Output) -> Result<(), Failure> {
    let config = nothing_there(given).await?;
    let passphrase = passphrase::fresh(given, output)?;
    let wallet = make(&config, &passphrase, None).await?;
    let result = hand_over(&wallet, &config, &passphrase, output).await;
    wallet.stop().await;
    result
}

/// A wallet from its words.
pub async fn restore(given: &Given, output: &Output) -> Result<(), Failure> {
    let config = nothing_there(given).await?;
    let words = loop {
        let words = passphrase::words(output)?;
        match check_mnemonic(String::clone(&words)) {
            Ok(()) => break words,
            Err(error) if output.can_ask() => output.note(error),
            Err(error) => return Err(error.into()),
        }
    };
    let passphrase = passphrase::fresh(given, output)?;
    let wallet = make(&config, &passphrase, Some(words)).await?;
    let result = tell(&wallet, &config, None, output).await;
    wallet.stop().await;
    result?;
    output.note("Your on-chain coins appear with the next command that looks at the chain: kite balance");
    Ok(())
}

/// Asks nothing of the owner where a wallet is already.
async fn nothing_there(given: &Given) -> Result<WalletConfig, Failure> {
    let config = settings::config(given)?;
    if is_there(&config) && Wallet::exists_on(&platform(&config)).await? {
        return Err(WalletError::AlreadyExists.into());
    }
    Ok(config)
}

async fn make(
    config: &WalletConfig,
    passphrase: &str,
    words: Option<Secret>,
) -> Result<Arc<Wallet>, Failure> {
    settings::make_folder(config)?;
    let words = words.map(|words| String::clone(&words));
    let made = Wallet::create_on(platform(config), config, passphrase, words, KdfCost::WALLET).await;
    Ok(made.inspect_err(|_| {
        // Only if nothing is in it.
        let _ = std::fs::remove_dir(&config.data);
    })?)
}

async fn hand_over(
    wallet: &Wallet,
    config: &WalletConfig,
    passphrase: &Secret,
    output: &Output,
) -> Result<(), Failure> {
    let words = Zeroizing::new(wallet.mnemonic(String::clone(passphrase)).await?);
    tell(wallet, config, Some(&words), output).await?;
    if output.can_ask() {
        confirm(&words, output).await?;
    }
    Ok(())
}

/// Only then the settings are kept beside it: whatever becomes of their file, the owner has the words.
async fn tell(
    wallet: &Wallet,
    config: &WalletConfig,
    words: Option<&str>,
    output: &Output,
) -> Result<(), Failure> {
    let info = wallet.info().await?;
    let made =
        Made { node_id: info.node_id.clone(), network: &info.network, data: &config.data, mnemonic: words };
    output.answer(&made, || {
        let facts = [
            ("wallet", config.data.clone()),
            ("network", info.network.clone()),
            ("node id", info.node_id.clone()),
        ];
        let mut text = table::facts(&facts);
        if let Some(words) = words {
            text.push_str(&format!("\n\n{}\n\n{WARNING}", numbered(words)));
        }
        text
    })?;
    settings::remember(config)
}

const WARNING: &str = "\
Write these words down, on paper and in this order. They are not shown again. Whoever has them has the money.
They bring back your on-chain coins; open channels live in the wallet's folder only.";

/// Four in a line.
fn numbered(words: &str) -> String {
    let words: Vec<String> =
        words.split(' ').enumerate().map(|(at, word)| format!("{:>2} {word:<10}", at + 1)).collect();
    let lines: Vec<String> = words.chunks(4).map(|line| line.concat().trim_end().to_owned()).collect();
    lines.join("\n")
}

/// Asks for some of the words until they are right.
async fn confirm(words: &str, output: &Output) -> Result<(), Failure> {
    let words: Vec<&str> = words.split(' ').collect();
    for at in places(words.len())? {
        loop {
            output.question(format_args!("Word {}:", at + 1));
            let typed = Zeroizing::new(ask::line().await?);
            if typed.trim().eq_ignore_ascii_case(words[at]) {
                break;
            }
            output.note("That is not it: compare with what you wrote down.");
        }
    }
    output.note("Your words are confirmed. You may clear this screen now.");
    Ok(())
}

/// Different places below `count`, in their order.
fn places(count: usize) -> Result<Vec<usize>, Failure> {
    let random = OsEntropy.bytes().map_err(|error| Failure::Terminal { reason: error.to_string() })?;
    let mut places: Vec<usize> = Vec::new();
    for byte in random {
        let place = usize::from(byte) % count;
        if places.len() < ASKED && !places.contains(&place) {
            places.push(place);
        }
    }
    places.sort_unstable();
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::{numbered, places};

    #[test]
    fn words_are_numbered() {
        let words = "one two three four five";
        assert_eq!(numbered(words), " 1 one        2 two        3 three      4 four\n 5 five");
    }

    #[test]
    fn three_different_words_are_asked_for() {
        for _ in 0..50 {
            let places = places(12).expect("random bytes");
            assert!(places.windows(2).all(|pair| pair[0] < pair[1]) && places.iter().all(|at| *at < 12));
            // 32 random bytes have three different remainders.
            assert_eq!(places.len(), 3);
        }
    }
}
