//! The whole world: real nodes that pay each other over an embedded chain.

mod judge;

use std::time::{Duration, Instant};

use bitcoin::Amount;
use kite_devnet::chain::Displaced;
use kite_devnet::peers::NewInvoice;
use kite_devnet::{World, WorldOptions};
use ldk_node::payment::PaymentStatus;
use serde_json::{Value, json};

async fn post(url: String, body: Value) -> (u16, Value) {
    let response = reqwest::Client::new().post(&url).json(&body).send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

async fn get(url: String) -> Value {
    reqwest::get(&url).await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn alice_pays_carol_through_bob_and_the_world_obeys() {
    let options = WorldOptions { judge: Some(judge::judge()), ..WorldOptions::default() };
    let begun = Instant::now();
    let world = World::start(options).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(30), "a world starts in seconds: {:?}", begun.elapsed());

    let (alice, carol) = (world.peer("alice").unwrap(), world.peer("carol").unwrap());
    let request =
        NewInvoice { amount_msat: Some(2_500_000), description: "tea".to_owned(), expiry_secs: 600 };
    let invoice = carol.invoice(request).await.unwrap();
    let payment = alice.pay(&invoice.to_string(), None).await.unwrap();
    let payment = alice.settled(payment, Duration::from_secs(20)).await.unwrap();
    assert_eq!(payment.status, PaymentStatus::Succeeded);
    assert!(payment.fee_paid_msat.unwrap() > 0, "bob takes a fee");

    through_http(&world).await;
    through_the_proxy(&world).await;

    let tip = world.source().tip().await.unwrap();
    world.reorg(2, Displaced::Mined).await.unwrap();
    let best = alice.with(|node| Ok(node.status().current_best_block)).await.unwrap();
    assert_eq!(best.height, tip.height + 1);
    assert_eq!(best.block_hash, world.source().tip().await.unwrap().hash);
    world.stop().await;
}

/// The bytes of a websocket through the proxy reach bob's port.
async fn through_the_proxy(world: &World) {
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::Message;
    let address = world.peer("bob").unwrap().address();
    let url = format!("{}/v1/{}/{}", world.proxy_url(), address.ip(), address.port());
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    // BOLT 8: an act one of another version is answered by the end of the connection.
    socket.send(Message::binary(vec![1; 50])).await.unwrap();
    let end = tokio::time::timeout(Duration::from_secs(10), async {
        while let Some(Ok(message)) = socket.next().await {
            if message.is_close() {
                return;
            }
        }
    });
    end.await.unwrap();
}

async fn through_http(world: &World) {
    let control = world.control_url();
    let told = get(format!("{control}/world.json")).await;
    assert_eq!(told, world.describe());
    assert_eq!(told["peers"].as_array().unwrap().len(), 3);

    // Without an amount, the other way.
    let (_, invoice) = post(format!("{control}/peers/alice/invoice"), json!({ "description": "cake" })).await;
    let order = json!({ "invoice": invoice["invoice"], "amount_msat": 70_000 });
    let (status, paid) = post(format!("{control}/peers/carol/pay"), order).await;
    assert_eq!((status, &paid["status"], &paid["amount_msat"]), (200, &json!("succeeded"), &json!(70_000)));
    assert_eq!(paid["payment_hash"], invoice["payment_hash"]);

    // A payment that the payee holds until it wants it.
    let hold = json!({ "amount_msat": 90_000, "payment_hash": sha256_of_zeros() });
    let (_, held) = post(format!("{control}/peers/carol/hold_invoice"), hold).await;
    let order = post(format!("{control}/peers/alice/pay"), json!({ "invoice": held["invoice"] }));
    let claim = async {
        let claim = json!({ "amount_msat": 90_000, "preimage": "00".repeat(32) });
        tokio::time::sleep(Duration::from_secs(1)).await;
        post(format!("{control}/peers/carol/claim_held"), claim).await
    };
    let ((_, paid), (claimed, _)) = tokio::join!(order, claim);
    assert_eq!(
        (claimed, &paid["status"], &paid["preimage"]),
        (200, &json!("succeeded"), &json!("00".repeat(32)))
    );

    let (_, address) = post(format!("{control}/peers/bob/new_address"), json!({})).await;
    let before = get(format!("{control}/peers/bob/balances")).await["total_onchain_sat"].as_u64().unwrap();
    let gift = json!({ "address": address["address"], "sats": 123_456 });
    assert_eq!(post(format!("{control}/faucet"), gift).await.0, 200);
    assert_eq!(post(format!("{control}/regtest/mine/1"), json!({})).await.0, 200);
    let after = get(format!("{control}/peers/bob/balances")).await["total_onchain_sat"].as_u64().unwrap();
    assert_eq!(Amount::from_sat(after - before), Amount::from_sat(123_456));

    let bob = told["peers"][1]["node_id"].clone();
    assert_eq!(post(format!("{control}/peers/alice/disconnect"), json!({ "node_id": bob })).await.0, 200);
    let (_, again) = post(
        format!("{control}/peers/alice/connect"),
        json!({ "node_id": bob, "address": told["peers"][1]["address"] }),
    )
    .await;
    assert_eq!(again, json!({}));
    let (status, why) =
        post(format!("{control}/peers/alice/pay"), json!({ "invoice": "lnbcrt1nonsense" })).await;
    assert_eq!(status, 400, "{why}");
    assert_eq!(post(format!("{control}/peers/dave/sync"), json!({})).await.0, 404);
    assert_eq!(post(format!("{control}/peers/carol/stop"), json!({})).await.0, 200);
    assert_eq!(get(format!("{control}/peers/carol/info")).await["running"], json!(false));
    assert_eq!(post(format!("{control}/regtest/mine/1"), json!({})).await.0, 200);
    assert_eq!(post(format!("{control}/peers/carol/start"), json!({})).await.0, 200);
}

fn sha256_of_zeros() -> String {
    use bitcoin::hashes::{Hash, sha256};
    sha256::Hash::hash(&[0; 32]).to_string()
}

#[tokio::test]
async fn a_world_without_nodes_has_a_block_clock() {
    let options = WorldOptions {
        peers: false,
        block_interval: Some(Duration::from_millis(50)),
        judge: Some(judge::judge()),
        ..WorldOptions::default()
    };
    let world = World::start(options).await.unwrap();
    let first = world.source().tip().await.unwrap().height;
    let deadline = Instant::now() + Duration::from_secs(20);
    while world.source().tip().await.unwrap().height < first + 3 {
        assert!(Instant::now() < deadline, "the clock stands still");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    world.stop().await;
}
