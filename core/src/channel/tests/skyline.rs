//! A chain for two channels: every transaction is judged by Bitcoin Core's code, with its locks, before it is in a block.

use super::harness::{HEIGHT, Who, World};
use crate::chain::FeeRates;
use crate::channel::{Channel, ChannelEvent, Command};
use crate::crypto::SignerError;
use crate::crypto::ec;
use crate::onchain::coins::{Chosen, choose};
use crate::onchain::groups::groups;
use crate::onchain::{Auction, Bid, Claim, Coin, Stake};
use crate::types::FeeratePerKw;
use bitcoin::hashes::Hash;
use bitcoin::secp256k1::SecretKey;
use bitcoin::sighash::SighashCache;
use bitcoin::{
    Amount, CompressedPublicKey, EcdsaSighashType, OutPoint, ScriptBuf, Transaction, TxOut, Txid, Witness,
};
use bitcoinconsensus::{Utxo, VERIFY_ALL_PRE_TAPROOT};
use std::collections::{BTreeMap, BTreeSet};

pub struct Skyline {
    pub world: World,
    pub height: u32,
    outputs: BTreeMap<OutPoint, (TxOut, u32)>,
    /// By which height.
    spent: BTreeMap<OutPoint, u32>,
    coins: u8,
    /// What both sides estimate.
    pub rates: FeeRates,
}

impl Skyline {
    pub fn new(world: World) -> Self {
        let funding = world.funding_tx.clone().unwrap();
        let rate = FeeratePerKw::from_sat_per_kw;
        let rates = FeeRates::new(rate(500), rate(1_000), rate(2_000));
        let mut sky =
            Self { world, height: HEIGHT, outputs: BTreeMap::new(), spent: BTreeMap::new(), coins: 0, rates };
        sky.add_outputs(&funding);
        sky
    }

    fn add_outputs(&mut self, tx: &Transaction) {
        let txid = tx.compute_txid();
        for (vout, output) in (0..).zip(&tx.output) {
            self.outputs.insert(OutPoint { txid, vout }, (output.clone(), self.height));
        }
    }

    pub fn output(&self, outpoint: OutPoint) -> &TxOut {
        &self.outputs[&outpoint].0
    }

    /// What keeps a transaction out of the next block; unset: nothing.
    pub fn objection(&self, tx: &Transaction) -> Option<String> {
        let next = self.height + 1;
        let lock = tx.lock_time.to_consensus_u32();
        // Commitments hide their number there.
        if lock < 500_000_000 && lock >= next {
            return Some(format!("nLockTime {lock} at {next}"));
        }
        let mut spent = Vec::new();
        for input in &tx.input {
            let Some((output, confirmed)) = self.outputs.get(&input.previous_output) else {
                return Some(format!("{} does not exist", input.previous_output));
            };
            if self.spent.contains_key(&input.previous_output) {
                return Some(format!("{} is spent", input.previous_output));
            }
            let relative = input.sequence.to_relative_lock_time().map_or(0, |lock| lock.to_consensus_u32());
            if input.sequence.is_relative_lock_time() && next < confirmed + relative {
                return Some(format!("nSequence {relative} at {next}"));
            }
            spent.push(output.clone());
        }
        let bytes = bitcoin::consensus::encode::serialize(tx);
        let utxos: Vec<Utxo> = spent
            .iter()
            .map(|output| Utxo {
                script_pubkey: output.script_pubkey.as_bytes().as_ptr(),
                script_pubkey_len: u32::try_from(output.script_pubkey.len()).unwrap(),
                value: i64::try_from(output.value.to_sat()).unwrap(),
            })
            .collect();
        let wrong = spent.iter().enumerate().find_map(|(index, output)| {
            let (script, value) = (output.script_pubkey.as_bytes(), output.value.to_sat());
            let flags = VERIFY_ALL_PRE_TAPROOT;
            let checked =
                bitcoinconsensus::verify_with_flags(script, value, &bytes, Some(&utxos), index, flags);
            checked.err().map(|error| format!("input {index}: {error:?}"))
        });
        let paid: Amount = tx.output.iter().map(|output| output.value).sum();
        let had: Amount = spent.iter().map(|output| output.value).sum();
        wrong.or_else(|| (paid > had).then(|| "it creates money".into()))
    }

    /// Mines a block with these transactions; both sides see them and the block.
    pub fn mine(&mut self, txs: &[Transaction]) {
        for tx in txs {
            assert_eq!(self.objection(tx), None, "{tx:?}");
        }
        self.height += 1;
        for tx in txs {
            self.add_outputs(tx);
            self.spent.extend(tx.input.iter().map(|input| (input.previous_output, self.height)));
        }
        for who in [Who::Alice, Who::Bob] {
            if self.world.side(who).channel().state.name() == "closed" {
                continue;
            }
            for tx in txs {
                self.world.see(who, tx, Some(self.height));
            }
            self.world.rise(who, self.height);
        }
    }

