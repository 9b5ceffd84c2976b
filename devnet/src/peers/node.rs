//! One `ldk-node` in this process.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bitcoin::hashes::{Hash, sha512};
use bitcoin::secp256k1::PublicKey;
use bitcoin::{Address, Network};
use ldk_node::config::{Config, EsploraSyncConfig};
use ldk_node::lightning::ln::msgs::SocketAddress;
use ldk_node::liquidity::LSPS2ServiceConfig;
use ldk_node::payment::{PaymentDetails, PaymentStatus};
use ldk_node::{Builder, Node, NodeError};
use tempfile::TempDir;
use tokio::sync::oneshot;

/// How often a node's event queue is emptied.
const EVENT_INTERVAL: Duration = Duration::from_millis(100);

/// How often a payment is looked at while waiting for its end.
const PAYMENT_INTERVAL: Duration = Duration::from_millis(20);

/// How often another port is tried.
const PORT_ATTEMPTS: usize = 5;

/// Why a node doesn't do what it is told.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// Its folder or port can't be had.
    #[error("no folder or port: {0}")]
    Io(#[from] std::io::Error),
    /// It can't be built.
    #[error("can't build the node: {0}")]
    Build(#[from] ldk_node::BuildError),
    /// It says no.
    #[error("the node refuses: {0}")]
    Node(#[from] NodeError),
    /// An argument is no key, address, invoice, …
    #[error("{0}")]
    Argument(String),
    /// The thread that did it is gone.
    #[error("the node's thread ended")]
    Ended,
}

/// What a node is made of.
#[derive(Debug, Clone)]
pub struct PeerConfig {
    /// Its name and alias.
    pub name: String,
    /// Where it finds the chain.
    pub esplora_url: String,
    /// Port on loopback; 0 takes a free one.
    pub port: u16,
    /// Makes its keys different from those of an earlier world on the same chain.
    pub salt: Vec<u8>,
}

/// A node with its folder.
#[derive(Debug)]
pub struct LightningPeer {
    name: String,
    address: SocketAddr,
    held: Held,
}

/// Drops the node on a thread of its own: it holds a runtime, which must not be dropped inside another.
#[derive(Debug)]
struct Held(Option<(Arc<NodeBox>, TempDir)>);

struct NodeBox(Node);

impl std::fmt::Debug for NodeBox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.node_id())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some((node, folder)) = self.0.take() {
            std::thread::spawn(move || {
                // Already stopped is fine.
                let _ = node.0.stop();
                drop((node, folder));
            });
        }
    }
}

/// Runs `work` on a thread outside any runtime, as `ldk-node` wants it.
///
/// # Errors
/// [`PeerError::Ended`] when it panics.
pub async fn on_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, PeerError> {
    let (done, result) = oneshot::channel();
    std::thread::spawn(move || {
        // Nobody may be waiting any more.
        let _ = done.send(work());
    });
    result.await.map_err(|_| PeerError::Ended)
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Starts on a port that was free a moment ago, and on another one if somebody took it since.
async fn on_free_port<T, F: Future<Output = Result<T, PeerError>>>(
    mut free_port: impl FnMut() -> std::io::Result<u16>,
    start: impl Fn(u16) -> F,
) -> Result<T, PeerError> {
    for _ in 1..PORT_ATTEMPTS {
        match start(free_port()?).await {
            // What `ldk-node` answers when it can't listen.
            Err(PeerError::Node(NodeError::InvalidSocketAddress)) => {}
            result => return result,
        }
    }
    start(free_port()?).await
}

impl LightningPeer {
    /// Builds and starts a node in a folder of its own.
    ///
    /// # Errors
    /// When folder, port or node can't be had.
    pub async fn start(config: PeerConfig) -> Result<Self, PeerError> {
        match config.port {
            0 => on_free_port(free_port, |port| Self::start_at(config.clone(), port)).await,
            port => Self::start_at(config, port).await,
        }
    }

    async fn start_at(config: PeerConfig, port: u16) -> Result<Self, PeerError> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let folder = tempfile::Builder::new().prefix(&format!("kite-{}-", config.name)).tempdir()?;
        let name = config.name.clone();
        let (node, folder) =
            on_thread(move || build(&config, address, &folder).map(|node| (node, folder))).await??;
        let node = Arc::new(NodeBox(node));
        drain_events(&node);
        Ok(Self { name, address, held: Held(Some((node, folder))) })
    }

    fn node(&self) -> &Arc<NodeBox> {
        // Taken only in drop.
        &self.held.0.as_ref().expect("held until dropped").0
    }

    /// Its name and alias.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its public key.
    pub fn node_id(&self) -> PublicKey {
        self.node().0.node_id()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether it is started.
    pub fn is_running(&self) -> bool {
        self.node().0.status().is_running
    }

    /// Does something with the node, on a thread of its own.
    ///
    /// # Errors
    /// What `work` says, or [`PeerError::Ended`] when it panics.
    pub async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Node) -> Result<T, PeerError> + Send + 'static,
    ) -> Result<T, PeerError> {
        let node = self.node().clone();
        on_thread(move || {
            let result = work(&node.0);
            drop(node);
            result
        })
        .await?
    }

    /// Catches up with the chain.
    ///
    /// # Errors
    /// When the chain source doesn't answer.
    pub async fn sync(&self) -> Result<(), PeerError> {
        self.with(|node| Ok(node.sync_wallets()?)).await
    }

    /// Stops it; its folder and keys stay. A stopped node is left as it is.
    ///
    /// # Errors
    /// When it can't be stopped in order.
    pub async fn stop(&self) -> Result<(), PeerError> {
        self.with(|node| match node.stop() {
            Err(NodeError::NotRunning) => Ok(()),
            result => Ok(result?),
        })
        .await
    }

    /// Stops it for good and deletes its folder.
    ///
    /// # Errors
    /// When it can't be stopped in order; the folder is then deleted as soon as the node is dropped.
    pub async fn end(&self) -> Result<(), PeerError> {
        self.stop().await?;
        if let Some((_, folder)) = &self.held.0 {
            std::fs::remove_dir_all(folder.path())?;
        }
        Ok(())
    }

    /// Starts it again after [`LightningPeer::stop`].
    ///
    /// # Errors
    /// When it runs, or can't.
    pub async fn restart(&self) -> Result<(), PeerError> {
        self.with(|node| Ok(node.start()?)).await?;
        drain_events(self.node());
        self.sync().await
    }

    /// A new address of its on-chain wallet.
    ///
    /// # Errors
    /// When the wallet can't be stored.
    pub async fn new_address(&self) -> Result<Address, PeerError> {
        self.with(|node| Ok(node.onchain_payment().new_address()?)).await
    }

    /// Its payment `id` (the payment hash, for BOLT 11), once it is settled or `timeout` is over.
    ///
    /// # Errors
    /// When there is no such payment.
    pub async fn settled(&self, id: [u8; 32], timeout: Duration) -> Result<PaymentDetails, PeerError> {
        let deadline = tokio::time::Instant::now() + timeout;
        loop {
            let id = ldk_node::lightning::ln::channelmanager::PaymentId(id);
            let payment = self.with(move |node| Ok(node.payment(&id))).await?;
            let payment = payment.ok_or_else(|| PeerError::Argument("no such payment".to_owned()))?;
            if payment.status != PaymentStatus::Pending || tokio::time::Instant::now() >= deadline {
                return Ok(payment);
            }
            tokio::time::sleep(PAYMENT_INTERVAL).await;
        }
    }
}

