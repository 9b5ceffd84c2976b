//! The embedded chain and Bitcoin Core's engine must agree on every block, good or bad.

use crate::coins::{Lock, Owned, Terms, funded, spend, txid, with_bad_signature};
use crate::oracle::Judged;
use bitcoin::absolute::LockTime;
use bitcoin::{Amount, Block, Sequence, Transaction};
use kite_devnet::chain::{BlockError, Displaced, TransactionError, solve, subsidy};

fn transaction_error(result: Result<bitcoin::BlockHash, BlockError>) -> TransactionError {
    match result.unwrap_err() {
        BlockError::Transaction { error, .. } => error,
        other => panic!("another error: {other}"),
    }
}

#[test]
fn good_spends_of_every_kind_are_accepted() {
    let locks = [Lock::P2wpkh, Lock::P2tr, Lock::Anyone];
    let (mut judged, coins) = Judged::with_coins(&locks);
    let first = spend(&coins, Terms { pays_to: Lock::P2tr, ..Terms::default() });
    let child = spend(&[Owned::of(&first, 0, Lock::P2tr)], Terms::default());
    judged.offer_transactions(vec![first, child.clone()]).unwrap();
    assert!(judged.chain.unspent(&Owned::of(&child, 0, Lock::P2wpkh).outpoint).is_some());
}

#[test]
fn bad_signatures_are_refused() {
    for lock in [Lock::P2wpkh, Lock::P2tr] {
        let (mut judged, coins) = Judged::with_coins(&[lock]);
        let good = spend(&coins, Terms::default());
        let bad = with_bad_signature(good.clone());
        let error = transaction_error(judged.offer_transactions(vec![bad]));
        assert_eq!(error, TransactionError::Script(0), "{lock:?}");
        judged.offer_transactions(vec![good]).unwrap();
    }
}

#[test]
fn amounts_and_inputs_are_checked() {
    let (mut judged, coins) = Judged::with_coins(&[Lock::Anyone, Lock::Anyone]);
    let mut inflating = spend(&coins[..1], Terms::default());
    inflating.output[0].value = Amount::from_sat(100_001);
    let error = transaction_error(judged.offer_transactions(vec![inflating.clone()]));
    assert!(matches!(error, TransactionError::InBelowOut { .. }));

    inflating.output[0].value = Amount::MAX_MONEY + Amount::from_sat(1);
    let error = transaction_error(judged.offer_transactions(vec![inflating]));
    assert_eq!(error, TransactionError::AmountOutOfRange);

    let mut twice = spend(&[coins[0].clone(), coins[0].clone()], Terms::default());
    twice.output[0].value = Amount::from_sat(10_000);
    let error = transaction_error(judged.offer_transactions(vec![twice]));
    assert_eq!(error, TransactionError::DuplicateInput);

    let one = spend(&coins[..1], Terms::default());
    let other = spend(&coins[..1], Terms { fee_sat: 2_000, ..Terms::default() });
    let error = transaction_error(judged.offer_transactions(vec![one.clone(), other]));
    assert_eq!(error, TransactionError::MissingOrSpent(coins[0].outpoint));

    judged.offer_transactions(vec![one.clone()]).unwrap();
    // A second inclusion of a confirmed transaction fails, and must not harm its unspent outputs.
    let error = transaction_error(judged.offer_transactions(vec![one.clone()]));
    assert_eq!(error, TransactionError::MissingOrSpent(coins[0].outpoint));
    let child = spend(&[Owned::of(&one, 0, Lock::P2wpkh)], Terms::default());
    let empty = Transaction { output: vec![], ..child.clone() };
    assert_eq!(transaction_error(judged.offer_transactions(vec![empty])), TransactionError::NoOutputs);
    judged.offer_transactions(vec![child]).unwrap();
}

#[test]
fn a_child_before_its_parent_is_refused() {
    let (mut judged, coins) = Judged::with_coins(&[Lock::Anyone]);
    let parent = spend(&coins, Terms::default());
    let child = spend(&[Owned::of(&parent, 0, Lock::P2wpkh)], Terms::default());
    let error = transaction_error(judged.offer_transactions(vec![child.clone(), parent.clone()]));
    assert!(matches!(error, TransactionError::MissingOrSpent(_)));
    judged.offer_transactions(vec![parent, child]).unwrap();
}

