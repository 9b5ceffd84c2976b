//! The rules that need no transaction of a channel.

use super::bids::Replaced;
use super::coins::{Chosen, choose, within_means, worth_their_place};
use super::draft::{COIN_INPUT_WEIGHT, weight};
use super::fees::{Fee, RISE_BLOCKS};
use super::groups::groups;
use super::preimages::preimages;
use super::{Auction, Bid, Bids, Claim, Coin, SECURITY_DELAY, Stake, Way};
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
const NOTHING: Replaced = Replaced { fees: Amount::ZERO, feerate: None, since: None, stands: false };

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
    let (parent, share, rates) = ((0, Amount::ZERO), Amount::MAX_MONEY, rates());
    let auction = Auction { stake, parent, replaced: *replaced, share, height, rates: &rates };
    auction.fee(WEIGHT).map(|fee| fee.wanted.to_sat())
}

/// The payment of a peer that is gone, and that it can take back from this height on.
fn success(number: u8, sat: u64, expiry: u32) -> Claim {
    let way = Way::SecondStage {
        delayed_script_hash: bitcoin::WScriptHash::from_byte_array([3; 32]),
        countersignature: bitcoin::secp256k1::ecdsa::Signature::from_compact(&[1; 64]).unwrap(),
        preimage: Some(PaymentPreimage([number; 32])),
        lock_time: 0,
    };
    Claim { amount: Amount::from_sat(sat), ..claim(number, way, Some(expiry)) }
}

fn coin_script() -> ScriptBuf {
    ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array([1; 20]))
}

fn coin(number: u8, sat: u64) -> Coin {
    let output = TxOut { value: Amount::from_sat(sat), script_pubkey: coin_script() };
    Coin { outpoint: outpoint(number), output }
}

fn numbers(group: &[Claim]) -> Vec<u32> {
    group.iter().map(|claim| claim.outpoint.vout).collect()
}

#[test]
fn a_claim_without_a_deadline_pays_what_is_usual() {
    let stake = Stake {
        amount: Amount::from_sat(50_000),
        claimed: Amount::from_sat(50_000),
        deadline: None,
        urgency: Urgency::Background,
    };
    assert_eq!(fee(&stake, &NOTHING, HEIGHT), Some(150));
    let far = Stake { deadline: Some(HEIGHT + 145), ..stake };
    assert_eq!(fee(&far, &NOTHING, HEIGHT), Some(150));
    let nearer = Stake { deadline: Some(HEIGHT + 144), ..stake };
    assert_eq!(fee(&nearer, &NOTHING, HEIGHT), Some(500));
}

#[test]
fn before_a_deadline_the_fee_rises_to_all_that_is_at_stake() {
    let amount = Amount::from_sat(50_000);
    let stake = Stake { amount, claimed: amount, deadline: Some(HEIGHT), urgency: Urgency::Background };
    let in_vain = Replaced { since: Some(HEIGHT - 30), ..NOTHING };
    for left in RISE_BLOCKS..=SECURITY_DELAY {
        assert_eq!(fee(&stake, &in_vain, HEIGHT - left), Some(2_000));
    }
    let mut before = 2_000;
    for left in (0..RISE_BLOCKS).rev() {
        let now = fee(&stake, &in_vain, HEIGHT - left).unwrap();
        assert!(now > before, "{left}: {now}");
        before = now;
    }
    assert_eq!(fee(&stake, &in_vain, HEIGHT), Some(50_000));
    assert_eq!(fee(&stake, &in_vain, HEIGHT + 10), Some(50_000));
}

/// A wallet that wakes up late has been kept from nothing: blocks may be empty, and its peer as honest as it is away.
#[test]
fn a_first_bid_is_the_estimate_however_near_the_deadline_is() {
    let amount = Amount::from_sat(50_000);
    let stake = Stake { amount, claimed: amount, deadline: Some(HEIGHT), urgency: Urgency::Background };
    for left in 0..=SECURITY_DELAY {
        assert_eq!(fee(&stake, &NOTHING, HEIGHT - left), Some(2_000));
    }
    let since = |since| Replaced { since: Some(since), ..NOTHING };
    let rises = |first: u32| [0, 1, 2].map(|gone| fee(&stake, &since(first), first + gone).unwrap());
    assert_eq!(rises(HEIGHT - 5), [2_000, 11_600, 21_200]);
    assert_eq!(rises(HEIGHT - 1), [2_000, 50_000, 50_000]);
    assert_eq!(rises(HEIGHT), [2_000, 50_000, 50_000]);
    assert_eq!(fee(&stake, &since(HEIGHT + 3), HEIGHT - 2), Some(2_000), "its block was undone");
}

