//! A wallet that is open for one command.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kite_wallet::api::{Channel, ChannelState, SafeToClose, Wallet, WalletConfig, WalletError};
use kite_wallet::platform::native;

use crate::arguments::Arguments;
use crate::esplora::Esplora;
use crate::failure::Failure;
use crate::output::Output;
use crate::signals::asked_to_stop;
use crate::{passphrase, settings};

/// Between two looks at something that is waited for.
pub const POLL: Duration = Duration::from_millis(100);
/// How long a chain server may fail before it counts as out of reach.
const CHAIN_PATIENCE: Duration = Duration::from_secs(8);
/// How long peers have to connect and to agree on the state of the channels.
const PEER_PATIENCE: Duration = Duration::from_secs(15);
/// How long a transaction may take to the chain server.
const PUBLISH_PATIENCE: Duration = Duration::from_secs(30);
/// How long what is under way may delay the end.
const SETTLE_PATIENCE: Duration = Duration::from_secs(5);

/// A wallet that is open for one command.
#[derive(Debug)]
pub struct Session<'a> {
    /// The wallet.
    pub wallet: Arc<Wallet>,
    /// What it was opened with.
    pub config: WalletConfig,
    /// Its chain server.
    pub esplora: Esplora,
    /// Where the command answers.
    pub output: &'a Output,
    sync_timeout: Duration,
}

impl<'a> Session<'a> {
    /// Opens the wallet that is there. It is not online.
    ///
    /// # Errors
    /// What [`Wallet::open`] fails with, and when a setting or the passphrase is missing.
    pub async fn open(arguments: &Arguments, output: &'a Output) -> Result<Self, Failure> {
        let config = settings::config(&arguments.given)?;
        if !is_there(&config) {
            return Err(WalletError::NoWallet.into());
        }
        let passphrase = passphrase::existing(&arguments.given, output)?;
        let wallet = Wallet::open_on(platform(&config), &config, &passphrase).await?;
        let esplora = Esplora::new(&config);
        let sync_timeout = Duration::from_secs(arguments.given.sync_timeout.into());
        Ok(Self { wallet, config, esplora, output, sync_timeout })
    }

    /// Goes online and waits until the wallet has caught up with the chain.
    ///
    /// # Errors
    /// `ChainUnavailable`; `NotSynced` where nothing moves any more.
    pub async fn catch_up(&self) -> Result<(), Failure> {
        self.wallet.start().await?;
        let (mut height, mut moved, mut asked) = (0, Instant::now(), Instant::now());
        loop {
            let info = self.wallet.info().await?;
            if info.synced {
                self.output.clear_progress();
                return Ok(());
            }
            if info.height != height {
                (height, moved) = (info.height, Instant::now());
            }
            if let Some(reason) = info.chain_error {
                if moved.elapsed() >= CHAIN_PATIENCE.min(self.sync_timeout) {
                    return Err(WalletError::ChainUnavailable { reason }.into());
                }
                if asked.elapsed() >= Duration::from_secs(1) {
                    asked = Instant::now();
                    self.wallet.refresh().await?;
                }
            }
            if moved.elapsed() >= self.sync_timeout {
                return Err(WalletError::NotSynced.into());
            }
            self.output.progress(format_args!("catching up with the chain: block {height}"));
            tokio::time::sleep(POLL).await;
        }
    }

    /// Goes online, catches up, and gives the peers time to make the channels usable. Those that are not are left so.
    ///
    /// # Errors
    /// See [`Self::catch_up`].
    pub async fn go_online(&self) -> Result<(), Failure> {
        self.catch_up().await?;
        let began = Instant::now();
        while began.elapsed() < PEER_PATIENCE {
            let channels = self.wallet.list_channels().await?;
            let waiting = channels.iter().filter(|channel| is_asleep(channel)).count();
            if waiting == 0 {
                break;
            }
            self.output.progress(format_args!("waiting for the peer{}", if waiting == 1 { "" } else { "s" }));
            tokio::time::sleep(POLL).await;
        }
        self.output.clear_progress();
        Ok(())
    }

    /// Waits until the chain server has a transaction that the wallet made.
    ///
    /// # Errors
    /// [`Failure::NotPublished`].
    pub async fn published(&self, txid: &str) -> Result<(), Failure> {
        let began = Instant::now();
        loop {
            // A server that does not answer is asked again: the transaction is stored.
            if let Ok(true) = self.esplora.has(txid).await {
                self.output.clear_progress();
                return Ok(());
            }
            if began.elapsed() >= PUBLISH_PATIENCE {
                return Err(Failure::NotPublished { txid: txid.to_owned() });
            }
            self.output.progress("publishing the transaction");
            tokio::time::sleep(POLL).await;
        }
    }

    /// Stops the wallet once what is under way or being written is over, or soon after; at once if the owner says so again.
    pub async fn close(self) {
        tokio::select! {
            () = self.settled() => {}
            () = asked_to_stop() => {}
        }
        self.output.clear_progress();
        self.wallet.stop().await;
    }

    async fn settled(&self) {
        let began = Instant::now();
        // A wallet that has stopped by itself has nothing left to do.
        while let Ok(SafeToClose { safe: false, reason }) = self.wallet.safe_to_close().await {
            if began.elapsed() >= SETTLE_PATIENCE {
                return;
            }
            self.output.progress(format_args!("{}", reason.unwrap_or_default()));
            tokio::time::sleep(POLL).await;
        }
    }
}

/// This machine.
pub fn platform(config: &WalletConfig) -> kite_wallet::platform::Platform {
    native::platform(&kite_wallet::platform::PlatformConfig { data: config.data.clone(), proxy_url: None })
}

/// Whether there is a wallet in the folder; one that is not there is not made by asking.
pub fn is_there(config: &WalletConfig) -> bool {
    std::path::Path::new(&config.data).join("wallet.sqlite").exists()
}

fn is_asleep(channel: &Channel) -> bool {
    channel.state == ChannelState::Ready && !channel.usable
}
