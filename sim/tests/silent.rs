//! A peer that pays with HTLCs and is gone when they are settled. Whoever was paid must claim all of them before the peer can
//! take them back, and has of coins no more than what is kept for closing a channel (BOLT 5, HTLC Output Handling: Local
//! Commitment, Remote Offers).

use bitcoin::hashes::Hash;
use bitcoin::{Amount, OutPoint, ScriptBuf, Transaction, Txid, WPubkeyHash};
use kite_core::chain::{ChainFact, FeeRates};
use kite_core::coins::Fee;
use kite_core::node::{Answer, Command, Event, Input};

use kite_core::types::{FeeratePerKw, PaymentId};
use kite_sim::world::World;

/// What is kept for a channel.
const RESERVE_SAT: u64 = 10_000;
/// 10 sat/vB.
const CALM: u32 = 2_500;
/// So many blocks before an HTLC expires, whoever has settled it closes.
const DEADLINE: u32 = 18;
/// So many blocks later than the first another HTLC may expire: a payer hides how far the way is.
const SHADOW: u32 = 40;

struct Silence {
    world: World,
    /// The commitment of the payee, in no block yet.
    commitment: Transaction,
    /// When all HTLCs expire.
    expiry: u32,
}

fn tell_feerate(world: &mut World, host: usize, sat_per_kw: u32) {
    let rate = FeeratePerKw::from_sat_per_kw(sat_per_kw);
    world.input(host, Input::Chain(ChainFact::FeeRates(FeeRates::new(rate, rate, rate))));
}

/// Host 0 has paid host 1 these amounts, and is off.
fn silence(amounts_sat: &[u64], coins_sat: &[u64], sat_per_kw: u32) -> Silence {
    let mut world = World::new(2);
    (0..2).for_each(|host| tell_feerate(&mut world, host, sat_per_kw));
    world.give_coins(0, Amount::from_sat(3_000_000));
    coins_sat.iter().for_each(|sat| world.give_coins(1, Amount::from_sat(*sat)));
    world.connect();
    world.open_channel(0, 1);
    world.mine(6);
    // Who does not know the height answers no HTLC: so all are there before the first is settled.
    world.is_chain_silent = true;
    world.crash(1);
    world.start(1);
    tell_feerate(&mut world, 1, sat_per_kw);
    world.connect();
    for sat in amounts_sat {
        world.ask_to_pay(0, 1, sat * 1_000);
    }
    world.settle();
    world.crash(0);
    world.is_chain_silent = false;
    world.settle();
    let received = world.hosts[1].events().filter(|event| matches!(event, Event::PaymentReceived { .. }));
    assert_eq!(received.count(), amounts_sat.len(), "{}", world.story());
    for _ in 0..300 {
        if let [commitment] = world.chain.mempool() {
            let (commitment, expiry) = (commitment.clone(), world.chain.height() + DEADLINE);
            return Silence { world, commitment, expiry };
        }
        world.mine(1);
    }
    panic!("nobody closes: {}", world.story())
}

impl Silence {
    /// What HTLCs of these amounts are spent by, each transaction once.
    fn claims(&self, amounts_sat: &[u64]) -> Vec<Transaction> {
        let txid = self.commitment.compute_txid();
        let mut claims: Vec<Transaction> = Vec::new();
        for (vout, output) in (0..).zip(&self.commitment.output) {
            let claim = self.world.chain.spend_of(&OutPoint { txid, vout });
            if let Some(claim) = claim.filter(|_| amounts_sat.contains(&output.value.to_sat()))
                && !claims.contains(claim)
            {
                claims.push(claim.clone());
            }
        }
        claims
    }

    fn fee(&self, txid: Txid) -> Amount {
        let mut all = self.world.chain.wallet_transactions();
        all.find(|(tx, _)| tx.compute_txid() == txid).expect("it is there").1
    }

    fn rate(&self, tx: &Transaction) -> u64 {
        self.fee(tx.compute_txid()).to_sat() * 1_000 / tx.weight().to_wu()
    }

    fn confirmed_at(&self, tx: &Transaction) -> Option<u32> {
        self.world.chain.confirmed_at(&tx.compute_txid())
    }

    fn assert_nothing_was_refused(&self) {
        assert!(!self.world.story().contains("Err("), "refused: {}", self.world.story());
    }
}

