use super::rows::RowChange;
use super::{Coins, CoinsError, Fee, Spending};
use crate::chain::headers::tests::{mine, regtest};
use crate::chain::{Confirmation, HeaderChain};
use crate::crypto::{NodeKeys, Seed};
use crate::types::{FeeratePerKw, UnixTime};
use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash;
use bitcoin::transaction::Version;
use bitcoin::{Amount, Network, OutPoint, ScriptBuf, Transaction, TxIn, TxOut, Txid};

const NOW: UnixTime = UnixTime(2_000_000_000);
const RATE: FeeratePerKw = FeeratePerKw::from_sat_per_kw(1_000);

fn keys() -> NodeKeys {
    NodeKeys::from_seed(&Seed::new([7; 64]), Network::Regtest).unwrap()
}

fn pay_to(script_pubkey: ScriptBuf, sat: u64, salt: u8) -> Transaction {
    let previous_output = OutPoint { txid: Txid::from_byte_array([salt; 32]), vout: 0 };
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn { previous_output, ..Default::default() }],
        output: vec![TxOut { value: Amount::from_sat(sat), script_pubkey }],
    }
}

fn grow(chain: &mut HeaderChain, count: u32, salt: u8) {
    let tip = *chain.header(chain.height()).unwrap();
    chain.accept(&mine(&tip, count, salt), NOW).unwrap();
}

fn confirmed_at(chain: &HeaderChain, height: u32) -> Option<Confirmation> {
    let header = chain.header(height).unwrap();
    Some(Confirmation {
        height,
        block_hash: header.block_hash(),
        block_time: UnixTime(u64::from(header.time)),
        tx_index: 1,
    })
}

#[test]
fn the_descriptors_are_those_of_bip_84_and_a_parser_reads_the_same() {
    let [external, internal] = super::wallet::public_descriptors(&keys()).unwrap();
    assert!(external.to_string().contains("/84'/1'/0']tpub"), "{external}");
    assert!(internal.to_string().contains("/1/*)"), "{internal}");
    assert_eq!(external.to_string().parse(), Ok(external));
    assert_eq!(internal.to_string().parse(), Ok(internal));
}

/// A wallet with 100,000 sat in the last block of a chain of 3.
fn funded() -> (Coins, HeaderChain) {
    let mut chain = regtest();
    grow(&mut chain, 3, 0);
    let mut coins = Coins::create(&keys(), Network::Regtest).unwrap();
    let script = coins.new_address().script_pubkey();
    let tx = pay_to(script.clone(), 100_000, 1);
    coins.apply_history(&script, &[(tx, confirmed_at(&chain, 3))], &chain, NOW).unwrap();
    (coins, chain)
}

fn spending(kept: Amount) -> Spending {
    Spending { fee: Fee::Rate(RATE), kept, randomness: [1; 32] }
}

fn elsewhere() -> ScriptBuf {
    let mut script = vec![0, 32];
    script.extend([9; 32]);
    ScriptBuf::from(script)
}

#[test]
fn what_arrives_counts_when_it_is_in_a_block() {
    let mut chain = regtest();
    grow(&mut chain, 1, 0);
    let mut coins = Coins::create(&keys(), Network::Regtest).unwrap();
    let script = coins.new_address().script_pubkey();
    let tx = pay_to(script.clone(), 5_000, 1);
    coins.apply_history(&script, &[(tx.clone(), None)], &chain, NOW).unwrap();
    assert_eq!((coins.balance().incoming.to_sat(), coins.balance().spendable.to_sat()), (5_000, 0));
    coins.apply_history(&script, &[(tx, confirmed_at(&chain, 1))], &chain, NOW).unwrap();
    assert_eq!((coins.balance().incoming.to_sat(), coins.balance().spendable.to_sat()), (0, 5_000));
}

#[test]
fn what_vanishes_from_the_mempool_does_not_count() {
    let chain = regtest();
    let mut coins = Coins::create(&keys(), Network::Regtest).unwrap();
    let script = coins.new_address().script_pubkey();
    coins.apply_history(&script, &[(pay_to(script.clone(), 5_000, 1), None)], &chain, NOW).unwrap();
    coins.apply_history(&script, &[], &chain, UnixTime(NOW.0 + 1)).unwrap();
    assert_eq!(coins.balance().total(), Amount::ZERO);
}

