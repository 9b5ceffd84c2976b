//! The checks themselves.

use std::sync::{Arc, Mutex, PoisonError};

use kite_wallet::api::{
    Balance, Channel, ChannelState, ClosedBy, Event, EventEnvelope, EventListener, Info, Peer, WalletConfig,
    WalletError,
};

use super::Check;
use crate::amount::{counted, grouped, in_sat, sat};
use crate::esplora::Esplora;
use crate::failure::Failure;
use crate::session::Session;
use crate::when;

/// Three hours without a block are rare: once in some years.
const OLD_TIP_SECS: u64 = 3 * 3_600;

/// Whether others on this machine can look into the folder; unset where there is none.
pub fn folder(config: &WalletConfig) -> Option<Check> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&config.data).ok()?.permissions().mode();
        if mode & 0o077 != 0 {
            let detail = format!("others on this machine can look into {}", config.data);
            return Some(Check::warn("folder", detail, format!("chmod 700 {}", config.data)));
        }
    }
    Some(Check::ok("folder", config.data.clone()))
}

/// What the server says of its newest block. Whether it is true, the wallet finds out.
pub async fn chain_server(esplora: &Esplora, config: &WalletConfig) -> Check {
    const NAME: &str = "chain server";
    match esplora.tip().await {
        Ok(tip) => {
            let age_secs = when::now_secs().saturating_sub(tip.time_secs);
            let detail = format!("block {}, {} old", grouped(tip.height.into()), when::span(age_secs));
            match age_secs > OLD_TIP_SECS && config.network != "regtest" {
                true => Check::warn(NAME, detail, "it may be behind: choose another one if this lasts"),
                false => Check::ok(NAME, detail),
            }
        }
        Err(error) => Check::fail(
            NAME,
            &error.into(),
            format!(
                "check the network and the address {}, or choose another: --esplora URL",
                config.esplora_url
            ),
        ),
    }
}

/// What helps when a wallet does not open.
pub const fn how_to_open(failure: &Failure) -> &'static str {
    match failure {
        Failure::Wallet(WalletError::NoWallet) => "kite init makes one, kite restore brings one back",
        Failure::Wallet(WalletError::WrongPassphrase) | Failure::PassphraseNeeded => {
            "if it is lost: kite restore, in another folder, with your words (channels do not come back)"
        }
        Failure::Wallet(WalletError::AlreadyOpen) => "end the other kite or app first",
        Failure::Wallet(WalletError::StoreDamaged { .. }) => {
            "keep a copy of the folder as it is; kite restore, in another folder, brings back on-chain coins"
        }
        _ => "see above",
    }
}

/// What a wallet that opens tells.
pub async fn of_wallet(session: &Session<'_>) -> Result<Vec<Check>, Failure> {
    let news = News::listen(session).await;
    let online = session.go_online().await;
    let info = session.wallet.info().await?;
    let mut checks = vec![match online {
        Ok(()) => chain(&info),
        Err(failure) => Check::fail("chain", &failure, "without the chain nothing is paid or received"),
    }];
    let (channels, peers) = (session.wallet.list_channels().await?, session.wallet.list_peers().await?);
    checks.extend(of_peers(&peers));
    checks.push(of_channels(&channels));
    let open = channels.iter().filter(|channel| channel.state == ChannelState::Ready).count();
    if open > 0 {
        checks.extend(of_balance(&session.wallet.balance().await?));
    }
    checks.extend(news.checks());
    checks.push(backup(session, &channels));
    Ok(checks)
}

fn chain(info: &Info) -> Check {
    let height = grouped(info.height.into());
    match info.tip_old {
        true => Check::warn(
            "chain",
            format!("the newest block that is known, {height}, is hours old"),
            "nothing is paid or received until the chain server shows a newer one: choose another if this lasts",
        ),
        false => Check::ok("chain", format!("the wallet has checked it up to block {height}")),
    }
}

