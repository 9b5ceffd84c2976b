//! Why a command failed, as a sentence, as JSON and as an exit code.

use kite_wallet::api::{Payment, WalletError};
use serde::Serialize;
use serde_json::{Value, json};

/// Failed, and nothing of it is under way.
const FAILED: u8 = 1;
/// It cannot be used as given.
pub const USAGE: u8 = 2;
/// The wallet does not open: the passphrase, or another process has it.
const LOCKED: u8 = 3;
/// The chain server or a peer cannot be reached.
const NETWORK: u8 = 4;
/// There is no wallet, there is one already, or its data cannot be read or written.
const DATA: u8 = 5;
/// Not decided when the waiting ended.
const UNDECIDED: u8 = 6;
/// Ctrl-C, as shells have it.
const INTERRUPTED: u8 = 130;

/// Why a command failed.
#[derive(Debug, Serialize, thiserror::Error)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Failure {
    /// What the API says; its JSON is the API's own.
    #[error(transparent)]
    #[serde(skip)]
    Wallet(#[from] WalletError),
    /// The arguments cannot be used.
    #[error("{reason}")]
    Usage {
        /// What is wrong.
        reason: String,
    },
    /// A setting that a command needs is nowhere.
    #[error("{setting} is not known here: give {flag} or set {variable}")]
    SettingMissing {
        /// Which.
        setting: &'static str,
        /// Its flag.
        flag: &'static str,
        /// Its variable in the environment.
        variable: &'static str,
    },
    /// The wallet's `kite.toml` cannot be used.
    #[error("{path}: {reason}")]
    SettingsFile {
        /// Where it is.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is nobody to ask for the passphrase.
    #[error(
        "a passphrase is needed and nobody is there to be asked: use --passphrase-file or set KITE_PASSPHRASE"
    )]
    PassphraseNeeded,
    /// The file of the passphrase cannot be used.
    #[error("the passphrase file {path}: {reason}")]
    PassphraseFile {
        /// Where it is.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is nobody to agree.
    #[error("nothing was done: give --yes to agree without being asked")]
    ConfirmationNeeded,
    /// The owner said no.
    #[error("nothing was done")]
    Declined,
    /// A payment failed, and nothing of it is under way.
    #[error("the payment failed: {reason}")]
    PaymentFailed {
        /// The code of the API's `PaymentFailure`.
        code: String,
        /// In words.
        reason: String,
        /// The payment.
        payment: Box<Payment>,
    },
    /// The owner's invoice was not paid in time.
    #[error("nobody paid the invoice in time")]
    NotPaid {
        /// The payment that waited for it.
        payment: Box<Payment>,
    },
    /// A payment is still under way.
    #[error(
        "payment {id} is not decided yet. It goes on while a wallet runs: kite watch. Do not pay in another way meanwhile"
    )]
    PaymentUnderWay {
        /// Which one.
        id: String,
    },
    /// The peer or the wallet gave a channel up before it had a transaction.
    #[error("the channel could not be opened, and your coins are free again: {reason}")]
    ChannelOpenFailed {
        /// The peer.
        node_id: String,
        /// Why.
        reason: String,
    },
    /// A channel is still being opened.
    #[error("the channel is not ready yet ({reason}). It goes on while a wallet runs: kite watch")]
    ChannelUnderWay {
        /// The wallet's own name of it.
        id: String,
        /// What it waits for.
        reason: &'static str,
    },
    /// A channel is still being closed.
    #[error(
        "the close is not agreed on yet. It goes on while a wallet runs: kite watch. If the peer stays silent: kite close --force"
    )]
    CloseUnderWay {
        /// The wallet's own name of it.
        id: String,
    },
    /// The chain server did not show a transaction of ours.
    #[error(
        "the chain server does not show transaction {txid} yet. It is stored and published again by every command: kite doctor"
    )]
    NotPublished {
        /// Which one.
        txid: String,
    },
    /// What the doctor found; told already.
    #[error("checks that failed: {failed}")]
    Unhealthy {
        /// How many.
        failed: usize,
        /// The exit code of the first.
        #[serde(skip)]
        exit_code: u8,
    },
    /// Ctrl-C.
    #[error("stopped. What is under way goes on at the next start")]
    Interrupted,
    /// Standard input or output do not work.
    #[error("{reason}")]
    Terminal {
        /// What the system said.
        reason: String,
    },
}

