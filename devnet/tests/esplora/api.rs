use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, OutPoint, Transaction, Txid};
use kite_devnet::chain::Displaced;
use kite_devnet::source::ChainSource;

use crate::{Stand, address, paying, stand};

async fn text(stand: &Stand, path: &str) -> (u16, String) {
    let response = stand.client.client().get(format!("{}{path}", stand.server.url())).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test]
async fn blocks_are_told_alike_by_all_routes() {
    let stand = stand().await;
    let client = &stand.client;
    let height = client.get_height().await.unwrap();
    assert_eq!(height, 110);
    let tip = client.get_tip_hash().await.unwrap();
    assert_eq!(client.get_block_hash(height).await.unwrap(), tip);
    let block = client.get_block_by_hash(&tip).await.unwrap().unwrap();
    assert_eq!(block.block_hash(), tip);
    assert_eq!(client.get_header_by_hash(&tip).await.unwrap(), block.header);
    let infos = client.get_block_infos(None).await.unwrap();
    assert_eq!(
        infos.iter().map(|info| info.height).collect::<Vec<_>>(),
        (101..=110).rev().collect::<Vec<_>>()
    );
    let info = client.get_block_info(&tip).await.unwrap();
    assert_eq!(info, infos[0]);
    let told = (info.previousblockhash, info.merkle_root, info.tx_count, info.size);
    assert_eq!(told, (Some(block.header.prev_blockhash), block.header.merkle_root, 1, block.total_size()));
    assert!(info.mediantime < info.timestamp);
    assert_eq!(client.get_block_infos(Some(3)).await.unwrap().len(), 4);
    assert_eq!(client.get_block_infos(Some(0)).await.unwrap()[0].previousblockhash, None);
    let coinbase = block.txdata[0].compute_txid();
    assert_eq!(client.get_block_txids(&tip).await.unwrap(), vec![coinbase]);
    assert_eq!(client.get_txid_at_block_index(&tip, 0).await.unwrap(), Some(coinbase));
    assert_eq!(client.get_txid_at_block_index(&tip, 1).await.unwrap(), None);
    let transactions = client.get_block_txs(&tip, None).await.unwrap();
    assert!(transactions[0].vin[0].is_coinbase && transactions[0].vin[0].prevout.is_none());
    assert_eq!(transactions[0].fee, 0);
    let status = client.get_block_status(&client.get_block_hash(5).await.unwrap()).await.unwrap();
    assert!(status.in_best_chain);
    assert_eq!((status.height, status.next_best), (Some(5), Some(client.get_block_hash(6).await.unwrap())));
}

#[tokio::test]
async fn unknown_things_are_404_and_nonsense_is_400() {
    let stand = stand().await;
    let (hash, txid) = (BlockHash::all_zeros(), Txid::all_zeros());
    assert!(stand.client.get_block_by_hash(&hash).await.unwrap().is_none());
    assert!(stand.client.get_tx(&txid).await.unwrap().is_none());
    assert!(stand.client.get_tx_info(&txid).await.unwrap().is_none());
    assert!(stand.client.get_merkle_proof(&txid).await.unwrap().is_none());
    assert!(stand.client.get_output_status(&txid, 0).await.unwrap().is_none());
    for path in [
        "/block-height/111",
        &format!("/block/{hash}/status"),
        &format!("/block/{hash}/header"),
        &format!("/tx/{txid}/status"),
        &format!("/tx/{txid}/hex"),
        "/nothing",
        "/nothing/here/txs",
    ] {
        assert_eq!(text(&stand, path).await.0, 404, "{path}");
    }
    for path in
        ["/tx/xyz", "/block/12", "/address/bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", "/scripthash/00/txs"]
    {
        assert_eq!(text(&stand, path).await.0, 400, "{path}");
    }
}

