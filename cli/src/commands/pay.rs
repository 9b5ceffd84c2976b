//! `kite pay`.

use std::time::{Duration, Instant};

use kite_wallet::api::{Payment, PaymentStatus, Quote, QuoteKind, SendRequest, WalletError};

use crate::amount::in_sat;
use crate::arguments::Pay;
use crate::failure::Failure;
use crate::session::{POLL, Session};
use crate::{ask, table, when};

/// How long what is known of the network may take to arrive from a peer.
const GRAPH_PATIENCE: Duration = Duration::from_secs(10);
/// How long what is under way when the search for a way ends may take.
const GRACE_SECS: u32 = 30;

pub async fn pay(session: &Session<'_>, pay: &Pay) -> Result<(), Failure> {
    if !pay.yes && !session.output.can_ask() {
        return Err(Failure::ConfirmationNeeded);
    }
    // What cannot be paid needs no network to be refused.
    session.wallet.parse(pay.input.clone())?;
    session.go_online().await?;
    let quote = quote(session, pay).await?;
    session.output.note(table::facts(&terms(&quote)));
    ask::consent(session.output, pay.yes, "Pay?").await?;
    let began = session.wallet.send(quote.clone()).await?;
    let payment = match quote.kind {
        QuoteKind::Lightning => lightning(session, &quote, began.id).await?,
        QuoteKind::Onchain => {
            session.published(began.txid.as_deref().unwrap_or(&began.id)).await?;
            session.wallet.get_payment(began.id).await?
        }
    };
    session.output.answer(&payment, || paid(&payment))
}

/// Asks again while the peer may still be telling us of the network.
async fn quote(session: &Session<'_>, pay: &Pay) -> Result<Quote, Failure> {
    let began = Instant::now();
    loop {
        let request = SendRequest {
            input: pay.input.clone(),
            amount_msat: pay.amount.map(|amount| amount.0),
            max_fee_msat: pay.max_fee.map(|fee| fee.0),
            timeout_secs: Some(pay.timeout),
            idempotency_key: pay.idempotency_key.clone(),
            note: pay.note.clone(),
        };
        match session.wallet.prepare_send(request).await {
            Ok(quote) => return within(pay, quote),
            Err(WalletError::NoRoute { .. })
                if began.elapsed() < GRAPH_PATIENCE && can_learn(session).await? =>
            {
                session.output.progress("looking for a way to the payee");
                tokio::time::sleep(POLL).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// On-chain, the wallet itself knows no limit.
fn within(pay: &Pay, quote: Quote) -> Result<Quote, Failure> {
    match pay.max_fee {
        Some(limit) if quote.kind == QuoteKind::Onchain && quote.fee_estimate_msat > limit.0 => {
            Err(WalletError::FeeTooHigh { cheapest_msat: quote.fee_estimate_msat, limit_msat: limit.0 }
                .into())
        }
        _ => Ok(quote),
    }
}

async fn can_learn(session: &Session<'_>) -> Result<bool, Failure> {
    Ok(session.wallet.list_channels().await?.iter().any(|channel| channel.usable))
}

async fn lightning(session: &Session<'_>, quote: &Quote, id: String) -> Result<Payment, Failure> {
    session.output.progress("paying");
    let patience = quote.timeout_secs.saturating_add(GRACE_SECS);
    let payment = match session.wallet.wait_payment(id.clone(), patience).await {
        Err(WalletError::Timeout) => return Err(Failure::PaymentUnderWay { id }),
        other => other?,
    };
    if payment.status == PaymentStatus::Succeeded {
        return Ok(payment);
    }
    let (code, reason) = match &payment.failure {
        Some(failure) => (failure.code.clone(), failure.reason.clone()),
        None => ("unknown".into(), "the wallet does not say why".into()),
    };
    Err(Failure::PaymentFailed { code, reason, payment: Box::new(payment) })
}

fn terms(quote: &Quote) -> Vec<(&'static str, String)> {
    let mut rows = vec![("amount", in_sat(quote.amount_msat))];
    match &quote.payee {
        Some(payee) => rows.push(("payee", payee.clone())),
        None => rows.push(("address", quote.input.clone())),
    }
    rows.extend(quote.description.clone().map(|text| ("for", text)));
    rows.extend(quote.expires_at_secs.map(|secs| ("expires", when::local(secs))));
    match quote.kind {
        QuoteKind::Lightning => {
            rows.push(("fee", format!("about {}", in_sat(quote.fee_estimate_msat))));
            rows.push(("fee, at most", in_sat(quote.max_fee_msat)));
        }
        QuoteKind::Onchain => rows.push(("fee to miners", in_sat(quote.fee_estimate_msat))),
    }
    rows.extend(quote.hops.map(|hops| ("nodes on the way", hops.to_string())));
    rows
}

fn paid(payment: &Payment) -> String {
    let fee = payment.fee_msat.map_or_else(|| "unknown".into(), in_sat);
    let mut rows = vec![("paid", in_sat(payment.amount_msat)), ("fee", fee)];
    rows.extend(payment.preimage.clone().map(|preimage| ("proof of payment", preimage)));
    rows.extend(payment.txid.clone().map(|txid| ("transaction", txid)));
    if payment.txid.is_some() && payment.status == PaymentStatus::Pending {
        rows.push(("status", "waits for a block".into()));
    }
    rows.push(("payment", payment.id.clone()));
    table::facts(&rows)
}
