//! The history of payments.

#[cfg(all(feature = "wasm", target_family = "wasm"))]
use super::WalletJs;
use super::channels::ChannelClose;
use super::close_payment::ClosePayment;
use super::{Wallet, WalletError};
use crate::run::Timings;
use bitcoin::Txid;
use bitcoin::hex::{DisplayHex, FromHex};
use kite_api::api;
use kite_core::coins::OnchainTransaction;
use kite_core::invoice::Invoice;
use kite_core::node::{ChannelInfo, Node};
use kite_core::payment::{FailureReason, Incoming, IncomingState, Outgoing, OutgoingState, PaymentRecord};
use kite_core::types::{PaymentId, UnixTime};
use std::collections::BTreeSet;

/// A payment in either direction, over Lightning or on-chain.
#[api(record)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The wallet's own name of it: 32 characters for Lightning, the transaction id on-chain, for the close of a channel that
    /// of the transaction that closes it.
    pub id: String,
    /// How it is made.
    pub kind: PaymentKind,
    /// Whether money leaves or arrives.
    pub direction: Direction,
    /// Where it stands.
    pub status: PaymentStatus,
    /// What arrives, fees not counted, in millisatoshi. For an unpaid invoice what it asks for; 0 if it names no amount.
    pub amount_msat: u64,
    /// What the owner paid on top, in millisatoshi; unset as long as it is not known.
    pub fee_msat: Option<u64>,
    /// The hash that is paid to; unset on-chain.
    pub payment_hash: Option<String>,
    /// The proof of payment; unset before there is one, and on-chain.
    pub preimage: Option<String>,
    /// The invoice; unset on-chain.
    pub invoice: Option<String>,
    /// What it is for, as the invoice says, or why a channel was closed, safe to show in one line; unset if nothing says it.
    pub description: Option<String>,
    /// What the owner noted with it; unset if nothing.
    pub note: Option<String>,
    /// When it began, in seconds since 1970.
    pub created_at_secs: u64,
    /// When it arrived or failed, in seconds since 1970; unset before.
    pub settled_at_secs: Option<u64>,
    /// How many nodes it went through, the payee included; unset where it is not known.
    pub hops: Option<u32>,
    /// Why it failed; unset unless it did.
    pub failure: Option<PaymentFailure>,
    /// The transaction; unset for Lightning.
    pub txid: Option<String>,
    /// How many blocks confirm the transaction; unset for Lightning.
    pub confirmations: Option<u32>,
    /// How a channel comes back; unset unless this is the close of one.
    pub close: Option<ChannelClose>,
    /// Milliseconds from the call to the outcome; unset before it, on-chain, and for payments of earlier runs.
    pub took_millis: Option<u64>,
}

/// How a payment is made.
#[api(enumeration)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentKind {
    /// Over Lightning.
    Lightning,
    /// By a transaction.
    Onchain,
    /// By the transaction that opened a channel.
    ChannelOpen,
    /// By the transactions that close a channel and bring its coins back, all together.
    ChannelClose,
}

/// Whether money leaves or arrives.
#[api(enumeration)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// It leaves.
    Outgoing,
    /// It arrives.
    Incoming,
}

/// Where a payment stands.
#[api(enumeration)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentStatus {
    /// Nothing of it is under way yet: an unpaid invoice, a payment that looks for a route, a transaction without a block.
    Pending,
    /// Under way; it will arrive or fail.
    InFlight,
    /// It arrived.
    Succeeded,
    /// It failed, and nothing of it is under way.
    Failed,
    /// An invoice of the owner that was not paid in time.
    Expired,
}

/// Why a payment failed.
#[api(record)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentFailure {
    /// For programs: `no_route`, `fee_too_high`, `timeout`, `invoice_expired`, `recipient_refused`, `recipient_error`,
    /// `all_routes_failed` or `channel_closed`.
    pub code: String,
    /// In words for the owner.
    pub reason: String,
}

/// Which payments to list.
#[api(record)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentFilter {
    /// Only this direction; unset: both.
    pub direction: Option<Direction>,
    /// The most to list: 1 to 1000. What lies outside counts as the nearest of them.
    pub limit: u32,
    /// Only payments that began before this, in seconds since 1970; unset: all. To list on, one more than the last one's
    /// `created_at_secs`, without those that are known: several may have begun in that second.
    pub before_secs: Option<u64>,
}

#[api]
impl Wallet {
    /// Payments of all kinds, the newest first.
    ///
    /// # Errors
    /// `Stopped`, `LeaseLost`, `StoreUnavailable`.
    pub async fn list_payments(&self, filter: PaymentFilter) -> Result<Vec<Payment>, WalletError> {
        let (now, timings) = (self.platform.clock.now().unix, self.handle.timings.clone());
        self.ask(move |node| Book::new(node, now, &timings).list(&filter)).await
    }

