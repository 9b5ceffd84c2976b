use super::*;
use bitcoin::script::Builder;
use bitcoin::{Sequence, opcodes};
use kite_core::chain::{Checkpoint, HeaderChain};

const AMOUNT: Amount = Amount::from_sat(100_000);

/// Can be spent by anybody five blocks after it was mined.
fn delayed() -> (ScriptBuf, ScriptBuf) {
    let witness_script = Builder::new()
        .push_sequence(Sequence::from_height(5))
        .push_opcode(opcodes::all::OP_CSV)
        .into_script();
    let script_pubkey = witness_script.to_p2wsh();
    (witness_script, script_pubkey)
}

fn spend_delayed(chain: &Chain, parent: &Transaction, sequence: Sequence, fee_sat: u64) -> Transaction {
    let (witness_script, _) = delayed();
    let mut tx = chain.fund(delayed().1, AMOUNT);
    tx.input[0].previous_output = OutPoint { txid: parent.compute_txid(), vout: 0 };
    tx.input[0].sequence = sequence;
    tx.input[0].witness = bitcoin::Witness::from_slice(&[witness_script.as_bytes()]);
    tx.output.truncate(1);
    tx.output[0].value = AMOUNT - Amount::from_sat(fee_sat);
    tx
}

fn known_to(headers: &HeaderChain) -> impl Fn(BlockHeight) -> Option<BlockHash> + '_ {
    |height| headers.header(height).map(Header::block_hash)
}

fn follow(chain: &Chain, headers: &mut HeaderChain) {
    for new in chain.headers_for(known_to(headers)) {
        let ChainFact::Headers(new) = new else { panic!("{new:?}") };
        headers.accept(&new, chain.now()).unwrap();
    }
    assert_eq!(headers.tip().hash, chain.tip());
}

#[test]
fn a_wallet_believes_the_headers_and_proofs() {
    let mut chain = Chain::new();
    let (_, script) = delayed();
    let txs: Vec<Transaction> =
        (0..3).map(|i| chain.pay_to(script.clone(), AMOUNT + Amount::from_sat(i))).collect();
    chain.mine(2);
    let unconfirmed = chain.pay_to(script.clone(), AMOUNT);
    let mut headers = HeaderChain::new(Network::Regtest, Checkpoint::genesis(Network::Regtest));
    follow(&chain, &mut headers);

    let histories = chain.histories(&[script.clone(), ScriptBuf::new()]);
    assert_eq!(histories.len(), 2);
    let seen = &histories.iter().find(|history| history.script_pubkey == script).unwrap().transactions;
    assert_eq!(seen.len(), 4);
    for (seen, tx) in seen.iter().zip(&txs) {
        assert_eq!(&seen.tx, tx);
        let confirmation = seen.proof.as_ref().unwrap().check(tx, &headers).unwrap();
        assert_eq!(confirmation.height, chain.height() - 1);
    }
    assert_eq!((&seen[3].tx, &seen[3].proof), (&unconfirmed, &None));

    chain.reorg(2);
    follow(&chain, &mut headers);
    assert_eq!(chain.mempool().len(), 4, "what was mined waits again");
}

#[test]
fn what_consensus_forbids_is_rejected() {
    let mut chain = Chain::new();
    let parent = chain.pay_to(delayed().1, AMOUNT);
    chain.mine(1);
    let five = Sequence::from_height(5);
    let early = spend_delayed(&chain, &parent, five, 500);
    assert!(matches!(chain.submit(&early), Err(Rejected::Locked { .. })));
    let unlocked = spend_delayed(&chain, &parent, Sequence::ENABLE_RBF_NO_LOCKTIME, 500);
    assert!(matches!(chain.submit(&unlocked), Err(Rejected::Script { input: 0, .. })));
    chain.mine(4);
    let mut inflating = spend_delayed(&chain, &parent, five, 500);
    inflating.output[0].value = AMOUNT + Amount::ONE_SAT;
    assert!(matches!(chain.submit(&inflating), Err(Rejected::Inflation { .. })));
    chain.submit(&early).unwrap();
    let same_fee = spend_delayed(&chain, &parent, Sequence::from_height(6), 500);
    assert!(chain.submit(&same_fee).is_err());
    chain.mine(1);
    assert!(matches!(
        chain.submit(&spend_delayed(&chain, &parent, five, 900)),
        Err(Rejected::Missing { .. })
    ));
}

#[test]
fn a_higher_fee_replaces_and_a_package_pays_for_its_parent() {
    let mut chain = Chain::new();
    let parent = chain.pay_to(delayed().1, AMOUNT);
    chain.mine(5);
    let five = Sequence::from_height(5);
    chain.submit(&spend_delayed(&chain, &parent, five, 500)).unwrap();
    let better = spend_delayed(&chain, &parent, five, 600);
    chain.submit(&better).unwrap();
    assert_eq!(chain.mempool(), std::slice::from_ref(&better));
    let mut free = chain.fund(Builder::new().push_opcode(opcodes::OP_TRUE).into_script().to_p2wsh(), AMOUNT);
    free.output[1].value += Amount::from_sat(1_000);
    assert!(matches!(chain.submit(&free), Err(Rejected::Fee { .. })));
    let mut child = chain.fund(delayed().1, AMOUNT - Amount::from_sat(2_000));
    child.input[0].previous_output = OutPoint { txid: free.compute_txid(), vout: 0 };
    child.output.truncate(1);
    chain.submit_package(&[free, child]).unwrap();
    assert_eq!(chain.mempool().len(), 3);
}