#[test]
fn while_others_wait_for_coins_a_claim_rises_to_its_share_and_no_further() {
    let stake = Stake {
        amount: Amount::from_sat(50_000),
        claimed: Amount::from_sat(50_000),
        deadline: Some(HEIGHT),
        urgency: Urgency::Normal,
    };
    let fee = |share, since: u32| {
        let replaced = Replaced { since: Some(since), ..NOTHING };
        let (parent, share, rates) = ((0, Amount::ZERO), Amount::from_sat(share), rates());
        let auction = Auction { stake: &stake, parent, replaced, share, height: HEIGHT - 4, rates: &rates };
        auction.fee(WEIGHT).unwrap().wanted.to_sat()
    };
    assert_eq!(fee(7_000, HEIGHT - 8), 7_000);
    assert_eq!(fee(7_000, HEIGHT - 4), 2_000);
    assert_eq!(fee(1_000, HEIGHT - 8), 2_000, "the estimate is paid in any case");
}

/// The peer could keep an HTLC of a few satoshi from us, to make us pay for it with all others.
#[test]
fn what_has_no_deadline_yet_is_not_at_stake() {
    let claims = [success(1, 1_000, HEIGHT + 18), success(2, 900_000, HEIGHT + 19)];
    let stake = Stake::of(&claims, HEIGHT);
    assert_eq!((stake.amount.to_sat(), stake.deadline), (1_000, Some(HEIGHT + 18)));
    assert_eq!(Stake::of(&claims, HEIGHT + 1).amount.to_sat(), 901_000);
    assert_eq!(Stake::of(&claims, HEIGHT - 1).amount.to_sat(), 901_000);
    // It is worth claiming with the rest all the same.
    let weight = weight(&claims, 1, &coin_script());
    let auction = Auction {
        stake: &stake,
        parent: (0, Amount::ZERO),
        replaced: NOTHING,
        share: Amount::MAX_MONEY,
        height: HEIGHT,
        rates: &rates(),
    };
    let wanted = auction.fee(weight).unwrap().wanted;
    assert_eq!(wanted, rates().at(Urgency::Urgent).fee(weight));
}

#[test]
fn no_claim_costs_more_than_half_of_what_is_at_stake_unless_it_is_urgent() {
    let stake = Stake {
        amount: Amount::from_sat(600),
        claimed: Amount::from_sat(600),
        deadline: None,
        urgency: Urgency::Normal,
    };
    assert_eq!(fee(&stake, &NOTHING, HEIGHT), Some(300));
    let dust = Stake { amount: Amount::from_sat(200), claimed: Amount::from_sat(200), ..stake };
    assert_eq!(fee(&dust, &NOTHING, HEIGHT), None);
}

#[test]
fn a_replacement_pays_for_what_it_replaces_and_for_its_relay() {
    let stake = Stake {
        amount: Amount::from_sat(50_000),
        claimed: Amount::from_sat(50_000),
        deadline: None,
        urgency: Urgency::Normal,
    };
    let standing = |fees, rate| Replaced {
        fees: Amount::from_sat(fees),
        feerate: Some(FeeratePerKw::from_sat_per_kw(rate)),
        since: Some(HEIGHT),
        stands: true,
    };
    // 500 is wanted: 374 + 125 + 1 is the least.
    assert_eq!(fee(&stake, &standing(374, 748), HEIGHT), Some(500));
    assert_eq!(fee(&stake, &standing(375, 750), HEIGHT), None);
    assert_eq!(fee(&stake, &standing(10, 1_000), HEIGHT), None, "the rate must be higher too");
    let cannot_stay = Replaced { stands: false, ..standing(2_000, 800) };
    assert_eq!(fee(&stake, &cannot_stay, HEIGHT), Some(2_126));
    // Somebody took an input: what is left is not claimed for less.
    let void = Replaced { fees: Amount::ZERO, stands: false, ..standing(0, 3_000) };
    assert_eq!(fee(&stake, &void, HEIGHT), Some(1_500));
}

