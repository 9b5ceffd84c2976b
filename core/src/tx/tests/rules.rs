//! What the vectors leave open: who pays, what is left out, and what is refused.

use super::channel::{NUMBER, TestChannel};
use crate::crypto::ec::sign_ecdsa;
use crate::tx::obscured::{MAX_COMMITMENT_NUMBER, commitment_number, obscure};
use crate::tx::weight::{commitment_weight, htlc_tx_weight};
use crate::tx::{
    Commitment, CommitmentError, CommitmentFormat, CommitmentOutput, CommitmentSpec, Direction, Htlc,
    build_commitment,
};
use crate::types::{CommitmentNumber, FeeratePerKw, HtlcId, MilliSatoshi};
use bitcoin::{Amount, Transaction};

use CommitmentOutput::{BroadcasterAnchor, CountersignatoryAnchor, ToLocal, ToRemote};

const FORMAT: CommitmentFormat = CommitmentFormat::AnchorsZeroFeeHtlcTx;

fn build(channel: &TestChannel, spec: &CommitmentSpec) -> Result<Commitment, CommitmentError> {
    build_commitment(NUMBER, &channel.params, &channel.keys, spec)
}

/// No HTLCs, and this much for the local party.
fn balances(channel: &TestChannel, to_local_sat: u64, feerate: u32) -> CommitmentSpec {
    let to_local = MilliSatoshi::from_msat(to_local_sat * 1000);
    CommitmentSpec {
        htlcs: Vec::new(),
        feerate_per_kw: FeeratePerKw::from_sat_per_kw(feerate),
        to_local,
        to_remote: MilliSatoshi::from(channel.params.funding_amount).checked_sub(to_local).unwrap(),
    }
}

fn value(commitment: &Commitment, kind: CommitmentOutput) -> Option<u64> {
    let index = usize::try_from(commitment.output_index(kind)?).unwrap();
    Some(commitment.tx.output[index].value.to_sat())
}

#[test]
fn the_opener_pays_for_fee_and_anchors() {
    let mut channel = TestChannel::new(FORMAT);
    let spec = balances(&channel, 4_000_000, 1000);
    let commitment = build(&channel, &spec).unwrap();
    assert_eq!(value(&commitment, ToLocal), Some(4_000_000 - 1124 - 660));
    assert_eq!(value(&commitment, ToRemote), Some(6_000_000));
    assert_eq!(commitment.fee.to_sat(), 1124);

    channel.params.opener_is_broadcaster = false;
    let commitment = build(&channel, &spec).unwrap();
    assert_eq!(value(&commitment, ToLocal), Some(4_000_000));
    assert_eq!(value(&commitment, ToRemote), Some(6_000_000 - 1124 - 660));
}

#[test]
fn an_anchor_needs_its_balance_or_an_htlc_but_is_paid_for_all_the_same() {
    let channel = TestChannel::new(FORMAT);
    let commitment = build(&channel, &balances(&channel, 10_000_000, 1000)).unwrap();
    assert_eq!(commitment.tx.output.len(), 2);
    assert_eq!(value(&commitment, BroadcasterAnchor), Some(330));
    assert_eq!(value(&commitment, CountersignatoryAnchor), None);
    assert_eq!(value(&commitment, ToLocal), Some(10_000_000 - 1124 - 660));
    assert_eq!(commitment.fee.to_sat(), 1124 + 330);

    let (direction, htlc) = channel.htlcs[4];
    let mut spec = balances(&channel, 10_000_000, 1000);
    spec.to_local = spec.to_local.checked_sub(htlc.amount_msat).unwrap();
    spec.htlcs.push((direction, htlc));
    let commitment = build(&channel, &spec).unwrap();
    assert_eq!(value(&commitment, BroadcasterAnchor), Some(330));
    assert_eq!(value(&commitment, CountersignatoryAnchor), Some(330));
}

#[test]
fn an_output_stays_at_the_dust_limit_and_goes_below_it() {
    let channel = TestChannel::new(FORMAT);
    let cost = 1124 + 660;
    let commitment = build(&channel, &balances(&channel, cost + 546, 1000)).unwrap();
    assert_eq!(value(&commitment, ToLocal), Some(546));
    let commitment = build(&channel, &balances(&channel, cost + 545, 1000)).unwrap();
    assert_eq!((value(&commitment, ToLocal), value(&commitment, BroadcasterAnchor)), (None, None));
    assert_eq!(commitment.fee.to_sat(), 1124 + 545 + 330);
    assert!(commitment.outputs.contains(&ToRemote));
}

#[test]
fn an_opener_that_cannot_pay_is_refused() {
    let channel = TestChannel::new(FORMAT);
    let cost = 1124 + 660;
    assert!(build(&channel, &balances(&channel, cost, 1000)).is_ok());
    let error = build(&channel, &balances(&channel, cost - 1, 1000)).unwrap_err();
    let (balance, fee) = (MilliSatoshi::from_msat((cost - 1) * 1000), Amount::from_sat(1124));
    assert_eq!(error, CommitmentError::OpenerCannotPay { balance, fee, anchors: Amount::from_sat(660) });
    let error = build(&channel, &balances(&channel, 10_000_000, u32::MAX)).unwrap_err();
    assert!(matches!(error, CommitmentError::OpenerCannotPay { .. }));
}