#[test]
fn a_coinbase_matures_after_a_hundred_blocks() {
    let mut judged = Judged::new();
    let mut block = judged.chain.template(vec![], Amount::ZERO, judged.now);
    block.txdata[0].output[0].script_pubkey = Lock::Anyone.script();
    let coinbase = Owned::of(&block.txdata[0], 0, Lock::Anyone);
    let coinbase =
        Owned { outpoint: bitcoin::OutPoint { txid: txid(&block.txdata[0]), vout: 0 }, ..coinbase };
    judged.offer(solve(block)).unwrap();
    judged.mine(98);
    let spend = spend(std::slice::from_ref(&coinbase), Terms::default());
    let error = transaction_error(judged.offer_transactions(vec![spend.clone()]));
    assert_eq!(error, TransactionError::PrematureCoinbase(coinbase.outpoint));
    judged.mine(1);
    judged.offer_transactions(vec![spend]).unwrap();
}

#[test]
fn lock_times_hold_by_height_and_by_median_time() {
    let (mut judged, coins) = Judged::with_coins(&[Lock::Anyone, Lock::Anyone]);
    let height = judged.chain.height();
    let by_height = Terms { lock_time: LockTime::from_consensus(height + 1), ..Terms::default() };
    let by_height = spend(&coins[..1], by_height);
    assert_eq!(
        transaction_error(judged.offer_transactions(vec![by_height.clone()])),
        TransactionError::NonFinal
    );
    judged.mine(1);
    judged.offer_transactions(vec![by_height]).unwrap();

    let lock_time = LockTime::from_consensus(judged.now + 60);
    let by_time = spend(&coins[1..], Terms { lock_time, ..Terms::default() });
    assert_eq!(
        transaction_error(judged.offer_transactions(vec![by_time.clone()])),
        TransactionError::NonFinal
    );
    judged.now += 100;
    judged.mine(5);
    assert_eq!(
        transaction_error(judged.offer_transactions(vec![by_time.clone()])),
        TransactionError::NonFinal
    );
    judged.mine(1);
    judged.offer_transactions(vec![by_time]).unwrap();
}

#[test]
fn relative_locks_hold_by_height_time_and_script() {
    let (mut judged, coins) = Judged::with_coins(&[Lock::Anyone, Lock::Anyone, Lock::Csv(4), Lock::Csv(4)]);
    let by_height = spend(&coins[..1], Terms { sequence: Sequence::from_height(3), ..Terms::default() });
    let by_time = Sequence::from_512_second_intervals(1);
    let by_time = spend(&coins[1..2], Terms { sequence: by_time, ..Terms::default() });
    let by_script = spend(&coins[2..3], Terms { sequence: Sequence::from_height(4), ..Terms::default() });
    let too_low = spend(&coins[3..], Terms { sequence: Sequence::from_height(2), ..Terms::default() });
    judged.mine(1);
    assert_eq!(
        transaction_error(judged.offer_transactions(vec![by_height.clone()])),
        TransactionError::NonBip68Final
    );
    judged.mine(1);
    judged.offer_transactions(vec![by_height]).unwrap();
    judged.offer_transactions(vec![by_script]).unwrap();
    assert_eq!(transaction_error(judged.offer_transactions(vec![too_low])), TransactionError::Script(0));
    assert_eq!(
        transaction_error(judged.offer_transactions(vec![by_time.clone()])),
        TransactionError::NonBip68Final
    );
    judged.now += 600;
    judged.mine(6);
    judged.offer_transactions(vec![by_time]).unwrap();
}

/// Spoils the next block and gives the common verdict.
fn spoiled(spoil: impl FnOnce(&mut Judged, &mut Block)) -> BlockError {
    let (mut judged, coins) = Judged::with_coins(&[Lock::P2wpkh]);
    let mut block = judged.chain.template(vec![spend(&coins, Terms::default())], Amount::ZERO, judged.now);
    spoil(&mut judged, &mut block);
    judged.offer(block).unwrap_err()
}

