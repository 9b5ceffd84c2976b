//! `kite close`.

use std::time::{Duration, Instant};

use kite_wallet::api::{Channel, WalletError};

use crate::amount::{counted, grouped, in_sat};
use crate::arguments::Close;
use crate::failure::Failure;
use crate::session::{POLL, Session};
use crate::{ask, table};

/// How long both sides may take to agree on a close, and a close alone to show.
const PATIENCE: Duration = Duration::from_secs(60);

pub async fn close(session: &Session<'_>, close: &Close) -> Result<(), Failure> {
    if !close.yes && !session.output.can_ask() {
        return Err(Failure::ConfirmationNeeded);
    }
    // What is not there needs no network to be refused.
    let id = find(session, &close.channel).await?.id;
    match close.force {
        true => session.catch_up().await?,
        false => session.go_online().await?,
    }
    let channel = find(session, &id).await?;
    session.output.note(what_comes_back(&channel, close.force));
    ask::consent(session.output, close.yes, "Close?").await?;
    match close.force {
        true => session.wallet.force_close_channel(id.clone()).await?,
        false => session.wallet.close_channel(id.clone()).await?,
    }
    let channel = closed(session, channel).await?;
    let (height, amount_msat) = (session.wallet.info().await?.height, amount_msat(session, &channel).await);
    session.output.answer(&channel, || result(&channel, amount_msat, height))
}

/// By its id here or by its name on the network.
async fn find(session: &Session<'_>, name: &str) -> Result<Channel, Failure> {
    let channels = session.wallet.list_channels().await?;
    let found = channels.into_iter().find(|channel| channel.id == name || channel.channel_id == name);
    Ok(found.ok_or(WalletError::NotFound { what: "channel".into() })?)
}

/// Waits until the closing transaction is on its way to the miners. A channel that had no coins yet is just forgotten.
async fn closed(session: &Session<'_>, mut channel: Channel) -> Result<Channel, Failure> {
    let began = Instant::now();
    loop {
        match find(session, &channel.id).await {
            Ok(found) => channel = found,
            Err(Failure::Wallet(WalletError::NotFound { .. })) => return Ok(channel),
            Err(error) => return Err(error),
        }
        if let Some(txid) = &channel.closing_txid {
            session.published(txid).await?;
            return Ok(channel);
        }
        if began.elapsed() >= PATIENCE {
            return Err(Failure::CloseUnderWay { id: channel.id });
        }
        session.output.progress("closing");
        tokio::time::sleep(POLL).await;
    }
}

/// What comes back in all, whatever of it the wallet sees on the chain already. Unset where there was nothing to close.
async fn amount_msat(session: &Session<'_>, channel: &Channel) -> Option<u64> {
    let txid = channel.closing_txid.clone()?;
    Some(session.wallet.get_payment(txid).await.ok()?.amount_msat)
}

fn what_comes_back(channel: &Channel, force: bool) -> String {
    let amount_msat = channel.spendable_msat + channel.in_flight_msat + channel.reserve_sat * 1_000;
    let when = match force {
        false => "as soon as the closing transaction is in a block",
        true => {
            "only after a delay of some days, and with higher fees; payments under way are settled on-chain"
        }
    };
    table::facts(&[
        ("channel", channel.id.clone()),
        ("peer", channel.node_id.clone()),
        ("comes back on-chain", format!("about {}, less fees", in_sat(amount_msat))),
        ("when", when.into()),
    ])
}

fn result(channel: &Channel, amount_msat: Option<u64>, height: u32) -> String {
    let mut rows = vec![("channel", channel.id.clone())];
    rows.extend(channel.closing_txid.clone().map(|txid| ("closing transaction", txid)));
    rows.extend(amount_msat.map(|msat| ("comes back on-chain", in_sat(msat))));
    rows.push((
        "when",
        match channel.close.as_ref().and_then(|close| close.expected_height) {
            Some(expected) => format!(
                "about block {}, in {}; a wallet must run then: kite watch",
                grouped(expected.into()),
                counted(expected.saturating_sub(height).into(), "block")
            ),
            None => "as soon as it is in a block; kite watch tells".into(),
        },
    ));
    table::facts(&rows)
}
