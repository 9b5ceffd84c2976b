//! Carries bytes between a wallet and a node, and cuts each connection after a random number of them.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};

use crate::chance::Chance;

/// One address in front of a node.
#[derive(Debug)]
pub struct Relay {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    target: SocketAddr,
    chance: Mutex<Chance>,
    /// Bytes that a connection carries, both ways together.
    lasts: Range<u64>,
    cuts_off: AtomicBool,
    cuts: AtomicU32,
}

impl Relay {
    /// Carries without cuts until [`Relay::storm`].
    pub async fn start(target: SocketAddr, lasts: Range<u64>, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            target,
            chance: Mutex::new(Chance::new(seed)),
            lasts,
            cuts_off: AtomicBool::new(false),
            cuts: AtomicU32::new(0),
        });
        let accepting = shared.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(accepting.clone().carry(near));
            }
        });
        Self { address, shared }
    }

    /// Cuts from now on, or not any more.
    pub fn storm(&self, on: bool) {
        self.shared.cuts_off.store(on, Ordering::SeqCst);
    }

    /// Connections that were cut.
    pub fn cuts(&self) -> u32 {
        self.shared.cuts.load(Ordering::SeqCst)
    }
}

impl Shared {
    async fn carry(self: Arc<Self>, mut near: TcpStream) {
        let Ok(mut far) = TcpStream::connect(self.target).await else { return };
        let lasts = self.chance.lock().unwrap().within(self.lasts.clone());
        let left = AtomicI64::new(i64::try_from(lasts).unwrap());
        let (near, far) = (near.split(), far.split());
        // The end of either direction, or a cut in it, ends both.
        tokio::select! {
            () = self.pump(near.0, far.1, &left) => {}
            () = self.pump(far.0, near.1, &left) => {}
        }
    }

    async fn pump(&self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, left: &AtomicI64) {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            let before = left.fetch_sub(i64::try_from(read).unwrap(), Ordering::SeqCst);
            let carried = match usize::try_from(before) {
                Ok(before) if read <= before => read,
                _ if !self.cuts_off.load(Ordering::SeqCst) => read,
                // In the middle of whatever this was.
                before => before.unwrap_or(0),
            };
            if to.write_all(&buffer[..carried]).await.is_err() {
                return;
            }
            if carried < read {
                self.cuts.fetch_add(1, Ordering::SeqCst);
                return;
            }
        }
    }
}
