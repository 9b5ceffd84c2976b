//! Transactions that spend coins.

use super::cost::{SELECTION, fee_rate};
use super::{Coins, CoinsError};
use crate::crypto::{NodeKeys, ec};
use crate::types::{FeeratePerKw, UnixTime};
use bdk_wallet::coin_selection::LargestFirstCoinSelection;
use bdk_wallet::error::CreateTxError;
use bdk_wallet::{SignOptions, TxBuilder, TxOrdering};
use bitcoin::key::rand::SeedableRng;
use bitcoin::key::rand::rngs::StdRng;
use bitcoin::psbt::Psbt;
use bitcoin::{Amount, OutPoint, PrivateKey, PublicKey, ScriptBuf, Transaction, TxOut};
use std::collections::BTreeMap;

/// How a transaction is to be made.
#[derive(Clone, Copy, Debug)]
pub struct Spending {
    /// What it pays to miners.
    pub fee: Fee,
    /// What must stay in the wallet.
    pub kept: Amount,
    /// For the order of outputs. Need not be secret.
    pub randomness: [u8; 32],
}

/// What a transaction pays to miners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fee {
    /// As much as its weight asks for.
    Rate(FeeratePerKw),
    /// What the owner agreed to, and not a satoshi more.
    Exact(Amount),
}

impl Coins {
    /// A signed transaction that pays `amount` to the script of a new channel. Its coins are set aside until
    /// [`Coins::apply_own`] or [`Coins::release`].
    ///
    /// # Errors
    /// What is missing.
    pub fn fund(
        &mut self,
        keys: &NodeKeys,
        script_pubkey: ScriptBuf,
        amount: Amount,
        spending: Spending,
    ) -> Result<Transaction, CoinsError> {
        let tx = self.build(keys, script_pubkey, Some(amount), spending)?;
        for input in &tx.input {
            self.wallet.lock_outpoint(input.previous_output);
        }
        Ok(tx)
    }

    /// A signed transaction that pays `amount`, or everything above what is kept. It counts as spent from now on.
    ///
    /// # Errors
    /// What is missing.
    pub fn send(
        &mut self,
        keys: &NodeKeys,
        script_pubkey: ScriptBuf,
        amount: Option<Amount>,
        spending: Spending,
        now: UnixTime,
    ) -> Result<Transaction, CoinsError> {
        let tx = self.build(keys, script_pubkey, amount, spending)?;
        self.apply_own(tx.clone(), now);
        Ok(tx)
    }

    /// Gives the coins of a transaction that will never be published back.
    pub fn release(&mut self, coins: impl IntoIterator<Item = OutPoint>) {
        for outpoint in coins {
            self.wallet.unlock_outpoint(outpoint);
        }
    }

    /// The coins that are set aside for a funding in progress.
    pub fn set_aside(&self) -> Vec<OutPoint> {
        self.wallet.list_locked_outpoints().collect()
    }

    fn build(
        &mut self,
        keys: &NodeKeys,
        script_pubkey: ScriptBuf,
        amount: Option<Amount>,
        spending: Spending,
    ) -> Result<Transaction, CoinsError> {
        let Spending { fee: agreed, kept, .. } = spending;
        let minimum = script_pubkey.minimal_non_dust();
        if let Some(amount) = amount.filter(|amount| *amount < minimum) {
            return Err(CoinsError::Dust { amount, minimum });
        }
        let available = self.balance().spendable;
        let mut psbt = match amount {
            Some(amount) => self.pay(&script_pubkey, amount, spending)?,
            None => self.pay_out(&script_pubkey, spending)?,
        };
        let fee = psbt.fee().map_err(|error| CoinsError::Build { detail: error.to_string() })?;
        if let Some(amount) = amount {
            let needed = amount + fee + kept;
            if needed > available {
                return Err(CoinsError::Insufficient { needed, available, kept });
            }
        }
        let build = |detail: String| CoinsError::Build { detail };
        psbt.sign(&secrets(keys, &psbt)?, ec::secp()).map_err(|(_, errors)| build(format!("{errors:?}")))?;
        let finalized = self
            .wallet
            .finalize_psbt(&mut psbt, SignOptions::default())
            .map_err(|error| build(error.to_string()))?;
        if !finalized {
            return Err(build("a coin could not be signed for".into()));
        }
        let tx = psbt.extract_tx().map_err(|error| build(error.to_string()))?;
        check_fee(agreed, fee, &tx)?;
        Ok(tx)
    }

