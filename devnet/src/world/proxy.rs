//! The websocket proxy, open to every port of this machine and to nothing else.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use kite_proxy::{Network, Pattern, Proxy, ProxyConfig, ProxyError, RunningProxy};

/// Tests cut connections on purpose, many times.
const CONNECTIONS: u32 = 10_000;

/// Listens at `port` on loopback; 0 takes a free one.
pub(super) async fn start(port: u16) -> Result<RunningProxy, ProxyError> {
    let destinations =
        ["127.0.0.1:*", "localhost:*"].into_iter().filter_map(|text| Pattern::from_str(text).ok());
    Proxy::start(ProxyConfig {
        listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port),
        allowed_destinations: destinations.collect(),
        allowed_private_networks: Network::from_str("127.0.0.0/8").into_iter().collect(),
        max_connections: CONNECTIONS,
        max_connections_per_client: CONNECTIONS,
        max_new_connections_per_client_per_minute: CONNECTIONS,
        ..ProxyConfig::default()
    })
    .await
}
