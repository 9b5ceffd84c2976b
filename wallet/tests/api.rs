//! The API on a device in memory, with the real node and a chain server.

mod support;

use kite_wallet::api::{
    Direction, Event, InvoiceRequest, OnchainRequest, OpenChannelRequest, Parsed, PaymentFilter, PaymentKind,
    PaymentStatus, Quote, QuoteKind, SendRequest, Wallet, WalletConfig, WalletError, check_mnemonic,
};
use kite_wallet::keyslot::KdfCost;
use kite_wallet::platform::StoreError;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use support::config::{NOWHERE, config};
use support::device::Device;
use support::esplora::{Esplora, Fault};

const WORDS: &str = "legal winner thank year wave sausage worth useful legal winner thank yellow";
const NODE: &str = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";

async fn create(device: &Device, url: &str, words: Option<&str>) -> Result<Arc<Wallet>, WalletError> {
    let words = words.map(str::to_owned);
    Wallet::create_on(device.platform(), &config(url), "secret", words, KdfCost::TEST_ONLY).await
}

async fn open(device: &Device, passphrase: &str) -> Result<Arc<Wallet>, WalletError> {
    Wallet::open_on(device.platform(), &config(NOWHERE), passphrase).await
}

fn request(input: &str) -> SendRequest {
    SendRequest {
        input: input.into(),
        amount_msat: None,
        max_fee_msat: None,
        timeout_secs: None,
        idempotency_key: None,
        note: None,
    }
}

fn all() -> PaymentFilter {
    PaymentFilter { direction: None, limit: 100, before_secs: None }
}

