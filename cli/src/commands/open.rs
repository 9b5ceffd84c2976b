//! `kite open`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use kite_wallet::api::{
    Channel, ChannelState, Event, EventEnvelope, EventListener, OpenChannelRequest, Parsed, WalletError,
};

use crate::amount::{counted, in_sat, sat};
use crate::arguments::Open;
use crate::failure::Failure;
use crate::session::{POLL, Session};
use crate::{ask, table, when};

/// How long a peer may take to agree.
const AGREE_PATIENCE: Duration = Duration::from_secs(60);

pub async fn open(session: &Session<'_>, open: &Open) -> Result<(), Failure> {
    if !open.yes && !session.output.can_ask() {
        return Err(Failure::ConfirmationNeeded);
    }
    let (node_id, address) = node(session, &open.node).await?;
    session.go_online().await?;
    session.output.progress("connecting");
    session.wallet.connect_peer(node_id.clone(), address.clone()).await?;
    let request = OpenChannelRequest {
        node_id: node_id.clone(),
        amount_sat: open.amount.0,
        feerate_sat_per_vb: open.feerate,
    };
    let quote = session.wallet.estimate_open_channel(request.clone()).await?;
    session.output.note(table::facts(&[
        ("peer", format!("{node_id}@{address}")),
        ("channel", sat(quote.amount_sat)),
        ("fee to miners", format!("about {}", sat(quote.fee_sat))),
        ("together", format!("about {}", sat(quote.total_sat))),
        ("stays in it until it closes", sat(quote.reserve_sat)),
        ("can be sent at first", format!("about {}", in_sat(quote.spendable_after_msat))),
    ]));
    ask::consent(session.output, open.yes, "Open?").await?;
    let refusals = Refusals::listen(session).await;
    let id = session.wallet.open_channel(request).await?;
    let channel = funded(session, &id, &node_id, &refusals).await?;
    if let Some(txid) = &channel.funding_txid {
        session.published(txid).await?;
    }
    let channel = if open.wait { ready(session, &id).await? } else { channel };
    session.output.answer(&channel, || opened(&channel))
}

/// The node, and where it is: as given, or as it was connected to before.
async fn node(session: &Session<'_>, text: &str) -> Result<(String, String), Failure> {
    let invalid = |reason: &str| WalletError::InvalidInput { field: "node".into(), reason: reason.into() };
    let Parsed::NodeAddress { node_id, address } = session.wallet.parse(text.to_owned())? else {
        return Err(invalid("not a node: give NODE_ID@HOST:PORT").into());
    };
    if let Some(address) = address {
        return Ok((node_id, address));
    }
    let known = session.wallet.list_peers().await?.into_iter().find(|peer| peer.node_id == node_id);
    let address = known.map(|peer| peer.address);
    Ok((node_id, address.ok_or_else(|| invalid("its address is not known: give NODE_ID@HOST:PORT"))?))
}

/// Waits until the funding transaction is made and stored.
async fn funded(
    session: &Session<'_>,
    id: &str,
    node_id: &str,
    refusals: &Refusals,
) -> Result<Channel, Failure> {
    let began = Instant::now();
    loop {
        match find(session, id).await? {
            Some(channel) if channel.state != ChannelState::Opening => return Ok(channel),
            Some(_) if began.elapsed() >= AGREE_PATIENCE => {
                return Err(Failure::ChannelUnderWay { id: id.into(), reason: "the peer has not agreed" });
            }
            Some(_) => session.output.progress("agreeing with the peer"),
            None => return Err(refusals.reason(node_id)),
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Waits for blocks.
async fn ready(session: &Session<'_>, id: &str) -> Result<Channel, Failure> {
    loop {
        let channel = find(session, id).await?.ok_or(WalletError::NotFound { what: "channel".into() })?;
        match channel.state {
            ChannelState::Ready if channel.usable => return Ok(channel),
            ChannelState::Opening | ChannelState::Pending | ChannelState::Ready => {}
            ChannelState::Closing | ChannelState::Closed | ChannelState::Failed => {
                let reason = channel.close_reason.unwrap_or_default();
                return Err(Failure::ChannelOpenFailed { node_id: channel.node_id, reason });
            }
        }
        session.output.progress(format_args!(
            "waiting for blocks: {} of {}",
            channel.confirmations, channel.confirmations_needed
        ));
        tokio::time::sleep(POLL).await;
    }
}

async fn find(session: &Session<'_>, id: &str) -> Result<Option<Channel>, Failure> {
    Ok(session.wallet.list_channels().await?.into_iter().find(|channel| channel.id == id))
}

fn opened(channel: &Channel) -> String {
    let mut rows = vec![("channel", channel.id.clone())];
    rows.extend(channel.funding_txid.clone().map(|txid| ("funding transaction", txid)));
    rows.push(match channel.usable {
        true => ("status", "ready".into()),
        false => (
            "status",
            format!(
                "usable after {}; kite watch tells when",
                counted(channel.confirmations_needed.into(), "block")
            ),
        ),
    });
    table::facts(&rows)
}

/// Why peers refused channels, from now on.
struct Refusals {
    since_secs: u64,
    heard: Mutex<Vec<EventEnvelope>>,
}

impl Refusals {
    async fn listen(session: &Session<'_>) -> Arc<Self> {
        let refusals = Arc::new(Self { since_secs: when::now_secs(), heard: Mutex::default() });
        session.wallet.set_listener(refusals.clone()).await;
        refusals
    }

    fn reason(&self, peer: &str) -> Failure {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let of_peer = heard.iter().rev().find_map(|envelope| match &envelope.event {
            Event::ChannelOpenFailed { node_id, reason } if node_id == peer => Some(reason.clone()),
            _ => None,
        });
        let reason = of_peer.unwrap_or_else(|| "the peer gave no reason".into());
        Failure::ChannelOpenFailed { node_id: peer.to_owned(), reason }
    }
}

impl EventListener for Refusals {
    fn on_event(&self, event: EventEnvelope) {
        // Those of earlier runs come again.
        if event.time_secs >= self.since_secs && matches!(event.event, Event::ChannelOpenFailed { .. }) {
            self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(event);
        }
    }
}
