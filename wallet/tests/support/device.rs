//! A device in memory: a store that can fail or be slow, streams that a test holds the other end of, a lock.

use super::clock::TokioClock;
use futures::StreamExt;
use futures::channel::{mpsc, oneshot};
use kite_core::store::{Batch, Op, Stored};
use kite_wallet::platform::native::{HttpClient, TokioSpawn};
use kite_wallet::platform::{
    ByteReader, ByteStream, ByteWriter, Dial, DialError, Entropy, EntropyError, Held, Http, Lock, LockError,
    Pending, Platform, Store, StoreError,
};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// What survives a restart of the wallet, and what a test does to it.
#[derive(Clone, Default)]
pub struct Device {
    pub stored: Arc<Mutex<Stored>>,
    /// The batches that were asked for, also those that failed.
    pub batches: Arc<Mutex<Vec<Batch>>>,
    /// The next commits end like this.
    pub failure: Arc<Mutex<Option<StoreError>>>,
    /// Commits wait for the test: one sender for each.
    pub slow: Arc<Mutex<Option<Vec<oneshot::Sender<()>>>>>,
    pub locked: Arc<AtomicBool>,
    pub open: Arc<AtomicBool>,
    /// The other ends of what was dialled.
    pub dialled: Arc<Mutex<Vec<(String, FarEnd)>>>,
    pub unreachable: Arc<AtomicBool>,
    /// So many pieces of a stream are there before anybody looks.
    pub flood: Arc<AtomicU64>,
}

/// The peer's end of a byte stream.
pub struct FarEnd {
    pub to_wallet: mpsc::Sender<Vec<u8>>,
    pub from_wallet: mpsc::Receiver<Vec<u8>>,
}

/// The client of this platform: servers are real ones, on this machine.
pub fn http() -> Arc<dyn Http> {
    Arc::new(HttpClient::default())
}

impl Device {
    pub fn platform(&self) -> Platform {
        let device = Arc::new(self.clone());
        Platform {
            store: device.clone(),
            dial: device.clone(),
            http: http(),
            clock: Arc::new(TokioClock::new()),
            entropy: Arc::new(Numbers),
            lock: device,
            spawn: Arc::new(TokioSpawn),
        }
    }

    pub fn fail_with(&self, error: StoreError) {
        *self.failure.lock().unwrap() = Some(error);
    }

    pub fn be_slow(&self) {
        *self.slow.lock().unwrap() = Some(Vec::new());
    }

    /// Lets the oldest waiting commit go on.
    pub fn finish_one(&self) -> bool {
        let mut slow = self.slow.lock().unwrap();
        let waiting = slow.as_mut().unwrap();
        if waiting.is_empty() {
            return false;
        }
        waiting.remove(0).send(()).is_ok()
    }

    pub fn waiting_commits(&self) -> usize {
        self.slow.lock().unwrap().as_ref().map_or(0, Vec::len)
    }

    pub fn take_far_end(&self) -> FarEnd {
        self.dialled.lock().unwrap().remove(0).1
    }

    fn apply(&self, batch: &Batch) -> Result<(), StoreError> {
        if let Some(error) = self.failure.lock().unwrap().clone() {
            return Err(error);
        }
        let mut stored = self.stored.lock().unwrap();
        if stored.fence != batch.expect_fence {
            return Err(StoreError::FenceLost);
        }
        stored.fence = batch.fence;
        for op in &batch.ops {
            let (Op::Put { key, .. } | Op::Delete { key }) = op;
            stored.records.retain(|(other, _)| other != key);
            if let Op::Put { key, value } = op {
                stored.records.push((key.clone(), value.clone()));
            }
        }
        Ok(())
    }
}

impl Store for Device {
    fn open(&self) -> Pending<'_, Result<Stored, StoreError>> {
        Box::pin(async {
            self.open.store(true, Ordering::SeqCst);
            Ok(self.stored.lock().unwrap().clone())
        })
    }

    fn commit(&self, batch: Batch) -> Pending<'_, Result<(), StoreError>> {
        self.batches.lock().unwrap().push(batch.clone());
        Box::pin(async move {
            assert!(self.open.load(Ordering::SeqCst), "the store is open");
            let turn = self.slow.lock().unwrap().as_mut().map(|waiting| {
                let (go, turn) = oneshot::channel();
                waiting.push(go);
                turn
            });
            if let Some(turn) = turn {
                turn.await.unwrap();
            }
            self.apply(&batch)
        })
    }

    fn is_persistent(&self) -> Pending<'_, bool> {
        Box::pin(async { true })
    }

    fn close(&self) -> Pending<'_, ()> {
        Box::pin(async { self.open.store(false, Ordering::SeqCst) })
    }
}

impl Lock for Device {
    fn acquire(&self) -> Pending<'_, Result<Box<dyn Held>, LockError>> {
        Box::pin(async {
            match self.locked.swap(true, Ordering::SeqCst) {
                true => Err(LockError::Taken),
                false => Ok(Box::new(Key(self.locked.clone())) as Box<dyn Held>),
            }
        })
    }
}

struct Key(Arc<AtomicBool>);

impl Held for Key {}

impl Drop for Key {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

impl Dial for Device {
    fn connect(
        &self,
        _: bitcoin::secp256k1::PublicKey,
        address: String,
    ) -> Pending<'_, Result<ByteStream, DialError>> {
        Box::pin(async move {
            if self.unreachable.load(Ordering::SeqCst) {
                return Err(DialError { reason: "nobody is there".into() });
            }
            let (to_wallet, reader) = mpsc::channel(1);
            let (writer, from_wallet) = mpsc::channel(1);
            self.dialled.lock().unwrap().push((address, FarEnd { to_wallet, from_wallet }));
            Ok(ByteStream {
                reader: Box::new(Reader(reader, self.flood.clone())),
                writer: Box::new(Writer(writer)),
            })
        })
    }
}

struct Reader(mpsc::Receiver<Vec<u8>>, Arc<AtomicU64>);

impl ByteReader for Reader {
    fn read(&mut self) -> Pending<'_, Result<Option<Vec<u8>>, DialError>> {
        Box::pin(async {
            match self.1.load(Ordering::SeqCst) {
                0 => Ok(self.0.next().await),
                left => {
                    self.1.store(left - 1, Ordering::SeqCst);
                    Ok(Some(b"more".to_vec()))
                }
            }
        })
    }
}

struct Writer(mpsc::Sender<Vec<u8>>);

impl ByteWriter for Writer {
    fn write(&mut self, bytes: Vec<u8>) -> Pending<'_, Result<(), DialError>> {
        use futures::SinkExt;
        Box::pin(async move { self.0.send(bytes).await.map_err(|_| DialError { reason: "broken".into() }) })
    }

    fn close(&mut self) -> Pending<'_, ()> {
        self.0.close_channel();
        Box::pin(async {})
    }
}

/// Never twice the same, in one process.
struct Numbers;

static NUMBER: AtomicU64 = AtomicU64::new(1);

impl Entropy for Numbers {
    fn bytes(&self) -> Result<[u8; 32], EntropyError> {
        use bitcoin::hashes::{Hash, sha256};
        Ok(sha256::Hash::hash(&NUMBER.fetch_add(1, Ordering::SeqCst).to_be_bytes()).to_byte_array())
    }
}