/// Events are read by nobody, but kept until they are handled.
fn drain_events(node: &Arc<NodeBox>) {
    let node = Arc::downgrade(node);
    std::thread::spawn(move || {
        while let Some(node) = node.upgrade().filter(|node| node.0.status().is_running) {
            while node.0.next_event().is_some() && node.0.event_handled().is_ok() {}
            drop(node);
            std::thread::sleep(EVENT_INTERVAL);
        }
    });
}

fn build(config: &PeerConfig, address: SocketAddr, folder: &TempDir) -> Result<Node, PeerError> {
    let listening = SocketAddress::from_str(&address.to_string())
        .map_err(|error| PeerError::Argument(format!("{address}: {error}")))?;
    let mut builder = Builder::from_config(Config { network: Network::Regtest, ..Config::default() });
    let seed = [b"kite devnet ".as_slice(), config.name.as_bytes(), &config.salt].concat();
    builder
        .set_entropy_seed_bytes(sha512::Hash::hash(&seed).to_byte_array())
        .set_chain_source_esplora(
            config.esplora_url.clone(),
            Some(EsploraSyncConfig { background_sync_config: None }),
        )
        .set_gossip_source_p2p()
        .set_storage_dir_path(folder.path().to_string_lossy().into_owned())
        .set_liquidity_provider_lsps2(liquidity_service())
        .set_listening_addresses(vec![listening])?
        .set_node_alias(config.name.clone())?;
    let node = builder.build()?;
    node.start()?;
    Ok(node)
}

/// A wallet's channels are not announced, and of ldk-node's nodes only liquidity providers forward payments into such.
fn liquidity_service() -> LSPS2ServiceConfig {
    LSPS2ServiceConfig {
        require_token: None,
        advertise_service: true,
        channel_opening_fee_ppm: 10_000,
        channel_over_provisioning_ppm: 500_000,
        min_channel_opening_fee_msat: 0,
        min_channel_lifetime: 100,
        max_client_to_self_delay: 1_024,
        min_payment_size_msat: 0,
        max_payment_size_msat: 1_000_000_000,
        client_trusts_lsp: false,
    }
}

#[cfg(test)]
mod tests {
    use super::{NodeError, PORT_ATTEMPTS, PeerError, on_free_port};

    /// Answers from 1 on; the first `taken` ports belong to somebody else.
    async fn started(taken: u16, refusal: NodeError) -> Result<u16, PeerError> {
        let mut ports = 1..;
        on_free_port(
            || Ok(ports.next().unwrap_or_default()),
            |port| {
                let answer = if port <= taken { Err(PeerError::Node(refusal)) } else { Ok(port) };
                std::future::ready(answer)
            },
        )
        .await
    }

    #[tokio::test]
    async fn a_port_that_was_taken_since_is_not_the_end() {
        let last = u16::try_from(PORT_ATTEMPTS).unwrap();
        assert_eq!(started(0, NodeError::InvalidSocketAddress).await.unwrap(), 1);
        assert_eq!(started(last - 1, NodeError::InvalidSocketAddress).await.unwrap(), last);
        assert!(started(last, NodeError::InvalidSocketAddress).await.is_err());
    }

    #[tokio::test]
    async fn what_has_nothing_to_do_with_the_port_is_said_at_once() {
        assert!(matches!(
            started(1, NodeError::PersistenceFailed).await,
            Err(PeerError::Node(NodeError::PersistenceFailed))
        ));
    }
}
