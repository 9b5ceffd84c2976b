//! What a proxy's host decides.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use crate::{Network, Pattern};

/// Whose pages may use the proxy, by the `Origin` header that browsers send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// Everyone's, and programs that send no origin.
    Any,
    /// Only these, written as browsers write them (`https://wallet.example`). A request without an origin is refused.
    Listed(Vec<String>),
}

/// Where the address of a client is read, which the limits count by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAddress {
    /// The other end of the TCP connection. Right where clients connect directly.
    Connection,
    /// `X-Forwarded-For`: so many trusted hops stand in front, each of which appended the address it saw.
    ForwardedFor {
        /// At least 1.
        trusted_hops: u8,
    },
}

/// Everything a proxy can be told. The default allows port 9735 of every public address, from any origin, and listens
/// on a free port of the loopback interface.
#[derive(Debug, Clone)]
pub struct ProxyConfig {
    /// Where to listen. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where to answer `/metrics`; unset means at [`ProxyConfig::listen`], for everyone to read.
    pub metrics_listen: Option<SocketAddr>,
    /// The allowed destinations; whatever matches none of them is refused.
    pub allowed_destinations: Vec<Pattern>,
    /// Networks that may be reached although they are not public (loopback, private, link-local, …).
    pub allowed_private_networks: Vec<Network>,
    /// Whose pages may use the proxy.
    pub origins: Origins,
    /// How clients are told apart. IPv6 clients count by their /64.
    pub client_address: ClientAddress,
    /// Connections in total.
    pub max_connections: u32,
    /// Connections of one client at a time.
    pub max_connections_per_client: u32,
    /// New connections of one client a minute.
    pub max_new_connections_per_client_per_minute: u32,
    /// Bytes a second of one client over all its connections, both directions together; unset means unlimited.
    /// At least [`ProxyConfig::LEAST_BYTES_PER_SECOND`].
    pub max_bytes_per_client_per_second: Option<u32>,
    /// How long finding and reaching the destination may take.
    pub connect_timeout: Duration,
    /// How often the client is pinged.
    pub ping_interval: Duration,
    /// How long the client may take to answer a ping or to accept bytes, and the destination to accept bytes.
    pub stall_timeout: Duration,
    /// How long a connection may live without data. Lightning peers ping each other more often than this.
    pub idle_timeout: Duration,
    /// How long a closing handshake may take, and the client's last bytes on their way to the destination.
    pub close_timeout: Duration,
    /// How long a shutdown waits for connections to end in order.
    pub shutdown_timeout: Duration,
}

/// A configuration that cannot work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A limit of 0 would refuse everything.
    #[error("{field} must be at least {least}")]
    TooSmall {
        /// The field of [`ProxyConfig`].
        field: &'static str,
        /// The smallest value that works.
        least: u32,
    },
    /// No destination is allowed.
    #[error("no destination is allowed")]
    NoDestination,
}

impl Default for ProxyConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            metrics_listen: None,
            allowed_destinations: vec![Pattern::any_host(9735)],
            allowed_private_networks: Vec::new(),
            origins: Origins::Any,
            client_address: ClientAddress::Connection,
            max_connections: 4096,
            max_connections_per_client: 32,
            max_new_connections_per_client_per_minute: 60,
            max_bytes_per_client_per_second: None,
            connect_timeout: Duration::from_secs(10),
            ping_interval: Duration::from_secs(30),
            stall_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(600),
            close_timeout: Duration::from_secs(5),
            shutdown_timeout: Duration::from_secs(15),
        }
    }
}

impl ProxyConfig {
    /// The smallest byte rate that still carries a Lightning message without looking like a stall.
    pub const LEAST_BYTES_PER_SECOND: u32 = 16 * 1024;

    /// Looks for limits that cannot work.
    ///
    /// # Errors
    /// The first one found.
    pub fn check(&self) -> Result<(), ConfigError> {
        let hops = match self.client_address {
            ClientAddress::Connection => 1,
            ClientAddress::ForwardedFor { trusted_hops } => u32::from(trusted_hops),
        };
        let rate = self.max_bytes_per_client_per_second.unwrap_or(u32::MAX);
        let least = [
            ("max_connections", self.max_connections, 1),
            ("max_connections_per_client", self.max_connections_per_client, 1),
            ("max_new_connections_per_client_per_minute", self.max_new_connections_per_client_per_minute, 1),
            ("max_bytes_per_client_per_second", rate, Self::LEAST_BYTES_PER_SECOND),
            ("trusted_hops", hops, 1),
            ("ping_interval (in milliseconds)", millis(self.ping_interval), 1),
        ];
        if let Some((field, _, least)) = least.into_iter().find(|(_, value, least)| value < least) {
            return Err(ConfigError::TooSmall { field, least });
        }
        if self.allowed_destinations.is_empty() { Err(ConfigError::NoDestination) } else { Ok(()) }
    }
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_that_cannot_work_are_refused() {
        assert_eq!(ProxyConfig::default().check(), Ok(()));
        let none = ProxyConfig { max_connections: 0, ..ProxyConfig::default() };
        assert_eq!(none.check(), Err(ConfigError::TooSmall { field: "max_connections", least: 1 }));
        let slow = ProxyConfig { max_bytes_per_client_per_second: Some(1), ..ProxyConfig::default() };
        assert!(slow.check().is_err());
        let closed = ProxyConfig { allowed_destinations: Vec::new(), ..ProxyConfig::default() };
        assert_eq!(closed.check(), Err(ConfigError::NoDestination));
    }
}
