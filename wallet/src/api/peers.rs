//! Peers.

#[cfg(all(feature = "wasm", target_family = "wasm"))]
use super::WalletJs;
use super::info::saturating;
use super::{Wallet, WalletError};
use bitcoin::secp256k1::PublicKey;
use kite_api::api;
use kite_core::node::{Command, Node};

/// A Lightning node that the wallet keeps a connection to.
#[api(record)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its node id.
    pub node_id: String,
    /// `host:port`.
    pub address: String,
    /// Whether messages flow now.
    pub connected: bool,
    /// How many channels there are with it, closing ones included.
    pub channels: u32,
}

#[api]
impl Wallet {
    /// Connects to a node, now and after every start, and waits until it is connected.
    ///
    /// # Errors
    /// `InvalidInput`, `ConnectionFailed`, `Refused`, and what every call can fail with. An address that could not be
    /// reached is kept and tried again.
    pub async fn connect_peer(&self, node_id: String, address: String) -> Result<(), WalletError> {
        let node_id = parse_node_id(&node_id)?;
        let address = parse_address(&address)?;
        self.command(Command::ConnectPeer { node_id, address }).await?;
        Ok(())
    }

    /// Closes the connection to a node and forgets its address.
    ///
    /// # Errors
    /// `NotFound`; `Refused` while there is a channel with it.
    pub async fn disconnect_peer(&self, node_id: String) -> Result<(), WalletError> {
        self.command(Command::ForgetPeer { node_id: parse_node_id(&node_id)? }).await?;
        Ok(())
    }

    /// Every node that the wallet keeps a connection to, connected or not.
    ///
    /// # Errors
    /// `Stopped`, `LeaseLost`, `StoreUnavailable`.
    pub async fn list_peers(&self) -> Result<Vec<Peer>, WalletError> {
        let peers = self.ask(Node::peers).await?;
        Ok(peers
            .into_iter()
            .map(|peer| Peer {
                node_id: peer.node_id.to_string(),
                address: peer.address,
                connected: peer.is_connected,
                channels: saturating(peer.channels),
            })
            .collect())
    }
}

pub(super) fn parse_node_id(text: &str) -> Result<PublicKey, WalletError> {
    text.trim().parse().map_err(|_| WalletError::invalid("node_id", "not the 66 characters of a node id"))
}

/// A host and a port. A missing port is the usual one of Lightning.
pub(super) fn parse_address(text: &str) -> Result<String, WalletError> {
    let invalid = || WalletError::invalid("address", "not a host and a port, as in example.org:9735");
    let text = text.trim();
    let bracketed = text.starts_with('[') && text.ends_with(']');
    let text = match text.rsplit_once(':') {
        Some(_) if !bracketed => text.to_owned(),
        _ => format!("{text}:9735"),
    };
    let (host, port) = text.rsplit_once(':').ok_or_else(invalid)?;
    let is_ipv6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host_is_fine = match is_ipv6 {
        Some(host) => host.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        }
    };
    let port: u16 = port.parse().map_err(|_| invalid())?;
    if !host_is_fine || port == 0 || text.len() > 255 {
        return Err(invalid());
    }
    Ok(text)
}
