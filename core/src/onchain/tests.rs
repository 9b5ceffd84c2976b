//! The rules that need no transaction of a channel.

use super::bids::Replaced;
use super::coins::{Chosen, choose};
use super::draft::weight;
use super::groups::groups;
use super::preimages::preimages;
use super::{Bid, Bids, Claim, Coin, SECURITY_DELAY, Stake, Way, fee_to_bid};
use crate::chain::{FeeRates, Urgency};
use crate::crypto::ClaimKey;
use crate::types::{FeeratePerKw, PaymentPreimage};
use bitcoin::hashes::Hash;
use bitcoin::{
    Amount, OutPoint, ScriptBuf, Transaction, TxIn, TxOut, Txid, WPubkeyHash, Witness, absolute::LockTime,
    transaction::Version,
};
use std::collections::BTreeSet;

const HEIGHT: u32 = 500;
const WEIGHT: u64 = 500;
const NOTHING: Replaced = Replaced { fees: Amount::ZERO, feerate: None, stands: false };

fn rates() -> FeeRates {
    let rate = FeeratePerKw::from_sat_per_kw;
    FeeRates::new(rate(300), rate(1_000), rate(4_000))
}

fn outpoint(number: u8) -> OutPoint {
    OutPoint { txid: Txid::from_byte_array([number; 32]), vout: u32::from(number) }
}

fn claim(number: u8, way: Way, contested: Option<u32>) -> Claim {
    Claim {
        outpoint: outpoint(number),
        amount: Amount::from_sat(50_000),
        witness_script: ScriptBuf::from(vec![1; 80]),
        key: ClaimKey::Payment,
        way,
        from: HEIGHT,
        contested,
        deadline: contested,
    }
}

fn bid(numbers: &[u8], fee: u64) -> Bid {
    let input = numbers.iter().map(|number| TxIn { previous_output: outpoint(*number), ..TxIn::default() });
    let tx = Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: input.collect(),
        output: vec![],
    };
    Bid { tx, claims: numbers.len(), fee: Amount::from_sat(fee) }
}

fn fee(stake: &Stake, replaced: &Replaced, height: u32) -> Option<u64> {
    fee_to_bid(stake, WEIGHT, (0, Amount::ZERO), replaced, height, &rates()).map(Amount::to_sat)
}

#[test]
fn a_claim_without_a_deadline_pays_what_is_usual() {
    let stake = Stake { amount: Amount::from_sat(50_000), deadline: None, urgency: Urgency::Background };
    assert_eq!(fee(&stake, &NOTHING, HEIGHT), Some(150));
    let far = Stake { deadline: Some(HEIGHT + 145), ..stake };
    assert_eq!(fee(&far, &NOTHING, HEIGHT), Some(150));
    let nearer = Stake { deadline: Some(HEIGHT + 144), ..stake };
    assert_eq!(fee(&nearer, &NOTHING, HEIGHT), Some(500));
}

#[test]
fn before_a_deadline_the_fee_rises_to_all_that_is_at_stake() {
    let amount = Amount::from_sat(50_000);
    let stake = Stake { amount, deadline: Some(HEIGHT), urgency: Urgency::Background };
    let mut before = 0;
    for left in (0..=SECURITY_DELAY).rev() {
        let now = fee(&stake, &NOTHING, HEIGHT - left).unwrap();
        assert!(now > before, "{left}: {now}");
        before = now;
    }
    assert_eq!(fee(&stake, &NOTHING, HEIGHT - SECURITY_DELAY), Some(2_000));
    assert_eq!(fee(&stake, &NOTHING, HEIGHT), Some(50_000));
    assert_eq!(fee(&stake, &NOTHING, HEIGHT + 10), Some(50_000));
}

#[test]
fn no_claim_costs_more_than_half_of_what_is_at_stake_unless_it_is_urgent() {
    let stake = Stake { amount: Amount::from_sat(600), deadline: None, urgency: Urgency::Normal };
    assert_eq!(fee(&stake, &NOTHING, HEIGHT), Some(300));
    let dust = Stake { amount: Amount::from_sat(200), ..stake };
    assert_eq!(fee(&dust, &NOTHING, HEIGHT), None);
}

#[test]
fn a_replacement_pays_for_what_it_replaces_and_for_its_relay() {
    let stake = Stake { amount: Amount::from_sat(50_000), deadline: None, urgency: Urgency::Normal };
    let standing = |fees, rate| Replaced {
        fees: Amount::from_sat(fees),
        feerate: Some(FeeratePerKw::from_sat_per_kw(rate)),
        stands: true,
    };
    // 500 is wanted: 374 + 125 + 1 is the least.
    assert_eq!(fee(&stake, &standing(374, 748), HEIGHT), Some(500));
    assert_eq!(fee(&stake, &standing(375, 750), HEIGHT), None);
    assert_eq!(fee(&stake, &standing(10, 1_000), HEIGHT), None, "the rate must be higher too");
    let cannot_stay = Replaced { stands: false, ..standing(2_000, 800) };
    assert_eq!(fee(&stake, &cannot_stay, HEIGHT), Some(2_126));
    // Somebody took an input: what is left is not claimed for less.
    let void =
        Replaced { fees: Amount::ZERO, feerate: Some(FeeratePerKw::from_sat_per_kw(3_000)), stands: false };
    assert_eq!(fee(&stake, &void, HEIGHT), Some(1_500));
}