#[tokio::test]
async fn a_payment_is_followed_from_the_mempool_into_a_block_and_out_again() {
    let Stand { chain, client, server } = stand().await;
    let to = address(9);
    let txid = chain.fund(vec![paying(&to, 70_000), paying(&address(8), 50_000)]).await.unwrap();
    let waiting = client.get_tx_info(&txid).await.unwrap().unwrap();
    let transaction = client.get_tx(&txid).await.unwrap().unwrap();
    assert_eq!(waiting.to_tx(), transaction);
    assert!(!waiting.status.confirmed && waiting.fee > 0);
    let spent: u64 = waiting.vin.iter().map(|vin| vin.prevout.as_ref().unwrap().value).sum();
    assert_eq!(spent - waiting.vout.iter().map(|vout| vout.value).sum::<u64>(), waiting.fee);
    assert_eq!(client.get_mempool_txids().await.unwrap(), vec![txid]);
    let stats = client.get_mempool_stats().await.unwrap();
    assert_eq!((stats.count, stats.vsize, stats.total_fee), (1, transaction.vsize(), waiting.fee));
    assert_eq!(client.get_mempool_recent_txs().await.unwrap()[0].txid, txid);
    assert_eq!(client.get_mempool_address_txs(&to).await.unwrap(), vec![waiting.clone()]);
    assert_eq!(client.get_address_stats(&to).await.unwrap().mempool_stats.funded_txo_sum, 70_000);
    let spends =
        client.get_output_status(&transaction.input[0].previous_output.txid, 0).await.unwrap().unwrap();
    assert_eq!((spends.spent, spends.txid), (true, Some(txid)));

    let block = chain.mine(1).await.unwrap()[0];
    let status = client.get_tx_status(&txid).await.unwrap();
    assert_eq!((status.confirmed, status.block_height, status.block_hash), (true, Some(111), Some(block)));
    let header = client.get_header_by_hash(&block).await.unwrap();
    let proof = client.get_merkle_block(&txid).await.unwrap().unwrap();
    let (mut matches, mut indexes) = (Vec::new(), Vec::new());
    assert_eq!(proof.extract_matches(&mut matches, &mut indexes).unwrap(), ());
    assert_eq!((matches, indexes, proof.header), (vec![txid], vec![1], header));
    let outspends = client.get_tx_outspends(&txid).await.unwrap();
    assert!(outspends.len() >= 2 && outspends.iter().all(|outspend| !outspend.spent));
    let utxos = client.get_scripthash_utxos(&to.script_pubkey()).await.unwrap();
    assert_eq!((utxos.len(), utxos[0].txid, utxos[0].value.to_sat()), (1, txid, 70_000));
    assert_eq!(client.get_address_utxos(&to).await.unwrap(), utxos);
    let stats = client.get_scripthash_stats(&to.script_pubkey()).await.unwrap();
    assert_eq!((stats.chain_stats.funded_txo_sum, stats.mempool_stats.tx_count), (70_000, 0));

    chain.reorg(1, Displaced::Waiting).await.unwrap();
    let stale = client.get_block_status(&block).await.unwrap();
    assert!(!stale.in_best_chain && stale.next_best.is_none());
    assert!(!client.get_tx_status(&txid).await.unwrap().confirmed);
    assert!(client.get_merkle_proof(&txid).await.unwrap().is_none());
    chain.reorg(2, Displaced::Forgotten).await.unwrap();
    assert!(client.get_tx_status(&txid).await.unwrap().confirmed, "what waits is mined, not forgotten");
    chain.reorg(3, Displaced::Forgotten).await.unwrap();
    assert!(client.get_tx(&txid).await.unwrap().is_none());
    assert!(client.scripthash_txs(&to.script_pubkey(), None).await.unwrap().is_empty());
    drop(server);
}

#[tokio::test]
async fn merkle_proofs_lead_to_the_root() {
    let Stand { chain, client, server } = stand().await;
    for number in 1..=6 {
        chain.fund(vec![paying(&address(number), 20_000)]).await.unwrap();
    }
    let block = client.get_block_by_hash(&chain.mine(1).await.unwrap()[0]).await.unwrap().unwrap();
    assert_eq!(block.txdata.len(), 7);
    for (position, transaction) in block.txdata.iter().enumerate() {
        let txid = transaction.compute_txid();
        let proof = client.get_merkle_proof(&txid).await.unwrap().unwrap();
        assert_eq!((proof.block_height, proof.pos), (111, position));
        let mut hash = txid.to_byte_array();
        for (level, sibling) in proof.merkle.iter().enumerate() {
            let sibling = sibling.to_byte_array();
            let pair = if position >> level & 1 == 0 { [hash, sibling] } else { [sibling, hash] };
            hash = bitcoin::hashes::sha256d::Hash::hash(&pair.concat()).to_byte_array();
        }
        assert_eq!(hash, block.header.merkle_root.to_byte_array());
    }
    drop(server);
}

