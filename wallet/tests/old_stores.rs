//! Wallets that earlier versions and other machines have written, as files.

mod support;

use std::path::{Path, PathBuf};
use std::{env, fs, process};

use kite_wallet::api::{PaymentFilter, Wallet, WalletConfig};
use serde_json::{Value, json};
use support::config::{NOWHERE, config};

/// The data of a wallet is one file.
const FILE: &str = "wallet.sqlite";

#[tokio::test(flavor = "multi_thread")]
async fn every_wallet_of_before_opens_as_it_was() {
    let stores = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/stores");
    let folders: Vec<PathBuf> = fs::read_dir(stores)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    assert!(!folders.is_empty());
    for folder in folders {
        let expected: Value =
            serde_json::from_str(&fs::read_to_string(folder.join("expected.json")).unwrap()).unwrap();
        let copy = env::temp_dir().join(format!("kite-old-store-{}", process::id()));
        fs::create_dir(&copy).unwrap();
        fs::copy(folder.join(FILE), copy.join(FILE)).unwrap();
        let config = WalletConfig { data: copy.display().to_string(), ..config(NOWHERE) };
        let found = seen(config, expected["passphrase"].as_str().unwrap()).await;
        fs::remove_dir_all(&copy).unwrap();
        assert_eq!(found, expected, "{}", folder.display());
    }
}

/// What an owner sees who is offline.
async fn seen(config: WalletConfig, passphrase: &str) -> Value {
    let wallet = Wallet::open(config, passphrase.to_owned()).await.unwrap();
    let filter = PaymentFilter { direction: None, limit: 100, before_secs: None };
    let payments = wallet.list_payments(filter).await.unwrap();
    let channels = wallet.list_channels().await.unwrap();
    let seen = json!({
        "passphrase": passphrase,
        "mnemonic": wallet.mnemonic(passphrase.to_owned()).await.unwrap(),
        "nodeId": wallet.info().await.unwrap().node_id,
        "totalMsat": wallet.balance().await.unwrap().total_msat,
        "channels": channels.iter().map(|it| json!({ "fundingTxid": it.funding_txid, "capacitySat": it.capacity_sat })).collect::<Value>(),
        "payments": payments.iter().map(|it| json!({ "id": it.id, "amountMsat": it.amount_msat })).collect::<Value>(),
    });
    wallet.stop().await;
    seen
}
