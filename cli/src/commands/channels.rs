//! `kite channels`.

use kite_wallet::api::{Channel, ChannelState, ClosedBy};
use serde::Serialize;

use crate::amount::{grouped, in_sat};
use crate::arguments::Look;
use crate::failure::Failure;
use crate::session::Session;
use crate::table::{Column, table};

#[derive(Serialize)]
struct Channels {
    channels: Vec<Channel>,
}

pub async fn show(session: &Session<'_>, look: &Look) -> Result<(), Failure> {
    if !look.offline {
        session.go_online().await?;
    }
    let answer = Channels { channels: session.wallet.list_channels().await? };
    session.output.answer(&answer, || drawn(&answer.channels))
}

fn drawn(channels: &[Channel]) -> String {
    if channels.is_empty() {
        return "no channels yet: kite open NODE_ID@HOST:PORT AMOUNT".into();
    }
    let columns = [
        Column::Left("id"),
        Column::Left("status"),
        Column::Right("capacity"),
        Column::Right("can send"),
        Column::Right("can receive"),
        Column::Left("peer"),
    ];
    let row = |channel: &Channel| {
        vec![
            channel.id.clone(),
            status(channel),
            grouped(channel.capacity_sat),
            in_sat(channel.spendable_msat),
            in_sat(channel.receivable_msat),
            channel.node_id.clone(),
        ]
    };
    table(&columns, channels.iter().map(row).collect())
}

/// Where a channel stands, in a few words.
pub fn status(channel: &Channel) -> String {
    match (channel.state, &channel.close) {
        (ChannelState::Opening, _) => "being agreed on".into(),
        (ChannelState::Pending, _) => {
            format!("waits for blocks ({} of {})", channel.confirmations, channel.confirmations_needed)
        }
        (ChannelState::Ready, _) if channel.usable => "ready".into(),
        (ChannelState::Ready, _) => "peer not there".into(),
        (ChannelState::Closing, Some(close)) => {
            let by = match close.closed_by {
                ClosedBy::Both => "together",
                ClosedBy::Wallet => "by this wallet",
                ClosedBy::Peer => "by the peer",
                ClosedBy::Cheater => "by a cheating peer",
                ClosedBy::Unknown => "in an unknown way",
            };
            match close.expected_height {
                Some(height) => format!("closing {by}, back at block {}", grouped(height.into())),
                None => format!("closing {by}"),
            }
        }
        (ChannelState::Closing, None) => "closing".into(),
        (ChannelState::Closed, _) => "closed".into(),
        (ChannelState::Failed, _) => "failed".into(),
    }
}
