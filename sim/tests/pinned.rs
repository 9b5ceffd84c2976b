//! Who wants a claim to miss its deadline: replacement cycling and pinning (security list, C1 and C2).

use bitcoin::{Amount, OutPoint, Transaction, TxIn, TxOut};
use kite_core::crypto::{ChannelSigner, ClaimInput, ClaimKey};
use kite_core::node::Event;
use kite_core::tx::{scripts, witness};
use kite_sim::closes::Closes;
use std::collections::BTreeSet;

/// So many blocks a cheater waits for what its commitment pays it.
const TO_SELF_DELAY: u32 = 144;
/// What a full node relays of one transaction, in weight units.
const LARGE: u64 = 390_000;
const FEERATE: u64 = 5_000;

/// Every block somebody makes all claims of a host vanish before they are mined. They come again, and never for less.
fn cycle(closes: &mut Closes, host: usize, blocks: u32) {
    let mut paid = Amount::ZERO;
    for block in 0..blocks {
        let chain = &closes.world.chain;
        let claims: Vec<Transaction> = chain.mempool().to_vec();
        let by: BTreeSet<_> = claims.iter().map(|tx| closes.world.first_to_publish(tx)).collect();
        assert_eq!(by, BTreeSet::from([Some(host)]), "after {block} blocks: {}", closes.world.story());
        let pays: Amount = claims.iter().filter_map(|tx| chain.fee_of(tx)).sum();
        assert!(pays >= paid, "after {block} blocks {pays} instead of {paid}: {}", closes.world.story());
        paid = pays;
        claims.iter().for_each(|tx| closes.world.chain.cycle_out(&tx.compute_txid()));
        closes.world.mine_nothing(1);
    }
}

#[test]
fn penalties_that_are_cycled_out_every_block_are_there_before_their_deadline() {
    let (mut closes, before) = Closes::cheated(0, 0);
    cycle(&mut closes, 1, TO_SELF_DELAY - 10);
    closes.world.mine(1);
    assert_eq!(closes.world.node(1).balance().closing, Amount::ZERO, "{}", closes.world.story());
    // The cheater's HTLC and half of the channel may have gone to miners, and nothing that was the victim's.
    assert!(closes.total_sat(1) + 300_000 > before, "{}", closes.world.story());
}

#[test]
fn a_timeout_that_is_cycled_out_every_block_takes_the_htlc_back_once_it_is_mined() {
    let mut closes = Closes::new();
    closes.pay(0, 50_000_000, 4);
    closes.world.crash(1);
    closes.world.cut();
    let hash = closes.payments[0].1;
    let is_closed = |closes: &Closes| {
        closes.world.node(0).channels()[0].close.as_ref().is_some_and(|it| it.confirmations > 0)
    };
    for _ in 0..300 {
        if is_closed(&closes) && !closes.world.chain.mempool().is_empty() {
            break;
        }
        closes.world.mine(1);
    }
    cycle(&mut closes, 0, 40);
    let failed = |closes: &Closes| {
        let is_it = |event: &Event| matches!(event, Event::PaymentFailed { payment_hash, .. } if *payment_hash == hash);
        closes.world.hosts[0].events().any(is_it)
    };
    assert!(!failed(&closes), "nothing was decided: {}", closes.world.story());
    closes.world.mine(6);
    assert!(failed(&closes), "{}", closes.world.story());
    closes.world.start(1);
    closes.world.settle();
    closes.run_out();
    closes.check("a timeout that was cycled out for a while");
}

/// A child as large as is relayed, for as little: on the anchor of host 1.
fn pin(closes: &Closes, commitment: &Transaction) -> Transaction {
    let host = &closes.world.hosts[1];
    let signer = ChannelSigner::new(host.keys().channel_keys(0));
    let script = scripts::anchor(&signer.basepoints().funding_pubkey);
    let vout = commitment.output.iter().position(|output| output.script_pubkey == script.to_p2wsh()).unwrap();
    let mut tx = closes.world.chain.fund(script.to_p2wsh(), Amount::from_sat(100_000_000));
    let change = tx.output.pop().unwrap();
    tx.output.clear();
    let count = (LARGE - 1_000) / (4 * 43);
    let each = Amount::from_sat(20_000);
    tx.output.extend((0..count).map(|_| TxOut { value: each, script_pubkey: change.script_pubkey.clone() }));
    let fee = Amount::from_sat(LARGE / 4 + 2_000);
    let faucets = change.value + Amount::from_sat(100_000_000);
    tx.output.push(TxOut { value: faucets - each * count - fee, ..change });
    let previous_output = OutPoint { txid: commitment.compute_txid(), vout: u32::try_from(vout).unwrap() };
    tx.input.push(TxIn { previous_output, sequence: tx.input[0].sequence, ..TxIn::default() });
    let amount = commitment.output[vout].value;
    let input = ClaimInput { tx: &tx, input_index: 1, witness_script: &script, amount };
    let signature = signer.sign_claim(&ClaimKey::Anchor, &input).unwrap();
    tx.input[1].witness = witness::anchor(&signature, &script);
    tx
}

/// The payer closes for a fee that no miner takes, hangs a large child onto it, and waits for the HTLC to expire that it
/// has not heard the preimage of. It cannot keep the payee's own child out, which pays for the commitment alone.
#[test]
fn a_commitment_that_is_pinned_by_a_large_child_is_paid_for_before_an_htlc_expires() {
    let mut closes = Closes::new();
    closes.pay(1, 50_000_000, 5);
    closes.world.cut();
    closes.force_close(1);
    closes.world.settle();
    let [commitment] = closes.world.chain.mempool() else { panic!("{}", closes.world.story()) };
    let commitment = commitment.clone();
    closes.world.crash(1);
    let pin = pin(&closes, &commitment);
    closes.world.chain.submit(&pin).unwrap();
    closes.feerates(u32::try_from(FEERATE).unwrap());
    closes.world.settle();
    let rate = |closes: &Closes| {
        let chain = &closes.world.chain;
        let is_child = |tx: &&Transaction| closes.world.first_to_publish(tx) == Some(0) && **tx != commitment;
        let child = chain.mempool().iter().find(is_child)?;
        let fee = chain.fee_of(child)? + chain.fee_of(&commitment)?;
        Some(fee.to_sat() * 1_000 / (child.weight() + commitment.weight()).to_wu())
    };
    // Miners take nothing below what is usual.
    let mut blocks = 0;
    while rate(&closes).is_none_or(|rate| rate < FEERATE) {
        closes.world.mine_nothing(1);
        blocks += 1;
        assert!(blocks < 20, "nothing pays for the commitment: {}", closes.world.story());
    }
    closes.world.mine(2);
    let hash = closes.payments[0].1;
    closes.world.start(1);
    closes.world.settle();
    closes.run_out();
    closes.check(&format!("{hash:?} was pinned"));
    let received =
        |event: &Event| matches!(event, Event::PaymentReceived { payment_hash, .. } if *payment_hash == hash);
    assert!(closes.world.hosts[0].events().any(received), "{}", closes.world.story());
}