impl Failure {
    /// What the process ends with.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Wallet(error) => of_wallet(error),
            Self::Usage { .. }
            | Self::SettingMissing { .. }
            | Self::SettingsFile { .. }
            | Self::PassphraseFile { .. }
            | Self::ConfirmationNeeded => USAGE,
            Self::PassphraseNeeded => LOCKED,
            Self::Declined
            | Self::PaymentFailed { .. }
            | Self::NotPaid { .. }
            | Self::ChannelOpenFailed { .. }
            | Self::Terminal { .. } => FAILED,
            Self::PaymentUnderWay { .. }
            | Self::ChannelUnderWay { .. }
            | Self::CloseUnderWay { .. }
            | Self::NotPublished { .. } => UNDECIDED,
            Self::Unhealthy { exit_code, .. } => *exit_code,
            Self::Interrupted => INTERRUPTED,
        }
    }

    /// `{"error": {"type": …, "message": …, …}}`, with what the error knows under the API's names.
    pub fn to_json(&self) -> Value {
        let known = match self {
            Self::Wallet(error) => serde_json::to_value(error),
            other => serde_json::to_value(other),
        };
        let mut fields = match known {
            Ok(Value::Object(fields)) => fields,
            // Neither has a key that is not text; said all the same.
            Ok(_) | Err(_) => serde_json::Map::new(),
        };
        // The API calls it `kind`, for the sake of languages in which `type` is taken.
        if let Some(kind) = fields.remove("kind") {
            fields.insert("type".into(), kind);
        }
        fields.insert("message".into(), self.to_string().into());
        json!({ "error": fields })
    }
}