#[test]
fn what_comes_back_counts_again_whatever_the_clock_says() {
    let chain = regtest();
    for later in [NOW, UnixTime(NOW.0 - 3_600)] {
        let mut coins = Coins::create(&keys(), Network::Regtest).unwrap();
        let script = coins.new_address().script_pubkey();
        let history = [(pay_to(script.clone(), 5_000, 1), None)];
        coins.apply_history(&script, &history, &chain, NOW).unwrap();
        coins.apply_history(&script, &[], &chain, NOW).unwrap();
        assert_eq!(coins.balance().total(), Amount::ZERO);
        coins.apply_history(&script, &history, &chain, later).unwrap();
        assert_eq!(coins.balance().incoming.to_sat(), 5_000);
    }
}

#[test]
fn a_reorganisation_takes_a_confirmation_back() {
    let (mut coins, mut chain) = funded();
    let fork = *chain.header(2).unwrap();
    chain.accept(&mine(&fork, 2, 5), NOW).unwrap();
    coins.apply_tip(&chain).unwrap();
    assert_eq!(coins.balance().spendable, Amount::ZERO);
}

#[test]
fn a_funding_pays_the_exact_amount_and_sets_its_coins_aside() {
    let (mut coins, _) = funded();
    let tx = coins.fund(&keys(), elsewhere(), Amount::from_sat(60_000), spending(Amount::ZERO)).unwrap();
    assert!(tx.output.iter().any(|out| out.script_pubkey == elsewhere() && out.value.to_sat() == 60_000));
    assert!(tx.input.iter().all(|input| !input.witness.is_empty()));
    assert_eq!(coins.balance().spendable, Amount::ZERO);
    coins.release(tx.input.iter().map(|input| input.previous_output));
    assert_eq!(coins.balance().spendable.to_sat(), 100_000);
    coins.apply_own(tx, NOW);
    // Change is no coin before its block: no transaction is made of it, and the balance does not promise one.
    assert!((39_000..40_000).contains(&coins.balance().incoming.to_sat()));
    assert_eq!(coins.balance().spendable, Amount::ZERO);
    let too_soon = coins.fund(&keys(), elsewhere(), Amount::from_sat(10_000), spending(Amount::ZERO));
    assert!(matches!(too_soon, Err(CoinsError::Insufficient { .. })), "{too_soon:?}");
    assert_eq!(coins.unconfirmed_own().len(), 1);
}

/// Dust that strangers send is worth nothing when a close has to be paid for: it never stays as what is kept.
#[test]
fn what_is_kept_is_worth_something() {
    let (mut coins, chain) = funded();
    let kept = Amount::from_sat(10_000);
    let script = coins.new_address().script_pubkey();
    let dust: Vec<_> =
        (2..36).map(|salt| (pay_to(script.clone(), 294, salt), confirmed_at(&chain, 3))).collect();
    coins.apply_history(&script, &dust, &chain, NOW).unwrap();
    let most = Amount::from_sat(95_000);
    let refusals = [
        coins.cost(&elsewhere(), most, RATE, kept).map(|_| ()),
        coins.send(&keys(), elsewhere(), Some(most), spending(kept), NOW).map(|_| ()),
    ];
    for refused in refusals {
        assert!(matches!(refused, Err(CoinsError::Insufficient { .. })), "{refused:?}");
    }
    assert!(coins.cost(&elsewhere(), most, RATE, Amount::ZERO).unwrap() < Amount::from_sat(700), "one coin");
    // Where all there is suffices, all of it is spent: what is kept is one coin.
    let amount = Amount::from_sat(89_690);
    let quoted = coins.cost(&elsewhere(), amount, RATE, kept).unwrap();
    let spending = Spending { fee: Fee::Exact(quoted), ..spending(kept) };
    let tx = coins.send(&keys(), elsewhere(), Some(amount), spending, NOW).unwrap();
    assert_eq!(tx.input.len(), 35);
    assert_eq!(coins.balance().total(), Amount::from_sat(100_000 + 34 * 294) - amount - quoted);
    assert!(coins.balance().total() >= kept);
}

