//! What the app is told, in the order in which it happened.

use bitcoin::secp256k1::PublicKey;
use kite_core::node::{EventRecord, StoreFailure};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::task::{Poll, Waker};

/// Passing news that nobody takes are forgotten beyond this, the oldest first.
const CAPACITY: usize = 256;

/// Something to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// It is stored and comes again until it is handled.
    Stored(EventRecord),
    /// The wallet has caught up with the chain.
    Synced,
    /// Messages flow to and from this peer.
    PeerConnected(PublicKey),
    /// No more messages flow to and from this peer.
    PeerDisconnected(PublicKey),
    /// The loop ended: set if the store failed.
    Stopped(Option<StoreFailure>),
}

/// All of them.
#[derive(Debug, Default)]
pub struct Notices(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    stored: BTreeMap<u64, EventRecord>,
    passing: VecDeque<Notice>,
    /// The highest stored event that a listener was given.
    listened: u64,
    stopped: bool,
    /// The loop has let go of everything.
    ended: bool,
    /// Counts changes.
    version: u64,
    waiting: Vec<Waker>,
}

impl Notices {
    pub(super) fn store(&self, event: EventRecord) {
        self.change(|inner| {
            inner.stored.insert(event.seq, event);
        });
    }

    pub(super) fn pass(&self, notice: Notice) {
        self.change(|inner| {
            if inner.passing.len() >= CAPACITY {
                inner.passing.pop_front();
            }
            inner.passing.push_back(notice);
        });
    }

    pub(super) fn stopped(&self, failure: Option<StoreFailure>) {
        self.change(|inner| {
            if !std::mem::replace(&mut inner.stopped, true) {
                inner.passing.push_back(Notice::Stopped(failure));
            }
        });
    }

    pub(super) fn ended(&self) {
        self.change(|inner| inner.ended = true);
    }

    pub(super) fn handled(&self, seq: u64) {
        self.change(|inner| inner.stored = inner.stored.split_off(&seq.saturating_add(1)));
    }

    /// The next one: passing news once, a stored event again and again until it is handled. Unset after the end.
    pub async fn next(&self) -> Option<Notice> {
        self.wait(|inner| {
            let stored = |inner: &mut Inner| inner.stored.values().next().cloned().map(Notice::Stored);
            inner.passing.pop_front().or_else(|| stored(inner))
        })
        .await
    }

    /// The next one for a listener: each once. Unset after the end.
    pub async fn next_for_listener(&self) -> Option<Notice> {
        self.wait(|inner| {
            if let Some(passing) = inner.passing.pop_front() {
                return Some(passing);
            }
            let (seq, event) = inner.stored.range(inner.listened.saturating_add(1)..).next()?;
            inner.listened = *seq;
            Some(Notice::Stored(event.clone()))
        })
        .await
    }

    /// Counts everything that was told so far.
    pub fn version(&self) -> u64 {
        self.lock().version
    }

    /// Waits until more was told than at this version, or the end.
    pub async fn changed_since(&self, version: u64) {
        self.wait(|inner| (inner.version > version).then_some(())).await;
    }

    /// Waits until the loop has let go of everything.
    pub async fn until_ended(&self) {
        self.until(|inner| inner.ended.then_some(())).await;
    }

    async fn wait<T>(&self, mut take: impl FnMut(&mut Inner) -> Option<T>) -> Option<T> {
        self.until(|inner| take(inner).map(Some).or_else(|| inner.stopped.then_some(None))).await
    }

    async fn until<T>(&self, mut take: impl FnMut(&mut Inner) -> Option<T>) -> T {
        std::future::poll_fn(|context| {
            let mut inner = self.lock();
            if let Some(taken) = take(&mut inner) {
                return Poll::Ready(taken);
            }
            if !inner.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                inner.waiting.push(context.waker().clone());
            }
            Poll::Pending
        })
        .await
    }

    fn change(&self, change: impl FnOnce(&mut Inner)) {
        let waiting = {
            let mut inner = self.lock();
            change(&mut inner);
            inner.version += 1;
            std::mem::take(&mut inner.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
