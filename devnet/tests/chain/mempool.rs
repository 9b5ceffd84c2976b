//! What the embedded chain's mempool takes, refuses and replaces.

use crate::coins::{Lock, Owned, Terms, spend, txid, with_bad_signature};
use crate::oracle::Judged;
use bitcoin::{Amount, Transaction};
use kite_devnet::chain::{ChainError, MAX_CHAIN, PolicyError, Refusal, TransactionError, TreasuryError};

fn paying(fee_sat: u64) -> Terms {
    Terms { fee_sat, ..Terms::default() }
}

#[test]
fn takes_a_payment_and_mines_it() {
    let (mut judged, coins) = Judged::with_coins(&[Lock::P2tr]);
    let payment = spend(&coins, paying(1_000));
    assert_eq!(judged.chain.accept(payment.clone()), Ok(txid(&payment)));
    assert_eq!(judged.chain.accept(payment.clone()), Ok(txid(&payment)));
    assert_eq!(judged.chain.mempool().len(), 1);
    judged.mine(1);
    let block = judged.chain.tip();
    assert_eq!(judged.chain.block(&block).unwrap().txdata[1], payment);
    assert!(judged.chain.mempool().is_empty());
    assert_eq!(judged.chain.accept(payment), Err(Refusal::AlreadyConfirmed));
}

#[test]
fn refuses_with_core_s_codes() {
    let (mut judged, coins) = Judged::with_coins(&[Lock::P2wpkh]);
    let good = spend(&coins, paying(1_000));
    let bad = judged.chain.accept(with_bad_signature(good.clone())).unwrap_err();
    assert_eq!((bad.clone(), bad.code()), (TransactionError::Script(0).into(), -26));
    let cheap = judged.chain.accept(spend(&coins, paying(50))).unwrap_err();
    assert!(matches!(cheap, Refusal::Policy(PolicyError::MinRelayFee { .. })), "{cheap}");
    let dust = judged.chain.accept(spend(&coins, paying(100_000 - 293))).unwrap_err();
    assert_eq!(dust, PolicyError::Dust { vout: 0 }.into());
    let early = judged.chain.accept(spend(
        &coins,
        Terms {
            lock_time: bitcoin::absolute::LockTime::from_consensus(judged.chain.height() + 1),
            ..paying(1_000)
        },
    ));
    assert_eq!(early, Err(TransactionError::NonFinal.into()));
    judged.chain.accept(good.clone()).unwrap();
    judged.mine(1);
    let spent = judged.chain.accept(spend(&coins, paying(5_000))).unwrap_err();
    assert_eq!(
        (spent.clone(), spent.code()),
        (TransactionError::MissingOrSpent(coins[0].outpoint).into(), -25)
    );
}

#[test]
fn replaces_only_for_a_higher_fee_and_evicts_descendants() {
    let (mut judged, coins) = Judged::with_coins(&[Lock::Anyone]);
    let first = spend(&coins, paying(1_000));
    let child = spend(&[Owned::of(&first, 0, Lock::P2wpkh)], paying(2_000));
    judged.chain.accept(first.clone()).unwrap();
    judged.chain.accept(child.clone()).unwrap();
    let same = spend(&coins, Terms { pays_to: Lock::P2tr, ..paying(1_000) });
    let too_little = judged.chain.accept(same).unwrap_err();
    assert!(matches!(too_little, Refusal::Policy(PolicyError::InsufficientReplacementFee { .. })));
    // More than the first, but not more than the first and its child.
    assert!(judged.chain.accept(spend(&coins, paying(2_900))).is_err());
    let better = spend(&coins, paying(3_500));
    judged.chain.accept(better.clone()).unwrap();
    assert_eq!(
        judged.chain.mempool().iter().map(|e| txid(&e.transaction)).collect::<Vec<_>>(),
        vec![txid(&better)]
    );
}

#[test]
fn a_package_pays_for_a_parent_that_is_too_cheap() {
    let (mut judged, coins) = Judged::with_coins(&[Lock::Anyone]);
    let parent = spend(&coins, paying(0));
    let child = |fee| spend(&[Owned::of(&parent, 0, Lock::P2wpkh)], paying(fee));
    assert!(judged.chain.accept(parent.clone()).is_err());
    let refused = judged.chain.accept_package(&[parent.clone(), child(150)]);
    assert!(refused.iter().all(|(_, result)| result.is_err()), "{refused:?}");
    assert!(judged.chain.mempool().is_empty());
    let backwards = judged.chain.accept_package(&[child(1_000), parent.clone()]);
    assert!(backwards.iter().all(|(_, result)| *result == Err(Refusal::PackageNotSorted)));
    let taken = judged.chain.accept_package(&[parent.clone(), child(1_000)]);
    assert!(taken.iter().all(|(_, result)| result.is_ok()), "{taken:?}");
    judged.mine(1);
    let block = judged.chain.tip();
    assert_eq!(judged.chain.block(&block).unwrap().txdata.len(), 3);
}

#[test]
fn a_chain_of_unconfirmed_transactions_has_an_end() {
    let (mut judged, coins) = Judged::with_coins(&[Lock::P2wpkh]);
    let mut last = coins[0].clone();
    for _ in 0..MAX_CHAIN {
        let next = spend(&[last], paying(200));
        judged.chain.accept(next.clone()).unwrap();
        last = Owned::of(&next, 0, Lock::P2wpkh);
    }
    assert_eq!(judged.chain.accept(spend(&[last], paying(200))), Err(PolicyError::LongChain.into()));
    judged.mine(1);
    assert!(judged.chain.mempool().is_empty());
}

#[test]
fn a_block_removes_what_it_makes_impossible() {
    let (mut judged, coins) = Judged::with_coins(&[Lock::Anyone]);
    let waiting = spend(&coins, paying(1_000));
    let child = spend(&[Owned::of(&waiting, 0, Lock::P2wpkh)], paying(1_000));
    judged.chain.accept(waiting).unwrap();
    judged.chain.accept(child).unwrap();
    let other: Transaction = spend(&coins, paying(9_000));
    judged.offer_transactions(vec![other]).unwrap();
    assert!(judged.chain.mempool().is_empty());
}

#[test]
fn the_treasury_says_when_it_is_empty() {
    let mut judged = Judged::empty();
    judged.mine(5);
    let output = bitcoin::TxOut { value: Amount::from_sat(10_000), script_pubkey: Lock::P2tr.script() };
    let error = judged.chain.fund(vec![output]).unwrap_err();
    assert!(matches!(error, ChainError::Treasury(TreasuryError::Insufficient { .. })), "{error}");
}
