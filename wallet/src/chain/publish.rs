//! Publishes transactions.

use super::http::{Http, LARGE, success};
use super::{ChainConfig, ChainError};
use crate::platform::{self, Clock};
use bitcoin::consensus::encode::serialize_hex;
use bitcoin::{Transaction, Txid};
use std::sync::Arc;

/// Publishes transactions through one server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Publisher {
    http: Http,
}

/// What became of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// The network has every transaction of it, now or already before.
    Known,
    /// The network refused one. Trying again without a change does not help; the node does with the next block.
    Refused {
        /// Which one.
        txid: Txid,
        /// What the server said.
        reason: String,
    },
}

impl Publisher {
    /// A publisher for this server.
    ///
    /// # Errors
    /// [`ChainError::InvalidUrl`].
    pub fn new(
        config: &ChainConfig,
        http: Arc<dyn platform::Http>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ChainError> {
        Ok(Self { http: Http::new(config, http, clock)? })
    }

    /// Publishes transactions, parents first: as a package where the server can, else one by one.
    ///
    /// # Errors
    /// The server could not be asked; try again.
    pub async fn publish(&self, package: &[Transaction]) -> Result<Published, ChainError> {
        if package.len() > 1 && self.publish_together(package).await? {
            return Ok(Published::Known);
        }
        let mut refused = None;
        for tx in package {
            if let Some(reason) = self.publish_one(tx).await? {
                refused.get_or_insert(Published::Refused { txid: tx.compute_txid(), reason });
            }
        }
        Ok(refused.unwrap_or(Published::Known))
    }

    /// Whether the server took the package as one. If not, its transactions may still be taken one by one.
    async fn publish_together(&self, package: &[Transaction]) -> Result<bool, ChainError> {
        let body: Vec<String> = package.iter().map(serialize_hex).collect();
        let body = serde_json::Value::from(body).to_string();
        let Ok(answer) = success("/txs/package", self.http.post("/txs/package", body).await?) else {
            return Ok(false);
        };
        let answer: Option<serde_json::Value> = serde_json::from_slice(&answer).ok();
        Ok(answer.is_some_and(|answer| answer.get("package_msg").is_some_and(|message| message == "success")))
    }

    /// The reason if the network refused it and does not have it.
    async fn publish_one(&self, tx: &Transaction) -> Result<Option<String>, ChainError> {
        let reason = match success("/tx", self.http.post("/tx", serialize_hex(tx)).await?) {
            Ok(_) => return Ok(None),
            Err(ChainError::Refused { status, .. }) if busy(status) => {
                return Err(ChainError::Refused { path: "/tx".into(), status, message: "busy".into() });
            }
            Err(ChainError::Refused { message, .. }) => message,
            Err(error) => return Err(error),
        };
        // A transaction that is known or confirmed is refused as well.
        Ok(if self.is_unknown(tx).await? { Some(reason) } else { None })
    }

    async fn is_unknown(&self, tx: &Transaction) -> Result<bool, ChainError> {
        let path = format!("/tx/{}/raw", tx.compute_txid());
        let there: Option<Transaction> = self.http.decoded(&path, LARGE).await?;
        Ok(there.is_none_or(|there| there.compute_txid() != tx.compute_txid()))
    }
}

fn busy(status: u16) -> bool {
    matches!(status, 429 | 502..=504)
}
