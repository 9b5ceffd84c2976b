//! A proxy between the websocket of a browser wallet and the TCP port of a Lightning node.
//!
//! A page cannot open a TCP connection. This proxy does it on behalf of the page and carries bytes both ways without
//! looking at them: the peers' own encryption (BOLT 8) runs end to end, so the proxy learns who talks to whom and how
//! much, never what. It keeps no state; any number of proxies can stand behind one load balancer, which also
//! terminates TLS.
//!
//! ```no_run
//! # async fn run() -> Result<(), kite_proxy::ProxyError> {
//! let proxy = kite_proxy::Proxy::start(kite_proxy::ProxyConfig::default()).await?;
//! println!("ws://{}/v1/<host>/<port>", proxy.local_addr());
//! proxy.shutdown().await;
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod address;
mod config;
mod destination;
mod http;
mod limits;
mod metrics;
mod prompt;
mod pulse;
mod reason;
mod server;
mod session;

pub use address::{Network, NetworkError};
pub use config::{ClientAddress, ConfigError, Origins, ProxyConfig};
pub use destination::{Destination, DestinationError, Host, Pattern, PatternError};
pub use reason::Reason;
pub use server::{Proxy, ProxyError, RunningProxy};
