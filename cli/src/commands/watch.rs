//! `kite watch`.

use std::time::Duration;

use kite_wallet::api::{Event, EventEnvelope, Wallet};

use crate::amount::{grouped, in_sat, sat};
use crate::failure::Failure;
use crate::session::Session;
use crate::when;

/// Between two lines of progress.
const BEAT: Duration = Duration::from_secs(1);

pub async fn watch(session: &Session<'_>) -> Result<(), Failure> {
    session.wallet.start().await?;
    session.output.note("The wallet runs. Ctrl-C ends it.");
    let mut beat = tokio::time::interval(BEAT);
    let mut trouble = None;
    loop {
        tokio::select! {
            envelope = session.wallet.next_event() => tell(session, envelope?).await?,
            _ = beat.tick() => show_progress(session, &mut trouble).await?,
        }
    }
}

async fn tell(session: &Session<'_>, envelope: EventEnvelope) -> Result<(), Failure> {
    if session.output.is_json() {
        session.output.json(&envelope)?;
    } else {
        let said = sentence(&session.wallet, &envelope.event).await;
        session.output.line(format_args!("{}  {said}", when::time_of_day(envelope.time_secs)))?;
    }
    if envelope.seq > 0 {
        // Told: it need not come again.
        session.wallet.event_handled(envelope.seq).await?;
    }
    Ok(())
}

async fn show_progress(session: &Session<'_>, trouble: &mut Option<String>) -> Result<(), Failure> {
    let (info, balance) = (session.wallet.info().await?, session.wallet.balance().await?);
    if info.chain_error != *trouble {
        if let Some(error) = &info.chain_error {
            session.output.note(format_args!("warning: {error}"));
        }
        trouble.clone_from(&info.chain_error);
    }
    session.output.progress(format_args!(
        "block {}{} | peers {} | can send {} | can receive {}",
        grouped(info.height.into()),
        if info.synced { "" } else { ", catching up" },
        info.peers,
        in_sat(balance.spendable_msat),
        in_sat(balance.receivable_msat)
    ));
    Ok(())
}

async fn sentence(wallet: &Wallet, event: &Event) -> String {
    match event {
        Event::PaymentSent { id, fee_msat, .. } => {
            let amount = match wallet.get_payment(id.clone()).await {
                Ok(payment) => in_sat(payment.amount_msat),
                Err(_) => format!("payment {id}"),
            };
            format!("paid {amount}, fee {}", in_sat(*fee_msat))
        }
        Event::PaymentReceived { amount_msat, .. } => format!("received {}", in_sat(*amount_msat)),
        Event::PaymentFailed { id, reason, .. } => format!("payment {id} failed: {reason}"),
        Event::ChannelPending { node_id, funding_txid, .. } => {
            format!("the channel with {node_id} waits for blocks: transaction {funding_txid}")
        }
        Event::ChannelReady { node_id, .. } => format!("the channel with {node_id} is ready"),
        Event::ChannelClosed { node_id, reason, amount_sat, .. } => {
            format!("the channel with {node_id} closes, {} come back on-chain: {reason}", sat(*amount_sat))
        }
        Event::ChannelOpenFailed { node_id, reason } => {
            format!("the channel with {node_id} could not be opened, and your coins are free again: {reason}")
        }
        Event::OnchainReceived { txid, amount_sat, confirmed } => {
            let state = if *confirmed { "received" } else { "on the way" };
            format!("{} {state} on-chain: transaction {txid}", sat(*amount_sat))
        }
        Event::OnchainSent { txid, amount_sat, confirmed } => {
            let state = if *confirmed { "in a block" } else { "waiting for a block" };
            format!("{} sent on-chain, {state}: transaction {txid}", sat(*amount_sat))
        }
        Event::ActionRequired { what } => format!("needs you: {what}"),
        Event::Synced => "caught up with the chain".into(),
        Event::PeerConnected { node_id } => format!("connected to {node_id}"),
        Event::PeerDisconnected { node_id } => format!("lost {node_id}; it is tried again"),
        Event::Stopped { reason } => format!("the wallet stopped: {reason}"),
    }
}