/// Change of our own pays where no confirmed coin does; nobody else's transaction is relied on.
#[test]
fn change_that_waits_for_a_block_is_known_with_its_transaction() {
    let (mut coins, chain) = funded();
    assert_eq!(coins.largest_change(), None);
    let foreign = coins.new_address().script_pubkey();
    coins.apply_history(&foreign, &[(pay_to(foreign.clone(), 500_000, 9), None)], &chain, NOW).unwrap();
    assert_eq!(coins.largest_change(), None, "somebody else's");
    let tx = coins
        .send(&keys(), elsewhere(), Some(Amount::from_sat(60_000)), spending(Amount::ZERO), NOW)
        .unwrap();
    let change = coins.largest_change().unwrap();
    assert_eq!((&change.tx, change.coin.outpoint.txid), (&tx, tx.compute_txid()));
    let paid: Amount = tx.output.iter().map(|output| output.value).sum();
    assert_eq!(change.fee, Amount::from_sat(100_000) - paid);
    assert_eq!(coins.still_there(&[change.coin.outpoint]), std::slice::from_ref(&change.coin));
    coins.keep_aside([change.coin.outpoint]);
    assert_eq!(coins.largest_change(), None, "in use");
}

#[test]
fn what_is_kept_for_closing_channels_is_not_spent() {
    let (mut coins, _) = funded();
    let kept = Amount::from_sat(45_000);
    let too_much = coins.send(&keys(), elsewhere(), Some(Amount::from_sat(60_000)), spending(kept), NOW);
    assert!(matches!(too_much, Err(CoinsError::Insufficient { .. })), "{too_much:?}");
    let all = coins.send(&keys(), elsewhere(), None, spending(kept), NOW).unwrap();
    assert!(all.output.iter().any(|out| out.value == kept && out.script_pubkey != elsewhere()));
    let (dust, minimum) = (Amount::from_sat(100), elsewhere().minimal_non_dust());
    let refused = coins.send(&keys(), elsewhere(), Some(dust), spending(Amount::ZERO), NOW);
    assert_eq!(refused, Err(CoinsError::Dust { amount: dust, minimum }));
}

#[test]
fn the_stored_rows_give_the_same_wallet() {
    let (mut coins, chain) = funded();
    let mut rows: Vec<Vec<u8>> = Vec::new();
    let mut gathered = false;
    for round in 0..80u8 {
        let script = coins.new_address().script_pubkey();
        coins
            .apply_history(&script, &[(pay_to(script.clone(), 1_000, 100 + round), None)], &chain, NOW)
            .unwrap();
        match coins.take_row_change().unwrap() {
            RowChange::Nothing => panic!("an address was given out"),
            RowChange::Append(_, row) => rows.push(row),
            RowChange::Gather(_, row) => {
                gathered = true;
                rows = vec![row];
            }
        }
    }
    assert!(gathered && rows.len() < 64);
    coins.fund(&keys(), elsewhere(), Amount::from_sat(60_000), spending(Amount::ZERO)).unwrap();
    if let RowChange::Append(_, row) = coins.take_row_change().unwrap() {
        rows.push(row);
    }
    let loaded = Coins::load(&keys(), Network::Regtest, rows.iter().map(Vec::as_slice)).unwrap();
    assert_eq!(loaded.balance(), coins.balance());
    assert_eq!(loaded.scripts(), coins.scripts());
    assert_eq!(loaded.set_aside(), coins.set_aside());
    let damaged = Coins::load(&keys(), Network::Regtest, [&rows[0][..rows[0].len() / 2]]);
    assert!(matches!(damaged, Err(CoinsError::Damaged { .. })));
}

/// Whoever can invent a transaction can name our coins as its inputs. Nobody else can sign for them.
#[test]
fn an_invented_spend_of_our_coins_takes_nothing() {
    let (mut coins, chain) = funded();
    let script = coins.scripts()[0].clone();
    let history: Vec<Transaction> =
        coins.wallet.transactions().map(|it| it.tx_node.tx.as_ref().clone()).collect();
    let ours = OutPoint { txid: history[0].compute_txid(), vout: 0 };
    let mut invented = pay_to(elsewhere(), 99_000, 2);
    invented.input[0].previous_output = ours;
    let facts = [(history[0].clone(), confirmed_at(&chain, 3)), (invented, None)];
    coins.apply_history(&script, &facts, &chain, NOW).unwrap();
    assert_eq!(coins.balance().spendable.to_sat(), 100_000);
    assert_eq!(coins.unconfirmed_own(), []);
    coins.fund(&keys(), elsewhere(), Amount::from_sat(50_000), spending(Amount::ZERO)).unwrap();
}