    /// Mines empty blocks up to this height.
    pub fn mine_to(&mut self, height: u32) {
        while self.height < height {
            self.mine(&[]);
        }
    }

    /// The blocks above this height are undone; others, empty ones, take their place and one more.
    pub fn reorg_to(&mut self, above: u32) {
        self.outputs.retain(|_, (_, confirmed)| *confirmed <= above);
        self.spent.retain(|_, height| *height <= above);
        for who in [Who::Alice, Who::Bob] {
            self.world.tell(who, Command::BlocksUndone { above });
        }
        let height = self.height;
        self.height = above;
        self.mine_to(height + 1);
    }

    pub fn channel(&mut self, who: Who) -> &Channel {
        self.world.side(who).channel()
    }

    pub fn events(&mut self, who: Who) -> Vec<ChannelEvent> {
        self.world.side(who).take_events()
    }

    /// What is, or will be, ours to take.
    pub fn claims(&mut self, who: Who) -> Vec<Claim> {
        let side = self.world.side(who);
        side.channel().onchain_work(&side.env()).unwrap().claims
    }

    /// What one side publishes now, with coins of 100,000 sat where it needs some. Each is valid for the next block.
    pub fn bid(&mut self, who: Who) -> Vec<Transaction> {
        let side = self.world.side(who);
        let work = side.channel().onchain_work(&side.env()).unwrap();
        let mut made = Vec::new();
        for group in groups(work.claims, &work.bids, self.height, usize::MAX) {
            let stake = Stake::of(&group, self.height);
            made.extend(self.bid_for(who, group, &stake));
        }
        for tx in &made {
            assert_eq!(self.objection(tx), None, "{tx:?}");
        }
        made
    }

    fn bid_for(&mut self, who: Who, group: Vec<Claim>, stake: &Stake) -> Option<Transaction> {
        let claimed: BTreeSet<OutPoint> = group.iter().map(|claim| claim.outpoint).collect();
        let bids = self.world.side(who).channel().bids().unwrap().clone();
        let replaced = bids.replaced_by(&claimed);
        let (height, rates) = (self.height, self.rates);
        let (parent, share) = ((0, Amount::ZERO), Amount::MAX_MONEY);
        let auction = Auction { stake, parent, replaced, share, height, rates: &rates };
        let fee = |weight| auction.fee(weight);
        let old: Vec<OutPoint> = bids.for_any(&claimed).flat_map(Bid::coins).collect();
        let reused =
            old.iter().map(|outpoint| Coin { outpoint: *outpoint, output: self.outputs[outpoint].0.clone() });
        let reused = if replaced.fees == Amount::ZERO { Vec::new() } else { reused.collect() };
        let coin = self.new_coin();
        let count = group.len();
        let script = self.world.side(who).shutdown_script.clone();
        let Chosen::Draft(draft) = choose(group, reused, vec![coin], &script, fee) else { return None };
        let fee = draft.fee();
        let side = self.world.side(who);
        let tx = draft.sign::<SignerError>(&side.signer, sign_coin).unwrap();
        self.world.tell(who, Command::Bid(Bid { tx: tx.clone(), claims: count, fee }));
        Some(tx)
    }

    fn new_coin(&mut self) -> Coin {
        self.coins += 1;
        let outpoint = OutPoint { txid: Txid::from_byte_array([self.coins; 32]), vout: 7 };
        let output = TxOut { value: Amount::from_sat(100_000), script_pubkey: coin_script() };
        self.outputs.insert(outpoint, (output.clone(), HEIGHT - 10));
        Coin { outpoint, output }
    }
}

fn coin_key() -> SecretKey {
    SecretKey::from_slice(&[0x55; 32]).unwrap()
}

fn coin_script() -> ScriptBuf {
    ScriptBuf::new_p2wpkh(&CompressedPublicKey(ec::public_key(&coin_key())).wpubkey_hash())
}

fn sign_coin(tx: &Transaction, input_index: usize, coin: &Coin) -> Result<Witness, SignerError> {
    let sighash_type = EcdsaSighashType::All;
    let script = &coin.output.script_pubkey;
    let digest = SighashCache::new(tx)
        .p2wpkh_signature_hash(input_index, script, coin.output.value, sighash_type)
        .unwrap();
    let signature = ec::sign_ecdsa(&digest.to_byte_array(), &coin_key());
    let signature = bitcoin::ecdsa::Signature { signature, sighash_type };
    Ok(Witness::p2wpkh(&signature, &ec::public_key(&coin_key())))
}
