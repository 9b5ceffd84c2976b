//! Transactions that wait for a block.

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::{Amount, OutPoint, Transaction, Txid, Wtxid};

use super::coins::{Coin, Coins, outputs};
use super::policy::{MAX_CHAIN, MAX_EVICTED, PolicyError, check_standard, relay_fee};
use super::transaction_rules::{Inclusion, TransactionError, check_alone, check_spends};

/// Why a transaction isn't taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A block couldn't carry it either.
    #[error(transparent)]
    Invalid(#[from] TransactionError),
    /// A miner may include it, but the mempool doesn't relay it.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// It is in a block and some of its outputs are unspent.
    #[error("Transaction outputs already in utxo set")]
    AlreadyConfirmed,
    /// A package must list parents before children, each once.
    #[error("package-not-sorted")]
    PackageNotSorted,
    /// The node behind the API said no.
    #[error("{message}")]
    Node {
        /// The node's error code.
        code: i64,
        /// The node's words.
        message: String,
    },
}

impl Refusal {
    /// The error code Bitcoin Core's `sendrawtransaction` gives for it.
    pub fn code(&self) -> i64 {
        match self {
            Self::Invalid(TransactionError::MissingOrSpent(_)) => -25,
            Self::AlreadyConfirmed => -27,
            Self::Node { code, .. } => *code,
            Self::Invalid(_) | Self::Policy(_) | Self::PackageNotSorted => -26,
        }
    }
}

/// A waiting transaction.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The transaction.
    pub transaction: Transaction,
    /// What it pays.
    pub fee: Amount,
    /// Its virtual size.
    pub vsize: usize,
    outputs: BTreeMap<OutPoint, Coin>,
    arrival: u64,
}

/// What a package's fees are judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FeeRule {
    Enforced,
    PaidByPackage,
}

/// All waiting transactions; no two of them conflict.
#[derive(Debug, Clone, Default)]
pub struct Mempool {
    entries: BTreeMap<Txid, Entry>,
    spenders: BTreeMap<OutPoint, Txid>,
    order: BTreeMap<u64, Txid>,
    arrivals: u64,
}

impl Mempool {
    /// The waiting transaction `txid`, if any.
    pub fn get(&self, txid: &Txid) -> Option<&Entry> {
        self.entries.get(txid)
    }

    /// All of them, parents before children.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.order.values().filter_map(|txid| self.entries.get(txid))
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The waiting transaction that spends `outpoint`, if any.
    pub fn spender(&self, outpoint: &OutPoint) -> Option<Txid> {
        self.spenders.get(outpoint).copied()
    }

    /// Takes `transaction`, replacing conflicting ones when it pays enough more.
    pub(crate) fn accept(
        &mut self,
        transaction: Transaction,
        coins: &Coins,
        inclusion: &Inclusion<'_>,
    ) -> Result<Txid, Refusal> {
        self.accept_with(transaction, coins, inclusion, FeeRule::Enforced)
    }

    /// Takes a package, parents first: what is too cheap alone may be paid for by what follows.
    pub(crate) fn accept_package(
        &mut self,
        package: &[Transaction],
        coins: &Coins,
        inclusion: &Inclusion<'_>,
    ) -> Vec<(Wtxid, Result<Txid, Refusal>)> {
        let sorted = is_sorted(package);
        let mut results = BTreeMap::new();
        for transaction in package {
            let result = if sorted {
                self.accept(transaction.clone(), coins, inclusion)
            } else {
                Err(Refusal::PackageNotSorted)
            };
            results.insert(transaction.compute_wtxid(), result);
        }
        if sorted && results.values().any(is_too_cheap) {
            let mut trial = self.clone();
            if let Ok(paid) = trial.accept_as_one(package, coins, inclusion) {
                *self = trial;
                results.extend(paid.into_iter().map(|(wtxid, txid)| (wtxid, Ok(txid))));
            }
        }
        package.iter().filter_map(|t| results.remove_entry(&t.compute_wtxid())).collect()
    }

