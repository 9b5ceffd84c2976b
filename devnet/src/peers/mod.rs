//! Three real Lightning nodes: alice, bob and carol, all `ldk-node`.

mod control;
mod node;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use control::{NewChannel, NewHoldInvoice, NewInvoice};
pub use node::{LightningPeer, PeerConfig, PeerError, on_thread};

pub(crate) use control::{describe, router};

/// Names of the nodes, in the order of their channels.
pub const NAMES: [&str; 3] = ["alice", "bob", "carol"];

/// The nodes by name.
#[derive(Debug, Clone, Default)]
pub struct Peers(BTreeMap<String, Arc<LightningPeer>>);

impl Peers {
    pub(crate) fn new(peers: impl IntoIterator<Item = LightningPeer>) -> Self {
        Self(peers.into_iter().map(|peer| (peer.name().to_owned(), Arc::new(peer))).collect())
    }

    /// The node called `name`.
    pub fn get(&self, name: &str) -> Option<&Arc<LightningPeer>> {
        self.0.get(name)
    }

    /// All nodes, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<LightningPeer>> {
        self.0.values()
    }

    /// Lets all running nodes catch up with the chain, side by side.
    ///
    /// # Errors
    /// The first failure, after all have tried.
    pub async fn sync(&self) -> Result<(), PeerError> {
        let running = self.iter().filter(|peer| peer.is_running()).cloned();
        let tasks: Vec<_> = running.map(|peer| tokio::spawn(async move { peer.sync().await })).collect();
        let mut result = Ok(());
        for task in tasks {
            let synced = task.await.unwrap_or(Err(PeerError::Ended));
            result = result.and(synced);
        }
        result
    }

    /// Stops all nodes, side by side, and deletes their folders.
    pub async fn end(&self) {
        let tasks: Vec<_> =
            self.iter().cloned().map(|peer| tokio::spawn(async move { peer.end().await })).collect();
        for task in tasks {
            // A node that doesn't stop in order is dropped all the same.
            let _ = task.await;
        }
    }
}
