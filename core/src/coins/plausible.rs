//! What a server says is on its way into a block, and nothing proves: it may be invented, and must do no harm then.

use super::Coins;
use crate::crypto::ec;
use bitcoin::ecdsa::Signature;
use bitcoin::hashes::Hash;
use bitcoin::sighash::SighashCache;
use bitcoin::{Amount, CompressedPublicKey, EcdsaSighashType, ScriptBuf, Transaction, TxOut, Weight};

/// So many transactions in no block are kept, with those that came to nothing: none is ever forgotten. A payment beyond
/// that counts once it is in a block.
const MAX_UNCONFIRMED: usize = 1_000;

/// Larger ones are not relayed.
const MAX_WEIGHT: Weight = Weight::from_wu(400_000);

/// What may still be believed without a proof.
pub(super) struct Room {
    transactions: usize,
    amount: Amount,
}

impl Room {
    /// Takes a transaction, if it fits.
    pub(super) fn take(&mut self, tx: &Transaction) -> bool {
        let paid = tx.output.iter().try_fold(Amount::ZERO, |sum, output| sum.checked_add(output.value));
        let left = paid.and_then(|paid| self.amount.checked_sub(paid));
        match (left, self.transactions.checked_sub(1)) {
            (Some(amount), Some(transactions)) if tx.weight() <= MAX_WEIGHT => {
                *self = Self { transactions, amount };
                true
            }
            _ => false,
        }
    }
}

impl Coins {
    /// All that is owned is below the supply.
    pub(super) fn room_for_inventions(&self) -> Room {
        let graph = self.wallet.tx_graph();
        let confirmed = graph.full_txs().filter(|found| !found.anchors.is_empty()).count();
        let unconfirmed = graph.full_txs().count().saturating_sub(confirmed);
        Room {
            transactions: MAX_UNCONFIRMED.saturating_sub(unconfirmed),
            amount: Amount::MAX_MONEY.checked_sub(self.balance().total()).unwrap_or(Amount::ZERO),
        }
    }

    /// Whether every coin of ours that it spends is spent by our signature. Anybody can name our coins as inputs, and who
    /// believes it takes them for gone.
    pub(super) fn is_signed(&self, tx: &Transaction) -> bool {
        let spent = tx.input.iter().map(|input| self.wallet.tx_graph().get_txout(input.previous_output));
        spent.enumerate().all(|(index, spent)| {
            let ours = spent.filter(|spent| self.wallet.is_mine(spent.script_pubkey.clone()));
            ours.is_none_or(|spent| is_input_signed(tx, index, spent).unwrap_or(false))
        })
    }
}

/// Unset where the witness is not that of a P2WPKH output.
fn is_input_signed(tx: &Transaction, index: usize, spent: &TxOut) -> Option<bool> {
    let witness = tx.input.get(index)?.witness.to_vec();
    let [signature, key] = witness.as_slice() else { return None };
    let signature = Signature::from_slice(signature).ok()?;
    let key = CompressedPublicKey::from_slice(key).ok()?;
    if ScriptBuf::new_p2wpkh(&key.wpubkey_hash()) != spent.script_pubkey {
        return Some(false);
    }
    let digest = SighashCache::new(tx)
        .p2wpkh_signature_hash(index, &spent.script_pubkey, spent.value, EcdsaSighashType::All)
        .ok()?;
    let is_whole = signature.sighash_type == EcdsaSighashType::All;
    Some(is_whole && ec::verify_ecdsa(&digest.to_byte_array(), &signature.signature, &key.0).is_ok())
}