#[test]
fn a_child_pays_for_its_parent() {
    let stake = Stake {
        amount: Amount::from_sat(50_000),
        claimed: Amount::from_sat(50_000),
        deadline: None,
        urgency: Urgency::Normal,
    };
    let (parent, share, rates) = ((1_124, Amount::from_sat(300)), Amount::MAX_MONEY, rates());
    let auction = Auction { stake: &stake, parent, replaced: NOTHING, share, height: HEIGHT, rates: &rates };
    assert_eq!(auction.fee(WEIGHT).unwrap().wanted.to_sat(), 1_624 - 300);
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
        groups(claims.clone(), bids, HEIGHT, 0).iter().map(|group| numbers(group)).collect()
    };
    let expected = [vec![1, 2], vec![3, 4], vec![5], vec![6]];
    assert_eq!(numbers(&Bids::default()), expected.into());
    let mut bids = Bids::default();
    bids.place(bid(&[2], 100), HEIGHT);
    let expected = [vec![1], vec![2], vec![3, 4], vec![5], vec![6]];
    assert_eq!(numbers(&bids), expected.into(), "what stands stays");
    bids.place(bid(&[4, 5], 100), HEIGHT);
    let expected = [vec![1], vec![2], vec![3, 4], vec![5], vec![6]];
    assert_eq!(numbers(&bids), expected.into(), "unless one of them must go alone");
}

#[test]
fn htlc_success_transactions_are_one_until_the_peer_can_take_one_of_them_back() {
    let timeout = Claim { contested: Some(HEIGHT), ..success(4, 5_000, HEIGHT) };
    let Way::SecondStage { delayed_script_hash, countersignature, .. } = timeout.way else { panic!() };
    let way = Way::SecondStage { delayed_script_hash, countersignature, preimage: None, lock_time: HEIGHT };
    let timeout = Claim { way, deadline: None, ..timeout };
    let expiries = [HEIGHT + 5, HEIGHT + 5, HEIGHT + 1];
    let mut claims: Vec<Claim> =
        (1..).zip(expiries).map(|(number, expiry)| success(number, 5_000, expiry)).collect();
    claims.push(timeout);
    let groups = |height, coins| -> BTreeSet<Vec<u32>> {
        let groups = groups(claims.clone(), &Bids::default(), height, coins);
        groups.iter().map(|group| numbers(group)).collect()
    };
    let together = BTreeSet::from([vec![1, 2, 3], vec![4]]);
    assert_eq!(groups(HEIGHT, 9), together);
    assert_eq!(groups(HEIGHT + 1, 2), [vec![1, 2], vec![3], vec![4]].into());
    assert_eq!(groups(HEIGHT + 1, 1), together, "there is no coin for two");
    assert_eq!(groups(HEIGHT + 5, 2), together);
    assert_eq!(groups(HEIGHT + 5, 3), [vec![1], vec![2], vec![3], vec![4]].into());
}

#[test]
fn where_coins_are_few_the_most_valuable_htlcs_come_first() {
    let claims = [(1, 7_000), (2, 90_000), (3, 8_000), (4, 50_000)];
    let claims: Vec<Claim> =
        claims.into_iter().map(|(number, sat)| success(number, sat, HEIGHT + 9)).collect();
    let script = coin_script();
    let rate = FeeratePerKw::from_sat_per_kw(1_000);
    let claims = worth_their_place(claims, rate, &script);
    let input = rate.fee(COIN_INPUT_WEIGHT).to_sat();
    let price = |count: usize| rate.fee(weight(&claims[..count], 0, &script)).to_sat();
    // A third of the coins is for outbidding.
    let enough = |count: usize| price(count).div_ceil(2) * 3;

    let chosen = |coins: &[Coin], bids: &Bids| {
        numbers(&within_means(claims.clone(), |_| coins.to_vec(), bids, rate, &script))
    };
    let none = Bids::default();
    assert_eq!(chosen(&[coin(9, input + enough(4))], &none), [2, 4, 3, 1]);
    assert_eq!(chosen(&[coin(9, input + enough(4) - 3)], &none), [2, 4, 3]);
    assert_eq!(chosen(&[coin(9, input + enough(2))], &none), [2, 4]);
    assert_eq!(chosen(&[], &none), [2], "what there is, is bid for one");
    let for_itself = coin(10, input);
    assert_eq!(chosen(&[coin(9, input + enough(2)), for_itself], &none), [2, 4]);
    let mut bids = Bids::default();
    bids.place(bid(&[2, 3, 4], 100), HEIGHT);
    assert_eq!(chosen(&[coin(9, input + price(3))], &bids), [2, 4, 3], "what coins can pay for stays");
    assert_eq!(chosen(&[coin(9, input + price(3) - 1)], &bids), [2], "and is given up for the largest");
    assert_eq!(chosen(&[coin(9, input + enough(4))], &bids), [2, 4, 3, 1], "and grows");
    let mut bids = Bids::default();
    bids.place(bid(&[1, 3], 100), HEIGHT);
    assert_eq!(chosen(&[coin(9, input + enough(2))], &bids), [2, 4], "what is worth more goes first");
}