    fn pay(&mut self, to: &ScriptBuf, amount: Amount, spending: Spending) -> Result<Psbt, CoinsError> {
        let few = self.draft(spending, |builder| {
            builder.add_recipient(to.clone(), amount);
        })?;
        let tx = &few.unsigned_tx;
        let spent = tx.input.iter().map(|input| input.previous_output).collect();
        let ours = |output: &&TxOut| self.wallet.is_mine(output.script_pubkey.clone());
        let change: Vec<&TxOut> = tx.output.iter().filter(ours).collect();
        if self.keeps(spending.kept, spent, change.iter().map(|output| output.value).sum()) {
            return Ok(few);
        }
        let unused = change.iter().filter_map(|it| self.wallet.derivation_of_spk(it.script_pubkey.clone()));
        for (keychain, index) in unused.collect::<Vec<_>>() {
            self.wallet.unmark_used(keychain, index);
        }
        self.draft(spending, |builder| {
            builder.drain_wallet().add_recipient(to.clone(), amount);
        })
    }

    fn pay_out(&mut self, to: &ScriptBuf, spending: Spending) -> Result<Psbt, CoinsError> {
        let change = (spending.kept > Amount::ZERO).then(|| self.new_inner_script());
        self.draft(spending, |builder| {
            builder.drain_wallet().drain_to(to.clone());
            if let Some(change) = change {
                builder.add_recipient(change, spending.kept);
            }
        })
    }

    fn draft(
        &mut self,
        spending: Spending,
        pays: impl FnOnce(&mut TxBuilder<'_, LargestFirstCoinSelection>),
    ) -> Result<Psbt, CoinsError> {
        let Spending { fee, kept, randomness } = spending;
        let mut builder = self.wallet.build_tx().coin_selection(SELECTION);
        builder.ordering(TxOrdering::Shuffle).exclude_unconfirmed();
        match fee {
            Fee::Rate(feerate) => builder.fee_rate(fee_rate(feerate)),
            Fee::Exact(fee) => builder.fee_absolute(fee),
        };
        pays(&mut builder);
        let mut rng = StdRng::from_seed(randomness);
        builder.finish_with_aux_rand(&mut rng).map_err(|error| match error {
            CreateTxError::CoinSelection(missing) => {
                CoinsError::Insufficient { needed: missing.needed, available: missing.available, kept }
            }
            other => CoinsError::Build { detail: other.to_string() },
        })
    }
}

/// Where the coins are others than those that were reckoned with, the fee that was agreed to may not be enough, or not all.
fn check_fee(agreed: Fee, fee: Amount, tx: &Transaction) -> Result<(), CoinsError> {
    let Fee::Exact(limit) = agreed else { return Ok(()) };
    let cheapest = FeeratePerKw::FLOOR.fee(tx.weight().to_wu()).max(fee);
    if cheapest > limit { Err(CoinsError::FeeTooHigh { cheapest, limit }) } else { Ok(()) }
}

/// The keys of the coins that a transaction spends, by the branch and index of their addresses.
fn secrets(keys: &NodeKeys, psbt: &Psbt) -> Result<BTreeMap<PublicKey, PrivateKey>, CoinsError> {
    let build = |detail: &str| CoinsError::Build { detail: detail.into() };
    let mut secrets = BTreeMap::new();
    for (public_key, (_, path)) in psbt.inputs.iter().flat_map(|input| &input.bip32_derivation) {
        let [.., branch, index] = path.as_ref() else { return Err(build("a coin without a path")) };
        let key = keys
            .onchain_xpriv()
            .derive_priv(ec::secp(), &[*branch, *index])
            .map_err(|_| build("a coin with a path that gives no key"))?;
        secrets.insert(PublicKey::new(*public_key), key.to_priv());
    }
    Ok(secrets)
}
