//! The one error of the API.

use crate::chain::ChainError;
use crate::keyslot::{MnemonicError, SlotError};
use crate::platform::{EntropyError, LockError, StoreError};
use crate::run::Gone;
use bitcoin::{Amount, Network};
use kite_api::api;
use kite_core::coins::CoinsError;
use kite_core::invoice::InvoiceError;
use kite_core::node::{CommandError, LoadError, StoreFailure, YOUNG};
use kite_core::store::VaultError;
use kite_core::types::{MAX_MONEY_SAT, MilliSatoshi};

/// Why a call failed. Nothing was changed unless a variant says otherwise.
#[api(error)]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WalletError {
    /// An argument cannot be used.
    #[error("{field}: {reason}")]
    InvalidInput {
        /// The name of the argument.
        field: String,
        /// What is wrong with it, in words for the owner.
        reason: String,
    },
    /// An invoice cannot be read.
    #[error("{reason}")]
    InvalidInvoice {
        /// What is wrong with it, in words for the owner.
        reason: String,
    },
    /// An invoice can no longer be paid.
    #[error("the invoice expired: ask for a new one")]
    InvoiceExpired {
        /// When it expired, in seconds since 1970.
        expired_at_secs: u64,
    },
    /// For another network than the wallet's.
    #[error("this is for {found}, and the wallet is on {expected}")]
    WrongNetwork {
        /// The network of the wallet.
        expected: String,
        /// The network of the input.
        found: String,
    },
    /// The invoice leaves the amount to the payer: give one.
    #[error("the invoice names no amount: choose one")]
    AmountRequired,
    /// The amount is not possible here.
    #[error("the amount must be between {min_msat} and {max_msat} msat")]
    AmountOutOfRange {
        /// The least, in millisatoshi.
        min_msat: u64,
        /// The most, in millisatoshi.
        max_msat: u64,
    },
    /// There is not enough to spend.
    #[error("{needed_msat} msat are needed and {available_msat} msat can be spent")]
    InsufficientFunds {
        /// What it takes, fees included as far as they are known, in millisatoshi.
        needed_msat: u64,
        /// What can be spent, in millisatoshi.
        available_msat: u64,
    },
    /// Every way costs more than allowed.
    #[error("the fee of {cheapest_msat} msat is above the limit of {limit_msat} msat")]
    FeeTooHigh {
        /// What the cheapest way costs, in millisatoshi.
        cheapest_msat: u64,
        /// What was allowed, in millisatoshi.
        limit_msat: u64,
    },
    /// No way to the recipient is known that can carry the amount.
    #[error("no route to the recipient: {reason}")]
    NoRoute {
        /// What is missing, in words for the owner.
        reason: String,
    },
    /// This invoice was paid before, or what has this name was.
    #[error("this invoice was already paid")]
    AlreadyPaid {
        /// The payment that paid it.
        id: String,
    },
    /// This invoice is being paid, or what has this name is.
    #[error("this invoice is being paid already")]
    InFlight {
        /// The payment that is under way.
        id: String,
    },
    /// There is no such thing.
    #[error("there is no such {what}")]
    NotFound {
        /// `payment`, `channel`, `peer`.
        what: String,
    },
    /// The peer is not connected.
    #[error("the peer is not connected: connect to it first")]
    NotConnected,
    /// The peer could not be reached.
    #[error("the peer could not be reached: {reason}")]
    ConnectionFailed {
        /// What the platform said.
        reason: String,
    },
    /// The chain server cannot be used.
    #[error("the chain server cannot be used: {reason}")]
    ChainUnavailable {
        /// What is wrong with it.
        reason: String,
    },
    /// The store cannot be read or written. If the wallet was open it has stopped; open it again.
    #[error("the wallet's data cannot be read or written: {reason}")]
    StoreUnavailable {
        /// What the platform said.
        reason: String,
    },
    /// There is no room left for the wallet's data. If the wallet was open it has stopped and has lost nothing: make room, then
    /// open it again.
    #[error("there is no room left on this device for the wallet's data: make room, then open it again")]
    StoreFull,
    /// The store was written by a newer version of Kite. Nothing is damaged: update the app.
    #[error("{reason}")]
    StoreNewer {
        /// What was read.
        reason: String,
    },
    /// The store holds something else than what was written.
    #[error("the wallet's data is damaged: {reason}")]
    StoreDamaged {
        /// What is damaged.
        reason: String,
    },
    /// The passphrase is not the one of this wallet.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// The wallet is open in another tab or process.
    #[error("this wallet is open in another tab or process")]
    AlreadyOpen,
    /// There is a wallet already where a new one should be made.
    #[error("there is a wallet already")]
    AlreadyExists,
    /// There is no wallet to open.
    #[error("there is no wallet yet")]
    NoWallet,
    /// Another tab, process or copy has taken the wallet over; this one has stopped.
    #[error("another tab or process has taken this wallet over")]
    LeaseLost,
    /// The chain is not known well enough yet.
    #[error("the wallet has not caught up with the chain yet: wait for it")]
    NotSynced,
    /// Kite is young on mainnet, and the configuration does not say that the owner accepts it.
    #[error("Kite is young on mainnet. {} To go on, set accept_young_mainnet", YOUNG.join(" "))]
    MainnetNotAccepted,
    /// The peer, the network or the wallet's rules do not allow it.
    #[error("{reason}")]
    Refused {
        /// Why, in words for the owner.
        reason: String,
    },
    /// The wallet was stopped.
    #[error("the wallet was stopped: {reason}")]
    Stopped {
        /// Why.
        reason: String,
    },
    /// The outcome is not known in time. What is under way goes on.
    #[error("it is not decided yet: it goes on, and an event will tell")]
    Timeout,
}

