//! `kite invoice`.

use kite_wallet::api::{InvoiceRequest, Payment, PaymentStatus, WalletError};

use crate::amount::in_sat;
use crate::arguments;
use crate::failure::Failure;
use crate::qr;
use crate::session::Session;
use crate::when;

/// An invoice has expired when its last second is over.
const GRACE_SECS: u64 = 2;

pub async fn make(session: &Session<'_>, asked: &arguments::Invoice) -> Result<(), Failure> {
    session.go_online().await?;
    let amount_msat = asked.amount.map(|amount| amount.0);
    let request = InvoiceRequest {
        amount_msat,
        description: asked.description.clone(),
        expiry_secs: Some(asked.expiry),
    };
    let invoice = session.wallet.make_invoice(request).await?;
    if session.output.is_seen()
        && let Some(code) = qr::code(&invoice.qr_text)
    {
        session.output.line(code)?;
    }
    session.output.answer(&invoice, || invoice.invoice.clone())?;
    warn_of_too_little(session, amount_msat).await?;
    if !asked.wait {
        session.output.note("It can be paid while this wallet runs: kite watch, or kite invoice with --wait");
        return Ok(());
    }
    let payment = wait(session, &invoice.payment_id, invoice.expires_at_secs).await?;
    session.output.answer(&payment, || format!("received {}", in_sat(payment.amount_msat)))
}

/// The invoice is good all the same: room may come before it is paid.
async fn warn_of_too_little(session: &Session<'_>, amount_msat: Option<u64>) -> Result<(), Failure> {
    let receivable_msat = session.wallet.balance().await?.receivable_msat;
    if receivable_msat == 0 || amount_msat.is_some_and(|amount| amount > receivable_msat) {
        session.output.note(format_args!(
            "warning: only {} can be received over Lightning now: kite doctor",
            in_sat(receivable_msat)
        ));
    }
    Ok(())
}

async fn wait(session: &Session<'_>, id: &str, expires_at_secs: u64) -> Result<Payment, Failure> {
    let left_secs = expires_at_secs.saturating_sub(when::now_secs());
    session.output.progress(format_args!("waiting for the payment, at most {}", when::span(left_secs)));
    let patience = u32::try_from(left_secs + GRACE_SECS).unwrap_or(u32::MAX);
    let payment = match session.wallet.wait_payment(id.to_owned(), patience).await {
        Err(WalletError::Timeout) => session.wallet.get_payment(id.to_owned()).await?,
        other => other?,
    };
    match payment.status {
        PaymentStatus::Succeeded => Ok(payment),
        PaymentStatus::Expired | PaymentStatus::Failed => {
            Err(Failure::NotPaid { payment: Box::new(payment) })
        }
        PaymentStatus::Pending | PaymentStatus::InFlight => Err(Failure::PaymentUnderWay { id: payment.id }),
    }
}
