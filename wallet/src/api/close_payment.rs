//! The close of a channel as one payment: whatever number of transactions brings its coins back.

use super::channels::ChannelClose;
use super::payments::{Direction, Payment, PaymentKind, PaymentStatus, blank};
use bitcoin::Txid;
use kite_core::coins::OnchainTransaction;
use kite_core::node::{ChannelInfo, Node};
use kite_core::types::UnixTime;

/// A channel that was closed, with the owner's transactions that came of it.
pub(super) struct ClosePayment {
    channel: ChannelInfo,
    closing_txid: Txid,
    transactions: Vec<OnchainTransaction>,
    began: UnixTime,
    /// When the closing transaction, or the last of the others, was made part of the chain; unset before.
    arrived: Option<UnixTime>,
}

impl ClosePayment {
    /// Those of all channels. Their transactions are taken out of the list.
    pub(super) fn all(
        node: &Node,
        channels: Vec<ChannelInfo>,
        transactions: &mut Vec<OnchainTransaction>,
        now: UnixTime,
    ) -> Vec<Self> {
        channels.into_iter().filter_map(|channel| Self::of(node, channel, transactions, now)).collect()
    }

    fn of(
        node: &Node,
        channel: ChannelInfo,
        transactions: &mut Vec<OnchainTransaction>,
        now: UnixTime,
    ) -> Option<Self> {
        let closing_txid = channel.closing_txid?;
        let transactions = take_descendants(closing_txid, transactions);
        if channel.close.is_none() && transactions.is_empty() {
            return None;
        }
        let blocks = channel.close.as_ref().map_or(0, |close| close.confirmations);
        let closed_at =
            (blocks > 0).then(|| node.block_time((node.tip().0 + 1).saturating_sub(blocks))).flatten();
        let first = transactions.iter().map(|tx| tx.time).chain(closed_at).min();
        let is_all_in_blocks = transactions.iter().all(|tx| tx.height.is_some());
        let last = transactions.iter().map(|tx| tx.time).chain(closed_at).max();
        Some(Self {
            channel,
            closing_txid,
            transactions,
            began: first.unwrap_or(now),
            arrived: last.filter(|_| is_all_in_blocks),
        })
    }

    /// Its name: the id of the transaction that closes the channel.
    pub(super) fn id(&self) -> String {
        self.closing_txid.to_string()
    }

    /// When it began.
    pub(super) const fn created(&self) -> UnixTime {
        self.began
    }

    /// Whether this is one of its transactions.
    pub(super) fn has(&self, txid: &Txid) -> bool {
        self.closing_txid == *txid || self.transactions.iter().any(|tx| tx.txid == *txid)
    }

    /// As the owner sees it.
    pub(super) fn payment(&self) -> Payment {
        let to_come_sat = self.channel.close.as_ref().map_or(0, |close| close.amount.to_sat());
        // What the wallet paid to bring the coins back counts against them.
        let arrived_sat: i64 = self.transactions.iter().map(|tx| tx.net_sat).sum();
        let amount_sat = to_come_sat.saturating_add_signed(arrived_sat);
        let confirmations = self.channel.close.as_ref().map_or(0, |close| close.confirmations);
        let status = match self.arrived {
            Some(_) if to_come_sat == 0 => PaymentStatus::Succeeded,
            _ if confirmations > 0 => PaymentStatus::InFlight,
            _ => PaymentStatus::Pending,
        };
        Payment {
            status,
            amount_msat: amount_sat.saturating_mul(1_000),
            description: self.channel.close_reason.clone(),
            settled_at_secs: self.arrived.filter(|_| status == PaymentStatus::Succeeded).map(|at| at.0),
            txid: Some(self.id()),
            confirmations: Some(confirmations),
            close: self.channel.close.clone().map(ChannelClose::from),
            ..blank(self.id(), PaymentKind::ChannelClose, Direction::Incoming, self.began)
        }
    }
}

/// A transaction, those that claim its outputs, and those that claim theirs, as second stages do.
fn take_descendants(txid: Txid, transactions: &mut Vec<OnchainTransaction>) -> Vec<OnchainTransaction> {
    let mut taken: Vec<OnchainTransaction> = transactions.extract_if(.., |tx| tx.txid == txid).collect();
    let mut parents = vec![txid];
    while !parents.is_empty() {
        let of_these = |tx: &mut OnchainTransaction| tx.spends.iter().any(|spent| parents.contains(spent));
        let children: Vec<OnchainTransaction> = transactions.extract_if(.., of_these).collect();
        parents = children.iter().map(|tx| tx.txid).collect();
        taken.extend(children);
    }
    taken
}
