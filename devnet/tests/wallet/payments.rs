//! One payment each, carried through whatever happens to connection and wallet.

use std::sync::Arc;
use std::time::Duration;

use bitcoin::hashes::{Hash, sha256};
use kite_devnet::peers::{LightningPeer, NewInvoice, PeerError};
use kite_wallet::api::{
    Invoice, InvoiceRequest, Payment, PaymentStatus, Quote, SendRequest, Wallet, WalletError,
};
use ldk_node::lightning::types::payment::{PaymentHash, PaymentPreimage};
use ldk_node::lightning_invoice::{Bolt11InvoiceDescription, Description};
use ldk_node::payment::PaymentStatus as PeerStatus;

use crate::chance::Chance;
use crate::owner::Owner;

/// How long one payment may take, cuts and restarts included.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two tries while there is no connection.
const PAUSE: Duration = Duration::from_millis(50);

/// Both ends of the channel.
#[derive(Clone)]
pub struct Ends {
    pub owner: Arc<Owner>,
    pub peer: Arc<LightningPeer>,
}

/// What a held payment comes to.
#[derive(Clone, Copy, PartialEq)]
pub enum Release {
    Claim,
    Fail,
}

/// A few of nearly nothing, a few around the dust limit, and mostly what people pay.
pub fn amount_msat(chance: &mut Chance) -> u64 {
    match chance.within(0..6) {
        0 => chance.within(1..1_000),
        1 => chance.within(300_000..400_000),
        _ => chance.within(1_000..20_000_000),
    }
}

impl Ends {
    /// Pays the peer until it has the money. Tells the payments that failed on the way.
    pub async fn wallet_pays(&self, amount_msat: u64, key: &str) -> Vec<Payment> {
        let invoice = self.peer_invoice(amount_msat, 3_600).await;
        let mut failed = Vec::new();
        loop {
            let payment = self.send(&invoice, &format!("{key} {}", failed.len()), 0).await;
            match payment.status {
                PaymentStatus::Succeeded => {
                    assert_eq!((payment.amount_msat, payment.fee_msat), (amount_msat, Some(0)));
                    return failed;
                }
                PaymentStatus::Failed => failed.push(payment),
                other => panic!("{other:?} is no outcome"),
            }
        }
    }

    /// Pays the peer, which decides only after a while.
    pub async fn wallet_pays_held(&self, amount_msat: u64, key: &str, release: Release) {
        let preimage = sha256::Hash::hash(key.as_bytes()).to_byte_array();
        let hash = PaymentHash(sha256::Hash::hash(&preimage).to_byte_array());
        let invoice = self
            .peer
            .with(move |node| {
                let nothing = Description::empty();
                let description = Bolt11InvoiceDescription::Direct(nothing);
                Ok(node.bolt11_payment().receive_for_hash(amount_msat, &description, 3_600, hash)?)
            })
            .await
            .unwrap()
            .to_string();
        let paying = self.send(&invoice, key, 0);
        let releasing = async {
            loop {
                tokio::time::sleep(Duration::from_millis(500)).await;
                // Refused until it has arrived.
                let _ = self
                    .peer
                    .with(move |node| match release {
                        Release::Claim => {
                            let preimage = PaymentPreimage(preimage);
                            Ok(node.bolt11_payment().claim_for_hash(hash, amount_msat, preimage)?)
                        }
                        Release::Fail => Ok(node.bolt11_payment().fail_for_hash(hash)?),
                    })
                    .await;
            }
        };
        let payment = tokio::select! {
            payment = paying => payment,
            () = releasing => unreachable!(),
        };
        let expected = match release {
            Release::Claim => PaymentStatus::Succeeded,
            Release::Fail => PaymentStatus::Failed,
        };
        assert_eq!(payment.status, expected, "{payment:?}");
    }

    /// What comes of one payment of the wallet.
    pub async fn send(&self, invoice: &str, key: &str, max_fee_msat: u64) -> Payment {
        let id = self.begin(invoice, key, max_fee_msat).await;
        let seconds = u32::try_from(PATIENCE.as_secs()).unwrap();
        let wait = |wallet: Arc<Wallet>| {
            let id = id.clone();
            async move { wallet.wait_payment(id, seconds).await }
        };
        self.owner.ask(wait).await.unwrap()
    }

