//! What a transaction will cost, before it is made.

use super::{Coins, CoinsError};
use crate::onchain::draft::COIN_INPUT_WEIGHT;
use crate::types::FeeratePerKw;
use bdk_wallet::coin_selection::{
    CoinSelectionAlgorithm, CoinSelectionResult, Excess, InsufficientFunds, LargestFirstCoinSelection,
};
use bdk_wallet::{KeychainKind, Utxo, WeightedUtxo};
use bitcoin::absolute::LockTime;
use bitcoin::key::rand::SeedableRng;
use bitcoin::key::rand::rngs::StdRng;
use bitcoin::transaction::Version;
use bitcoin::{Amount, FeeRate, OutPoint, Script, Transaction, TxOut, Weight};
use std::collections::BTreeSet;

/// Without chance, so that what is told before is what is paid (docs/adr/0028).
pub(super) const SELECTION: LargestFirstCoinSelection = LargestFirstCoinSelection;

/// At this rate (25 sat/vB) coins count that are kept for closing channels.
const HURRIED: FeeratePerKw = FeeratePerKw::from_sat_per_kw(6_250);

impl Coins {
    /// What a transaction that pays so much to this script pays to miners, with the coins as they are.
    ///
    /// # Errors
    /// [`CoinsError::Insufficient`]: so much is needed and so much is there, besides what is `kept`.
    pub fn cost(
        &self,
        script_pubkey: &Script,
        amount: Amount,
        feerate: FeeratePerKw,
        kept: Amount,
    ) -> Result<Amount, CoinsError> {
        let payment = cost_of_payment(script_pubkey, feerate);
        let available = self.balance().spendable.checked_sub(kept).unwrap_or(Amount::ZERO);
        let missing = |needed: Amount| CoinsError::Insufficient { needed, available, kept };
        let (all, target) = (self.weighted()?, amount + payment);
        let few = self.select(&[], &all, target, feerate);
        let selected = match few {
            Ok(few) if !self.keeps(kept, selected_outpoints(&few), change_of(&few)) => {
                self.select(&all, &[], target, feerate)
            }
            few => few,
        };
        let selected = selected.map_err(|InsufficientFunds { needed, .. }| missing(needed))?;
        let rest = match selected.excess {
            Excess::Change { fee, .. } => fee,
            // Too little for an output.
            Excess::NoChange { remaining_amount, .. } => remaining_amount,
        };
        let fee = payment + selected.fee_amount + rest;
        if amount + fee > available { Err(missing(amount + fee)) } else { Ok(fee) }
    }

    /// The most that a transaction can pay to this script while so much is `kept`.
    ///
    /// # Errors
    /// [`CoinsError::Build`], which does not happen.
    pub fn most_payable(
        &self,
        script_pubkey: &Script,
        feerate: FeeratePerKw,
        kept: Amount,
    ) -> Result<Amount, CoinsError> {
        let payment = cost_of_payment(script_pubkey, feerate);
        let Ok(all) = self.select(&self.weighted()?, &[], payment, feerate) else { return Ok(Amount::ZERO) };
        let (left, change) = match all.excess {
            Excess::Change { amount, fee } => (amount + fee, fee),
            Excess::NoChange { remaining_amount, change_fee, .. } => (remaining_amount, change_fee),
        };
        let kept = if kept > Amount::ZERO { kept + change } else { kept };
        Ok(left.checked_sub(kept).unwrap_or(Amount::ZERO))
    }

    /// Whether what is left, with this change, is worth what is to be kept. A coin counts by what remains of it when it is
    /// spent in a hurry, or strangers' dust could take the place of the only coin that pays for a close. Where it is not, a
    /// payment takes all coins, and what is kept is one.
    pub(super) fn keeps(&self, kept: Amount, spent: BTreeSet<OutPoint>, change: Amount) -> bool {
        let to_spend_one = HURRIED.fee(COIN_INPUT_WEIGHT);
        let left = self.free_outputs().filter(|coin| !spent.contains(&coin.outpoint));
        let left = left.map(|coin| coin.txout.value).chain([change]);
        let worth: Amount = left.filter_map(|value| value.checked_sub(to_spend_one)).sum();
        worth + to_spend_one >= kept || kept == Amount::ZERO
    }

    fn select(
        &self,
        required: &[WeightedUtxo],
        optional: &[WeightedUtxo],
        target: Amount,
        feerate: FeeratePerKw,
    ) -> Result<CoinSelectionResult, InsufficientFunds> {
        // All outputs of change have the same size.
        let change = self.wallet.peek_address(KeychainKind::Internal, 0).script_pubkey();
        let mut unused = StdRng::from_seed([0; 32]);
        SELECTION.coin_select(
            required.to_vec(),
            optional.to_vec(),
            fee_rate(feerate),
            target,
            &change,
            &mut unused,
        )
    }

    fn weighted(&self) -> Result<Vec<WeightedUtxo>, CoinsError> {
        let descriptor = self.wallet.public_descriptor(KeychainKind::External);
        let satisfaction_weight: Weight = descriptor
            .max_weight_to_satisfy()
            .map_err(|error| CoinsError::Build { detail: error.to_string() })?;
        let weighted = |coin| WeightedUtxo { satisfaction_weight, utxo: Utxo::Local(coin) };
        Ok(self.free_outputs().map(weighted).collect())
    }
}

fn selected_outpoints(selected: &CoinSelectionResult) -> BTreeSet<OutPoint> {
    selected.selected.iter().map(Utxo::outpoint).collect()
}

fn change_of(selected: &CoinSelectionResult) -> Amount {
    match selected.excess {
        Excess::Change { amount, .. } => amount,
        Excess::NoChange { .. } => Amount::ZERO,
    }
}

pub(super) fn fee_rate(feerate: FeeratePerKw) -> FeeRate {
    FeeRate::from_sat_per_kwu(u64::from(feerate.to_sat_per_kw()))
}

/// The share of a transaction without inputs and change.
fn cost_of_payment(script_pubkey: &Script, feerate: FeeratePerKw) -> Amount {
    let output = TxOut { value: Amount::ZERO, script_pubkey: script_pubkey.to_owned() };
    let tx =
        Transaction { version: Version::TWO, lock_time: LockTime::ZERO, input: vec![], output: vec![output] };
    fee_rate(feerate) * tx.weight()
}
