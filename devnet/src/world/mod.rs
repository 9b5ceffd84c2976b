//! The whole world in one value: chain, Esplora API, faucet, proxy and Lightning nodes.

mod faucet;
mod network;
mod options;
mod proxy;

use std::sync::Arc;
use std::time::Duration;

use axum::routing::get;
use axum::{Json, Router};
use bitcoin::{Address, Amount, TxOut, Txid};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::watch;

pub use options::WorldOptions;

use crate::chain::Displaced;
use crate::esplora::{Explorer, router as esplora_router};
use crate::http::{HttpError, Server};
use crate::peers::{LightningPeer, PeerError, Peers, router as peers_router};
use crate::source::{Bitcoind, ChainSource, Embedded, SourceError};

/// How often a chain that others may extend is looked at.
const WATCH_INTERVAL: Duration = Duration::from_millis(500);

/// Why a world doesn't start or obey.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// A port is taken.
    #[error("can't listen: {0}")]
    Listen(#[from] std::io::Error),
    /// The chain doesn't answer.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A Lightning node fails.
    #[error(transparent)]
    Peer(#[from] PeerError),
    /// The proxy doesn't start.
    #[error(transparent)]
    Proxy(#[from] kite_proxy::ProxyError),
    /// The nodes have no usable channels although all was done for it.
    #[error("not ready after {seconds} s: {state}")]
    NotReady {
        /// Seconds waited.
        seconds: u64,
        /// What each node knows.
        state: String,
    },
    /// The world's own runtime is gone.
    #[error("the world's runtime ended")]
    Ended,
}

impl From<WorldError> for HttpError {
    fn from(error: WorldError) -> Self {
        match error {
            WorldError::Source(error) => error.into(),
            WorldError::Peer(error) => error.into(),
            other => Self::BadGateway(other.to_string()),
        }
    }
}

/// What the servers and tasks of a world share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) explorer: Arc<Explorer>,
    peers: watch::Sender<Peers>,
    /// Numbers of the last wish to catch up, and of the last one fulfilled.
    wished: watch::Sender<u64>,
    fulfilled: watch::Sender<u64>,
}

impl Shared {
    /// Brings the index, then all nodes up to the chain's tip.
    pub(crate) async fn settle(&self) -> Result<(), SourceError> {
        drop(self.explorer.index().await?);
        let mut wish = 0;
        self.wished.send_modify(|last| {
            *last += 1;
            wish = *last;
        });
        // The other end is in this struct.
        let _ = self.fulfilled.subscribe().wait_for(|done| *done >= wish).await;
        Ok(())
    }

    /// Fulfils wishes to catch up, many at once.
    async fn serve_wishes(&self) {
        let mut wishes = self.wished.subscribe();
        while wishes.changed().await.is_ok() {
            let wish = *wishes.borrow_and_update();
            let peers = self.peers.borrow().clone();
            // A node that can't reach its chain source tries again at the next block.
            let _ = peers.sync().await;
            self.fulfilled.send_replace(wish);
        }
    }

    /// Notices blocks that came from elsewhere.
    async fn watch_tips(&self) {
        let mut tips = self.explorer.tips();
        loop {
            let looked = self.explorer.index().await.map(drop);
            if looked.is_ok() && tips.has_changed().unwrap_or_default() {
                tips.mark_unchanged();
                self.wished.send_modify(|last| *last += 1);
            }
            tokio::time::sleep(WATCH_INTERVAL).await;
        }
    }

    /// Mines a block every `interval`.
    async fn keep_block_clock(&self, interval: Duration) {
        loop {
            tokio::time::sleep(interval).await;
            if self.explorer.source().mine(1).await.is_ok() {
                // The next block tries again.
                let _ = self.settle().await;
            }
        }
    }
}

/// A world at work. It ends with [`World::stop`], or (less orderly) when dropped.
#[derive(Debug)]
pub struct World {
    shared: Arc<Shared>,
    addresses: Addresses,
    servers: Servers,
    runtime: OwnRuntime,
}

/// What is served where, as `/world.json` tells it.
#[derive(Debug, Clone)]
struct Addresses {
    esplora_url: String,
    proxy_url: String,
}

#[derive(Debug)]
struct Servers {
    /// Held for as long as it shall listen.
    _esplora: Server,
    control: Server,
    proxy: kite_proxy::RunningProxy,
}

/// Dropped without waiting, since it may be dropped inside another runtime.
#[derive(Debug)]
struct OwnRuntime(Option<Runtime>);

impl Drop for OwnRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl OwnRuntime {
    fn new() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        Ok(Self(Some(runtime)))
    }

    fn handle(&self) -> &tokio::runtime::Handle {
        // Taken only in drop.
        self.0.as_ref().expect("held until dropped").handle()
    }
}

impl World {
    /// Starts everything and waits until the nodes can pay each other.
    ///
    /// # Errors
    /// [`WorldError`]; what was started is stopped again.
    pub async fn start(options: WorldOptions) -> Result<Self, WorldError> {
        let runtime = OwnRuntime::new()?;
        let starting = runtime.handle().spawn(start(options));
        let (shared, addresses, servers) = starting.await.map_err(|_| WorldError::Ended)??;
        Ok(Self { shared, addresses, servers, runtime })
    }

    /// Base of the Esplora API.
    pub fn esplora_url(&self) -> String {
        self.addresses.esplora_url.clone()
    }

    /// Base of the websocket proxy: `{base}/v1/{host}/{port}` reaches any port of this machine.
    pub fn proxy_url(&self) -> String {
        self.addresses.proxy_url.clone()
    }

