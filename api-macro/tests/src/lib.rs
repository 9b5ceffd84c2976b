//! A small API with everything `#[api]` can declare. What apps see of it is tested in `tests/` natively, in `run.py`
//! through UniFFI and in `run.mjs` through wasm-bindgen.

use std::sync::{Arc, Mutex, PoisonError};

use kite_api::api;

#[cfg(feature = "uniffi")]
uniffi::setup_scaffolding!();

/// Everything known about one payment.
#[api(record)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// The hash, in hex.
    pub payment_hash: String,
    /// The amount.
    pub amount_msat: u64,
    /// What the owner wrote; may be unset.
    pub note: Option<String>,
    /// The fee; unset until it is known.
    pub fee_msat: Option<u64>,
    /// Where it stands.
    pub status: Status,
    /// The channels it used.
    pub channels: Vec<String>,
}

/// Where a payment stands.
#[api(enumeration)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// On its way.
    InFlight,
    /// Done, as [`Sample::pay_invoice`] tells.
    Succeeded,
}

/// What a text is.
#[api(enumeration)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// A BOLT 11 invoice.
    Bolt11 {
        /// What it asks for.
        invoice: Payment,
        /// Until when.
        expires_at_secs: u64,
    },
    /// A Bitcoin address.
    BitcoinAddress {
        /// The address.
        address: String,
        /// The amount; unset for any.
        amount_sat: Option<u64>,
    },
    /// Nothing.
    Empty,
}

/// Why something was not done.
#[api(error)]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SampleError {
    /// The invoice is no longer good.
    #[error("the invoice expired at {expired_at_secs}")]
    InvoiceExpired {
        /// When it expired.
        expired_at_secs: u64,
    },
    /// There is no route.
    #[error("no route")]
    NoRoute,
}

/// Hears what happens.
#[api(listener)]
pub trait SampleListener {
    /// A payment changed.
    fn payment_changed(&self, payment: Payment, seq: u64);
}

/// A wallet.
#[api(object)]
pub struct Sample {
    name: String,
    listener: Mutex<Option<Arc<dyn SampleListener>>>,
}

impl std::fmt::Debug for Sample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sample").field("name", &self.name).finish_non_exhaustive()
    }
}

#[api]
impl Sample {
    /// Opens the wallet of this name.
    pub async fn open(name: String) -> Result<Arc<Self>, SampleError> {
        pause().await;
        if name.is_empty() {
            return Err(SampleError::NoRoute);
        }
        Ok(Arc::new(Self { name, listener: Mutex::new(None) }))
    }

    /// The name it was opened with.
    pub fn name(&self) -> String {
        self.name.clone()
    }

    /// Pays an invoice.
    pub async fn pay_invoice(
        &self,
        invoice: String,
        amount_msat: Option<u64>,
    ) -> Result<Payment, SampleError> {
        pause().await;
        if invoice == "expired" {
            return Err(SampleError::InvoiceExpired { expired_at_secs: u64::MAX });
        }
        let payment = Payment {
            payment_hash: invoice,
            amount_msat: amount_msat.unwrap_or(u64::MAX),
            note: None,
            fee_msat: None,
            status: Status::InFlight,
            channels: vec!["a".to_owned(), "b".to_owned()],
        };
        self.tell(&payment);
        Ok(payment)
    }

    /// Gives back what it got.
    pub fn mirror(&self, payment: Payment) -> Payment {
        payment
    }

    /// Says what a text is.
    pub fn parse(&self, text: String) -> Result<Parsed, SampleError> {
        match text.as_str() {
            "" => Ok(Parsed::Empty),
            "none" => Err(SampleError::NoRoute),
            _ => Ok(Parsed::BitcoinAddress { address: text, amount_sat: None }),
        }
    }

    /// Gives back what it got.
    pub fn mirror_parsed(&self, parsed: Vec<Parsed>) -> Vec<Parsed> {
        parsed
    }

    /// Waits for a moment.
    pub async fn rest(&self) {
        pause().await;
    }

    /// A fault of the library: a panic, at once.
    pub fn break_at_once(&self) -> u64 {
        broken()
    }

    /// A fault of the library: a panic, after a moment.
    pub async fn break_later(&self) -> Result<(), SampleError> {
        pause().await;
        broken();
        Ok(())
    }

    /// Tells this listener from now on.
    pub fn set_listener(&self, listener: Arc<dyn SampleListener>) {
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(listener);
    }
}

impl Sample {
    fn tell(&self, payment: &Payment) {
        let listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(listener) = listener {
            listener.payment_changed(payment.clone(), 7);
        }
    }
}

/// What should not happen.
fn broken() -> u64 {
    panic!("the sample broke")
}

/// The version of this library.
#[api]
pub fn sample_version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// Whether there is a wallet of this name.
#[api]
pub async fn sample_exists(name: String) -> bool {
    pause().await;
    name == "there"
}

/// Gives way once, so that an async function really waits.
async fn pause() {
    let mut waited = false;
    futures::future::poll_fn(|context| {
        if waited {
            return std::task::Poll::Ready(());
        }
        waited = true;
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}