/// What a closing channel pays counts until it has come, and an invented transaction has not.
#[test]
fn an_invented_spend_of_a_channel_does_not_count() {
    let mut chain = regtest();
    grow(&mut chain, 1, 0);
    let mut coins = Coins::create(&keys(), Network::Regtest).unwrap();
    let script = coins.new_address().script_pubkey();
    let tx = pay_to(script.clone(), 1, 5);
    let spent = tx.input[0].previous_output;
    coins.apply_history(&script, &[(tx.clone(), None)], &chain, NOW).unwrap();
    assert!(!coins.has_spend_of(spent, |_| false));
    assert!(coins.has_spend_of(spent, |known| *known == tx));
    coins.apply_history(&script, &[(tx, confirmed_at(&chain, 1))], &chain, NOW).unwrap();
    assert!(coins.has_spend_of(spent, |_| false));
}

/// What it spends may be told later than that it is spent.
#[test]
fn an_invented_spend_is_undone_once_the_coin_is_known() {
    let (funded, chain) = funded();
    let coin = funded.wallet.transactions().next().unwrap().tx_node.tx.as_ref().clone();
    let mut coins = Coins::create(&keys(), Network::Regtest).unwrap();
    let [script, other] = [0, 1].map(|_| coins.new_address().script_pubkey());
    let mut invented = pay_to(other.clone(), 1, 2);
    invented.input[0].previous_output = OutPoint { txid: coin.compute_txid(), vout: 0 };
    for _ in 0..2 {
        coins.apply_history(&other, &[(invented.clone(), None)], &chain, NOW).unwrap();
        coins.apply_history(&script, &[(coin.clone(), confirmed_at(&chain, 3))], &chain, NOW).unwrap();
        assert_eq!(coins.balance().spendable.to_sat(), 100_000);
        assert_eq!(coins.unconfirmed_own(), []);
    }
}

/// A witness is in no txid: whoever gives our transaction back with another one must not spoil it.
#[test]
fn our_own_transaction_keeps_its_witness() {
    let (mut coins, chain) = funded();
    let script = coins.scripts()[0].clone();
    let coin = coins.wallet.transactions().next().unwrap().tx_node.tx.as_ref().clone();
    let amount = Some(Amount::from_sat(50_000));
    let ours = coins.send(&keys(), elsewhere(), amount, spending(Amount::ZERO), NOW).unwrap();
    let mut spoilt = ours.clone();
    spoilt.input[0].witness = bitcoin::Witness::from_slice(&[[1u8]]);
    let facts = [(coin, confirmed_at(&chain, 3)), (spoilt, None)];
    coins.apply_history(&script, &facts, &chain, NOW).unwrap();
    assert_eq!(coins.unconfirmed_own(), [ours]);
}

#[test]
fn no_more_is_kept_of_what_nothing_proves_than_its_share() {
    let chain = regtest();
    let mut coins = Coins::create(&keys(), Network::Regtest).unwrap();
    let script = coins.new_address().script_pubkey();
    for round in 0..3 {
        let invent = |sat| (pay_to(script.clone(), sat, round), None);
        let facts: Vec<_> = (1_000..1_600).map(invent).collect();
        coins.apply_history(&script, &facts, &chain, NOW).unwrap();
    }
    assert_eq!(coins.wallet.tx_graph().full_txs().count(), 1_000);
}

/// Only a block proves an amount: what is said to be on its way may say anything.
#[test]
fn invented_amounts_do_not_overflow() {
    let (mut coins, chain) = funded();
    let script = coins.new_address().script_pubkey();
    let facts = [(pay_to(script.clone(), u64::MAX, 2), None), (pay_to(script.clone(), u64::MAX, 3), None)];
    coins.apply_history(&script, &facts, &chain, NOW).unwrap();
    assert_eq!(coins.balance().total().to_sat(), 100_000);
    assert_eq!(coins.transactions().len(), 1);
}

/// A wallet with these coins in the last block.
fn holding(coins_sat: &[u64]) -> Coins {
    let mut chain = regtest();
    grow(&mut chain, 3, 0);
    let mut coins = Coins::create(&keys(), Network::Regtest).unwrap();
    for (salt, sat) in (1..).zip(coins_sat) {
        let script = coins.new_address().script_pubkey();
        let tx = pay_to(script.clone(), *sat, salt);
        coins.apply_history(&script, &[(tx, confirmed_at(&chain, 3))], &chain, NOW).unwrap();
    }
    coins
}

const MANY: [u64; 12] = [700, 900, 1_500, 3_000, 3_001, 5_000, 8_000, 8_000, 9_500, 12_000, 40_000, 100_000];

fn paid(coins: &Coins, tx: &Transaction) -> Amount {
    coins.transaction(tx.compute_txid()).unwrap().fee.unwrap()
}