#[test]
fn a_claim_that_adds_more_to_the_fee_than_it_is_worth_stays_out() {
    let script = coin_script();
    let rate = FeeratePerKw::from_sat_per_kw(10_000);
    let success = |number, sat| success(number, sat, HEIGHT + 9);
    let added = weight(&[success(1, 1)], 0, &script) - weight(&[], 0, &script);
    let price = rate.fee(added).to_sat();
    let of = |amounts: [u64; 3]| {
        let claims = vec![success(1, amounts[0]), success(2, amounts[1]), success(3, amounts[2])];
        numbers(&worth_their_place(claims, rate, &script))
    };
    assert_eq!(of([price - 1, 90_000, price]), [2, 3]);
    assert_eq!(of([600, 500, 400]), [1], "one in any case: what it may cost is decided elsewhere");
}

#[test]
fn an_input_that_somebody_took_voids_every_bid_with_it_and_no_rate_is_forgotten() {
    let mut bids = Bids::default();
    bids.place(bid(&[1, 2], 1_000), HEIGHT);
    bids.place(bid(&[3], 50), HEIGHT);
    let rate = bids.live()[0].feerate();
    bids.drop_where(|spent| spent == outpoint(1));
    assert_eq!(bids.live().len(), 1);
    let replaced = bids.replaced_by(&[outpoint(2)].into());
    let since = Some(HEIGHT);
    assert_eq!(replaced, Replaced { fees: Amount::ZERO, feerate: Some(rate), since, stands: false });
    bids.place(bid(&[2, 3], 2_000), HEIGHT + 1);
    assert_eq!(bids.replaced_by(&[outpoint(2)].into()).since, since);
    assert_eq!(bids.live().len(), 1, "a new bid takes the place of all it conflicts with");
    let high = bids.live()[0].feerate();
    bids.place(bid(&[2], 1), HEIGHT);
    assert_eq!(bids.replaced_by(&[outpoint(2)].into()).feerate, Some(high), "a lower one does not lower it");
}

#[test]
fn coins_are_chosen_where_a_claim_cannot_pay_itself() {
    let script = coin_script();
    let anchor = Claim { amount: Amount::from_sat(330), ..claim(1, Way::Anchor, None) };
    let fee =
        |weight: u64| Some(Fee { wanted: Amount::from_sat(weight), least: Amount::from_sat(weight / 4) });
    let free = vec![coin(2, 90_000), coin(3, 700), coin(4, 5_000)];
    let Chosen::Draft(draft) = choose(vec![anchor.clone()], vec![], free, &script, fee) else { panic!() };
    assert_eq!(draft.fee().to_sat(), weight(std::slice::from_ref(&anchor), 1, &script));
    let none = choose(vec![anchor.clone()], vec![], vec![coin(3, 100)], &script, fee);
    assert!(matches!(none, Chosen::MoreCoinsNeeded));
    let two =
        choose(vec![anchor.clone()], vec![coin(3, 500)], vec![coin(4, 900), coin(5, 400)], &script, fee);
    assert!(matches!(two, Chosen::Draft(_)));
    let not_now = choose(vec![anchor.clone()], vec![], vec![coin(4, 5_000)], &script, |_| None);
    assert!(matches!(not_now, Chosen::NotNow));
    // All that there is, whether something stands or not, unless it would not be relayed.
    let most = |sat: u64| sat + 330 - script.minimal_non_dust().to_sat();
    for (reused, free) in [(vec![], vec![coin(3, 500)]), (vec![coin(3, 500)], vec![])] {
        let all = choose(vec![anchor.clone()], reused, free, &script, fee);
        assert!(matches!(all, Chosen::Draft(draft) if draft.fee().to_sat() == most(500)));
    }
}

#[test]
fn preimages_are_told_by_their_hash_alone() {
    let wanted = PaymentPreimage([7; 32]);
    let mut tx = bid(&[1, 2], 0).tx;
    tx.input[1].witness = Witness::from_slice(&[vec![], vec![8; 32], wanted.0.to_vec(), vec![7; 33]]);
    assert_eq!(preimages(&tx, |hash| *hash == wanted.payment_hash()), [wanted]);
    assert!(preimages(&tx, |hash| *hash == PaymentPreimage([9; 32]).payment_hash()).is_empty());
}