#[tokio::test]
async fn long_histories_come_in_pages() {
    let Stand { chain, client, server } = stand().await;
    let to = address(5);
    let mut expected = Vec::new();
    for _ in 0..30 {
        expected.push(chain.fund(vec![paying(&to, 10_000)]).await.unwrap());
        chain.mine(1).await.unwrap();
    }
    expected.reverse();
    let waiting = chain.fund(vec![paying(&to, 10_000)]).await.unwrap();
    let script = to.script_pubkey();
    let txids = |list: Vec<esplora_client::Tx>| list.iter().map(|tx| tx.txid).collect::<Vec<_>>();
    let first = txids(client.scripthash_txs(&script, None).await.unwrap());
    assert_eq!(first, [&[waiting], &expected[..25]].concat());
    let second = txids(client.scripthash_txs(&script, first.last().copied()).await.unwrap());
    assert_eq!(second, expected[25..]);
    assert_eq!(txids(client.get_address_txs(&to, Some(expected[29])).await.unwrap()), vec![]);
    drop(server);
}

#[tokio::test]
async fn refusals_say_why() {
    let stand = stand().await;
    let txid = stand.chain.fund(vec![paying(&address(1), 20_000)]).await.unwrap();
    let good = stand.client.get_tx(&txid).await.unwrap().unwrap();
    stand.client.broadcast(&good).await.unwrap();
    let mut bad = good.clone();
    bad.output[0].value += bitcoin::Amount::from_sat(1);
    let error = stand.client.broadcast(&bad).await.unwrap_err().to_string();
    assert!(error.contains("400") && error.contains("mandatory-script-verify-flag-failed"), "{error}");
    let unknown = OutPoint { txid: Txid::all_zeros(), vout: 7 };
    bad.input[0].previous_output = unknown;
    let error = stand.client.broadcast(&bad).await.unwrap_err().to_string();
    assert!(error.contains("-25") && error.contains("bad-txns-inputs-missingorspent"), "{error}");
    stand.chain.mine(1).await.unwrap();
    let error = stand.client.broadcast(&good).await.unwrap_err().to_string();
    assert!(error.contains("-27"), "{error}");
    let request = stand.client.client().post(format!("{}/tx", stand.server.url())).body("no hex");
    assert_eq!(request.send().await.unwrap().status().as_u16(), 400);
    let none: [Transaction; 0] = [];
    assert!(stand.client.submit_package(&none, None, None).await.is_err());
}

#[tokio::test]
async fn pages_of_any_origin_may_ask() {
    let stand = stand().await;
    let url = format!("{}/blocks/tip/height", stand.server.url());
    let http = stand.client.client();
    let asked = http.get(&url).header("Origin", "https://wallet.example").send().await.unwrap();
    assert_eq!(asked.headers()["access-control-allow-origin"], "*");
    let url = format!("{}/tx", stand.server.url());
    let preflight = http
        .request("OPTIONS".parse().unwrap(), &url)
        .header("Origin", "https://wallet.example")
        .header("Access-Control-Request-Method", "POST")
        .send()
        .await
        .unwrap();
    assert!(preflight.status().is_success());
    assert_eq!(preflight.headers()["access-control-allow-methods"], "*");
}

#[tokio::test]
async fn fee_estimates_fall_with_the_target() {
    let stand = stand().await;
    let estimates = stand.client.get_fee_estimates().await.unwrap();
    assert!(estimates[&1] > estimates[&6] && estimates[&6] > estimates[&1008] && estimates[&1008] >= 1.0);
}
