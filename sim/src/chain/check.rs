//! What a full node checks before it takes a transaction: inputs, amounts, locks, scripts, and what it takes to relay.

use super::{Chain, Coin, MIN_RELAY_SAT_PER_KW, raw, standard};
use bitcoin::absolute::LockTime;
use bitcoin::blockdata::locktime::relative;
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, Transaction, Txid};
use bitcoinconsensus::{Utxo, VERIFY_ALL_PRE_TAPROOT, VERIFY_TAPROOT};
use std::collections::{BTreeMap, BTreeSet};

/// Why a transaction is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// It spends something that does not exist, or is spent in the chain.
    #[error("{txid} spends {outpoint}, which is missing or spent")]
    Missing {
        /// The transaction.
        txid: Txid,
        /// What it spends.
        outpoint: OutPoint,
    },
    /// It spends what a transaction of the mempool spends, and pays no more than that.
    #[error("{txid} conflicts with {other} and pays no higher fee")]
    Conflict {
        /// The transaction.
        txid: Txid,
        /// What is in the mempool.
        other: Txid,
    },
    /// It creates money.
    #[error("{txid} spends {spent} and pays {paid}")]
    Inflation {
        /// The transaction.
        txid: Txid,
        /// The sum of what it spends.
        spent: Amount,
        /// The sum of what it pays.
        paid: Amount,
    },
    /// Its `nLockTime` or a relative lock is not over, or a coinbase is too young.
    #[error("{txid} is locked: {what}")]
    Locked {
        /// The transaction.
        txid: Txid,
        /// Which lock.
        what: &'static str,
    },
    /// A script does not allow the spend.
    #[error("input {input} of {txid} is not allowed by the script of what it spends")]
    Script {
        /// The transaction.
        txid: Txid,
        /// Which input.
        input: usize,
    },
    /// Too little to be relayed.
    #[error("{fee} for {weight} weight units is below the relay fee")]
    Fee {
        /// The fee of the package.
        fee: Amount,
        /// Its weight.
        weight: u64,
    },
    /// An output too small to be relayed.
    #[error("output {vout} of {txid} is dust")]
    Dust {
        /// The transaction.
        txid: Txid,
        /// Which output.
        vout: usize,
    },
    /// Consensus allows it, and no node relays it.
    #[error("{what} of {txid} is not relayed")]
    NotStandard {
        /// The transaction.
        txid: Txid,
        /// What of it.
        what: &'static str,
    },
}

impl Rejected {
    /// Whether no full node ever takes it, whatever else is in its chain and its mempool.
    pub const fn is_for_ever(&self) -> bool {
        matches!(
            self,
            Self::Script { .. } | Self::Inflation { .. } | Self::Dust { .. } | Self::NotStandard { .. }
        )
    }
}

/// The mempool with these transactions in it.
pub(super) fn package(chain: &Chain, package: &[Transaction]) -> Result<Vec<Transaction>, Rejected> {
    let mut mempool = chain.mempool.clone();
    let (mut fees, mut weight) = (Amount::ZERO, 0);
    for tx in package {
        let (fee, left) = enter(chain, mempool, tx)?;
        mempool = left;
        mempool.push(tx.clone());
        fees += fee;
        weight += tx.weight().to_wu();
    }
    if fees.to_sat() * 1000 < weight * chain.min_relay_sat_per_kw {
        return Err(Rejected::Fee { fee: fees, weight });
    }
    Ok(mempool)
}

/// The fee of a transaction, and the mempool without what it replaces.
fn enter(
    chain: &Chain,
    mempool: Vec<Transaction>,
    tx: &Transaction,
) -> Result<(Amount, Vec<Transaction>), Rejected> {
    let replaced = conflicts(&mempool, tx);
    let kept: Vec<Transaction> =
        mempool.iter().filter(|tx| !replaced.contains(&tx.compute_txid())).cloned().collect();
    let coins = Available::new(chain, &kept);
    let spent = spent_by(tx, &coins)?;
    locks(chain, tx, &spent)?;
    let fee = fee(tx, &spent)?;
    replaces(chain, &mempool, &replaced, tx, fee)?;
    standard::check(tx, &spent)?;
    scripts(tx, &spent)?;
    Ok((fee, kept))
}

/// BIP 125: a replacement pays a higher rate than each, and more than all it replaces together, by what its own relay costs.
fn replaces(
    chain: &Chain,
    mempool: &[Transaction],
    replaced: &BTreeSet<Txid>,
    tx: &Transaction,
    fee: Amount,
) -> Result<(), Rejected> {
    let all = Available::new(chain, mempool);
    let mut least = tx.weight().to_wu() * MIN_RELAY_SAT_PER_KW / 1_000;
    for other in mempool.iter().filter(|tx| replaced.contains(&tx.compute_txid())) {
        let paid = spent_by(other, &all).and_then(|spent| self::fee(other, &spent))?;
        least += paid.to_sat();
        let is_higher = fee.to_sat() * other.weight().to_wu() > paid.to_sat() * tx.weight().to_wu();
        if fee.to_sat() < least || !is_higher {
            return Err(Rejected::Conflict { txid: tx.compute_txid(), other: other.compute_txid() });
        }
    }
    Ok(())
}

