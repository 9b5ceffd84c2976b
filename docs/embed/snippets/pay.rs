use std::time::Duration;

use kite_wallet::api::{Payment, SendRequest, Wallet, WalletConfig, WalletError, wallet_exists};

pub async fn pay(
    config: WalletConfig,
    passphrase: String,
    node_id: String,
    address: String,
    invoice: String,
) -> Result<Payment, WalletError> {
    let wallet = match wallet_exists(config.clone()).await? {
        true => Wallet::open(config, passphrase).await?,
        false => Wallet::create(config, passphrase, None).await?,
    };
    wallet.start().await?;
    wallet.connect_peer(node_id, address).await?;
    while !wallet.list_channels().await?.iter().any(|channel| channel.usable) {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let request = SendRequest {
        input: invoice,
        amount_msat: None,
        max_fee_msat: None,
        timeout_secs: None,
        idempotency_key: None,
        note: None,
    };
    let quote = wallet.prepare_send(request).await?; // amount, payee, fee, expiry: show them, and ask
    let payment = wallet.wait_payment(wallet.send(quote).await?.id, 60).await?;
    wallet.stop().await;
    Ok(payment)
}
