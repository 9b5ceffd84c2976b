//! A payment has one name, and what has a name is paid once: whichever way it goes, and however often it is asked for.

mod support;

use kite_wallet::api::{
    InvoiceRequest, OnchainRequest, PaymentKind, PaymentStatus, Quote, QuoteKind, SendRequest, Wallet,
    WalletError,
};
use kite_wallet::keyslot::KdfCost;
use std::sync::Arc;
use std::time::Duration;
use support::config::{NOWHERE, config};
use support::device::Device;
use support::esplora::Esplora;

const ADDRESS: &str = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";

async fn create(device: &Device, url: &str) -> Arc<Wallet> {
    Wallet::create_on(device.platform(), &config(url), "secret", None, KdfCost::TEST_ONLY).await.unwrap()
}

/// Knows no height: what is sent over Lightning waits.
async fn offline(device: &Device) -> Arc<Wallet> {
    Wallet::open_on(device.platform(), &config(NOWHERE), "secret").await.unwrap()
}

/// With one coin of 300 000 sat.
async fn funded(device: &Device) -> (Esplora, Arc<Wallet>) {
    let server = Esplora::start().await;
    server.world.lock().unwrap().mine_many(5);
    let wallet = create(device, &server.url).await;
    let address = wallet.new_address().await.unwrap();
    let script = address.parse::<bitcoin::Address<_>>().unwrap().assume_checked().script_pubkey();
    wallet.start().await.unwrap();
    server.world.lock().unwrap().pay(&script, 300_000);
    server.world.lock().unwrap().mine(0);
    for _ in 0..2_000 {
        if wallet.balance().await.unwrap().onchain_sat == 300_000 {
            return (server, wallet);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the coin does not arrive");
}

async fn invoice(expiry_secs: u32) -> String {
    let request = InvoiceRequest {
        amount_msat: Some(200_000_000),
        description: "tea".into(),
        expiry_secs: Some(expiry_secs),
    };
    create(&Device::default(), NOWHERE).await.make_invoice(request).await.unwrap().invoice
}

fn link(invoice: &str) -> String {
    format!("bitcoin:{ADDRESS}?amount=0.002&lightning={invoice}")
}

fn request(input: &str, name: Option<&str>) -> SendRequest {
    SendRequest {
        input: input.into(),
        amount_msat: (input == ADDRESS).then_some(200_000_000),
        max_fee_msat: None,
        timeout_secs: None,
        idempotency_key: name.map(str::to_owned),
        note: None,
    }
}

fn on_chain(name: &str) -> OnchainRequest {
    OnchainRequest {
        address: ADDRESS.into(),
        amount_sat: Some(200_000),
        feerate_sat_per_vb: Some(1),
        idempotency_key: Some(name.into()),
    }
}

/// As an app has it that was given one before.
fn lightning_quote(invoice: &str, name: &str) -> Quote {
    Quote {
        input: invoice.into(),
        kind: QuoteKind::Lightning,
        amount_msat: 200_000_000,
        fee_estimate_msat: 0,
        max_fee_msat: 10_000,
        min_amount_msat: 1,
        max_amount_msat: 200_000_000,
        description: None,
        payee: None,
        expires_at_secs: None,
        hops: None,
        payment_hash: None,
        idempotency_key: name.into(),
        timeout_secs: 60,
        note: None,
    }
}

#[tokio::test]
async fn what_is_on_its_way_over_lightning_is_not_paid_on_chain_as_well() {
    let device = Device::default();
    let (_server, wallet) = funded(&device).await;
    wallet.stop().await;
    let wallet = offline(&device).await;
    let invoice = invoice(3_600).await;
    let paying = wallet.send(lightning_quote(&invoice, "rent")).await.unwrap();
    assert_eq!(paying.status, PaymentStatus::Pending);
    for input in [&link(&invoice), &invoice] {
        let again = wallet.prepare_send(request(input, Some("rent"))).await.unwrap();
        assert_eq!((again.kind, again.amount_msat), (QuoteKind::Lightning, 200_000_000));
        assert_eq!((again.fee_estimate_msat, again.max_fee_msat), (10_000, 10_000));
        assert_eq!(wallet.send(again).await.unwrap().id, paying.id);
    }
    let in_flight = WalletError::InFlight { id: paying.id };
    for (input, name) in [(link(&invoice).as_str(), None), (ADDRESS, Some("rent"))] {
        assert_eq!(wallet.prepare_send(request(input, name)).await.unwrap_err(), in_flight, "{input}");
    }
    assert_eq!(wallet.send_onchain(on_chain("rent")).await.unwrap_err(), in_flight);
    wallet.send_onchain(on_chain("another")).await.unwrap();
}

#[tokio::test]
async fn a_link_whose_invoice_is_being_paid_is_not_paid_on_chain_once_the_invoice_has_expired() {
    let device = Device::default();
    let (_server, wallet) = funded(&device).await;
    wallet.stop().await;
    let wallet = offline(&device).await;
    let (invoice, unpaid) = (invoice(2).await, invoice(2).await);
    let paying = wallet.send(lightning_quote(&invoice, "rent")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    let error = wallet.prepare_send(request(&link(&invoice), None)).await.unwrap_err();
    assert_eq!(error, WalletError::InFlight { id: paying.id });
    let quote = wallet.prepare_send(request(&link(&unpaid), None)).await.unwrap();
    assert_eq!(quote.kind, QuoteKind::Onchain, "what nobody paid is");
}

#[tokio::test]
async fn what_was_paid_on_chain_is_not_paid_over_lightning_and_needs_no_coins_to_be_asked_for_again() {
    let device = Device::default();
    let (_server, wallet) = funded(&device).await;
    let invoice = invoice(3_600).await;
    let asked = request(&link(&invoice), Some("rent"));
    let sent = wallet.send(wallet.prepare_send(asked.clone()).await.unwrap()).await.unwrap();
    assert_eq!((sent.kind, sent.amount_msat), (PaymentKind::Onchain, 200_000_000));

    // The coin is gone, and its change is less than what was paid.
    for asked in [asked, request(ADDRESS, Some("rent"))] {
        let again = wallet.prepare_send(asked).await.unwrap();
        assert_eq!((again.kind, again.amount_msat), (QuoteKind::Onchain, 200_000_000));
        assert_eq!(Some(again.fee_estimate_msat), sent.fee_msat);
        assert_eq!(wallet.send(again).await.unwrap().id, sent.id);
    }
    let paid = WalletError::AlreadyPaid { id: sent.id };
    assert_eq!(wallet.prepare_send(request(&invoice, Some("rent"))).await.unwrap_err(), paid);
    assert_eq!(wallet.send(lightning_quote(&invoice, "rent")).await.unwrap_err(), paid);
}
