//! A browser's page or worker: websockets to a proxy, IndexedDB, Web Locks.

mod clock;
mod dial;
mod entropy;
mod global;
mod http;
mod lock;
mod spawn;
mod store;
mod text;

pub use clock::BrowserClock;
pub use dial::WebsocketDial;
pub use entropy::BrowserEntropy;
pub use http::HttpClient;
pub use lock::WebLock;
pub use spawn::MicrotaskSpawn;
pub use store::IndexedDbStore;
pub use text::nfkd;

use super::{Platform, PlatformConfig};
use std::sync::Arc;

/// This browser's view of the wallet in the database `config.data`. Touches nothing yet.
pub fn platform(config: &PlatformConfig) -> Platform {
    Platform {
        store: Arc::new(IndexedDbStore::new(&config.data)),
        dial: Arc::new(WebsocketDial::new(config.proxy_url.clone())),
        http: Arc::new(HttpClient),
        clock: Arc::new(BrowserClock::new()),
        entropy: Arc::new(BrowserEntropy),
        lock: Arc::new(WebLock::new(&config.data)),
        spawn: Arc::new(MicrotaskSpawn),
    }
}