const fn of_wallet(error: &WalletError) -> u8 {
    match error {
        WalletError::InvalidInput { .. }
        | WalletError::InvalidInvoice { .. }
        | WalletError::WrongNetwork { .. }
        | WalletError::AmountRequired
        | WalletError::AmountOutOfRange { .. }
        | WalletError::MainnetNotAccepted => USAGE,
        WalletError::InvoiceExpired { .. }
        | WalletError::InsufficientFunds { .. }
        | WalletError::FeeTooHigh { .. }
        | WalletError::NoRoute { .. }
        | WalletError::AlreadyPaid { .. }
        | WalletError::NotFound { .. }
        | WalletError::Refused { .. }
        | WalletError::Stopped { .. } => FAILED,
        WalletError::WrongPassphrase | WalletError::AlreadyOpen | WalletError::LeaseLost => LOCKED,
        WalletError::NotConnected
        | WalletError::ConnectionFailed { .. }
        | WalletError::ChainUnavailable { .. }
        | WalletError::NotSynced => NETWORK,
        WalletError::AlreadyExists
        | WalletError::NoWallet
        | WalletError::StoreUnavailable { .. }
        | WalletError::StoreFull
        | WalletError::StoreNewer { .. }
        | WalletError::StoreDamaged { .. } => DATA,
        WalletError::InFlight { .. } | WalletError::Timeout => UNDECIDED,
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Terminal { reason: error.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::Failure;
    use kite_wallet::api::WalletError;
    use serde_json::json;

    #[test]
    fn an_error_of_the_api_keeps_its_name_and_data() {
        let failure = Failure::from(WalletError::InsufficientFunds { needed_msat: 5, available_msat: 4 });
        let expected = json!({ "error": {
            "type": "insufficientFunds",
            "neededMsat": 5,
            "availableMsat": 4,
            "message": "5 msat are needed and 4 msat can be spent",
        } });
        assert_eq!(failure.to_json(), expected);
        assert_eq!(
            Failure::from(WalletError::NoWallet).to_json(),
            json!({ "error": { "type": "noWallet", "message": "there is no wallet yet" } })
        );
    }

    #[test]
    fn an_error_of_our_own_looks_the_same() {
        let failure = Failure::ChannelOpenFailed { node_id: "02".into(), reason: "no".into() };
        let json = failure.to_json();
        assert_eq!(json["error"]["type"], "channelOpenFailed");
        assert_eq!(json["error"]["nodeId"], "02");
    }

    /// One of each, but those whose code is another's.
    fn samples() -> Vec<(Failure, u8)> {
        let text = String::new;
        vec![
            (WalletError::NoRoute { reason: text() }.into(), 1),
            (WalletError::FeeTooHigh { cheapest_msat: 2, limit_msat: 1 }.into(), 1),
            (WalletError::InsufficientFunds { needed_msat: 2, available_msat: 1 }.into(), 1),
            (WalletError::InvoiceExpired { expired_at_secs: 1 }.into(), 1),
            (WalletError::AlreadyPaid { id: text() }.into(), 1),
            (WalletError::NotFound { what: text() }.into(), 1),
            (WalletError::Refused { reason: text() }.into(), 1),
            (WalletError::Stopped { reason: text() }.into(), 1),
            (Failure::ChannelOpenFailed { node_id: text(), reason: text() }, 1),
            (Failure::Declined, 1),
            (Failure::Terminal { reason: text() }, 1),
            (WalletError::InvalidInput { field: text(), reason: text() }.into(), 2),
            (WalletError::InvalidInvoice { reason: text() }.into(), 2),
            (WalletError::WrongNetwork { expected: text(), found: text() }.into(), 2),
            (WalletError::AmountRequired.into(), 2),
            (WalletError::AmountOutOfRange { min_msat: 1, max_msat: 2 }.into(), 2),
            (WalletError::MainnetNotAccepted.into(), 2),
            (Failure::Usage { reason: text() }, 2),
            (Failure::SettingMissing { setting: "", flag: "", variable: "" }, 2),
            (Failure::SettingsFile { path: text(), reason: text() }, 2),
            (Failure::PassphraseFile { path: text(), reason: text() }, 2),
            (Failure::ConfirmationNeeded, 2),
            (WalletError::WrongPassphrase.into(), 3),
            (WalletError::AlreadyOpen.into(), 3),
            (WalletError::LeaseLost.into(), 3),
            (Failure::PassphraseNeeded, 3),
            (WalletError::ChainUnavailable { reason: text() }.into(), 4),
            (WalletError::ConnectionFailed { reason: text() }.into(), 4),
            (WalletError::NotConnected.into(), 4),
            (WalletError::NotSynced.into(), 4),
            (WalletError::NoWallet.into(), 5),
            (WalletError::AlreadyExists.into(), 5),
            (WalletError::StoreUnavailable { reason: text() }.into(), 5),
            (WalletError::StoreDamaged { reason: text() }.into(), 5),
            (WalletError::InFlight { id: text() }.into(), 6),
            (WalletError::Timeout.into(), 6),
            (Failure::PaymentUnderWay { id: text() }, 6),
            (Failure::ChannelUnderWay { id: text(), reason: "" }, 6),
            (Failure::CloseUnderWay { id: text() }, 6),
            (Failure::NotPublished { txid: text() }, 6),
            (Failure::Interrupted, 130),
        ]
    }

    #[test]
    fn exit_codes_are_what_the_page_says() {
        let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli.md");
        let page = std::fs::read_to_string(page).expect("the page is in the repository");
        for (failure, code) in samples() {
            assert_eq!(failure.exit_code(), code, "{failure:?}");
            let json = failure.to_json();
            let kind = json["error"]["type"].as_str().expect("a name");
            let row = page.lines().find(|line| line.starts_with(&format!("| {code} |")));
            assert!(row.is_some_and(|row| row.contains(&format!("`{kind}`"))), "{kind}: {row:?}");
        }
    }
}