async fn until<T, F: Future<Output = Option<T>>>(mut found: impl FnMut() -> F) -> T {
    for _ in 0..2_000 {
        if let Some(found) = found().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it does not happen");
}

fn is_send<T: Send>(value: T) -> T {
    value
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_is_made_closed_and_opened_again_with_its_passphrase_only() {
    let device = Device::default();
    assert_eq!(Wallet::exists_on(&device.platform()).await, Ok(false));
    assert_eq!(open(&device, "secret").await.unwrap_err(), WalletError::NoWallet);
    let wallet = is_send(create(&device, NOWHERE, None)).await.unwrap();
    let info = wallet.info().await.unwrap();
    assert_eq!((info.network.as_str(), info.height, info.synced), ("regtest", 0, false));
    assert!(info.storage_persistent && info.safe_to_close);
    let words = wallet.mnemonic("secret".into()).await.unwrap();
    assert_eq!(words.split(' ').count(), 12);
    assert_eq!(check_mnemonic(words.clone()), Ok(()));
    assert_eq!(wallet.mnemonic("Secret".into()).await.unwrap_err(), WalletError::WrongPassphrase);

    assert_eq!(open(&device, "secret").await.unwrap_err(), WalletError::AlreadyOpen);
    wallet.stop().await;
    assert!(matches!(wallet.info().await, Err(WalletError::Stopped { .. })));
    assert!(matches!(wallet.start().await, Err(WalletError::Stopped { .. })));
    assert!(!device.open.load(Ordering::SeqCst));

    assert_eq!(Wallet::exists_on(&device.platform()).await, Ok(true));
    assert_eq!(create(&device, NOWHERE, None).await.unwrap_err(), WalletError::AlreadyExists);
    assert_eq!(open(&device, "wrong").await.unwrap_err(), WalletError::WrongPassphrase);
    assert!(!device.locked.load(Ordering::SeqCst), "a failed opening gives the lock back");
    let again = open(&device, "secret").await.unwrap();
    assert_eq!(again.info().await.unwrap().node_id, info.node_id);
    assert_eq!(again.mnemonic("secret".into()).await.unwrap(), words);
}

#[tokio::test]
async fn the_same_words_are_the_same_wallet_and_nothing_secret_is_stored_in_the_clear() {
    let (first, second) = (Device::default(), Device::default());
    let one = create(&first, NOWHERE, Some(WORDS)).await.unwrap();
    let two = create(&second, NOWHERE, Some(&WORDS.to_uppercase())).await.unwrap();
    assert_eq!(one.info().await.unwrap().node_id, two.info().await.unwrap().node_id);
    assert_eq!(one.new_address().await.unwrap(), two.new_address().await.unwrap());
    let wrong = create(&Device::default(), NOWHERE, Some("legal winner")).await.unwrap_err();
    assert!(matches!(wrong, WalletError::InvalidInput { field, .. } if field == "mnemonic"));
    let entropy = [0x7f; 16];
    for (_, value) in &first.stored.lock().unwrap().records {
        assert!(!value.windows(16).any(|window| window == entropy));
    }
}

#[tokio::test]
async fn a_damaged_store_is_told_from_a_wrong_passphrase_and_left_as_it_is() {
    let device = Device::default();
    create(&device, NOWHERE, None).await.unwrap().stop().await;
    let whole = device.stored.lock().unwrap().clone();
    for i in 0..whole.records.len() {
        let mut damaged = whole.clone();
        let last = damaged.records[i].1.last_mut().unwrap();
        *last ^= 1;
        *device.stored.lock().unwrap() = damaged.clone();
        let error = open(&device, "secret").await.unwrap_err();
        assert!(matches!(error, WalletError::StoreDamaged { .. }), "record {i}: {error:?}");
        let mut missing = whole.clone();
        missing.records.remove(i);
        *device.stored.lock().unwrap() = missing;
        match open(&device, "secret").await {
            Ok(wallet) => wallet.stop().await,
            Err(error) => {
                assert!(matches!(error, WalletError::StoreDamaged { .. }), "without {i}: {error:?}")
            }
        }
        assert!(!device.locked.load(Ordering::SeqCst));
    }
}

#[tokio::test]
async fn main_net_unknown_networks_and_bad_servers_are_refused() {
    let device = Device::default();
    for (network, expected) in [("bitcoin", "mainnet_not_accepted"), ("litecoin", "invalid_input")] {
        let config = WalletConfig { network: network.into(), ..config(NOWHERE) };
        let made = Wallet::create_on(device.platform(), &config, "x", None, KdfCost::TEST_ONLY).await;
        assert_eq!(made.unwrap_err().code(), expected);
    }
    let error = create(&device, "nonsense", None).await.unwrap_err();
    assert!(matches!(error, WalletError::InvalidInput { field, .. } if field == "esplora_url"));
    create(&device, NOWHERE, None).await.unwrap().stop().await;
    let other = WalletConfig { network: "signet".into(), ..config(NOWHERE) };
    let error = Wallet::open_on(device.platform(), &other, "secret").await.unwrap_err();
    assert!(matches!(error, WalletError::InvalidInput { field, .. } if field == "network"));
}

#[tokio::test]
async fn main_net_opens_for_an_owner_who_accepts_that_it_is_young_each_time() {
    let device = Device::default();
    let accepted =
        WalletConfig { network: "bitcoin".into(), accept_young_mainnet: Some(true), ..config(NOWHERE) };
    assert!(kite_wallet::api::young_on_mainnet().iter().all(|sentence| sentence.ends_with('.')));
    let made = Wallet::create_on(device.platform(), &accepted, "secret", None, KdfCost::TEST_ONLY).await;
    let wallet = made.unwrap();
    let info = wallet.info().await.unwrap();
    assert_eq!((info.network.as_str(), info.height), ("bitcoin", 941_472));
    let address = wallet.new_address().await.unwrap();
    assert!(address.starts_with("bc1"), "{address}");
    let invoice = wallet.make_invoice(invoice_request(Some(21_000))).await.unwrap();
    assert!(invoice.invoice.starts_with("lnbc210n1"), "{}", invoice.invoice);
    wallet.stop().await;

    for accept_young_mainnet in [None, Some(false)] {
        let not_accepted = WalletConfig { accept_young_mainnet, ..accepted.clone() };
        let error = Wallet::open_on(device.platform(), &not_accepted, "secret").await.unwrap_err();
        assert_eq!(error, WalletError::MainnetNotAccepted);
    }
    let wallet = Wallet::open_on(device.platform(), &accepted, "secret").await.unwrap();
    assert_eq!(wallet.info().await.unwrap().height, 941_472, "it goes on from where it began");
    assert_eq!(wallet.list_payments(all()).await.unwrap().len(), 1);
    wallet.stop().await;
}

#[tokio::test]
async fn a_store_of_a_newer_kite_is_told_from_a_damaged_one() {
    let device = Device::default();
    create(&device, NOWHERE, None).await.unwrap().stop().await;
    let whole = device.stored.lock().unwrap().clone();
    let mut newer = 0;
    for i in 0..whole.records.len() {
        let mut other = whole.clone();
        // The first byte of the slot and of each sealed record is the version of its form.
        other.records[i].1[0] = 0xff;
        *device.stored.lock().unwrap() = other;
        let error = open(&device, "secret").await.unwrap_err();
        assert!(
            matches!(&error, WalletError::StoreNewer { reason } if reason.contains("update")),
            "{i}: {error:?}"
        );
        newer += 1;
    }
    assert!(newer > 2);
}

#[tokio::test]
async fn a_copy_that_opens_the_same_store_takes_it_over_and_the_first_stops_loudly() {
    let device = Device::default();
    let first = create(&device, NOWHERE, None).await.unwrap();
    device.locked.store(false, Ordering::SeqCst);
    let second = open(&device, "secret").await.unwrap();
    second.new_address().await.unwrap();
    assert_eq!(first.new_address().await.unwrap_err(), WalletError::LeaseLost);
    assert_eq!(first.info().await.map(|_| ()), Ok(()), "what it knows can still be read");
    let event = first.next_event().await.unwrap();
    assert_eq!(event.event, Event::Stopped { reason: "lease_lost".into() });
    assert_eq!(first.next_event().await.unwrap_err(), WalletError::LeaseLost);
    second.new_address().await.unwrap();
}

#[tokio::test]
async fn a_full_device_stops_the_wallet_and_what_was_stored_opens_again() {
    let device = Device::default();
    let wallet = create(&device, NOWHERE, None).await.unwrap();
    let invoice = wallet.make_invoice(invoice_request(Some(1_000))).await.unwrap();
    device.fail_with(StoreError::Full);
    let error = wallet.make_invoice(invoice_request(None)).await.unwrap_err();
    assert_eq!(error, WalletError::StoreFull);
    assert_eq!(wallet.new_address().await.unwrap_err(), WalletError::StoreFull);
    let event = wallet.next_event().await.unwrap();
    assert_eq!(event.event, Event::Stopped { reason: "store_full".into() });
    wallet.stop().await;
    *device.failure.lock().unwrap() = None;
    let wallet = open(&device, "secret").await.unwrap();
    let payments = wallet.list_payments(all()).await.unwrap();
    assert_eq!(payments.len(), 1);
    assert_eq!(payments[0].invoice.as_ref(), Some(&invoice.invoice));

    let device = Device::default();
    device.fail_with(StoreError::Full);
    let error = create(&device, NOWHERE, None).await.unwrap_err();
    assert_eq!(error, WalletError::StoreFull);
    assert!(device.stored.lock().unwrap().records.is_empty());
}

fn invoice_request(amount_msat: Option<u64>) -> InvoiceRequest {
    InvoiceRequest { amount_msat, description: "tea".into(), expiry_secs: None }
}

#[tokio::test]
async fn invoices_are_stored_shown_and_read_back() {
    let wallet = create(&Device::default(), NOWHERE, None).await.unwrap();
    let made = wallet.make_invoice(invoice_request(Some(21_000))).await.unwrap();
    assert_eq!(made.qr_text, made.invoice.to_uppercase());
    let payment = wallet.get_payment(made.payment_id.clone()).await.unwrap();
    assert_eq!((payment.direction, payment.status), (Direction::Incoming, PaymentStatus::Pending));
    assert_eq!((payment.amount_msat, payment.description.as_deref()), (21_000, Some("tea")));
    assert_eq!(payment.preimage, None, "the preimage of an unpaid invoice stays secret");
    let Ok(Parsed::Bolt11 { invoice, .. }) = wallet.parse(format!("lightning:{}", made.qr_text)) else {
        panic!("an invoice");
    };
    assert_eq!((invoice.amount_msat, invoice.payment_hash), (Some(21_000), made.payment_hash));
    assert_eq!(invoice.expires_at_secs, made.expires_at_secs);

    let own = wallet.prepare_send(request(&made.invoice)).await.unwrap_err();
    assert!(matches!(own, WalletError::Refused { .. }), "{own:?}");
    for (amount_msat, expiry_secs) in
        [(Some(0), None), (Some(u64::MAX), None), (None, Some(0)), (None, Some(u32::MAX))]
    {
        let asked = InvoiceRequest { amount_msat, expiry_secs, ..invoice_request(None) };
        assert!(matches!(wallet.make_invoice(asked).await, Err(WalletError::InvalidInput { .. })));
    }
    let long = InvoiceRequest { description: "x".repeat(700), ..invoice_request(None) };
    assert!(matches!(wallet.make_invoice(long).await, Err(WalletError::InvalidInput { .. })));
    assert_eq!(wallet.wait_payment(made.payment_id, 0).await.unwrap_err(), WalletError::Timeout);
    let brief = InvoiceRequest { expiry_secs: Some(1), ..invoice_request(Some(21_000)) };
    let brief = wallet.make_invoice(brief).await.unwrap();
    let waited = wallet.wait_payment(brief.payment_id, 60);
    let waited =
        tokio::time::timeout(Duration::from_secs(20), waited).await.expect("the clock tells").unwrap();
    assert_eq!(waited.status, PaymentStatus::Expired);
    assert!(matches!(wallet.get_payment("00".into()).await, Err(WalletError::NotFound { .. })));
}

#[tokio::test]
async fn an_empty_wallet_refuses_payments_with_the_reason() {
    let payee = create(&Device::default(), NOWHERE, None).await.unwrap();
    let wallet = create(&Device::default(), NOWHERE, None).await.unwrap();
    let fixed = payee.make_invoice(invoice_request(Some(5_000))).await.unwrap().invoice;
    let open_amount = payee.make_invoice(invoice_request(None)).await.unwrap().invoice;
    let error = |request: SendRequest| {
        let wallet = wallet.clone();
        async move { wallet.prepare_send(request).await.unwrap_err() }
    };
    let poor = WalletError::InsufficientFunds { needed_msat: 5_000, available_msat: 0 };
    assert_eq!(error(request(&fixed)).await, poor);
    assert_eq!(error(request(&open_amount)).await, WalletError::AmountRequired);
    let other_amount = SendRequest { amount_msat: Some(6_000), ..request(&fixed) };
    let exactly = WalletError::AmountOutOfRange { min_msat: 5_000, max_msat: 5_000 };
    assert_eq!(error(other_amount).await, exactly);
    for wrong in [
        SendRequest { timeout_secs: Some(0), ..request(&fixed) },
        SendRequest { idempotency_key: Some(String::new()), ..request(&fixed) },
        SendRequest { note: Some("x".repeat(2_000)), ..request(&fixed) },
        SendRequest { max_fee_msat: Some(u64::MAX), ..request(&fixed) },
        SendRequest { amount_msat: Some(0), ..request(&open_amount) },
    ] {
        assert_eq!(error(wrong).await.code(), "invalid_input");
    }
    let address = payee.new_address().await.unwrap();
    assert_eq!(error(request(&address)).await, WalletError::AmountRequired);
    let some = SendRequest { amount_msat: Some(9_000_000), ..request(&address) };
    assert_eq!(error(some).await.code(), "insufficient_funds");
    let dust = SendRequest { amount_msat: Some(100_000), ..request(&address) };
    assert_eq!(error(dust).await.code(), "amount_out_of_range");
}

#[tokio::test]
async fn peers_that_cannot_be_reached_are_told_and_kept() {
    let device = Device::default();
    device.unreachable.store(true, Ordering::SeqCst);
    let wallet = create(&device, NOWHERE, None).await.unwrap();
    wallet.start().await.unwrap();
    let error = wallet.connect_peer(NODE.into(), "example.org".into()).await.unwrap_err();
    assert!(matches!(error, WalletError::ConnectionFailed { .. }), "{error:?}");
    let peers = wallet.list_peers().await.unwrap();
    assert_eq!((peers[0].address.as_str(), peers[0].connected), ("example.org:9735", false));
    let request = OpenChannelRequest { node_id: NODE.into(), amount_sat: 100_000, feerate_sat_per_vb: None };
    assert_eq!(wallet.open_channel(request.clone()).await.unwrap_err(), WalletError::NotConnected);
    let too_small = OpenChannelRequest { amount_sat: 100, ..request };
    let sizes = WalletError::AmountOutOfRange { min_msat: 20_000_000, max_msat: 16_777_215_000 };
    assert_eq!(wallet.estimate_open_channel(too_small.clone()).await.unwrap_err(), sizes);
    assert_eq!(wallet.open_channel(too_small).await.unwrap_err(), sizes);
    wallet.disconnect_peer(NODE.into()).await.unwrap();
    assert!(wallet.list_peers().await.unwrap().is_empty());
    assert!(matches!(wallet.disconnect_peer(NODE.into()).await, Err(WalletError::NotFound { .. })));
    assert!(matches!(wallet.close_channel("7".into()).await, Err(WalletError::NotFound { .. })));
    assert!(matches!(
        wallet.connect_peer("02".into(), "x".into()).await,
        Err(WalletError::InvalidInput { .. })
    ));
}

#[tokio::test]
async fn whoever_waits_for_a_peer_that_is_forgotten_is_told() {
    let device = Device::default();
    let wallet = create(&device, NOWHERE, None).await.unwrap();
    wallet.start().await.unwrap();
    // It listens and says nothing.
    let waiting = tokio::spawn({
        let wallet = wallet.clone();
        async move { wallet.connect_peer(NODE.into(), "example.org".into()).await }
    });
    until(|| async { (!device.dialled.lock().unwrap().is_empty()).then_some(()) }).await;
    wallet.disconnect_peer(NODE.into()).await.unwrap();
    let told = tokio::time::timeout(Duration::from_secs(5), waiting).await.unwrap().unwrap();
    assert!(matches!(told, Err(WalletError::ConnectionFailed { .. })), "{told:?}");
}

#[tokio::test]
async fn many_small_coins_pay_what_was_quoted_and_until_it_is_published_the_app_should_stay() {
    let server = Esplora::start().await;
    server.world.lock().unwrap().mine_many(5);
    let wallet = create(&Device::default(), &server.url, None).await.unwrap();
    let address = wallet.new_address().await.unwrap();
    let script = address.parse::<bitcoin::Address<_>>().unwrap().assume_checked().script_pubkey();
    for sat in 10_000..10_020 {
        server.world.lock().unwrap().pay(&script, sat);
    }
    server.world.lock().unwrap().mine(0);
    wallet.start().await.unwrap();
    until(|| async { (wallet.balance().await.unwrap().onchain_sat > 200_000).then_some(()) }).await;

    let payee = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
    let asked = |sat: u64| SendRequest { amount_msat: Some(sat * 1_000), ..request(payee) };
    let quote = wallet.prepare_send(asked(100_000)).await.unwrap();
    assert_eq!(quote.fee_estimate_msat, quote.max_fee_msat);
    let most = quote.max_amount_msat / 1_000;
    let too_much = wallet.prepare_send(asked(most + 1)).await;
    assert!(matches!(too_much, Err(WalletError::InsufficientFunds { .. })), "{too_much:?}");
    assert_eq!(wallet.prepare_send(asked(most)).await.unwrap().amount_msat, most * 1_000);

    server.fail("/tx", Fault::Status(503, "busy"));
    let sent = wallet.send(quote.clone()).await.unwrap();
    assert_eq!(sent.fee_msat, Some(quote.max_fee_msat));
    let safe = wallet.safe_to_close().await.unwrap();
    assert_eq!(safe.reason.as_deref(), Some("a transaction is being published"));
    assert!(!safe.safe && !wallet.info().await.unwrap().safe_to_close);
    server.behave();
    until(|| async { wallet.safe_to_close().await.unwrap().safe.then_some(()) }).await;
    assert_eq!(server.published.lock().unwrap().iter().map(ToString::to_string).next(), Some(sent.id));
}

#[tokio::test]
async fn coins_arrive_are_spent_and_listed_and_the_events_come_until_they_are_handled() {
    let server = Esplora::start().await;
    server.world.lock().unwrap().mine_many(5);
    let device = Device::default();
    let wallet = create(&device, &server.url, None).await.unwrap();
    let address = wallet.new_address().await.unwrap();
    let script = address.parse::<bitcoin::Address<_>>().unwrap().assume_checked().script_pubkey();
    wallet.start().await.unwrap();
    until(|| async { wallet.info().await.unwrap().synced.then_some(()) }).await;
    assert_eq!(wallet.info().await.unwrap().height, 5);

    let txid = server.world.lock().unwrap().pay(&script, 300_000).to_string();
    until(|| async { (wallet.balance().await.unwrap().onchain_pending_sat == 300_000).then_some(()) }).await;
    server.world.lock().unwrap().mine(0);
    until(|| async { (wallet.balance().await.unwrap().onchain_sat == 300_000).then_some(()) }).await;
    let payment = wallet.wait_payment(txid.clone(), 10).await.unwrap();
    assert_eq!((payment.kind, payment.status), (PaymentKind::Onchain, PaymentStatus::Succeeded));
    assert_eq!((payment.amount_msat, payment.confirmations), (300_000_000, Some(1)));

    let event = until(|| async {
        let event = wallet.next_event().await.unwrap();
        (event.seq > 0).then_some(event)
    })
    .await;
    let received = Event::OnchainReceived { txid: txid.clone(), amount_sat: 300_000, confirmed: false };
    assert_eq!(event.event, received);
    assert_eq!(wallet.next_event().await.unwrap(), event, "it comes again until it is handled");
    wallet.event_handled(event.seq).await.unwrap();
    let next = wallet.next_event().await.unwrap();
    assert_eq!(next.event, Event::OnchainReceived { txid, amount_sat: 300_000, confirmed: true });

    let payee = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
    let asked =
        SendRequest { amount_msat: Some(50_000_000), idempotency_key: Some("rent".into()), ..request(payee) };
    let quote = wallet.prepare_send(asked).await.unwrap();
    assert_eq!((quote.kind, quote.amount_msat), (QuoteKind::Onchain, 50_000_000));
    assert!(quote.fee_estimate_msat > 0 && quote.max_amount_msat < 300_000_000);
    // As if fees had risen since: the quote counts.
    let quote = Quote { max_fee_msat: quote.max_fee_msat / 4, ..quote };
    let sent = wallet.send(quote.clone()).await.unwrap();
    assert_eq!((sent.direction, sent.amount_msat), (Direction::Outgoing, 50_000_000));
    assert!(sent.fee_msat.is_some_and(|fee| fee > 0 && fee <= quote.max_fee_msat), "{:?}", sent.fee_msat);
    assert_eq!(wallet.send(quote).await.unwrap().id, sent.id, "the same quote never pays twice");
    until(|| async {
        let published = server.published.lock().unwrap().iter().any(|txid| txid.to_string() == sent.id);
        published.then_some(())
    })
    .await;
    server.world.lock().unwrap().mine(0);
    assert_eq!(wallet.wait_payment(sent.id.clone(), 10).await.unwrap().confirmations, Some(1));
    let list = wallet.list_payments(all()).await.unwrap();
    assert_eq!(list.len(), 2);
    let outgoing = PaymentFilter { direction: Some(Direction::Outgoing), ..all() };
    assert_eq!(wallet.list_payments(outgoing).await.unwrap().len(), 1);
    assert_eq!(wallet.list_payments(PaymentFilter { limit: 1, ..all() }).await.unwrap().len(), 1);
    assert!(wallet.list_payments(PaymentFilter { before_secs: Some(1), ..all() }).await.unwrap().is_empty());

    let everything = OnchainRequest {
        address: payee.into(),
        amount_sat: None,
        feerate_sat_per_vb: Some(3),
        idempotency_key: Some("sweep".into()),
    };
    let swept = wallet.send_onchain(everything.clone()).await.unwrap();
    assert!(swept.amount_msat > 200_000_000);
    let too_fast = OnchainRequest {
        address: payee.into(),
        amount_sat: Some(1),
        feerate_sat_per_vb: Some(0),
        idempotency_key: None,
    };
    assert_eq!(wallet.send_onchain(too_fast).await.unwrap_err().code(), "invalid_input");

    wallet.stop().await;
    let wallet = open(&device, "secret").await.unwrap();
    assert_eq!(wallet.list_payments(all()).await.unwrap().len(), 3);
    assert_eq!(wallet.send_onchain(everything).await.unwrap().id, swept.id, "not even after a restart");
    assert_eq!(wallet.list_payments(all()).await.unwrap().len(), 3);
    let stored =
        until(|| async { Some(wallet.next_event().await.unwrap()).filter(|event| event.seq > 0) }).await;
    assert_eq!(stored, next, "what was not handled comes again after the next start");
}

#[tokio::test]
async fn a_listener_hears_each_event_once_and_in_order() {
    struct Listener(std::sync::Mutex<std::sync::mpsc::Sender<u64>>);
    impl kite_wallet::api::EventListener for Listener {
        fn on_event(&self, event: kite_wallet::api::EventEnvelope) {
            self.0.lock().unwrap().send(event.seq).unwrap();
        }
    }
    let server = Esplora::start().await;
    let wallet = create(&Device::default(), &server.url, None).await.unwrap();
    let (heard, hears) = std::sync::mpsc::channel();
    wallet.set_listener(Arc::new(Listener(std::sync::Mutex::new(heard)))).await;
    let address = wallet.new_address().await.unwrap();
    let script = address.parse::<bitcoin::Address<_>>().unwrap().assume_checked().script_pubkey();
    for sat in [10_000, 20_000, 30_000] {
        server.world.lock().unwrap().pay(&script, sat);
        server.world.lock().unwrap().mine(0);
    }
    wallet.start().await.unwrap();
    let mut seqs = Vec::new();
    until(|| {
        seqs.extend(hears.try_iter().filter(|seq| *seq > 0));
        let done = seqs.len() >= 3;
        async move { done.then_some(()) }
    })
    .await;
    assert_eq!(seqs, [1, 2, 3]);
    wallet.stop().await;
}

#[test]
fn the_wallet_can_be_used_from_many_threads() {
    fn both<T: Send + Sync>() {}
    both::<Wallet>();
}