#[test]
fn contents_that_do_not_fit_the_channel_are_refused() {
    let mut channel = TestChannel::new(FORMAT);
    let mut spec = channel.spec(&[0, 1], 1000);
    spec.to_local = spec.to_local.checked_sub(MilliSatoshi::from_msat(1)).unwrap();
    assert!(matches!(build(&channel, &spec), Err(CommitmentError::Unbalanced { total: Some(_), .. })));
    spec.to_local = MilliSatoshi::from_msat(u64::MAX);
    assert!(matches!(build(&channel, &spec), Err(CommitmentError::Unbalanced { total: None, .. })));

    let number = CommitmentNumber(MAX_COMMITMENT_NUMBER + 1);
    let spec = channel.spec(&[0, 1], 1000);
    let error = build_commitment(number, &channel.params, &channel.keys, &spec).unwrap_err();
    assert_eq!(error, CommitmentError::NumberOutOfRange { number });

    let mut spec = channel.spec(&[0], 0);
    spec.htlcs = vec![spec.htlcs[0]; 967];
    assert_eq!(build(&channel, &spec), Err(CommitmentError::TooManyHtlcs { count: 967 }));

    channel.params.broadcaster_dust_limit = Amount::from_sat(10_000_000);
    let dust_limit = channel.params.broadcaster_dust_limit;
    assert_eq!(build(&channel, &channel.spec(&[0], 253)), Err(CommitmentError::NoOutputs { dust_limit }));
    channel.params.funding_amount = Amount::from_sat(u64::MAX);
    assert!(matches!(build(&channel, &channel.spec(&[0], 253)), Err(CommitmentError::Unbalanced { .. })));
}

/// As many HTLCs as BOLT 2 allows, all alike: the order is the same however they come.
#[test]
fn the_fullest_commitment_has_the_expected_weight_and_a_fixed_order() {
    let channel = TestChannel::new(FORMAT);
    let (_, template) = channel.htlcs[0];
    let mut spec = balances(&channel, 5_000_000, 253);
    for id in 0..483 {
        let htlc = Htlc { id: HtlcId(id), ..template };
        spec.htlcs.extend([(Direction::Offered, htlc), (Direction::Received, htlc)]);
    }
    let htlcs = MilliSatoshi::from_msat(483 * template.amount_msat.to_msat());
    spec.to_local = spec.to_local.checked_sub(htlcs).unwrap();
    spec.to_remote = spec.to_remote.checked_sub(htlcs).unwrap();
    let commitment = build(&channel, &spec).unwrap();
    assert_eq!(commitment.htlcs.len(), 966);
    let weight = sign(&channel, &commitment).weight().to_wu();
    let expected = commitment_weight(FORMAT, 966);
    // BOLT 3's formula counts outputs in one byte and signatures with 73.
    assert!((expected - 8..=expected + 8).contains(&weight), "{weight} {expected}");

    spec.htlcs.reverse();
    assert_eq!(build(&channel, &spec).unwrap(), commitment);
}

fn sign(channel: &TestChannel, commitment: &Commitment) -> Transaction {
    let digest = commitment.sighash().unwrap();
    let local = sign_ecdsa(&digest, &channel.local.funding);
    commitment.signed(&local, &sign_ecdsa(&digest, &channel.remote.funding))
}

#[test]
fn htlc_transactions_have_the_expected_weight() {
    let channel = TestChannel::new(FORMAT);
    let commitment = build(&channel, &channel.spec(&[0, 1, 2, 3, 4], 1000)).unwrap();
    for htlc_tx in commitment.htlc_transactions() {
        let signature = sign_ecdsa(&htlc_tx.countersignatory_sighash().unwrap(), &channel.remote_htlc_key());
        let mut tx = htlc_tx.tx.clone();
        tx.input[0].witness = htlc_tx.witness(&signature, &signature, Some(&channel.preimages[0])).unwrap();
        let (weight, expected) = (tx.weight().to_wu(), htlc_tx_weight(FORMAT, htlc_tx.direction));
        assert!((expected - 8..=expected).contains(&weight), "{weight} {expected}");
    }
}

#[test]
fn only_a_commitment_has_a_commitment_number() {
    let channel = TestChannel::new(FORMAT);
    let mut tx = build(&channel, &channel.spec(&[], 1000)).unwrap().tx;
    let factor = channel.params.obscuring_factor;
    assert_eq!(commitment_number(&tx, factor), Some(NUMBER));
    let (_, sequence) = obscure(NUMBER, factor).unwrap();
    tx.input[0].sequence = bitcoin::Sequence::MAX;
    assert_eq!(commitment_number(&tx, factor), None);
    tx.input[0].sequence = sequence;
    tx.lock_time = bitcoin::absolute::LockTime::ZERO;
    assert_eq!(commitment_number(&tx, factor), None);
    tx.input.clear();
    assert_eq!(commitment_number(&tx, factor), None);
}

#[test]
fn keys_of_htlcs_are_derived_only_where_there_are_htlcs() {
    let channel = TestChannel::new(FORMAT);
    let (local, remote) = channel.basepoints();
    let point = channel.keys.per_commitment_point();
    let keys = crate::tx::CommitmentKeys::derive(&local, &remote, point).unwrap();
    build_commitment(NUMBER, &channel.params, &keys, &channel.spec(&[], 1000)).unwrap();
    assert!(!keys.has_htlc_keys());
    build_commitment(NUMBER, &channel.params, &keys, &channel.spec(&[0], 1000)).unwrap();
    assert!(keys.has_htlc_keys());
}
