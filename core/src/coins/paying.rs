//! Coins that pay for what happens to channels: confirmed ones, so that nothing hangs on a transaction of somebody else
//! (BIP 125, rule 2; BOLT 5). Where none is left, change of our own that is on its way to a block.

use super::{Coins, CoinsError};
use crate::crypto::{NodeKeys, ec};
use crate::onchain::Coin;
use bdk_wallet::{KeychainKind, LocalOutput};
use bitcoin::bip32::ChildNumber;
use bitcoin::hashes::Hash;
use bitcoin::sighash::SighashCache;
use bitcoin::{Amount, EcdsaSighashType, OutPoint, Transaction, Witness};

/// A coin that is in no block yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// It.
    pub coin: Coin,
    /// The transaction that it comes with.
    pub tx: Transaction,
    /// What that pays.
    pub fee: Amount,
}

impl Coins {
    /// The confirmed coins that nothing is using.
    pub fn free_coins(&self) -> Vec<Coin> {
        self.free_outputs().map(coin).collect()
    }

    /// Those of these coins that are not spent, whether they are set aside or not.
    pub fn still_there(&self, outpoints: &[OutPoint]) -> Vec<Coin> {
        let asked = |output: &LocalOutput| outpoints.contains(&output.outpoint);
        let change = self.change_outputs().map(|(output, _)| output);
        self.confirmed_outputs().chain(change).filter(asked).map(coin).collect()
    }

    /// The largest coin that nothing is using and that comes with a transaction of our own, in no block yet.
    pub fn largest_change(&self) -> Option<Change> {
        let is_free = |output: &LocalOutput| !self.wallet.is_outpoint_locked(output.outpoint);
        let free = self.change_outputs().filter(|(output, _)| is_free(output));
        let (output, tx) = free.max_by_key(|(output, _)| output.txout.value)?;
        let fee = self.wallet.calculate_fee(&tx).ok()?;
        Some(Change { coin: coin(output), tx, fee })
    }

    /// Sets coins aside for a transaction that was made and is in no block yet.
    pub fn keep_aside(&mut self, coins: impl IntoIterator<Item = OutPoint>) {
        coins.into_iter().for_each(|outpoint| self.wallet.lock_outpoint(outpoint));
    }

    /// The witness that spends a coin.
    ///
    /// # Errors
    /// [`CoinsError::Build`]: it is not a coin of this wallet.
    pub fn sign_coin(
        &self,
        keys: &NodeKeys,
        tx: &Transaction,
        input_index: usize,
        coin: &Coin,
    ) -> Result<Witness, CoinsError> {
        let build = |detail: &str| CoinsError::Build { detail: detail.into() };
        let script = &coin.output.script_pubkey;
        let (keychain, index) =
            self.wallet.derivation_of_spk(script.clone()).ok_or_else(|| build("a coin without a path"))?;
        let branch = match keychain {
            KeychainKind::External => 0,
            KeychainKind::Internal => 1,
        };
        let path = [ChildNumber::Normal { index: branch }, ChildNumber::Normal { index }];
        let key = keys.onchain_xpriv().derive_priv(ec::secp(), &path);
        let key = key.map_err(|_| build("a coin with a path that gives no key"))?.private_key;
        let sighash_type = EcdsaSighashType::All;
        let digest = SighashCache::new(tx)
            .p2wpkh_signature_hash(input_index, script, coin.output.value, sighash_type)
            .map_err(|_| build("a coin that cannot be signed for"))?;
        let signature = ec::sign_ecdsa(&digest.to_byte_array(), &key);
        let signature = bitcoin::ecdsa::Signature { signature, sighash_type };
        Ok(Witness::p2wpkh(&signature, &ec::public_key(&key)))
    }

    /// The confirmed outputs that nothing is using.
    pub(super) fn free_outputs(&self) -> impl Iterator<Item = LocalOutput> + '_ {
        self.confirmed_outputs().filter(|output| !self.wallet.is_outpoint_locked(output.outpoint))
    }

    /// What comes back to the wallet from transactions that it made of confirmed coins alone, with these.
    fn change_outputs(&self) -> impl Iterator<Item = (LocalOutput, Transaction)> + '_ {
        let is_confirmed = |outpoint: &OutPoint| {
            self.wallet.get_tx(outpoint.txid).is_some_and(|found| found.chain_position.is_confirmed())
        };
        let waiting = self.wallet.list_unspent().filter(|output| !output.chain_position.is_confirmed());
        waiting.filter_map(move |output| {
            let tx = self.wallet.get_tx(output.outpoint.txid)?.tx_node.tx.as_ref().clone();
            let mut inputs = tx.input.iter().map(|input| input.previous_output);
            let is_own = self.strange_inputs(&tx).next().is_none() && inputs.all(|it| is_confirmed(&it));
            is_own.then_some((output, tx))
        })
    }

    fn confirmed_outputs(&self) -> impl Iterator<Item = LocalOutput> + '_ {
        let tip = self.wallet.latest_checkpoint().height();
        let is_mature = move |outpoint: OutPoint, height: u32| {
            let is_coinbase =
                self.wallet.get_tx(outpoint.txid).is_some_and(|found| found.tx_node.tx.is_coinbase());
            !is_coinbase || tip + 1 >= height + bitcoin::constants::COINBASE_MATURITY
        };
        self.wallet.list_unspent().filter(move |output| {
            let height = output.chain_position.confirmation_height_upper_bound();
            height.is_some_and(|height| is_mature(output.outpoint, height))
        })
    }
}

fn coin(output: LocalOutput) -> Coin {
    Coin { outpoint: output.outpoint, output: output.txout }
}