#[test]
fn spoiled_blocks_are_refused() {
    let height_error = spoiled(|judged, block| {
        let wrong = i64::from(judged.chain.height()) + 2;
        block.txdata[0].input[0].script_sig =
            bitcoin::script::Builder::new().push_int(wrong).push_slice([0; 8]).into_script();
        *block = solve(block.clone());
    });
    assert_eq!(height_error, BlockError::CoinbaseHeight);
    let greedy = spoiled(|judged, block| {
        block.txdata[0].output[0].value = subsidy(judged.chain.height() + 1) + Amount::from_sat(1_001);
        *block = solve(block.clone());
    });
    assert!(matches!(greedy, BlockError::CoinbaseAmount { .. }));
    let old = spoiled(|judged, block| {
        block.header.time = judged.now - 1_000;
        *block = solve(block.clone());
    });
    assert_eq!(old, BlockError::TimeTooOld);
    let new = spoiled(|judged, block| {
        block.header.time = judged.now + 3 * 60 * 60;
        *block = solve(block.clone());
    });
    assert_eq!(new, BlockError::TimeTooNew);
    let root = spoiled(|_, block| {
        block.txdata[0].output[0].value = Amount::from_sat(1);
    });
    assert_eq!(root, BlockError::MerkleRoot);
    let work = spoiled(|_, block| {
        while block.header.validate_pow(block.header.target()).is_ok() {
            block.header.nonce += 1;
        }
    });
    assert_eq!(work, BlockError::ProofOfWork);
    let uncommitted = spoiled(|_, block| {
        block.txdata[0].output.truncate(1);
        *block = solve(block.clone());
    });
    assert_eq!(uncommitted, BlockError::WitnessCommitment);
    let wrong_commitment = spoiled(|_, block| {
        block.txdata[1].input[0].witness.push([1]);
        *block = solve(block.clone());
    });
    assert_eq!(wrong_commitment, BlockError::WitnessCommitment);
    let version = spoiled(|_, block| {
        block.header.version = bitcoin::block::Version::from_consensus(3);
        *block = solve(block.clone());
    });
    assert_eq!(version, BlockError::Version);
    let repeated = spoiled(|_, block| {
        let last = block.txdata[1].clone();
        block.txdata.push(last);
        *block = solve(block.clone());
    });
    assert_eq!(repeated, BlockError::MerkleRoot);
    let second_coinbase = spoiled(|_, block| {
        let coinbase = block.txdata[0].clone();
        block.txdata.push(Transaction { version: bitcoin::transaction::Version::ONE, ..coinbase });
        *block = solve(block.clone());
    });
    assert_eq!(second_coinbase, BlockError::Coinbase);
}

#[test]
fn a_reorg_gives_back_coins_and_transactions() {
    for displaced in [Displaced::Mined, Displaced::Waiting, Displaced::Forgotten] {
        let (mut judged, coins) = Judged::with_coins(&[Lock::P2tr]);
        let before: Vec<_> = judged.chain.coins().iter().map(|(o, c)| (*o, c.clone())).collect();
        let payment = spend(&coins, Terms::default());
        judged.chain.accept(payment.clone()).unwrap();
        judged.mine(3);
        let child = spend(&[Owned::of(&payment, 0, Lock::P2wpkh)], Terms::default());
        judged.chain.accept(child.clone()).unwrap();

        let mut undone = judged.chain.clone();
        undone.invalidate(3, displaced).unwrap();
        assert_eq!(undone.coins().iter().map(|(o, c)| (*o, c.clone())).collect::<Vec<_>>(), before);

        let (stale, height) = (judged.chain.tip(), judged.chain.height());
        judged.reorg(3, displaced);
        assert_eq!(judged.chain.height(), height + 1);
        assert!(judged.chain.block(&stale).is_some());
        let waits = judged.chain.mempool().get(&txid(&payment)).is_some();
        let child_waits = judged.chain.mempool().get(&txid(&child)).is_some();
        let confirmed = judged.chain.unspent(&coins[0].outpoint).is_none();
        let expected = match displaced {
            Displaced::Mined => (false, false, true),
            Displaced::Waiting => (true, true, false),
            Displaced::Forgotten => (false, false, false),
        };
        assert_eq!((waits, child_waits, confirmed), expected, "{displaced:?}");
        judged.mine(2);
    }
}

#[test]
fn a_thousand_blocks_with_payments_agree() {
    let mut judged = Judged::new();
    for round in 0..50u64 {
        for _ in 0..3 {
            funded(&mut judged.chain, Lock::P2tr, 50_000 + round);
        }
        judged.mine(10);
    }
    judged.reorg(20, Displaced::Mined);
    judged.mine(390);
    assert_eq!(judged.chain.height(), 110 + 500 + 1 + 390);
}
