//! The Esplora API, asked by the clients that will ask it, over both kinds of chain source.

mod api;
mod bitcoind;
#[path = "../judge/mod.rs"]
mod judge;
mod wallet;

use std::sync::Arc;

use bitcoin::{Address, Amount, CompressedPublicKey, Network, TxOut};
use esplora_client::{AsyncClient, Builder};
use kite_devnet::esplora::{Explorer, router};
use kite_devnet::http::Server;
use kite_devnet::source::{ChainSource, Embedded};

/// A prepared chain and a server over it.
#[derive(Debug)]
pub struct Stand {
    pub chain: Arc<Embedded>,
    pub client: AsyncClient,
    pub server: Server,
}

pub async fn serve(source: Arc<dyn ChainSource>) -> (Server, AsyncClient) {
    let server = Server::start(router(Arc::new(Explorer::new(source))), 0).await.unwrap();
    let client = Builder::new(&server.url()).build_async().unwrap();
    (server, client)
}

pub async fn stand() -> Stand {
    let chain = Arc::new(Embedded::new().judged_by(judge::judge()));
    chain.prepare().await.unwrap();
    let (server, client) = serve(chain.clone()).await;
    Stand { chain, client, server }
}

/// An address that nothing here spends from; another for each `number`.
pub fn address(number: u8) -> Address {
    let secret = bitcoin::secp256k1::SecretKey::from_slice(&[number; 32]).unwrap();
    let key = secret.public_key(&bitcoin::secp256k1::Secp256k1::new());
    Address::p2wpkh(&CompressedPublicKey(key), Network::Regtest)
}

pub fn paying(address: &Address, sats: u64) -> TxOut {
    TxOut { value: Amount::from_sat(sats), script_pubkey: address.script_pubkey() }
}
