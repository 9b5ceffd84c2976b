//! What the wallet asks of the device it runs on.
//!
//! Every trait has one implementation on tokio (`native`) and one in the browser (`browser`), with the same file names.
//! Natively all of it is `Send` and `Sync`; in a browser there is one thread and nothing has to be.

mod clock;
mod dial;
mod entropy;
mod http;
mod lock;
mod spawn;
mod store;

#[cfg(target_family = "wasm")]
pub mod browser;
#[cfg(not(target_family = "wasm"))]
pub mod native;

pub use clock::Clock;
pub use dial::{ByteReader, ByteStream, ByteWriter, Dial, DialError};
pub use entropy::{Entropy, EntropyError};
pub use http::{Http, HttpAnswer, HttpError, HttpRequest};
pub use lock::{Held, Lock, LockError};
pub use spawn::{Spawn, Work, aside};
pub use store::{Store, StoreError};

#[cfg(target_family = "wasm")]
pub use browser::nfkd;
#[cfg(not(target_family = "wasm"))]
pub use native::nfkd;

use std::fmt;
use std::sync::Arc;

/// Something that is being waited for.
#[cfg(not(target_family = "wasm"))]
pub type Pending<'a, T> = futures::future::BoxFuture<'a, T>;
/// Something that is being waited for.
#[cfg(target_family = "wasm")]
pub type Pending<'a, T> = futures::future::LocalBoxFuture<'a, T>;

/// May be handed to another thread, where there are threads.
#[cfg(not(target_family = "wasm"))]
pub trait MaybeSend: Send {}
#[cfg(not(target_family = "wasm"))]
impl<T: Send + ?Sized> MaybeSend for T {}
/// May be handed to another thread, where there are threads.
#[cfg(target_family = "wasm")]
pub trait MaybeSend {}
#[cfg(target_family = "wasm")]
impl<T: ?Sized> MaybeSend for T {}

/// May be used from several threads, where there are threads.
#[cfg(not(target_family = "wasm"))]
pub trait MaybeSync: Sync {}
#[cfg(not(target_family = "wasm"))]
impl<T: Sync + ?Sized> MaybeSync for T {}
/// May be used from several threads, where there are threads.
#[cfg(target_family = "wasm")]
pub trait MaybeSync {}
#[cfg(target_family = "wasm")]
impl<T: ?Sized> MaybeSync for T {}

/// Which wallet on this device, and how it reaches others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformConfig {
    /// The name of the wallet's data: a folder's path natively, a database's name in a browser.
    pub data: String,
    /// The websocket proxy through which a browser reaches peers. Not used natively.
    pub proxy_url: Option<String>,
}

/// One wallet's view of the device. Cheap to clone.
#[derive(Clone)]
pub struct Platform {
    /// Keeps what is durable.
    pub store: Arc<dyn Store>,
    /// Reaches peers.
    pub dial: Arc<dyn Dial>,
    /// Asks web servers.
    pub http: Arc<dyn Http>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Keeps a second tab or process away.
    pub lock: Arc<dyn Lock>,
    /// Runs the wallet's loop in the background.
    pub spawn: Arc<dyn Spawn>,
}

/// This device's view of a wallet. Touches nothing yet. Natively it must be called within tokio's runtime.
#[cfg(not(target_family = "wasm"))]
pub fn here(config: &PlatformConfig) -> Platform {
    native::platform(config)
}

/// This browser's view of a wallet. Touches nothing yet.
#[cfg(target_family = "wasm")]
pub fn here(config: &PlatformConfig) -> Platform {
    browser::platform(config)
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Platform")
    }
}