    /// Starts a payment once, however often it has to be asked for. Tells its id.
    async fn begin(&self, invoice: &str, key: &str, max_fee_msat: u64) -> String {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let request = SendRequest {
                input: invoice.to_owned(),
                amount_msat: None,
                max_fee_msat: Some(max_fee_msat),
                timeout_secs: None,
                idempotency_key: Some(key.to_owned()),
                note: None,
            };
            let pay = |wallet: Arc<Wallet>| {
                let request = request.clone();
                async move {
                    let quote: Quote = wallet.prepare_send(request).await?;
                    wallet.send(quote).await
                }
            };
            match self.owner.ask(pay).await {
                Ok(payment) => return payment.id,
                // It was stored before the wallet was killed.
                Err(WalletError::InFlight { id } | WalletError::AlreadyPaid { id }) => return id,
                Err(
                    error @ (WalletError::NoRoute { .. }
                    | WalletError::InsufficientFunds { .. }
                    | WalletError::NotSynced),
                ) => {
                    assert!(tokio::time::Instant::now() < deadline, "{error}");
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Lets the peer pay until the wallet has the money. Tells how often it failed.
    pub async fn peer_pays(&self, amount_msat: u64) -> u32 {
        let invoice = self.wallet_invoice(amount_msat, 3_600).await;
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let mut failed = 0;
        loop {
            assert!(tokio::time::Instant::now() < deadline, "the peer cannot pay {}", invoice.invoice);
            let Ok(id) = self.peer.pay(&invoice.invoice, None).await else {
                // It has no way to the wallet just now.
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            match self.peer.settled(id, PATIENCE).await.unwrap().status {
                PeerStatus::Succeeded => break,
                PeerStatus::Failed => failed += 1,
                PeerStatus::Pending => panic!("no outcome of {}", invoice.invoice),
            }
        }
        let wait = |wallet: Arc<Wallet>| {
            let id = invoice.payment_id.clone();
            async move { wallet.wait_payment(id, 10).await }
        };
        let payment = self.owner.ask(wait).await.unwrap();
        assert_eq!((payment.status, payment.amount_msat), (PaymentStatus::Succeeded, amount_msat));
        failed
    }

    /// The peer pays to a hash that the wallet has never heard of, and gets its money back.
    pub async fn peer_pays_unknown_hash(&self, amount_msat: u64) {
        let info = self.owner.ask(|wallet| async move { wallet.info().await }).await.unwrap();
        let node_id = info.node_id.parse().unwrap();
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            assert!(tokio::time::Instant::now() < deadline, "the peer cannot pay");
            let paying = move |node: &ldk_node::Node| {
                Ok(node.spontaneous_payment().send(amount_msat, node_id, None)?.0)
            };
            match self.peer.with(paying).await {
                Ok(id) => {
                    let payment = self.peer.settled(id, PATIENCE).await.unwrap();
                    return assert_eq!(payment.status, PeerStatus::Failed);
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    /// Neither pays what has expired, nor less than is asked for.
    pub async fn nobody_pays_late_or_too_little(&self) {
        let (late, theirs) = (self.wallet_invoice(5_000_000, 1).await, self.peer_invoice(5_000_000, 1).await);
        let whole = self.wallet_invoice(5_000_000, 3_600).await;
        let little = self.peer.pay(&whole.invoice, Some(4_999_999)).await;
        assert!(matches!(little, Err(PeerError::Node(_))), "{little:?}");
        let quote = |input: String, amount_msat| {
            let request = SendRequest {
                input,
                amount_msat,
                max_fee_msat: None,
                timeout_secs: None,
                idempotency_key: None,
                note: None,
            };
            self.owner.ask(move |wallet| {
                let request = request.clone();
                async move { wallet.prepare_send(request).await }
            })
        };
        let ours = self.peer_invoice(5_000_000, 3_600).await;
        let little = quote(ours, Some(4_999_999)).await;
        assert!(
            matches!(little, Err(WalletError::AmountOutOfRange { min_msat: 5_000_000, .. })),
            "{little:?}"
        );
        tokio::time::sleep(Duration::from_millis(2_100)).await;
        assert!(matches!(quote(theirs, None).await, Err(WalletError::InvoiceExpired { .. })));
        if let Ok(id) = self.peer.pay(&late.invoice, None).await {
            let payment = self.peer.settled(id, PATIENCE).await.unwrap();
            assert_eq!(payment.status, PeerStatus::Failed);
        }
        let look = |wallet: Arc<Wallet>| {
            let id = late.payment_id.clone();
            async move { wallet.get_payment(id).await }
        };
        assert_eq!(self.owner.ask(look).await.unwrap().status, PaymentStatus::Expired);
    }

    async fn peer_invoice(&self, amount_msat: u64, expiry_secs: u32) -> String {
        let request = NewInvoice { amount_msat: Some(amount_msat), description: "tea".into(), expiry_secs };
        self.peer.invoice(request).await.unwrap().to_string()
    }

    pub async fn wallet_invoice(&self, amount_msat: u64, expiry_secs: u32) -> Invoice {
        let make = |wallet: Arc<Wallet>| async move {
            let request = InvoiceRequest {
                amount_msat: Some(amount_msat),
                description: "cake".into(),
                expiry_secs: Some(expiry_secs),
            };
            wallet.make_invoice(request).await
        };
        self.owner.ask(make).await.unwrap()
    }
}
