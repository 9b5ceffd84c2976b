//! Facts about our scripts, brought into the wallet after they were checked.

use super::{Coins, CoinsError, balance::anchor};
use crate::chain::{Confirmation, HeaderChain};
use crate::types::UnixTime;
use bdk_wallet::Update;
use bdk_wallet::chain::{BlockId, CheckPoint, TxUpdate};
use bitcoin::{Amount, Script, Transaction, Txid};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Coins {
    /// Takes all transactions of one of our scripts. The confirmations were checked against `chain`.
    ///
    /// # Errors
    /// [`CoinsError::Damaged`] if the wallet's blocks and `chain` share none, which the checkpoint rules out.
    pub fn apply_history(
        &mut self,
        script_pubkey: &Script,
        transactions: &[(Transaction, Option<Confirmation>)],
        chain: &HeaderChain,
        now: UnixTime,
    ) -> Result<(), CoinsError> {
        let mut update = TxUpdate::default();
        let mut present = BTreeSet::new();
        let mut room = None;
        for (tx, confirmation) in transactions {
            let txid = tx.compute_txid();
            match self.wallet.tx_graph().get_tx(txid) {
                // Its witness is in no proof either: what a server says of it does not take the place of our own.
                Some(known) if confirmation.is_none() && !self.is_signed(&known) => continue,
                Some(_) => {}
                None if confirmation.is_none()
                    && !(self.is_signed(tx)
                        && room.get_or_insert_with(|| self.room_for_inventions()).take(tx)) =>
                {
                    continue;
                }
                None => update.txs.push(Arc::new(tx.clone())),
            }
            present.insert(txid);
            match confirmation {
                Some(confirmation) => {
                    update.anchors.insert((anchor(confirmation), txid));
                }
                None => {
                    update.seen_ats.insert((txid, self.seen_at(txid, now)));
                }
            }
        }
        for txid in self.vanished(script_pubkey, &present) {
            update.evicted_ats.insert((txid, now.0));
        }
        let heights =
            transactions.iter().filter_map(|(_, confirmation)| confirmation.map(|found| found.height));
        let update =
            Update { tx_update: update, chain: Some(self.checkpoint(chain, heights)), ..Update::default() };
        self.apply(update)?;
        let mut evicted = TxUpdate::default();
        evicted.evicted_ats.extend(self.invented(now));
        self.apply(Update { tx_update: evicted, ..Update::default() })
    }

    /// Unconfirmed spends of coins that were not known to be ours when they came, and that we did not sign, each with a
    /// time from which on it does not count.
    fn invented(&self, now: UnixTime) -> Vec<(Txid, u64)> {
        self.wallet
            .transactions()
            .filter(|found| !found.chain_position.is_confirmed() && !self.is_signed(&found.tx_node.tx))
            .map(|found| (found.tx_node.txid, found.tx_node.last_seen.unwrap_or(0).max(now.0)))
            .collect()
    }

    fn apply(&mut self, update: Update) -> Result<(), CoinsError> {
        self.wallet.apply_update(update).map_err(|error| CoinsError::Damaged { detail: error.to_string() })
    }

    /// Moves the wallet to the tip of `chain`, reorganisations included.
    ///
    /// # Errors
    /// As [`Coins::apply_history`].
    pub fn apply_tip(&mut self, chain: &HeaderChain) -> Result<(), CoinsError> {
        self.apply(Update { chain: Some(self.checkpoint(chain, [])), ..Update::default() })
    }

    /// Adds a transaction of our own as soon as it is made, so that its coins are not spent twice.
    pub fn apply_own(&mut self, tx: Transaction, now: UnixTime) {
        self.wallet.apply_unconfirmed_txs([(tx, now.0)]);
    }

    /// Transactions of our own that are in no block yet, to be published again.
    pub fn unconfirmed_own(&self) -> Vec<Transaction> {
        self.wallet
            .transactions()
            .filter(|found| !found.chain_position.is_confirmed())
            .filter(|found| self.wallet.sent_and_received(&found.tx_node.tx).0 > Amount::ZERO)
            .map(|found| found.tx_node.tx.as_ref().clone())
            .collect()
    }

    /// When a transaction is seen that is in no block. It counts only if that is later than when it was missing last,
    /// whatever a clock says that stands still or was set back.
    fn seen_at(&self, txid: Txid, now: UnixTime) -> u64 {
        let missing_at = self.wallet.tx_graph().get_last_evicted(txid);
        missing_at.map_or(now.0, |at| now.0.max(at.saturating_add(1)))
    }

    /// Unconfirmed payments to this script that are not reported any more. Ours are kept: they may just not have
    /// reached the server yet, and their coins must not be spent again.
    fn vanished(&self, script_pubkey: &Script, present: &BTreeSet<Txid>) -> Vec<Txid> {
        self.wallet
            .transactions()
            .filter(|found| !found.chain_position.is_confirmed() && !present.contains(&found.tx_node.txid))
            .filter(|found| {
                found.tx_node.tx.output.iter().any(|output| *output.script_pubkey == *script_pubkey)
            })
            .filter(|found| self.wallet.sent_and_received(&found.tx_node.tx).0 == Amount::ZERO)
            .map(|found| found.tx_node.txid)
            .collect()
    }

    /// The tip, the given heights, and every height the wallet knows: so that nothing stays in doubt.
    fn checkpoint(&self, chain: &HeaderChain, heights: impl IntoIterator<Item = u32>) -> CheckPoint {
        let known = self.wallet.checkpoints().map(|checkpoint| checkpoint.height());
        let blocks: BTreeMap<u32, BlockId> = known
            .chain(heights)
            .chain([chain.checkpoint_height(), chain.height()])
            .filter_map(|height| {
                let hash = chain.hash(height)?;
                Some((height, BlockId { height, hash }))
            })
            .collect();
        let genesis = self.wallet.local_chain().genesis_hash();
        let base = CheckPoint::new(BlockId { height: 0, hash: genesis });
        blocks.into_values().filter(|block| block.height > 0).fold(base, CheckPoint::insert)
    }
}
