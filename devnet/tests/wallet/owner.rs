//! A native wallet that can be killed, and what it told its owner through all its lives.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kite_wallet::api::{Event, EventEnvelope, Wallet, WalletConfig, WalletError};
use kite_wallet::keyslot::KdfCost;
use kite_wallet::platform::PlatformConfig;
use kite_wallet::platform::native::platform;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// How long what is asked of a wallet may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Owner {
    config: WalletConfig,
    _folder: TempDir,
    /// Unset while it is dead.
    alive: watch::Sender<Option<Life>>,
    runtime: Mutex<Option<Runtime>>,
    /// Every stored event, by its number.
    events: Mutex<BTreeMap<u64, Event>>,
}

#[derive(Clone)]
struct Life {
    number: u32,
    wallet: Arc<Wallet>,
}

/// What one process would have for itself.
fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

impl Owner {
    /// Makes a wallet and goes online.
    pub async fn new(esplora_url: String) -> Arc<Self> {
        let folder = tempfile::Builder::new().prefix("kite-wallet-").tempdir().unwrap();
        let data = folder.path().to_string_lossy().into_owned();
        let config = WalletConfig {
            network: "regtest".into(),
            data,
            esplora_url,
            proxy_url: None,
            accept_young_mainnet: None,
        };
        let runtime = runtime();
        let making = config.clone();
        let wallet = runtime.spawn(async move {
            let platform = platform(&PlatformConfig { data: making.data.clone(), proxy_url: None });
            Wallet::create_on(platform, &making, "secret", None, KdfCost::TEST_ONLY).await
        });
        let wallet = wallet.await.unwrap().unwrap();
        wallet.start().await.unwrap();
        let owner = Arc::new(Self {
            config,
            _folder: folder,
            alive: watch::Sender::new(Some(Life { number: 0, wallet })),
            runtime: Mutex::new(Some(runtime)),
            events: Mutex::default(),
        });
        tokio::spawn(owner.clone().listen());
        owner
    }

    /// Ends the wallet wherever it is, as a killed process would end, and opens it again from its disk.
    pub async fn kill(&self) {
        let number = self.alive.send_replace(None).unwrap().number + 1;
        let dying = self.runtime.lock().unwrap().replace(runtime()).unwrap();
        // A write that the operating system has begun may be finished, but nobody hears of it.
        tokio::task::spawn_blocking(move || dying.shutdown_timeout(PATIENCE)).await.unwrap();
        let config = self.config.clone();
        let opening = self.runtime.lock().unwrap().as_ref().unwrap().spawn(async move {
            let platform = platform(&PlatformConfig { data: config.data.clone(), proxy_url: None });
            Wallet::open_on(platform, &config, "secret").await
        });
        let wallet = opening.await.unwrap().unwrap();
        wallet.start().await.unwrap();
        self.alive.send_replace(Some(Life { number, wallet }));
    }

    /// Asks until the wallet lives long enough to answer.
    pub async fn ask<T, F>(&self, mut question: impl FnMut(Arc<Wallet>) -> F) -> Result<T, WalletError>
    where
        F: Future<Output = Result<T, WalletError>>,
    {
        loop {
            if let Some(answer) = self.ask_once(&mut question).await {
                return answer;
            }
        }
    }

    /// Unset if the wallet was killed before it answered.
    pub async fn ask_once<T, F>(
        &self,
        question: impl FnOnce(Arc<Wallet>) -> F,
    ) -> Option<Result<T, WalletError>>
    where
        F: Future<Output = Result<T, WalletError>>,
    {
        let mut alive = self.alive.subscribe();
        let life = alive.wait_for(Option::is_some).await.ok()?.clone()?;
        let number = life.number;
        let ends = async move {
            let is_over = |now: &Option<Life>| now.as_ref().is_none_or(|now| now.number != number);
            alive.wait_for(is_over).await.is_ok()
        };
        tokio::pin!(ends);
        tokio::select! {
            biased;
            _ = &mut ends => None,
            answer = question(life.wallet.clone()) => match answer {
                // While its runtime ends, its last write fails as well.
                Err(error @ (WalletError::Stopped { .. } | WalletError::StoreUnavailable { .. })) => {
                    let killed = tokio::time::timeout(PATIENCE, &mut ends).await;
                    assert!(killed.is_ok(), "nobody killed it: {error}");
                    None
                }
                answer => Some(answer),
            },
        }
    }

    /// Everything that was told and is not passing.
    pub fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap().values().cloned().collect()
    }

    async fn listen(self: Arc<Self>) {
        loop {
            let Ok(EventEnvelope { seq, event, .. }) =
                self.ask(|wallet| async move { wallet.next_event().await }).await
            else {
                return;
            };
            match event {
                // The app learns from the system that there is a network again.
                Event::PeerDisconnected { .. } => {
                    let _ = self.ask_once(|wallet| async move { wallet.refresh().await }).await;
                }
                _ if seq == 0 => {}
                event => {
                    // What comes again after a crash is what came before it.
                    let event = without_time(event);
                    let earlier = self.events.lock().unwrap().insert(seq, event.clone());
                    assert!(earlier.is_none_or(|earlier| earlier == event));
                }
            }
            if seq > 0 {
                let _ = self.ask_once(|wallet| async move { wallet.event_handled(seq).await }).await;
            }
        }
    }

    /// Waits for what must come.
    pub async fn until<T, F>(&self, what: &str, mut look: impl FnMut(Arc<Wallet>) -> F) -> T
    where
        F: Future<Output = Result<Option<T>, WalletError>>,
    {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(found) = self.ask(&mut look).await.unwrap() {
                return found;
            }
            assert!(tokio::time::Instant::now() < deadline, "it does not come: {what}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // Inside another runtime nobody may wait for it.
        if let Some(runtime) = self.runtime.lock().unwrap().take() {
            runtime.shutdown_background();
        }
    }
}

/// How long a payment took is known in its own run only.
fn without_time(mut event: Event) -> Event {
    if let Event::PaymentSent { took_millis, .. } = &mut event {
        *took_millis = None;
    }
    event
}