impl WalletError {
    /// A name for programs that never changes: `invalid_input`, `invoice_expired` and so on.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidInput { .. } => "invalid_input",
            Self::InvalidInvoice { .. } => "invalid_invoice",
            Self::InvoiceExpired { .. } => "invoice_expired",
            Self::WrongNetwork { .. } => "wrong_network",
            Self::AmountRequired => "amount_required",
            Self::AmountOutOfRange { .. } => "amount_out_of_range",
            Self::InsufficientFunds { .. } => "insufficient_funds",
            Self::FeeTooHigh { .. } => "fee_too_high",
            Self::NoRoute { .. } => "no_route",
            Self::AlreadyPaid { .. } => "already_paid",
            Self::InFlight { .. } => "in_flight",
            Self::NotFound { .. } => "not_found",
            Self::NotConnected => "not_connected",
            Self::ConnectionFailed { .. } => "connection_failed",
            Self::ChainUnavailable { .. } => "chain_unavailable",
            Self::StoreUnavailable { .. } => "store_unavailable",
            Self::StoreFull => "store_full",
            Self::StoreNewer { .. } => "store_newer",
            Self::StoreDamaged { .. } => "store_damaged",
            Self::WrongPassphrase => "wrong_passphrase",
            Self::AlreadyOpen => "already_open",
            Self::AlreadyExists => "already_exists",
            Self::NoWallet => "no_wallet",
            Self::LeaseLost => "lease_lost",
            Self::NotSynced => "not_synced",
            Self::MainnetNotAccepted => "mainnet_not_accepted",
            Self::Refused { .. } => "refused",
            Self::Stopped { .. } => "stopped",
            Self::Timeout => "timeout",
        }
    }

    /// The same, of this payment where it is about one.
    pub(super) fn of_payment(self, id: &str) -> Self {
        match self {
            Self::AlreadyPaid { .. } => Self::AlreadyPaid { id: id.into() },
            Self::InFlight { .. } => Self::InFlight { id: id.into() },
            other => other,
        }
    }

    pub(super) fn invalid(field: &str, reason: impl ToString) -> Self {
        Self::InvalidInput { field: field.into(), reason: reason.to_string() }
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::NotFound { what: what.into() }
    }

    pub(super) fn wrong_network(expected: Network, found: Network) -> Self {
        Self::WrongNetwork { expected: network_name(expected), found: network_name(found) }
    }
}

/// The name of a network as [`super::WalletConfig`] takes it.
pub(super) fn network_name(network: Network) -> String {
    network.to_string()
}

impl From<StoreFailure> for WalletError {
    fn from(failure: StoreFailure) -> Self {
        match failure {
            StoreFailure::FenceLost => Self::LeaseLost,
            StoreFailure::Full => Self::StoreFull,
            StoreFailure::Failed => {
                Self::StoreUnavailable { reason: "a write failed; start the wallet again".into() }
            }
        }
    }
}

impl From<StoreError> for WalletError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::FenceLost => Self::LeaseLost,
            StoreError::Full => Self::StoreFull,
            other @ StoreError::Failed { .. } => Self::StoreUnavailable { reason: other.to_string() },
        }
    }
}

impl From<LockError> for WalletError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Taken => Self::AlreadyOpen,
            LockError::Failed { reason } => Self::StoreUnavailable { reason },
        }
    }
}

