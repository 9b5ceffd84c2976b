//! The calls of `docs/api.txt`, by their names there.

use std::path::PathBuf;
use std::sync::Arc;

use kite_wallet::api::{Wallet, WalletConfig, WalletError, check_mnemonic, version, wallet_exists};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::log::without_unset;
use crate::pay;

/// The arguments of one call: an object.
pub struct Arguments(pub Value);

impl Arguments {
    fn get<T: DeserializeOwned>(&self, name: &str) -> T {
        let value = self.0.get(name).cloned().unwrap_or(Value::Null);
        serde_json::from_value(value).unwrap_or_else(|error| panic!("{name}: {error}"))
    }
}

/// An app: one wallet at a time, and where its data is.
pub struct App {
    pub folder: PathBuf,
    pub esplora_url: String,
    /// The one that was made or opened last.
    pub wallet: Option<Arc<Wallet>>,
}

type Answer = Result<Value, WalletError>;

impl App {
    pub fn wallet(&self) -> &Arc<Wallet> {
        self.wallet.as_ref().expect("a wallet was made or opened")
    }

    /// Makes a call. What it gives is in the form that it has in TypeScript; nothing is null.
    pub async fn call(&mut self, name: &str, with: Arguments) -> Answer {
        match name {
            "version" => gives(Ok(version())),
            "checkMnemonic" => gives(check_mnemonic(with.get("words"))),
            "walletExists" => gives(wallet_exists(self.config(&with)).await),
            "create" => {
                let config = self.config(&with);
                self.hold(Wallet::create(config, with.get("passphrase"), with.get("mnemonic")).await)
            }
            "createWithDeviceKey" => {
                let (config, key) = (self.config(&with), with.get("deviceKey"));
                self.hold(Wallet::create_with_device_key(config, key, with.get("mnemonic")).await)
            }
            "open" => {
                let config = self.config(&with);
                self.hold(Wallet::open(config, with.get("passphrase")).await)
            }
            "openWithDeviceKey" => {
                let config = self.config(&with);
                self.hold(Wallet::open_with_device_key(config, with.get("deviceKey")).await)
            }
            method => call(self.wallet(), method, with).await,
        }
    }

    /// Runs what `docs/embed` shows.
    pub async fn example(&mut self, name: &str, with: Arguments) -> Answer {
        assert_eq!(name, "pay", "the only example");
        let (passphrase, node_id) = (with.get("passphrase"), with.get("nodeId"));
        let config = self.config(&with);
        gives(pay::pay(config, passphrase, node_id, with.get("address"), with.get("invoice")).await)
    }

    /// The app's own settings, with those that the step names in their place.
    fn config(&self, with: &Arguments) -> WalletConfig {
        let own = json!({ "network": "regtest", "data": "wallet", "esploraUrl": self.esplora_url });
        let Value::Object(mut config) = own else { unreachable!("an object") };
        config.extend(with.get::<Option<Map<String, Value>>>("config").unwrap_or_default());
        let mut config: WalletConfig =
            serde_json::from_value(Value::Object(config)).expect("a configuration");
        config.data = self.folder.join(&config.data).to_string_lossy().into_owned();
        config
    }

    fn hold(&mut self, opened: Result<Arc<Wallet>, WalletError>) -> Answer {
        self.wallet = Some(opened?);
        Ok(Value::Null)
    }
}

async fn call(wallet: &Wallet, method: &str, with: Arguments) -> Answer {
    match method {
        "balance" => gives(wallet.balance().await),
        "closeChannel" => gives(wallet.close_channel(with.get("id")).await),
        "connectPeer" => gives(wallet.connect_peer(with.get("nodeId"), with.get("address")).await),
        "disconnectPeer" => gives(wallet.disconnect_peer(with.get("nodeId")).await),
        "estimateOpenChannel" => gives(wallet.estimate_open_channel(with.get("request")).await),
        "fees" => gives(wallet.fees().await),
        "forceCloseChannel" => gives(wallet.force_close_channel(with.get("id")).await),
        "getPayment" => gives(wallet.get_payment(with.get("id")).await),
        "info" => gives(wallet.info().await),
        "listChannels" => gives(wallet.list_channels().await),
        "listPayments" => gives(wallet.list_payments(with.get("filter")).await),
        "listPeers" => gives(wallet.list_peers().await),
        "makeInvoice" => gives(wallet.make_invoice(with.get("request")).await),
        "mnemonic" => gives(wallet.mnemonic(with.get("passphrase")).await),
        "mnemonicWithDeviceKey" => gives(wallet.mnemonic_with_device_key(with.get("deviceKey")).await),
        "newAddress" => gives(wallet.new_address().await),
        "openChannel" => gives(wallet.open_channel(with.get("request")).await),
        "parse" => gives(wallet.parse(with.get("text"))),
        "prepareSend" => gives(wallet.prepare_send(with.get("request")).await),
        "refresh" => gives(wallet.refresh().await),
        "safeToClose" => gives(wallet.safe_to_close().await),
        "send" => gives(wallet.send(with.get("quote")).await),
        "sendOnchain" => gives(wallet.send_onchain(with.get("request")).await),
        "start" => gives(wallet.start().await),
        "stop" => {
            wallet.stop().await;
            Ok(Value::Null)
        }
        "waitPayment" => gives(wallet.wait_payment(with.get("id"), with.get("timeoutSecs")).await),
        other => panic!("no call is named {other}"),
    }
}

fn gives<T: Serialize, E>(answer: Result<T, E>) -> Result<Value, E> {
    answer.map(|value| without_unset(serde_json::to_value(value).expect("plain data")))
}