    fn accept_as_one(
        &mut self,
        package: &[Transaction],
        coins: &Coins,
        inclusion: &Inclusion<'_>,
    ) -> Result<Vec<(Wtxid, Txid)>, Refusal> {
        let (mut fee, mut vsize, mut taken) = (Amount::ZERO, 0usize, Vec::new());
        for transaction in package {
            let known = self.entries.contains_key(&transaction.compute_txid());
            let txid = self.accept_with(transaction.clone(), coins, inclusion, FeeRule::PaidByPackage)?;
            taken.push((transaction.compute_wtxid(), txid));
            if let Some(entry) = self.entries.get(&txid).filter(|_| !known) {
                fee += entry.fee;
                vsize += entry.vsize;
            }
        }
        let needed = relay_fee(vsize);
        if fee < needed {
            return Err(PolicyError::MinRelayFee { fee, needed }.into());
        }
        Ok(taken)
    }

    fn accept_with(
        &mut self,
        transaction: Transaction,
        coins: &Coins,
        inclusion: &Inclusion<'_>,
        fee_rule: FeeRule,
    ) -> Result<Txid, Refusal> {
        let txid = transaction.compute_txid();
        if self.entries.contains_key(&txid) {
            return Ok(txid);
        }
        if outputs(&transaction).any(|(outpoint, _)| coins.get(&outpoint).is_some()) {
            return Err(Refusal::AlreadyConfirmed);
        }
        check_alone(&transaction)?;
        check_standard(&transaction)?;
        let fee = check_spends(&transaction, |outpoint| self.coin(outpoint, coins), inclusion)?;
        let vsize = transaction.vsize();
        let needed = relay_fee(vsize);
        if fee_rule == FeeRule::Enforced && fee < needed {
            return Err(PolicyError::MinRelayFee { fee, needed }.into());
        }
        let evicted = self.check_replacement(&transaction, fee, vsize)?;
        self.check_chain(&transaction, &evicted)?;
        self.remove_all(&evicted);
        self.insert(transaction, fee, inclusion.height);
        Ok(txid)
    }

    /// The output at `outpoint`, confirmed or waiting, whether or not a waiting transaction spends it.
    fn coin<'a>(&'a self, outpoint: &OutPoint, coins: &'a Coins) -> Option<&'a Coin> {
        coins.get(outpoint).or_else(|| self.entries.get(&outpoint.txid)?.outputs.get(outpoint))
    }

    fn check_replacement(
        &self,
        transaction: &Transaction,
        fee: Amount,
        vsize: usize,
    ) -> Result<BTreeSet<Txid>, PolicyError> {
        let spent = transaction.input.iter().map(|input| input.previous_output);
        let direct: BTreeSet<Txid> = spent.filter_map(|outpoint| self.spender(&outpoint)).collect();
        let evicted: BTreeSet<Txid> = direct.iter().flat_map(|txid| self.with_descendants(*txid)).collect();
        let spends_evicted = transaction.input.iter().any(|i| evicted.contains(&i.previous_output.txid));
        if evicted.len() > MAX_EVICTED || spends_evicted {
            return Err(PolicyError::Replacement(evicted.len()));
        }
        if evicted.is_empty() {
            return Ok(evicted);
        }
        let replaced: Amount = evicted.iter().filter_map(|txid| self.entries.get(txid)).map(|e| e.fee).sum();
        let needed = replaced + relay_fee(vsize);
        let pays_better_rate = direct.iter().filter_map(|txid| self.entries.get(txid)).all(|entry| {
            u128::from(fee.to_sat()) * entry.vsize as u128 > u128::from(entry.fee.to_sat()) * vsize as u128
        });
        if fee < needed || !pays_better_rate {
            return Err(PolicyError::InsufficientReplacementFee { fee, needed });
        }
        Ok(evicted)
    }

