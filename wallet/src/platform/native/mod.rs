//! Phones, desktops and servers: tokio, TCP, SQLite and a locked file.

mod clock;
mod dial;
mod entropy;
mod folder;
mod http;
mod lock;
mod spawn;
mod store;
mod text;

pub use clock::NativeClock;
pub use dial::TcpDial;
pub use entropy::OsEntropy;
pub use http::HttpClient;
pub use lock::FileLock;
pub use spawn::TokioSpawn;
pub use store::SqliteStore;
pub use text::nfkd;

use super::{Platform, PlatformConfig};
use std::sync::Arc;

/// This device's view of the wallet in the folder `config.data`. Touches nothing yet. What runs in the background runs
/// on tokio's runtime, in which this must be called.
pub fn platform(config: &PlatformConfig) -> Platform {
    Platform {
        store: Arc::new(SqliteStore::new(&config.data)),
        dial: Arc::new(TcpDial),
        http: Arc::new(HttpClient::default()),
        clock: Arc::new(NativeClock),
        entropy: Arc::new(OsEntropy),
        lock: Arc::new(FileLock::new(&config.data)),
        spawn: Arc::new(TokioSpawn),
    }
}
