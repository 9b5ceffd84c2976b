//! What a world may be told.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;

use crate::source::Judge;

/// Told of each step of the start.
type Progress = Arc<dyn Fn(&str) + Send + Sync>;

/// How to start a world. The default is an embedded chain without block clock, three nodes and free ports.
#[derive(Clone)]
pub struct WorldOptions {
    /// A regtest `bitcoind` with wallet (`http://user:password@host:port`) instead of the embedded chain.
    pub bitcoind: Option<Url>,
    /// Shown every block of the embedded chain; in tests, Bitcoin Core's validation engine.
    pub judge: Option<Arc<dyn Judge>>,
    /// Whether to start alice, bob and carol and open their channels.
    pub peers: bool,
    /// Time between two blocks that come by themselves; unset means only on demand.
    pub block_interval: Option<Duration>,
    /// Port of the Esplora API; 0 takes a free one.
    pub esplora_port: u16,
    /// Port of faucet and controls; 0 takes a free one.
    pub control_port: u16,
    /// Port of the websocket proxy; 0 takes a free one.
    pub proxy_port: u16,
    /// Ports of alice, bob and carol; 0 takes a free one.
    pub peer_ports: [u16; 3],
    /// Called with a line for each step of the start.
    pub progress: Option<Progress>,
}

impl Default for WorldOptions {
    fn default() -> Self {
        Self {
            bitcoind: None,
            judge: None,
            peers: true,
            block_interval: None,
            esplora_port: 0,
            control_port: 0,
            proxy_port: 0,
            peer_ports: [0; 3],
            progress: None,
        }
    }
}

impl WorldOptions {
    pub(super) fn say(&self, line: &str) {
        if let Some(progress) = &self.progress {
            progress(line);
        }
    }
}

impl fmt::Debug for WorldOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address of a bitcoind holds its password.
        f.debug_struct("WorldOptions")
            .field("bitcoind", &self.bitcoind.is_some())
            .field("judge", &self.judge)
            .field("peers", &self.peers)
            .field("block_interval", &self.block_interval)
            .field("esplora_port", &self.esplora_port)
            .field("control_port", &self.control_port)
            .field("proxy_port", &self.proxy_port)
            .field("peer_ports", &self.peer_ports)
            .finish_non_exhaustive()
    }
}