    fn check_chain(&self, transaction: &Transaction, evicted: &BTreeSet<Txid>) -> Result<(), PolicyError> {
        let mut ancestors = BTreeSet::new();
        let mut queue: Vec<Txid> = transaction.input.iter().map(|i| i.previous_output.txid).collect();
        while let Some(txid) = queue.pop() {
            if let Some(entry) = self.entries.get(&txid).filter(|_| ancestors.insert(txid)) {
                queue.extend(entry.transaction.input.iter().map(|i| i.previous_output.txid));
            }
        }
        let full = |txid: &Txid| self.with_descendants(*txid).difference(evicted).count() >= MAX_CHAIN;
        if ancestors.len() >= MAX_CHAIN || ancestors.iter().any(full) {
            return Err(PolicyError::LongChain);
        }
        Ok(())
    }

    /// `txid` and everything that waits for it.
    fn with_descendants(&self, txid: Txid) -> BTreeSet<Txid> {
        let (mut found, mut queue) = (BTreeSet::new(), vec![txid]);
        while let Some(txid) = queue.pop() {
            if let Some(entry) = self.entries.get(&txid).filter(|_| found.insert(txid)) {
                queue.extend(outputs(&entry.transaction).filter_map(|(outpoint, _)| self.spender(&outpoint)));
            }
        }
        found
    }

    fn insert(&mut self, transaction: Transaction, fee: Amount, next_height: u32) {
        let txid = transaction.compute_txid();
        for input in &transaction.input {
            self.spenders.insert(input.previous_output, txid);
        }
        let coin =
            |output: &bitcoin::TxOut| Coin { output: output.clone(), height: next_height, coinbase: false };
        let outputs = outputs(&transaction)
            .filter(|(_, output)| !output.script_pubkey.is_op_return())
            .map(|(outpoint, output)| (outpoint, coin(output)))
            .collect();
        self.arrivals += 1;
        self.order.insert(self.arrivals, txid);
        let (vsize, arrival) = (transaction.vsize(), self.arrivals);
        self.entries.insert(txid, Entry { transaction, fee, vsize, outputs, arrival });
    }

    fn remove_all(&mut self, txids: &BTreeSet<Txid>) {
        for txid in txids {
            if let Some(entry) = self.entries.remove(txid) {
                self.order.remove(&entry.arrival);
                for input in &entry.transaction.input {
                    self.spenders.remove(&input.previous_output);
                }
            }
        }
    }

    /// Takes out what a block confirmed and what it made impossible, then what is too early at its new height.
    pub(crate) fn block_connected(
        &mut self,
        block: &[Transaction],
        coins: &Coins,
        inclusion: &Inclusion<'_>,
    ) {
        for transaction in block {
            self.remove_all(&BTreeSet::from([transaction.compute_txid()]));
            for input in &transaction.input {
                if let Some(conflict) = self.spender(&input.previous_output) {
                    self.remove_all(&self.with_descendants(conflict));
                }
            }
        }
        self.rebuild(Vec::new(), coins, inclusion);
    }

    /// After a block was taken off: brings back `returned` and keeps what is still valid.
    pub(crate) fn rebuild(&mut self, returned: Vec<Transaction>, coins: &Coins, inclusion: &Inclusion<'_>) {
        let waiting = self.iter().map(|entry| entry.transaction.clone());
        let all: Vec<_> = returned.into_iter().chain(waiting).collect();
        *self = Self { arrivals: self.arrivals, ..Self::default() };
        for transaction in all {
            let fee = check_spends(&transaction, |outpoint| self.coin(outpoint, coins), inclusion);
            let conflict = transaction.input.iter().any(|i| self.spender(&i.previous_output).is_some());
            if let (Ok(fee), false) = (fee, conflict) {
                self.insert(transaction, fee, inclusion.height);
            }
        }
    }
}

fn is_too_cheap(result: &Result<Txid, Refusal>) -> bool {
    matches!(result, Err(Refusal::Policy(PolicyError::MinRelayFee { .. })))
}

fn is_sorted(package: &[Transaction]) -> bool {
    let mut later: BTreeSet<Txid> = package.iter().map(Transaction::compute_txid).collect();
    later.len() == package.len()
        && package.iter().all(|transaction| {
            let parents_came = transaction.input.iter().all(|i| !later.contains(&i.previous_output.txid));
            later.remove(&transaction.compute_txid());
            parents_came
        })
}
