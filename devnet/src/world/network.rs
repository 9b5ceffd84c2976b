//! Starts the Lightning nodes, funds them and opens their channels.

use std::time::Duration;

use bitcoin::hashes::Hash;
use bitcoin::{Amount, TxOut};
use ldk_node::NodeError;
use tokio::time::Instant;

use super::{Shared, WorldError, WorldOptions};
use crate::peers::{LightningPeer, NAMES, NewChannel, PeerConfig, PeerError, Peers};

/// Coins that each node gets, so that it can open channels in a row and keep its anchor reserve.
const COINS_EACH: usize = 8;
const COIN: Amount = Amount::from_sat(20_000_000);

/// Capacity of a channel in the line; its far end gets half.
const CHANNEL_SAT: u64 = 10_000_000;

/// Blocks on a funding transaction until the nodes use and announce the channel.
const FUNDING_DEPTH: u32 = 6;

/// How long to wait for what the nodes do by themselves.
const PATIENCE: Duration = Duration::from_secs(60);
const GOSSIP_PATIENCE: Duration = Duration::from_millis(400);
const POLL: Duration = Duration::from_millis(50);

pub(super) async fn start_peers(
    options: &WorldOptions,
    shared: &Shared,
    esplora_url: &str,
) -> Result<Peers, WorldError> {
    options.say("starting alice, bob and carol");
    // The embedded chain is new each time; on a chain that stays, old keys would find old coins.
    let salt = match &options.bitcoind {
        Some(_) => shared.explorer.source().tip().await?.hash.to_byte_array().to_vec(),
        None => Vec::new(),
    };
    let configs = NAMES.iter().zip(options.peer_ports).map(|(name, port)| PeerConfig {
        name: (*name).to_owned(),
        esplora_url: esplora_url.to_owned(),
        port,
        salt: salt.clone(),
    });
    let tasks: Vec<_> = configs.map(|config| tokio::spawn(LightningPeer::start(config))).collect();
    let mut peers = Vec::new();
    for task in tasks {
        peers.push(task.await.map_err(|_| PeerError::Ended)??);
    }
    Ok(Peers::new(peers))
}

pub(super) async fn open_channels(options: &WorldOptions, shared: &Shared) -> Result<(), WorldError> {
    let peers = shared.peers.borrow().clone();
    options.say("giving them coins");
    let mut outputs = Vec::new();
    for peer in peers.iter() {
        for _ in 0..COINS_EACH {
            let script_pubkey = peer.new_address().await?.script_pubkey();
            outputs.push(TxOut { value: COIN, script_pubkey });
        }
    }
    shared.explorer.source().fund(outputs).await?;
    shared.explorer.source().mine(1).await?;
    shared.settle().await?;

    options.say("opening channels alice-bob and bob-carol");
    let line: Vec<_> = NAMES.iter().filter_map(|name| peers.get(name)).collect();
    for pair in line.windows(2) {
        let channel = NewChannel {
            node_id: pair[1].node_id().to_string(),
            address: pair[1].address().to_string(),
            amount_sat: CHANNEL_SAT,
            push_msat: CHANNEL_SAT / 2 * 1_000,
            announce: true,
        };
        pair[0].open_channel(channel).await?;
    }
    let channels = line.len() - 1;
    until("the funding transactions", PATIENCE, || funding_missing(shared, channels)).await?;
    shared.explorer.source().mine(FUNDING_DEPTH).await?;
    shared.settle().await?;

    options.say("waiting until every node knows every channel");
    let deadline = Instant::now() + PATIENCE;
    while let Err(error) = until("routes", GOSSIP_PATIENCE, || routes_missing(&peers, channels)).await {
        if Instant::now() >= deadline {
            return Err(error);
        }
        // A node drops a channel_update that comes before its own side has announced the channel. It learns it
        // again from a new connection, which begins with all that the other side knows.
        for pair in line.windows(2) {
            match pair[0].reconnect(pair[1]).await {
                // Both may be connecting at this moment: the next round sees.
                Ok(()) | Err(PeerError::Node(NodeError::ConnectionFailed)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

async fn funding_missing(shared: &Shared, channels: usize) -> Result<Option<String>, WorldError> {
    let waiting = shared.explorer.index().await?.waiting().len();
    Ok((waiting < channels).then(|| format!("{waiting} of {channels}")))
}

async fn routes_missing(peers: &Peers, channels: usize) -> Result<Option<String>, WorldError> {
    let mut missing = Vec::new();
    for peer in peers.iter() {
        let (known, usable) = peer.routable_channels().await?;
        if known < channels || !usable {
            missing.push(format!("{} knows {known} of {channels}, usable: {usable}", peer.name()));
        }
    }
    Ok((!missing.is_empty()).then(|| missing.join("; ")))
}

/// Asks until nothing is missing.
async fn until<F>(what: &str, patience: Duration, ask: impl Fn() -> F) -> Result<(), WorldError>
where
    F: Future<Output = Result<Option<String>, WorldError>>,
{
    let deadline = Instant::now() + patience;
    while let Some(missing) = ask().await? {
        if Instant::now() >= deadline {
            let state = format!("{what}: {missing}");
            return Err(WorldError::NotReady { seconds: patience.as_secs(), state });
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}