#[test]
fn three_htlcs_of_a_silent_peer_are_claimed_with_the_reserve_at_the_usual_price() {
    let amounts = [100_000, 200_000, 300_000];
    let mut silence = silence(&amounts, &[RESERVE_SAT], CALM);
    silence.world.mine(1);
    let claims = silence.claims(&amounts);
    let [claim] = claims.as_slice() else { panic!("{} {}", claims.len(), silence.world.story()) };
    assert_eq!(claim.input.len(), 4, "three HTLCs and a coin");
    let rate = silence.rate(claim);
    assert!((2_500..2_600).contains(&rate), "{rate}");
    silence.world.mine(1);
    assert_eq!(silence.confirmed_at(claim), Some(silence.expiry - 16));
    // And again, where the blocks are undone that had it all.
    silence.world.chain.reorg(3);
    silence.world.mine(3);
    let claims = silence.claims(&amounts);
    assert!(claims.iter().all(|claim| silence.confirmed_at(claim) <= Some(silence.expiry)), "{claims:?}");
    silence.world.mine(150);
    let balance = silence.world.node(1).balance().onchain.spendable.to_sat();
    assert!(balance > 600_000, "{balance}");
    silence.assert_nothing_was_refused();
}

#[test]
fn thirty_htlcs_of_a_silent_peer_are_claimed_with_the_reserve() {
    let amounts: Vec<u64> = (1..=30).map(|number| 10_000 + number * 500).collect();
    let mut silence = silence(&amounts, &[RESERVE_SAT], 253);
    silence.world.mine(1);
    let claims = silence.claims(&amounts);
    assert_eq!(claims.iter().map(|claim| claim.input.len()).collect::<Vec<_>>(), [31]);
    let rate = silence.rate(&claims[0]);
    assert!((253..260).contains(&rate), "{rate}");
    silence.world.mine(1);
    assert_eq!(silence.confirmed_at(&claims[0]), Some(silence.expiry - 16));
    silence.assert_nothing_was_refused();
}

/// Small HTLCs come with a large one, and fees rise when the only coin pays for all of them: the large one is not lost with
/// the small.
#[test]
fn small_htlcs_do_not_keep_the_largest_from_being_claimed() {
    let amounts: Vec<u64> = [500_000].into_iter().chain((0..29).map(|number| 3_000 + number)).collect();
    let mut silence = silence(&amounts, &[RESERVE_SAT], 253);
    silence.world.mine(1);
    let [claim] = silence.claims(&amounts).try_into().unwrap();
    assert!(claim.input.len() > 20, "{}", claim.input.len());
    for sat_per_kw in [1_000, 2_500, 7_500] {
        tell_feerate(&mut silence.world, 1, sat_per_kw);
        silence.world.mine_nothing(1);
        let [claim] = silence.claims(&amounts[..1]).try_into().unwrap();
        let rate = silence.rate(&claim);
        assert!(rate >= u64::from(sat_per_kw), "{rate} of {sat_per_kw} for {}", claim.input.len() - 1);
    }
    silence.world.mine(1);
    let [claim] = silence.claims(&amounts[..1]).try_into().unwrap();
    assert!(silence.confirmed_at(&claim).is_some());
    silence.assert_nothing_was_refused();
}

/// A server that tells of blocks, and breaks down before it tells what is in them.
#[test]
fn where_looks_do_not_end_a_claim_is_made_with_the_next_block() {
    let amounts = [100_000];
    let mut silence = silence(&amounts, &[RESERVE_SAT], CALM);
    silence.world.mine(1);
    tell_feerate(&mut silence.world, 1, CALM * 2);
    silence.world.is_chain_silent = true;
    for expected in [CALM, CALM * 2] {
        silence.world.chain.mine_nothing(1);
        let node = silence.world.node(1);
        for headers in silence.world.chain.headers_for(|height| node.block_hash(height)) {
            silence.world.input(1, Input::Chain(headers));
        }
        silence.world.settle();
        let [claim] = silence.claims(&amounts).try_into().unwrap();
        let rate = silence.rate(&claim);
        assert!((expected..expected * 21 / 20).contains(&u32::try_from(rate).unwrap()), "{rate}");
    }
}

/// The owner has paid on-chain: what is kept for the channel is change that no block took yet.
#[test]
fn change_that_waits_for_a_block_pays_for_a_claim() {
    let amounts = [100_000, 200_000];
    let mut silence = silence(&amounts, &[50_000], CALM);
    let pay = Command::SendOnchain {
        id: PaymentId([7; 16]),
        script_pubkey: ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array([9; 20])),
        amount: Some(Amount::from_sat(30_000)),
        fee: Fee::Rate(FeeratePerKw::FLOOR),
    };
    let answer = silence.world.command(1, pay);
    let Some(Ok(Answer::Sent(paid))) = answer else { panic!("{answer:?}") };
    silence.world.crash(1);
    silence.world.mine(1);
    // The block comes with the commitment alone after all.
    silence.world.chain.reorg_for(1, &silence.commitment);
    silence.world.start(1);
    tell_feerate(&mut silence.world, 1, CALM);
    silence.world.settle();
    assert_eq!(silence.confirmed_at(&silence.commitment), Some(silence.world.chain.height() - 1));
    let [claim] = silence.claims(&amounts).try_into().unwrap();
    assert_eq!(claim.input.len(), 3, "both HTLCs and a coin");
    assert_eq!(claim.input[2].previous_output.txid, paid);
    // It pays for both.
    let (fee, weight) =
        (silence.fee(paid) + silence.fee(claim.compute_txid()), |tx: &Transaction| tx.weight());
    let both = weight(&claim) + weight(silence.world.chain.transaction(&paid).unwrap());
    assert!(fee >= FeeratePerKw::from_sat_per_kw(CALM).fee(both.to_wu()), "{fee} for {both}");
    silence.world.mine(1);
    assert!(silence.confirmed_at(&claim).is_some());
    silence.assert_nothing_was_refused();
}

