//! Phones, desktops and servers: tokio, TCP, SQLite and a locked file.

mod clock;
mod dial;
mod entropy;
mod lock;
mod spawn;
mod store;

pub use clock::NativeClock;
pub use dial::TcpDial;
pub use entropy::OsEntropy;
pub use lock::FileLock;
pub use spawn::TokioSpawn;
pub use store::SqliteStore;

use super::{Platform, PlatformConfig};
use std::sync::Arc;

/// This device's view of the wallet in the folder `config.data`. Touches nothing yet. What runs in the background runs
/// on tokio's runtime, in which this must be called.
pub fn platform(config: &PlatformConfig) -> Platform {
    Platform {
        store: Arc::new(SqliteStore::new(&config.data)),
        dial: Arc::new(TcpDial),
        clock: Arc::new(NativeClock),
        entropy: Arc::new(OsEntropy),
        lock: Arc::new(FileLock::new(&config.data)),
        spawn: Arc::new(TokioSpawn),
    }
}