/// A peer without a channel matters to nobody.
fn of_peers(peers: &[Peer]) -> Option<Check> {
    let needed: Vec<&Peer> = peers.iter().filter(|peer| peer.channels > 0).collect();
    let away: Vec<String> = needed
        .iter()
        .filter(|peer| !peer.connected)
        .map(|peer| format!("{}@{}", peer.node_id, peer.address))
        .collect();
    let connected = format!("{} of {} connected", needed.len() - away.len(), needed.len());
    let advice = "nothing goes through their channels; if this lasts for days: kite close --force";
    match (needed.len(), away.len()) {
        (0, _) => None,
        (_, 0) => Some(Check::ok("peers", connected)),
        (all, away_count) if all == away_count => {
            let reason = format!("none of them answers: {}", away.join(", "));
            Some(Check::fail("peers", &WalletError::ConnectionFailed { reason }.into(), advice))
        }
        _ => Some(Check::warn("peers", format!("{connected}, not there: {}", away.join(", ")), advice)),
    }
}

fn of_channels(channels: &[Channel]) -> Check {
    const NAME: &str = "channels";
    let count = |state| channels.iter().filter(|channel| channel.state == state).count();
    let (ready, failed) = (count(ChannelState::Ready), count(ChannelState::Failed));
    let usable = channels.iter().filter(|channel| channel.usable).count();
    let waiting = count(ChannelState::Opening) + count(ChannelState::Pending);
    let detail = format!(
        "{usable} usable, {} not, {waiting} opening, {} closing, {failed} failed",
        ready - usable,
        count(ChannelState::Closing)
    );
    let comes_back = channels.iter().any(|channel| {
        channel.close.as_ref().is_some_and(|close| close.amount_sat > 0 && close.closed_by != ClosedBy::Both)
    });
    if failed > 0 || comes_back {
        return Check::warn(
            NAME,
            detail,
            "coins come back on-chain later: keep kite watch running until then",
        );
    }
    match (ready, usable, waiting) {
        (0, _, 0) => Check::warn(NAME, detail, "kite open NODE_ID@HOST:PORT AMOUNT opens one"),
        (0, _, _) => Check::ok(NAME, detail),
        (ready, usable, _) if usable < ready => {
            Check::warn(NAME, detail, "their peers are not there, or have not agreed on their state yet")
        }
        _ => Check::ok(NAME, detail),
    }
}

fn of_balance(balance: &Balance) -> Vec<Check> {
    let receivable = in_sat(balance.receivable_msat);
    let receiving = match balance.receivable_msat {
        0 => Check::warn(
            "receiving",
            "nothing can be received over Lightning",
            "pay something first, or ask a node to open a channel to yours",
        ),
        _ => Check::ok("receiving", format!("up to {receivable} over Lightning, while kite watch runs")),
    };
    let reserve = match balance.onchain_sat {
        0 => Check::warn(
            "reserve",
            "no on-chain coins to pay for the fees of a close by force",
            "kite receive gives an address: send a little to it",
        ),
        _ => Check::ok("reserve", format!("{} are kept for closing channels", sat(balance.reserved_sat))),
    };
    vec![receiving, reserve]
}

/// Words bring back what a channel pays to the wallet's own keys, as a close together does, and no more of it.
fn backup(session: &Session<'_>, channels: &[Channel]) -> Check {
    let is_here_alone = |channel: &&Channel| match (channel.state, &channel.close) {
        (ChannelState::Closed, _) => false,
        (_, Some(close)) => close.closed_by != ClosedBy::Both && close.amount_sat > 0,
        (_, None) => true,
    };
    let alone = u64::try_from(channels.iter().filter(is_here_alone).count()).unwrap_or(u64::MAX);
    if alone == 0 {
        return Check::ok("backup", "your words bring back everything");
    }
    let detail =
        format!("words bring back on-chain coins; in the folder alone: {}", counted(alone, "channel"));
    let advice = format!("keep {} on a disk you trust, and never run an old copy of it", session.config.data);
    Check { advice: Some(advice), ..Check::ok("backup", detail) }
}

/// What needs the owner and was not told by `kite watch` yet. It stays untold.
struct News(Mutex<Vec<String>>);

impl News {
    async fn listen(session: &Session<'_>) -> Arc<Self> {
        let news = Arc::new(Self(Mutex::default()));
        session.wallet.set_listener(news.clone()).await;
        news
    }

    fn checks(&self) -> Vec<Check> {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.iter().map(|what| Check::warn("news", what.clone(), "kite watch marks it as read")).collect()
    }
}

impl EventListener for News {
    fn on_event(&self, event: EventEnvelope) {
        if let Event::ActionRequired { what } = event.event {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(what);
        }
    }
}
