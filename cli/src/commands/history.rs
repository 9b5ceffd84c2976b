//! `kite history`.

use std::collections::BTreeSet;

use kite_wallet::api::{Direction, Payment, PaymentFilter, PaymentKind, PaymentStatus};
use serde::Serialize;

use crate::amount::{counted, in_sat};
use crate::arguments;
use crate::failure::Failure;
use crate::session::Session;
use crate::table::{Column, table};
use crate::when;

/// The most that the wallet lists at once.
const PAGE: u32 = 1_000;

#[derive(Serialize)]
struct History {
    payments: Vec<Payment>,
}

pub async fn show(session: &Session<'_>, asked: &arguments::History) -> Result<(), Failure> {
    if !asked.offline {
        session.catch_up().await?;
    }
    let payments = newest(session, asked.limit).await?;
    if asked.csv {
        return session.output.bytes(&csv(&payments)?);
    }
    let answer = History { payments };
    session.output.answer(&answer, || drawn(&answer.payments))
}

/// Page by page. A page begins in the last second of the one before, which may hold more than the page did.
async fn newest(session: &Session<'_>, limit: Option<u32>) -> Result<Vec<Payment>, Failure> {
    let limit = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let (mut payments, mut known) = (Vec::new(), BTreeSet::new());
    let mut before_secs = None;
    loop {
        let filter = PaymentFilter { direction: None, limit: PAGE, before_secs };
        let page = session.wallet.list_payments(filter).await?;
        let is_last = page.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        let oldest_secs = page.last().map(|payment| payment.created_at_secs);
        let fresh: Vec<Payment> =
            page.into_iter().filter(|payment| known.insert(payment.id.clone())).collect();
        let within_a_second = fresh.is_empty();
        payments.extend(fresh);
        if is_last || payments.len() >= limit {
            payments.truncate(limit);
            return Ok(payments);
        }
        before_secs = oldest_secs.map(|secs| if within_a_second { secs } else { secs + 1 });
    }
}

fn drawn(payments: &[Payment]) -> String {
    if payments.is_empty() {
        return "no payments yet".into();
    }
    let columns = [
        Column::Left("when"),
        Column::Left("what"),
        Column::Right("amount"),
        Column::Right("fee"),
        Column::Left("status"),
        Column::Left("for"),
    ];
    let row = |payment: &Payment| {
        let sign = if payment.direction == Direction::Outgoing { "-" } else { "+" };
        vec![
            when::local(payment.created_at_secs),
            what(payment).to_owned(),
            format!("{sign}{}", in_sat(payment.amount_msat)),
            payment.fee_msat.filter(|fee| *fee > 0).map(in_sat).unwrap_or_default(),
            status(payment),
            payment.note.clone().or_else(|| payment.description.clone()).unwrap_or_default(),
        ]
    };
    table(&columns, payments.iter().map(row).collect())
}

const fn is_received(payment: &Payment) -> bool {
    matches!(payment.status, PaymentStatus::Succeeded)
}

const fn what(payment: &Payment) -> &'static str {
    match (payment.kind, payment.direction) {
        (PaymentKind::Lightning, Direction::Outgoing) => "paid",
        (PaymentKind::Lightning, Direction::Incoming) if is_received(payment) => "received",
        (PaymentKind::Lightning, Direction::Incoming) => "invoice",
        (PaymentKind::Onchain, Direction::Outgoing) => "sent on-chain",
        (PaymentKind::Onchain, Direction::Incoming) => "received on-chain",
        (PaymentKind::ChannelOpen, _) => "channel opened",
        (PaymentKind::ChannelClose, _) => "channel closed",
    }
}

fn status(payment: &Payment) -> String {
    let is_onchain = payment.txid.is_some();
    match (payment.status, payment.confirmations) {
        (PaymentStatus::Pending, _) if is_onchain => "waits for a block".into(),
        (PaymentStatus::Pending, _) if payment.direction == Direction::Incoming => "not paid yet".into(),
        (PaymentStatus::Pending, _) => "looks for a way".into(),
        (PaymentStatus::InFlight, _) if is_onchain => "on its way back".into(),
        (PaymentStatus::InFlight, _) => "under way".into(),
        (PaymentStatus::Succeeded, Some(blocks)) => counted(blocks.into(), "block"),
        (PaymentStatus::Succeeded, None) => "done".into(),
        (PaymentStatus::Failed, _) => {
            let reason = payment.failure.as_ref().map_or("", |failure| failure.code.as_str());
            format!("failed {reason}").trim_end().to_owned()
        }
        (PaymentStatus::Expired, _) => "expired".into(),
    }
}

/// The columns of the CSV: names as in the API, times in RFC 3339.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    created_at: String,
    settled_at: String,
    kind: PaymentKind,
    direction: Direction,
    status: PaymentStatus,
    amount_msat: u64,
    fee_msat: Option<u64>,
    description: String,
    note: String,
    payment_hash: Option<&'a str>,
    preimage: Option<&'a str>,
    txid: Option<&'a str>,
    confirmations: Option<u32>,
    failure_code: Option<&'a str>,
    failure_reason: String,
    id: &'a str,
}

impl<'a> Row<'a> {
    fn of(payment: &'a Payment) -> Self {
        let failure = payment.failure.as_ref();
        Self {
            created_at: when::utc(payment.created_at_secs),
            settled_at: payment.settled_at_secs.map(when::utc).unwrap_or_default(),
            kind: payment.kind,
            direction: payment.direction,
            status: payment.status,
            amount_msat: payment.amount_msat,
            fee_msat: payment.fee_msat,
            description: plain(payment.description.as_deref()),
            note: plain(payment.note.as_deref()),
            payment_hash: payment.payment_hash.as_deref(),
            preimage: payment.preimage.as_deref(),
            txid: payment.txid.as_deref(),
            confirmations: payment.confirmations,
            failure_code: failure.map(|failure| failure.code.as_str()),
            failure_reason: plain(failure.map(|failure| failure.reason.as_str())),
            id: &payment.id,
        }
    }
}

/// A text that a stranger wrote may look like a formula, which spreadsheets carry out: an apostrophe says that it is text.
fn plain(text: Option<&str>) -> String {
    let text = text.unwrap_or_default();
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if is_formula { format!("'{text}") } else { text.to_owned() }
}

/// RFC 4180, with a header.
fn csv(payments: &[Payment]) -> Result<Vec<u8>, Failure> {
    let failed = |error: csv::Error| Failure::Terminal { reason: error.to_string() };
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .has_headers(false)
        .from_writer(Vec::new());
    writer.write_record(HEADER).map_err(failed)?;
    for payment in payments {
        writer.serialize(Row::of(payment)).map_err(failed)?;
    }
    writer.into_inner().map_err(|error| Failure::Terminal { reason: error.to_string() })
}

/// Also where no payment names them.
const HEADER: [&str; 16] = [
    "createdAt",
    "settledAt",
    "kind",
    "direction",
    "status",
    "amountMsat",
    "feeMsat",
    "description",
    "note",
    "paymentHash",
    "preimage",
    "txid",
    "confirmations",
    "failureCode",
    "failureReason",
    "id",
];

#[cfg(test)]
mod tests;
