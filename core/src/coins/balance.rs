//! What the coins are worth, and where they came from.

use super::Coins;
use crate::chain::Confirmation;
use crate::types::{BlockHeight, UnixTime};
use bdk_wallet::WalletTx;
use bdk_wallet::chain::ChainPosition;
use bitcoin::{Amount, OutPoint, Transaction, Txid};

/// The on-chain balance, by how sure it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OnchainBalance {
    /// In a block: can be spent.
    pub spendable: Amount,
    /// Not in a block yet: paid to us by others, or change of our own transactions.
    pub incoming: Amount,
    /// Mined by us and not mature yet.
    pub immature: Amount,
    /// Set aside for a channel whose peer has not signed yet: no longer to be spent, and not gone either.
    pub set_aside: Amount,
}

/// A transaction of the owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnchainTransaction {
    /// Its id.
    pub txid: Txid,
    /// What it added to the wallet, or took, in satoshi.
    pub net_sat: i64,
    /// Its fee, if we paid it.
    pub fee: Option<Amount>,
    /// The height of its block; unset before.
    pub height: Option<BlockHeight>,
    /// When its block was made, or when it was first seen.
    pub time: UnixTime,
    /// The transactions of which it spends outputs that are not the wallet's, as those of a channel.
    pub spends: Vec<Txid>,
}

impl OnchainBalance {
    /// All of it.
    pub fn total(&self) -> Amount {
        self.spendable + self.incoming + self.immature + self.set_aside
    }
}

impl Coins {
    /// The balance.
    pub fn balance(&self) -> OnchainBalance {
        let balance = self.wallet.balance();
        // A coin that is set aside may wait for a block again, where one was undone.
        let (confirmed, waiting) = self.set_aside_by_confirmation();
        let incoming = balance.trusted_pending + balance.untrusted_pending;
        OnchainBalance {
            spendable: balance.confirmed.checked_sub(confirmed).unwrap_or(Amount::ZERO),
            incoming: incoming.checked_sub(waiting).unwrap_or(Amount::ZERO),
            immature: balance.immature,
            set_aside: confirmed + waiting,
        }
    }

    /// What is set aside, in blocks and not.
    fn set_aside_by_confirmation(&self) -> (Amount, Amount) {
        if self.wallet.list_locked_outpoints().next().is_none() {
            return (Amount::ZERO, Amount::ZERO);
        }
        let coins = self.wallet.list_unspent();
        let locked = coins.filter(|coin| self.wallet.is_outpoint_locked(coin.outpoint));
        locked.fold((Amount::ZERO, Amount::ZERO), |(confirmed, waiting), coin| {
            match coin.chain_position.is_confirmed() {
                true => (confirmed + coin.txout.value, waiting),
                false => (confirmed, waiting + coin.txout.value),
            }
        })
    }

    /// Every transaction that changed the wallet, in no particular order.
    pub fn transactions(&self) -> Vec<OnchainTransaction> {
        self.wallet.transactions().map(|found| self.describe(&found)).collect()
    }

    /// One of them.
    pub fn transaction(&self, txid: Txid) -> Option<OnchainTransaction> {
        // To tell which transactions count takes a look at all of them.
        self.wallet.tx_graph().get_tx(txid)?;
        self.wallet.get_tx(txid).map(|found| self.describe(&found))
    }

    /// Whether one of them spends this output: one that is or was in a block, or one that `is_certain`, for others may be
    /// invented.
    pub fn has_spend_of(&self, outpoint: OutPoint, is_certain: impl Fn(&Transaction) -> bool) -> bool {
        // To tell which transactions count takes a look at all of them.
        if self.wallet.tx_graph().outspends(outpoint).is_empty() {
            return false;
        }
        let spends = |tx: &Transaction| tx.input.iter().any(|input| input.previous_output == outpoint);
        let mut spends = self.wallet.transactions().filter(|found| spends(&found.tx_node.tx));
        spends.any(|found| !found.tx_node.anchors.is_empty() || is_certain(&found.tx_node.tx))
    }

    fn describe(&self, found: &WalletTx<'_>) -> OnchainTransaction {
        let tx = &found.tx_node.tx;
        let (sent, received) = self.wallet.sent_and_received(tx);
        let (height, time) = match found.chain_position {
            ChainPosition::Confirmed { anchor, .. } => {
                (Some(anchor.block_id.height), anchor.confirmation_time)
            }
            ChainPosition::Unconfirmed { first_seen, last_seen } => {
                (None, first_seen.or(last_seen).unwrap_or(0))
            }
        };
        OnchainTransaction {
            txid: found.tx_node.txid,
            net_sat: signed(received) - signed(sent),
            fee: (sent > Amount::ZERO).then(|| self.wallet.calculate_fee(tx).ok()).flatten(),
            height,
            time: UnixTime(time),
            spends: self.strange_inputs(tx).map(|outpoint| outpoint.txid).collect(),
        }
    }

    /// What a transaction spends besides coins of the wallet, which knows all of its own.
    pub(super) fn strange_inputs(&self, tx: &Transaction) -> impl Iterator<Item = OutPoint> {
        let known = self.wallet.tx_graph();
        let is_ours = move |outpoint: &OutPoint| {
            let output = known.get_txout(*outpoint);
            output.is_some_and(|output| self.wallet.is_mine(output.script_pubkey.clone()))
        };
        tx.input.iter().map(|input| input.previous_output).filter(move |outpoint| !is_ours(outpoint))
    }
}

/// An amount of the wallet is below the supply, which fits.
fn signed(amount: Amount) -> i64 {
    amount.to_signed().map_or(i64::MAX / 2, bitcoin::SignedAmount::to_sat)
}

/// A confirmation as `bdk` wants it.
pub(super) fn anchor(confirmation: &Confirmation) -> bdk_wallet::chain::ConfirmationBlockTime {
    bdk_wallet::chain::ConfirmationBlockTime {
        block_id: bdk_wallet::chain::BlockId { height: confirmation.height, hash: confirmation.block_hash },
        confirmation_time: confirmation.block_time.0,
    }
}