#[test]
fn a_child_pays_for_its_parent() {
    let stake = Stake { amount: Amount::from_sat(50_000), deadline: None, urgency: Urgency::Normal };
    let parent = (1_124, Amount::from_sat(300));
    let paid = fee_to_bid(&stake, WEIGHT, parent, &NOTHING, HEIGHT, &rates());
    assert_eq!(paid, Some(Amount::from_sat(1_624 - 300)));
}

#[test]
fn what_nobody_else_can_take_shares_a_transaction() {
    let penalty = |number, contested| claim(number, Way::PenaltyDelayed, Some(contested));
    let preimage = Way::Preimage(PaymentPreimage([1; 32]));
    let claims = vec![
        claim(1, Way::ToRemote, None),
        claim(2, Way::Delayed { to_self_delay: 144 }, None),
        penalty(3, HEIGHT + 100),
        penalty(4, HEIGHT + 19),
        penalty(5, HEIGHT + 18),
        claim(6, preimage, Some(HEIGHT + 100)),
        Claim { from: HEIGHT + 1, ..claim(7, Way::ToRemote, None) },
    ];
    let numbers = |bids: &Bids| -> BTreeSet<Vec<u32>> {
        let groups = groups(claims.clone(), bids, HEIGHT);
        groups.iter().map(|group| group.iter().map(|claim| claim.outpoint.vout).collect()).collect()
    };
    let expected = [vec![1, 2], vec![3, 4], vec![5], vec![6]];
    assert_eq!(numbers(&Bids::default()), expected.into());
    let mut bids = Bids::default();
    bids.place(bid(&[2], 100));
    let expected = [vec![1], vec![2], vec![3, 4], vec![5], vec![6]];
    assert_eq!(numbers(&bids), expected.into(), "what stands stays");
    bids.place(bid(&[4, 5], 100));
    let expected = [vec![1], vec![2], vec![3, 4], vec![5], vec![6]];
    assert_eq!(numbers(&bids), expected.into(), "unless one of them must go alone");
}

#[test]
fn an_input_that_somebody_took_voids_every_bid_with_it_and_no_rate_is_forgotten() {
    let mut bids = Bids::default();
    bids.place(bid(&[1, 2], 1_000));
    bids.place(bid(&[3], 50));
    let rate = bids.live()[0].feerate();
    bids.drop_where(|spent| spent == outpoint(1));
    assert_eq!(bids.live().len(), 1);
    let replaced = bids.replaced_by(&[outpoint(2)].into());
    assert_eq!(replaced, Replaced { fees: Amount::ZERO, feerate: Some(rate), stands: false });
    bids.place(bid(&[2, 3], 2_000));
    assert_eq!(bids.live().len(), 1, "a new bid takes the place of all it conflicts with");
    let high = bids.live()[0].feerate();
    bids.place(bid(&[2], 1));
    assert_eq!(bids.replaced_by(&[outpoint(2)].into()).feerate, Some(high), "a lower one does not lower it");
}

#[test]
fn coins_are_chosen_where_a_claim_cannot_pay_itself() {
    let script = ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array([1; 20]));
    let coin = |number: u8, sat| Coin {
        outpoint: outpoint(number),
        output: TxOut { value: Amount::from_sat(sat), script_pubkey: script.clone() },
    };
    let anchor = Claim { amount: Amount::from_sat(330), ..claim(1, Way::Anchor, None) };
    let fee = |weight: u64| Some(Amount::from_sat(weight));
    let free = vec![coin(2, 90_000), coin(3, 700), coin(4, 5_000)];
    let Chosen::Draft(draft) = choose(vec![anchor.clone()], vec![], free, &script, fee) else { panic!() };
    assert_eq!(draft.fee().to_sat(), weight(std::slice::from_ref(&anchor), 1, &script));
    let none = choose(vec![anchor.clone()], vec![], vec![coin(3, 100)], &script, fee);
    assert!(matches!(none, Chosen::MoreCoinsNeeded));
    let two =
        choose(vec![anchor.clone()], vec![coin(3, 500)], vec![coin(4, 900), coin(5, 400)], &script, fee);
    assert!(matches!(two, Chosen::Draft(_)));
    assert!(matches!(choose(vec![anchor], vec![], vec![coin(4, 5_000)], &script, |_| None), Chosen::NotNow));
}

#[test]
fn preimages_are_told_by_their_hash_alone() {
    let wanted = PaymentPreimage([7; 32]);
    let mut tx = bid(&[1, 2], 0).tx;
    tx.input[1].witness = Witness::from_slice(&[vec![], vec![8; 32], wanted.0.to_vec(), vec![7; 33]]);
    assert_eq!(preimages(&tx, |hash| *hash == wanted.payment_hash()), [wanted]);
    assert!(preimages(&tx, |hash| *hash == PaymentPreimage([9; 32]).payment_hash()).is_empty());
}