#[test]
fn a_transaction_costs_what_was_told_before_whatever_coins_there_are() {
    for (kept, rate) in [(0, 253), (0, 9_871), (10_000, 1_000)] {
        let (kept, rate) = (Amount::from_sat(kept), FeeratePerKw::from_sat_per_kw(rate));
        for sat in (1_000..190_000).step_by(9_357) {
            let (mut coins, amount) = (holding(&MANY), Amount::from_sat(sat));
            let Ok(cost) = coins.cost(&elsewhere(), amount, rate, kept) else {
                assert!(
                    amount > coins.most_payable(&elsewhere(), rate, kept).unwrap(),
                    "{amount} at {rate:?}"
                );
                continue;
            };
            let spending = |fee| Spending { fee, kept, randomness: [3; 32] };
            let too_little = spending(Fee::Exact(Amount::ONE_SAT));
            let refused = coins.send(&keys(), elsewhere(), Some(amount), too_little, NOW);
            assert!(matches!(refused, Err(CoinsError::FeeTooHigh { .. })), "{refused:?}");
            for fee in [Fee::Exact(cost), Fee::Rate(rate)] {
                let mut coins = holding(&MANY);
                let tx = coins.send(&keys(), elsewhere(), Some(amount), spending(fee), NOW).unwrap();
                assert_eq!(paid(&coins, &tx), cost, "{amount} for {fee:?}");
            }
        }
    }
}

#[test]
fn the_most_that_can_be_paid_can_be() {
    for kept in [0, 10_000].map(Amount::from_sat) {
        let mut coins = holding(&MANY);
        let most = coins.most_payable(&elsewhere(), RATE, kept).unwrap();
        let cost = coins.cost(&elsewhere(), most, RATE, kept).unwrap();
        let left = coins.balance().spendable - most - cost - kept;
        // What is kept may be the smallest coins, which are then not spent: their inputs cost nothing.
        assert!(if kept == Amount::ZERO { left == kept } else { left.to_sat() < 12 * 272 }, "{left}");
        let more = coins.cost(&elsewhere(), most + left + Amount::ONE_SAT, RATE, kept);
        assert!(matches!(more, Err(CoinsError::Insufficient { .. })), "{more:?}");
        // Where nothing is kept, this leaves too little for an output: it is a part of the fee.
        let some = most - Amount::from_sat(200);
        let cost = coins.cost(&elsewhere(), some, RATE, kept).unwrap();
        let spending = Spending { fee: Fee::Exact(cost), kept, randomness: [3; 32] };
        let tx = coins.send(&keys(), elsewhere(), Some(some), spending, NOW).unwrap();
        assert_eq!((paid(&coins, &tx), tx.output.len()), (cost, if kept == Amount::ZERO { 1 } else { 2 }));
    }
}

#[test]
fn a_fee_that_was_agreed_to_is_not_paid_for_a_transaction_that_needs_more_by_now() {
    let amount = Amount::from_sat(60_000);
    let agreed = holding(&[100_000]).cost(&elsewhere(), amount, FeeratePerKw::FLOOR, Amount::ZERO).unwrap();
    let mut coins = holding(&[10_000; 10]);
    let spending = Spending { fee: Fee::Exact(agreed), kept: Amount::ZERO, randomness: [3; 32] };
    let refused = coins.send(&keys(), elsewhere(), Some(amount), spending, NOW);
    let Err(CoinsError::FeeTooHigh { cheapest, limit }) = refused else { panic!("{refused:?}") };
    assert!(limit == agreed && cheapest > limit, "{cheapest}");
    assert_eq!(coins.balance().spendable.to_sat(), 100_000, "nothing was changed");
}

#[test]
fn rows_that_contradict_each_other_are_damage() {
    let row = |network: Network, byte: u8| {
        let script = ScriptBuf::from(vec![byte; 22]);
        let mut change = bdk_wallet::ChangeSet { network: Some(network), ..Default::default() };
        let descriptor = bdk_wallet::chain::DescriptorId(bitcoin::hashes::sha256::Hash::hash(&[1]));
        change.indexer.spk_cache.entry(descriptor).or_default().insert(7, script);
        super::rows::encode(&change).unwrap()
    };
    let first = row(Network::Regtest, 1);
    let read = |second: &[u8]| super::rows::read([first.as_slice(), second]).map(|(_, rows)| rows);
    assert_eq!(read(&row(Network::Regtest, 1)), Ok(2));
    for second in [row(Network::Regtest, 2), row(Network::Signet, 1)] {
        assert!(matches!(read(&second), Err(CoinsError::Damaged { .. })));
    }
}
