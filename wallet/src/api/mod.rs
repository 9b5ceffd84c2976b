//! What an app sees: one object, [`Wallet`], with plain records, one error and a queue of events.
//!
//! Amounts are whole numbers with the unit in their name: `msat` (thousandths of a satoshi) or `sat`. Hashes, keys and ids are
//! lower-case hexadecimal text. Times ending in `secs` are seconds since 1970.

mod balance;
mod channels;
mod close_payment;
mod config;
mod error;
mod events;
mod fees;
mod info;
mod onchain;
mod open;
mod parse;
mod payments;
mod peers;
mod receive;
mod send;
mod words;

pub use balance::Balance;
pub use channels::{Channel, ChannelClose, ChannelState, ClosedBy, OpenChannelQuote, OpenChannelRequest};
pub use config::{WalletConfig, young_on_mainnet};
pub use error::WalletError;
pub use events::{Event, EventEnvelope, EventListener};
pub use fees::FeeRates;
pub use info::{Info, SafeToClose, version};
pub use onchain::OnchainRequest;
pub use open::wallet_exists;
pub use parse::{InvoiceDetails, Parsed};
pub use payments::{Direction, Payment, PaymentFailure, PaymentFilter, PaymentKind, PaymentStatus};
pub use peers::Peer;
pub use receive::{Invoice, InvoiceRequest};
pub use send::{Quote, QuoteKind, SendRequest};
pub use words::check_mnemonic;

use crate::platform::Platform;
use crate::run::Handle;
use bitcoin::Network;
use bitcoin::secp256k1::PublicKey;
use futures::future::AbortHandle;
use kite_api::api;
use kite_core::node::Node;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A Lightning wallet with its keys, coins, channels and payments.
///
/// All of it is on this device. One process or tab can have a wallet open at a time.
#[api(object)]
pub struct Wallet {
    network: Network,
    node_id: PublicKey,
    handle: Handle<Node>,
    platform: Platform,
    /// The slot and the sealed words, to show the words when the passphrase is given again.
    protected: words::Protected,
    listener: Mutex<Option<AbortHandle>>,
}

impl fmt::Debug for Wallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wallet")
            .field("network", &self.network)
            .field("node_id", &self.node_id)
            .finish_non_exhaustive()
    }
}

/// What the mutexes of a wallet guard is whole at any time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