/// What spends the same, and what builds on it.
fn conflicts(mempool: &[Transaction], tx: &Transaction) -> BTreeSet<Txid> {
    let spent: BTreeSet<OutPoint> = tx.input.iter().map(|input| input.previous_output).collect();
    let mut gone = BTreeSet::new();
    for other in mempool {
        let conflict = other.input.iter().any(|input| {
            spent.contains(&input.previous_output) || gone.contains(&input.previous_output.txid)
        });
        if conflict {
            gone.insert(other.compute_txid());
        }
    }
    gone
}

/// What can be spent: the coins of the chain, and what transactions pay that wait for the next block.
struct Available<'a> {
    chain: &'a Chain,
    waiting: BTreeMap<OutPoint, Coin>,
}

impl<'a> Available<'a> {
    fn new(chain: &'a Chain, mempool: &[Transaction]) -> Self {
        let coin = |output| Coin { output, height: chain.height() + 1, is_coinbase: false };
        let outputs = mempool.iter().flat_map(super::outputs_of);
        Self { chain, waiting: outputs.map(|(outpoint, output)| (outpoint, coin(output))).collect() }
    }

    fn get(&self, outpoint: &OutPoint) -> Option<&Coin> {
        self.waiting.get(outpoint).or_else(|| self.chain.coins.get(outpoint))
    }
}

fn spent_by(tx: &Transaction, coins: &Available<'_>) -> Result<Vec<Coin>, Rejected> {
    let txid = tx.compute_txid();
    let find = |outpoint: OutPoint| coins.get(&outpoint).cloned().ok_or(Rejected::Missing { txid, outpoint });
    tx.input.iter().map(|input| find(input.previous_output)).collect()
}

fn fee(tx: &Transaction, spent: &[Coin]) -> Result<Amount, Rejected> {
    let spent: Amount = spent.iter().map(|coin| coin.output.value).sum();
    let paid: Amount = tx.output.iter().map(|output| output.value).sum();
    spent.checked_sub(paid).ok_or(Rejected::Inflation { txid: tx.compute_txid(), spent, paid })
}

/// `nLockTime`, BIP 68 and the age of coinbases, for the next block.
fn locks(chain: &Chain, tx: &Transaction, spent: &[Coin]) -> Result<(), Rejected> {
    let locked = |what| Err(Rejected::Locked { txid: tx.compute_txid(), what });
    let next = chain.height() + 1;
    let absolute_is_over = match tx.lock_time {
        LockTime::Blocks(height) => height.to_consensus_u32() < next,
        LockTime::Seconds(time) => u64::from(time.to_consensus_u32()) < chain.now().0,
    };
    if tx.is_lock_time_enabled() && !absolute_is_over {
        return locked("nLockTime");
    }
    for (input, coin) in tx.input.iter().zip(spent) {
        if coin.is_coinbase && next < coin.height + 100 {
            return locked("the coinbase is too young");
        }
        let relative = input.sequence.to_relative_lock_time().filter(|_| tx.version >= Version::TWO);
        match relative {
            Some(relative::LockTime::Blocks(blocks)) if next < coin.height + u32::from(blocks.value()) => {
                return locked("nSequence");
            }
            Some(relative::LockTime::Time(time)) if time.value() > 0 => {
                return locked("nSequence in seconds");
            }
            _ => {}
        }
    }
    Ok(())
}

fn scripts(tx: &Transaction, spent: &[Coin]) -> Result<(), Rejected> {
    let bytes = raw(tx);
    let utxos: Vec<Utxo> = spent
        .iter()
        .map(|coin| Utxo {
            script_pubkey: coin.output.script_pubkey.as_bytes().as_ptr(),
            script_pubkey_len: u32::try_from(coin.output.script_pubkey.len()).unwrap_or(u32::MAX),
            value: i64::try_from(coin.output.value.to_sat()).unwrap_or(i64::MAX),
        })
        .collect();
    for (input, coin) in spent.iter().enumerate() {
        let (script, amount) = (coin.output.script_pubkey.as_bytes(), coin.output.value.to_sat());
        let flags = VERIFY_ALL_PRE_TAPROOT | VERIFY_TAPROOT;
        bitcoinconsensus::verify_with_flags(script, amount, &bytes, Some(&utxos), input, flags)
            .map_err(|_| Rejected::Script { txid: tx.compute_txid(), input })?;
    }
    Ok(())
}