    /// Base of faucet, mining and the nodes' controls.
    pub fn control_url(&self) -> String {
        self.servers.control.url()
    }

    /// What `/world.json` says.
    pub fn describe(&self) -> Value {
        describe(&self.addresses, &self.control_url(), &self.peers())
    }

    /// The Lightning nodes.
    pub fn peers(&self) -> Peers {
        self.shared.peers.borrow().clone()
    }

    /// One of the Lightning nodes.
    ///
    /// # Errors
    /// [`PeerError::Argument`] when no node has this name.
    pub fn peer(&self, name: &str) -> Result<Arc<LightningPeer>, WorldError> {
        let missing = || PeerError::Argument(format!("no peer is called {name}"));
        Ok(self.peers().get(name).cloned().ok_or_else(missing)?)
    }

    /// The chain.
    pub fn source(&self) -> &Arc<dyn ChainSource> {
        self.shared.explorer.source()
    }

    /// The index behind the Esplora API.
    pub fn explorer(&self) -> &Arc<Explorer> {
        &self.shared.explorer
    }

    /// Mines blocks and waits until index and nodes have seen them.
    ///
    /// # Errors
    /// When the chain doesn't answer.
    pub async fn mine(&self, count: u32) -> Result<(), WorldError> {
        self.source().mine(count).await?;
        self.settle().await
    }

    /// Replaces the last `depth` blocks and waits until index and nodes have seen it.
    ///
    /// # Errors
    /// When the chain is too short or doesn't answer.
    pub async fn reorg(&self, depth: u32, displaced: Displaced) -> Result<(), WorldError> {
        self.source().reorg(depth, displaced).await?;
        self.settle().await
    }

    /// Sends money from the faucet; it waits for a block.
    ///
    /// # Errors
    /// When the faucet is empty or the chain doesn't answer.
    pub async fn fund(&self, address: &Address, amount: Amount) -> Result<Txid, WorldError> {
        let output = TxOut { value: amount, script_pubkey: address.script_pubkey() };
        Ok(self.source().fund(vec![output]).await?)
    }

    /// Waits until index and nodes have seen the chain's tip.
    ///
    /// # Errors
    /// When the chain doesn't answer.
    pub async fn settle(&self) -> Result<(), WorldError> {
        Ok(self.shared.settle().await?)
    }

    /// Stops nodes and servers, and deletes the nodes' folders.
    pub async fn stop(self) {
        let peers = self.peers();
        // An error means that the runtime is ending already.
        let ending = self.runtime.handle().spawn(async move {
            tokio::join!(peers.end(), self.servers.proxy.shutdown());
        });
        let _ = ending.await;
    }
}

fn describe(addresses: &Addresses, control_url: &str, peers: &Peers) -> Value {
    json!({
        "network": "regtest",
        "esplora_url": addresses.esplora_url,
        "proxy_url": addresses.proxy_url,
        "control_url": control_url,
        "faucet_url": format!("{control_url}/faucet"),
        "peers": peers.iter().map(|peer| crate::peers::describe(peer)).collect::<Value>(),
    })
}

async fn start(options: WorldOptions) -> Result<(Arc<Shared>, Addresses, Servers), WorldError> {
    let source: Arc<dyn ChainSource> = match &options.bitcoind {
        Some(url) => Arc::new(Bitcoind::new(url.clone())?),
        None => Arc::new(match &options.judge {
            Some(judge) => Embedded::new().judged_by(judge.clone()),
            None => Embedded::new(),
        }),
    };
    options.say("preparing the regtest chain");
    source.prepare().await?;
    let explorer = Arc::new(Explorer::new(source));
    drop(explorer.index().await?);
    let shared = Arc::new(Shared {
        explorer: explorer.clone(),
        peers: watch::Sender::new(Peers::default()),
        wished: watch::Sender::new(0),
        fulfilled: watch::Sender::new(0),
    });
    let esplora = Server::start(esplora_router(explorer), options.esplora_port).await?;
    options.say(&format!("Esplora API at {}", esplora.url()));
    for task in [true, false] {
        let shared = shared.clone();
        tokio::spawn(
            async move { if task { shared.serve_wishes().await } else { shared.watch_tips().await } },
        );
    }
    if options.peers {
        let peers = network::start_peers(&options, &shared, &esplora.url()).await?;
        shared.peers.send_replace(peers);
        network::open_channels(&options, &shared).await?;
    }
    let proxy = proxy::start(options.proxy_port).await?;
    let proxy_url = format!("ws://{}", proxy.local_addr());
    options.say(&format!("websocket proxy at {proxy_url}"));
    let addresses = Addresses { esplora_url: esplora.url(), proxy_url };
    let control = start_control(&options, &shared, addresses.clone()).await?;
    if let Some(interval) = options.block_interval {
        let shared = shared.clone();
        tokio::spawn(async move { shared.keep_block_clock(interval).await });
    }
    options.say(&format!("ready, controls at {}", control.url()));
    Ok((shared, addresses, Servers { _esplora: esplora, control, proxy }))
}

async fn start_control(
    options: &WorldOptions,
    shared: &Arc<Shared>,
    addresses: Addresses,
) -> Result<Server, WorldError> {
    let shared = shared.clone();
    let peers = shared.peers.borrow().clone();
    let for_world = peers.clone();
    let world = move |headers: axum::http::HeaderMap| {
        let host = headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
        let answer = describe(&addresses, &format!("http://{host}"), &for_world);
        async move { Json(answer) }
    };
    let router = Router::new()
        .route("/world.json", get(world))
        .merge(faucet::router(shared))
        .merge(peers_router(peers));
    Ok(Server::start(router, options.control_port).await?)
}
