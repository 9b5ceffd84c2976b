//! Transactions that spend coins.

use super::cost::{SELECTION, fee_rate};
use super::{Coins, CoinsError};
use crate::crypto::{NodeKeys, ec};
use crate::types::{FeeratePerKw, UnixTime};
use bdk_wallet::error::CreateTxError;
use bdk_wallet::{SignOptions, TxOrdering};
use bitcoin::key::rand::SeedableRng;
use bitcoin::key::rand::rngs::StdRng;
use bitcoin::psbt::Psbt;
use bitcoin::{Amount, OutPoint, PrivateKey, PublicKey, ScriptBuf, Transaction};
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
        let Spending { fee: agreed, kept, randomness } = spending;
        let minimum = script_pubkey.minimal_non_dust();
        if let Some(amount) = amount.filter(|amount| *amount < minimum) {
            return Err(CoinsError::Dust { amount, minimum });
        }
        let available = self.balance().spendable;
        let change = (amount.is_none() && kept > Amount::ZERO).then(|| self.new_inner_script());
        let mut builder = self.wallet.build_tx().coin_selection(SELECTION);
        builder.ordering(TxOrdering::Shuffle).exclude_unconfirmed();
        match agreed {
            Fee::Rate(feerate) => builder.fee_rate(fee_rate(feerate)),
            Fee::Exact(fee) => builder.fee_absolute(fee),
        };
        match (amount, change) {
            (Some(amount), _) => builder.add_recipient(script_pubkey, amount),
            (None, Some(change)) => {
                builder.drain_wallet().add_recipient(change, kept).drain_to(script_pubkey)
            }
            (None, None) => builder.drain_wallet().drain_to(script_pubkey),
        };
        let mut rng = StdRng::from_seed(randomness);
        let mut psbt = builder.finish_with_aux_rand(&mut rng).map_err(|error| match error {
            CreateTxError::CoinSelection(missing) => {
                CoinsError::Insufficient { needed: missing.needed, available: missing.available, kept }
            }
            other => CoinsError::Build { detail: other.to_string() },
        })?;
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