/// The owner is told what is missing, and what is lost without it is as little as can be.
#[test]
fn where_the_reserve_does_not_suffice_the_most_valuable_htlcs_are_claimed() {
    let amounts: Vec<u64> = (1..=30).map(|number| 10_000 + number * 500).collect();
    let mut silence = silence(&amounts, &[RESERVE_SAT], CALM);
    silence.world.mine(1);
    let [claim] = silence.claims(&amounts).try_into().unwrap();
    assert!((2_500..2_600).contains(&silence.rate(&claim)));
    let claimed = claim.input.len() - 1;
    assert!((3..30).contains(&claimed), "{claimed}");
    let mut paid: Vec<u64> = claim.output[..claimed].iter().map(|output| output.value.to_sat()).collect();
    paid.sort_unstable();
    assert_eq!(paid, amounts[30 - claimed..]);
    let asks =
        |event: &Event| matches!(event, Event::ActionRequired { what } if what.contains("on-chain funds"));
    assert!(silence.world.hosts[1].events().any(asks));
    // Whoever adds some claims the rest.
    silence.world.give_coins(1, Amount::from_sat(100_000));
    silence.world.mine(2);
    let claims = silence.claims(&amounts);
    let spent: usize = claims.iter().map(|claim| claim.input.len() - 1).sum();
    assert!(spent == 30 && claims.iter().all(|claim| silence.confirmed_at(claim).is_some()), "{spent}");
}

/// Miners leave the claim out: the price rises as far as the coin goes, and stays one transaction, for there is one coin.
#[test]
fn a_shared_claim_that_no_miner_takes_rises_to_all_that_its_coin_has() {
    let amounts = [100_000, 200_000, 300_000];
    let mut silence = silence(&amounts, &[RESERVE_SAT], CALM);
    silence.world.mine(1);
    let mut before = 0;
    while silence.world.chain.height() < silence.expiry {
        let [claim] = silence.claims(&amounts).try_into().unwrap();
        let rate = silence.rate(&claim);
        let left = silence.expiry - silence.world.chain.height();
        assert!(rate >= before, "{left} blocks are left");
        assert!(left < 12 || rate < 2_600, "{left} blocks are left");
        before = rate;
        if left == 10 {
            silence.world.crash(1);
            silence.world.start(1);
        }
        silence.world.mine_nothing(1);
    }
    let [claim] = silence.claims(&amounts).try_into().unwrap();
    assert!(silence.fee(claim.compute_txid()).to_sat() > RESERVE_SAT * 9 / 10);
    silence.world.mine(1);
    assert_eq!(silence.confirmed_at(&claim), Some(silence.expiry + 1));
    silence.assert_nothing_was_refused();
}

/// From its expiry on, the peer could hold up all of them by spending one; where there is one coin, that is risked.
#[test]
fn what_the_peer_can_take_back_is_claimed_alone_where_there_are_coins_for_it() {
    let amounts = [100_000, 200_000, 300_000];
    for (coins, expected) in [(vec![40_000, 30_000, 20_000], 3), (vec![RESERVE_SAT], 1)] {
        let mut silence = silence(&amounts, &coins, CALM);
        silence.world.crash(1);
        silence.world.mine(1);
        silence.world.mine_nothing(DEADLINE + SHADOW);
        silence.world.start(1);
        tell_feerate(&mut silence.world, 1, CALM);
        silence.world.settle();
        let claims = silence.claims(&amounts);
        assert_eq!(claims.len(), expected, "{}", silence.world.story());
        assert!(claims.iter().all(|claim| (2_500..2_600).contains(&silence.rate(claim))), "{claims:?}");
        silence.world.mine(1);
        assert!(claims.iter().all(|claim| silence.confirmed_at(claim).is_some()));
        silence.assert_nothing_was_refused();
    }
}
