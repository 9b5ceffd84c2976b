use bdk_esplora::EsploraAsyncExt;
use bdk_wallet::{KeychainKind, SignOptions, Wallet};
use bitcoin::bip32::Xpriv;
use bitcoin::{Amount, FeeRate, Network};
use kite_devnet::chain::Displaced;
use kite_devnet::source::ChainSource;

use crate::{Stand, address, paying, stand};

fn master() -> Xpriv {
    Xpriv::new_master(Network::Regtest, &[3; 32]).unwrap()
}

fn wallet() -> Wallet {
    let descriptor = |branch| format!("wpkh({}/84h/1h/0h/{branch}/*)", master());
    Wallet::create(descriptor(0), descriptor(1)).network(Network::Regtest).create_wallet_no_persist().unwrap()
}

async fn scan(wallet: &mut Wallet, stand: &Stand) {
    let update = stand.client.full_scan(wallet.start_full_scan(), 5, 2).await.unwrap();
    wallet.apply_update(update).unwrap();
}

#[tokio::test]
async fn bdk_finds_spends_and_loses_coins_with_the_chain() {
    let stand = stand().await;
    let mut wallet = wallet();
    for _ in 0..3 {
        let to = wallet.reveal_next_address(KeychainKind::External).address;
        stand.chain.fund(vec![paying(&to, 100_000)]).await.unwrap();
    }
    scan(&mut wallet, &stand).await;
    assert_eq!(wallet.balance().untrusted_pending, Amount::from_sat(300_000));
    stand.chain.mine(1).await.unwrap();
    scan(&mut wallet, &stand).await;
    assert_eq!(wallet.balance().confirmed, Amount::from_sat(300_000));

    let mut builder = wallet.build_tx();
    builder.add_recipient(address(1).script_pubkey(), Amount::from_sat(250_000));
    builder.fee_rate(FeeRate::from_sat_per_vb(2).unwrap());
    let mut psbt = builder.finish().unwrap();
    psbt.sign(&master(), wallet.secp_ctx()).unwrap();
    assert!(wallet.finalize_psbt(&mut psbt, SignOptions::default()).unwrap());
    let payment = psbt.extract_tx().unwrap();
    stand.client.broadcast(&payment).await.unwrap();
    stand.chain.mine(1).await.unwrap();
    scan(&mut wallet, &stand).await;
    let left = wallet.balance();
    assert_eq!(left.total(), left.confirmed);
    assert!(left.confirmed < Amount::from_sat(50_000) && left.confirmed > Amount::from_sat(48_000));

    stand.chain.reorg(1, Displaced::Waiting).await.unwrap();
    scan(&mut wallet, &stand).await;
    assert_eq!(wallet.balance().trusted_pending, left.confirmed);
    assert_eq!(wallet.latest_checkpoint().height(), 113);
}
