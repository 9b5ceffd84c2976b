//! An app that hears of events: one that fails, takes its time, or stops at once.

mod support;

use kite_wallet::api::{EventEnvelope, EventListener, Wallet};
use kite_wallet::keyslot::KdfCost;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::config::config;
use support::device::Device;
use support::esplora::Esplora;

const PATIENCE: Duration = Duration::from_secs(20);

/// A wallet to which coins came three times, which it will see once it is online.
async fn with_three_events(device: &Device) -> (Esplora, Arc<Wallet>) {
    let server = Esplora::start().await;
    let made =
        Wallet::create_on(device.platform(), &config(&server.url), "secret", None, KdfCost::TEST_ONLY).await;
    let wallet = made.unwrap();
    let address = wallet.new_address().await.unwrap();
    let script = address.parse::<bitcoin::Address<_>>().unwrap().assume_checked().script_pubkey();
    for sat in [10_000, 20_000, 30_000] {
        server.world.lock().unwrap().pay(&script, sat);
        server.world.lock().unwrap().mine(0);
    }
    (server, wallet)
}

/// Fails at the first event, and asks the wallet at each of the others before it is done.
struct Careless {
    wallet: Arc<Wallet>,
    heard: Mutex<Sender<u64>>,
}

impl EventListener for Careless {
    fn on_event(&self, event: EventEnvelope) {
        if event.seq == 0 {
            return;
        }
        assert_ne!(event.seq, 1, "an error of the app");
        tokio::runtime::Handle::current().block_on(self.wallet.info()).unwrap();
        self.heard.lock().unwrap().send(event.seq).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_listener_that_fails_or_waits_for_the_wallet_hears_the_next_event_all_the_same() {
    let (_server, wallet) = with_three_events(&Device::default()).await;
    let (heard, hears) = channel();
    let listener = Careless { wallet: wallet.clone(), heard: heard.into() };
    wallet.set_listener(Arc::new(listener)).await;
    wallet.start().await.unwrap();
    assert_eq!(hears.recv_timeout(PATIENCE), Ok(2));
    assert_eq!(hears.recv_timeout(PATIENCE), Ok(3));
    wallet.stop().await;
}

#[tokio::test]
async fn an_event_that_was_handled_does_not_come_again_though_the_app_stops_at_once() {
    let device = Device::default();
    let (_server, wallet) = with_three_events(&device).await;
    wallet.start().await.unwrap();
    let first = loop {
        let event = wallet.next_event().await.unwrap();
        if event.seq > 0 {
            break event;
        }
    };
    while wallet.balance().await.unwrap().onchain_sat != 60_000 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    wallet.event_handled(first.seq).await.unwrap();
    wallet.stop().await;
    let opened = Wallet::open_on(device.platform(), &config("http://127.0.0.1:9"), "secret").await;
    let next = opened.unwrap().next_event().await.unwrap();
    assert_eq!(next.seq, first.seq + 1);
}