    /// One payment, by its id.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn get_payment(&self, id: String) -> Result<Payment, WalletError> {
        let (now, timings) = (self.platform.clock.now().unix, self.handle.timings.clone());
        self.ask(move |node| Book::new(node, now, &timings).find(&id))
            .await?
            .ok_or_else(|| WalletError::not_found("payment"))
    }
}

/// Reads payments out of the node.
struct Book<'a> {
    node: &'a Node,
    now: UnixTime,
    timings: &'a Timings,
    /// The transactions that opened channels.
    openings: BTreeSet<Txid>,
    closes: Vec<ClosePayment>,
    /// All other transactions.
    transactions: Vec<OnchainTransaction>,
}

#[derive(Clone, Copy)]
enum Entry<'a> {
    Lightning(&'a PaymentRecord),
    Close(&'a ClosePayment),
    Onchain(&'a OnchainTransaction),
}

impl<'a> Book<'a> {
    fn new(node: &'a Node, now: UnixTime, timings: &'a Timings) -> Self {
        let channels: Vec<ChannelInfo> = node.channels().into_iter().chain(node.past_channels()).collect();
        let openings = channels.iter().filter_map(|channel| channel.funding_txid).collect();
        let mut transactions = node.onchain_transactions();
        let closes = ClosePayment::all(node, channels, &mut transactions, now);
        Self { node, now, timings, openings, closes, transactions }
    }

    fn list(&self, filter: &PaymentFilter) -> Vec<Payment> {
        let onchain =
            self.closes.iter().map(Entry::Close).chain(self.transactions.iter().map(Entry::Onchain));
        let mut entries: Vec<Entry<'_>> = self
            .node
            .payments()
            .map(Entry::Lightning)
            .chain(onchain)
            .filter(|entry| filter.direction.is_none_or(|direction| entry.direction() == direction))
            .filter(|entry| filter.before_secs.is_none_or(|before| entry.created().0 < before))
            .collect();
        // The newest first; what began in the same second has an order as well, and always the same.
        entries.sort_by_cached_key(|entry| std::cmp::Reverse((entry.created(), entry.rank(), entry.id())));
        let limit = usize::try_from(filter.limit.clamp(1, 1_000)).unwrap_or(1_000);
        entries.iter().take(limit).map(|entry| self.payment(entry)).collect()
    }

    fn find(&self, id: &str) -> Option<Payment> {
        if let Ok(id) = <[u8; 16]>::from_hex(id) {
            return Some(self.payment(&Entry::Lightning(self.node.payment(&PaymentId(id))?)));
        }
        let txid: Txid = id.parse().ok()?;
        let close = self.closes.iter().find(|close| close.has(&txid)).map(Entry::Close);
        let other = || self.transactions.iter().find(|tx| tx.txid == txid).map(Entry::Onchain);
        Some(self.payment(&close.or_else(other)?))
    }

    fn payment(&self, entry: &Entry<'_>) -> Payment {
        match entry {
            Entry::Lightning(PaymentRecord::Outgoing(payment)) => self.outgoing(payment),
            Entry::Lightning(PaymentRecord::Incoming(payment)) => self.incoming(payment),
            Entry::Close(close) => close.payment(),
            Entry::Onchain(transaction) => self.onchain(transaction),
        }
    }

    fn outgoing(&self, payment: &Outgoing) -> Payment {
        let blank = Payment {
            amount_msat: payment.amount.to_msat(),
            payment_hash: Some(payment.payment_hash.to_string()),
            invoice: Some(payment.invoice.clone()),
            description: Invoice::decode(&payment.invoice)
                .ok()
                .and_then(|invoice| invoice.description.to_display()),
            note: payment.note.clone(),
            took_millis: self.timings.took_millis(&payment.id),
            ..blank(payment.id.to_string(), PaymentKind::Lightning, Direction::Outgoing, payment.created)
        };
        match &payment.state {
            OutgoingState::Pending => blank,
            OutgoingState::InFlight(_) => Payment { status: PaymentStatus::InFlight, ..blank },
            OutgoingState::Sent { preimage, fee, at, hops } => Payment {
                status: PaymentStatus::Succeeded,
                fee_msat: Some(fee.to_msat()),
                preimage: Some(preimage.0.to_lower_hex_string()),
                settled_at_secs: Some(at.0),
                hops: Some(*hops),
                ..blank
            },
            OutgoingState::Failed { reason, at } => Payment {
                status: PaymentStatus::Failed,
                settled_at_secs: Some(at.0),
                failure: Some(PaymentFailure {
                    code: failure_code(reason).into(),
                    reason: reason.to_string(),
                }),
                ..blank
            },
        }
    }

    fn incoming(&self, payment: &Incoming) -> Payment {
        let asked = payment.amount.map_or(0, |amount| amount.to_msat());
        let blank = Payment {
            amount_msat: asked,
            payment_hash: Some(payment.payment_hash().to_string()),
            invoice: Some(payment.invoice.clone()),
            description: Some(payment.description.clone()).filter(|text| !text.is_empty()),
            ..blank(payment.id.to_string(), PaymentKind::Lightning, Direction::Incoming, payment.created)
        };
        match payment.state {
            IncomingState::Expecting if self.now >= payment.expires_at => {
                Payment { status: PaymentStatus::Expired, ..blank }
            }
            IncomingState::Expecting => blank,
            IncomingState::Received { amount, at } => Payment {
                status: PaymentStatus::Succeeded,
                amount_msat: amount.to_msat(),
                fee_msat: Some(0),
                preimage: Some(payment.preimage.0.to_lower_hex_string()),
                settled_at_secs: Some(at.0),
                ..blank
            },
        }
    }

    fn onchain(&self, transaction: &OnchainTransaction) -> Payment {
        let kind = match self.openings.contains(&transaction.txid) {
            true => PaymentKind::ChannelOpen,
            false => PaymentKind::Onchain,
        };
        let direction = direction_of(transaction);
        let fee_sat = transaction.fee.map(bitcoin::Amount::to_sat);
        let moved_sat = transaction.net_sat.unsigned_abs();
        let amount_sat = match direction {
            Direction::Incoming => moved_sat,
            Direction::Outgoing => moved_sat.saturating_sub(fee_sat.unwrap_or(0)),
        };
        let confirmations =
            transaction.height.map_or(0, |height| (self.node.tip().0 + 1).saturating_sub(height));
        Payment {
            status: if confirmations > 0 { PaymentStatus::Succeeded } else { PaymentStatus::Pending },
            amount_msat: amount_sat.saturating_mul(1_000),
            fee_msat: fee_sat.map(|sat| sat.saturating_mul(1_000)),
            settled_at_secs: (confirmations > 0).then_some(transaction.time.0),
            txid: Some(transaction.txid.to_string()),
            confirmations: Some(confirmations),
            ..blank(transaction.txid.to_string(), kind, direction, transaction.time)
        }
    }
}

impl Entry<'_> {
    fn direction(&self) -> Direction {
        match self {
            Self::Lightning(PaymentRecord::Outgoing(_)) => Direction::Outgoing,
            Self::Lightning(PaymentRecord::Incoming(_)) => Direction::Incoming,
            Self::Close(_) => Direction::Incoming,
            Self::Onchain(transaction) => direction_of(transaction),
        }
    }

    fn created(&self) -> UnixTime {
        match self {
            Self::Lightning(record) => record.created(),
            Self::Close(close) => close.created(),
            Self::Onchain(transaction) => transaction.time,
        }
    }

    /// Which came later within one second: a channel closes after the payments through it.
    const fn rank(&self) -> u8 {
        match self {
            Self::Lightning(_) => 0,
            Self::Onchain(_) => 1,
            Self::Close(_) => 2,
        }
    }

    fn id(&self) -> String {
        match self {
            Self::Lightning(record) => record.id().to_string(),
            Self::Close(close) => close.id(),
            Self::Onchain(transaction) => transaction.txid.to_string(),
        }
    }
}

fn direction_of(transaction: &OnchainTransaction) -> Direction {
    if transaction.net_sat < 0 { Direction::Outgoing } else { Direction::Incoming }
}

/// Only what every payment has.
pub(super) fn blank(id: String, kind: PaymentKind, direction: Direction, created: UnixTime) -> Payment {
    Payment {
        id,
        kind,
        direction,
        status: PaymentStatus::Pending,
        amount_msat: 0,
        fee_msat: None,
        payment_hash: None,
        preimage: None,
        invoice: None,
        description: None,
        note: None,
        created_at_secs: created.0,
        settled_at_secs: None,
        hops: None,
        failure: None,
        txid: None,
        confirmations: None,
        close: None,
        took_millis: None,
    }
}

/// The code of [`PaymentFailure`].
pub(super) const fn failure_code(reason: &FailureReason) -> &'static str {
    match reason {
        FailureReason::NoRoute { .. } => "no_route",
        FailureReason::FeeTooHigh { .. } => "fee_too_high",
        FailureReason::TimedOut => "timeout",
        FailureReason::InvoiceExpired => "invoice_expired",
        FailureReason::RecipientRefused => "recipient_refused",
        FailureReason::RecipientError { .. } => "recipient_error",
        FailureReason::AllRoutesFailed { .. } => "all_routes_failed",
        FailureReason::ChannelClosed => "channel_closed",
    }
}