impl From<Gone> for WalletError {
    fn from(_: Gone) -> Self {
        Self::Stopped { reason: "it was closed; open it again".into() }
    }
}

impl From<EntropyError> for WalletError {
    fn from(error: EntropyError) -> Self {
        Self::Refused { reason: error.to_string() }
    }
}

impl From<SlotError> for WalletError {
    fn from(error: SlotError) -> Self {
        match error {
            SlotError::WrongPassphrase => Self::WrongPassphrase,
            SlotError::NewerVersion { .. } => Self::StoreNewer { reason: error.to_string() },
            SlotError::Damaged => Self::StoreDamaged { reason: error.to_string() },
            SlotError::OtherKind { .. } | SlotError::Stretching { .. } | SlotError::Entropy(_) => {
                Self::Refused { reason: error.to_string() }
            }
        }
    }
}

impl From<MnemonicError> for WalletError {
    fn from(error: MnemonicError) -> Self {
        Self::invalid("mnemonic", error)
    }
}

impl From<VaultError> for WalletError {
    fn from(error: VaultError) -> Self {
        let reason = error.to_string();
        match error {
            VaultError::NewerVersion { .. } => Self::StoreNewer { reason },
            VaultError::OlderVersion { .. } | VaultError::Damaged | VaultError::FromTheFuture { .. } => {
                Self::StoreDamaged { reason }
            }
        }
    }
}

impl From<LoadError> for WalletError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::MainnetNotAccepted => Self::MainnetNotAccepted,
            LoadError::Vault(error) => error.into(),
            LoadError::NewerVersion { .. } => Self::StoreNewer { reason: error.to_string() },
            LoadError::OtherNetwork => Self::invalid("network", error),
            other => Self::StoreDamaged { reason: other.to_string() },
        }
    }
}

impl From<ChainError> for WalletError {
    fn from(error: ChainError) -> Self {
        match error {
            ChainError::InvalidUrl { .. } => Self::invalid("esplora_url", error),
            other => Self::ChainUnavailable { reason: other.to_string() },
        }
    }
}

impl From<InvoiceError> for WalletError {
    fn from(error: InvoiceError) -> Self {
        match error {
            InvoiceError::Expired { at } => Self::InvoiceExpired { expired_at_secs: at.0 },
            InvoiceError::WrongNetwork { invoice, expected } => Self::wrong_network(expected, invoice),
            other => Self::InvalidInvoice { reason: other.to_string() },
        }
    }
}

impl From<CoinsError> for WalletError {
    fn from(error: CoinsError) -> Self {
        let msat = |amount: Amount| MilliSatoshi::from_amount(amount).to_msat();
        match error {
            CoinsError::Insufficient { needed, available, .. } => {
                Self::InsufficientFunds { needed_msat: msat(needed), available_msat: msat(available) }
            }
            CoinsError::Dust { minimum, .. } => {
                Self::AmountOutOfRange { min_msat: msat(minimum), max_msat: MAX_MONEY_SAT * 1_000 }
            }
            CoinsError::FeeTooHigh { cheapest, limit } => {
                Self::FeeTooHigh { cheapest_msat: msat(cheapest), limit_msat: msat(limit) }
            }
            CoinsError::Build { .. } => Self::Refused { reason: error.to_string() },
            CoinsError::Damaged { .. } => Self::StoreDamaged { reason: error.to_string() },
        }
    }
}

/// Commands that pay know the id themselves and put it in.
impl From<CommandError> for WalletError {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Stopped => Self::Stopped { reason: error.to_string() },
            CommandError::Invoice(error) => error.into(),
            CommandError::InFlight => Self::InFlight { id: String::new() },
            CommandError::AlreadyPaid => Self::AlreadyPaid { id: String::new() },
            CommandError::Amount { .. } => Self::invalid("amount_msat", error),
            CommandError::Insufficient { needed, available } => {
                Self::InsufficientFunds { needed_msat: needed.to_msat(), available_msat: available.to_msat() }
            }
            CommandError::Unknown { what } => Self::not_found(what),
            CommandError::NotConnected => Self::NotConnected,
            CommandError::Coins(error) => error.into(),
            CommandError::InvoiceBuild(error) => Self::invalid("request", error),
            CommandError::ConnectionFailed { reason } => Self::ConnectionFailed { reason },
            CommandError::Refused { reason } => Self::Refused { reason },
            CommandError::NotSynced => Self::NotSynced,
        }
    }
}
