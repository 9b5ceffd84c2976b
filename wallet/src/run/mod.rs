//! The loop around the node: give it one input, carry out everything it says until it is idle, wait for the next thing
//! to happen.
//!
//! It takes no decision of its own. A batch is acknowledged when the store says that it is durable and not before, one at
//! a time; whatever happens meanwhile goes on being taken (contract P5). What a peer does not read is kept up to a limit.

mod connections;
mod handle;
mod machine;
mod node;
mod notices;
mod status;
mod steps;
mod timings;

pub use handle::{Gone, Handle};
pub use machine::{Machine, view};
pub use notices::{Notice, Notices};
pub use status::{Snapshot, Status};
pub use timings::Timings;

use crate::chain::{ChainError, ChainSource, Look, Publisher};
use crate::platform::{ByteReader, ByteStream, ByteWriter, DialError, Held, Pending, Platform, StoreError};
use bitcoin::Transaction;
use bitcoin::secp256k1::PublicKey;
use connections::Link;
use futures::channel::{mpsc, oneshot};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt, select_biased};
use handle::Request;
use kite_core::node::{Answer, CommandError, CommandId, Input, StoreFailure};
use kite_core::store::{Batch, Op};
use kite_core::types::{ConnId, Instant};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;

/// Commands and questions of the app that wait while the loop is busy.
const REQUESTS: usize = 64;

/// What the loop starts with.
pub struct Start<M> {
    /// The node.
    pub machine: M,
    /// The device.
    pub platform: Platform,
    /// Where the chain is looked at, and where transactions are published.
    pub chain: (ChainSource, Publisher),
    /// Held until the loop ends.
    pub lock: Box<dyn Held>,
    /// Written together with the first batch: what the store of a new wallet needs besides the node's records.
    pub with_first_batch: Vec<Op>,
}

/// Starts the loop in the background. It is not online until [`Handle::go_online`], and it ends with [`Handle::stop`] or
/// when every handle was dropped.
pub fn start<M: Machine + 'static>(start: Start<M>) -> Handle<M> {
    let (sender, requests) = mpsc::channel(REQUESTS);
    let handle = Handle::new(sender);
    let spawn = start.platform.spawn.clone();
    let (source, publisher) = start.chain;
    let runner = Runner {
        machine: start.machine,
        platform: start.platform,
        _lock: start.lock,
        with_first_batch: start.with_first_batch,
        requests,
        tasks: FuturesUnordered::new(),
        inputs: VecDeque::new(),
        batches: VecDeque::new(),
        committing: false,
        durable: Vec::new(),
        links: BTreeMap::new(),
        held: Vec::new(),
        peers: BTreeSet::new(),
        answers: BTreeMap::new(),
        next_command: 1,
        source: Some(source),
        look_at: Some(Instant(0)),
        look_failures: 0,
        look_afresh: false,
        publisher,
        to_publish: VecDeque::new(),
        publishing: false,
        online: false,
        halted: None,
        stopping: false,
        wake_at: None,
        notices: handle.notices.clone(),
        timings: handle.timings.clone(),
        status: handle.status.clone(),
        _end: End(handle.notices.clone()),
    };
    spawn.spawn(Box::pin(runner.run()));
    handle
}

struct Runner<M> {
    machine: M,
    platform: Platform,
    _lock: Box<dyn Held>,
    with_first_batch: Vec<Op>,
    requests: mpsc::Receiver<Request<M>>,
    /// Everything under way.
    tasks: FuturesUnordered<Pending<'static, Done>>,
    /// What happened and was not given to the node yet.
    inputs: VecDeque<Input>,
    /// Batches that wait for the one being written.
    batches: VecDeque<Batch>,
    committing: bool,
    /// Who waits until all of them are durable.
    durable: Vec<oneshot::Sender<()>>,
    links: BTreeMap<ConnId, Link>,
    /// Connections that the node asked for while offline.
    held: Vec<(ConnId, PublicKey, String)>,
    /// The peers that were connected after the last input.
    peers: BTreeSet<PublicKey>,
    answers: BTreeMap<CommandId, oneshot::Sender<Result<Answer, CommandError>>>,
    next_command: u64,
    /// Unset while it looks.
    source: Option<ChainSource>,
    /// When to look next; unset until the look under way is over.
    look_at: Option<Instant>,
    look_failures: u32,
    look_afresh: bool,
    publisher: Publisher,
    to_publish: VecDeque<Package>,
    publishing: bool,
    online: bool,
    halted: Option<StoreFailure>,
    stopping: bool,
    wake_at: Option<Instant>,
    notices: Arc<Notices>,
    timings: Arc<Timings>,
    status: Arc<Status>,
    /// The last to be dropped: by then the lock is given back.
    _end: End,
}

/// However the loop ends, whoever waits for its end learns it.
struct End(Arc<Notices>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.ended();
    }
}

struct Package {
    transactions: Vec<Transaction>,
    failures: u32,
}

/// Something that was under way is over.
enum Done {
    Committed(u64, Result<(), StoreError>),
    Dialed(ConnId, Result<ByteStream, DialError>),
    Read(ConnId, Box<dyn ByteReader>, Result<Option<Vec<u8>>, DialError>),
    Written(ConnId, Box<dyn ByteWriter>, Result<(), DialError>),
    Looked(Box<ChainSource>, Result<Look, ChainError>),
    Published(Package, Result<(), ChainError>),
    Nothing,
}

impl<M: Machine + 'static> Runner<M> {
    async fn run(mut self) {
        self.drain();
        let mut alarm: Option<(Instant, futures::future::Fuse<Pending<'static, ()>>)> = None;
        while !self.is_over() {
            match self.next_deadline() {
                None => alarm = None,
                Some(at) if alarm.as_ref().is_some_and(|(set, _)| *set == at) => {}
                Some(at) => alarm = Some((at, self.platform.clock.sleep_until(at).fuse())),
            }
            let mut never = futures::future::Fuse::terminated();
            let mut ring = alarm.as_mut().map_or(&mut never, |(_, ring)| ring);
            select_biased! {
                done = self.tasks.select_next_some() => self.done(done),
                request = self.requests.next() => self.request(request),
                () = ring => alarm = None,
            }
            self.settle();
            // Not only when it rings: a peer that never pauses must not keep us from looking at the chain.
            self.alarm();
            self.settle();
            self.tell_publishing();
            self.tell_durable();
        }
        self.end().await;
    }

    /// Nobody may ask any more, and nothing is being written.
    fn is_over(&self) -> bool {
        self.stopping && !self.committing
    }

    async fn end(mut self) {
        self.tasks.clear();
        self.links.clear();
        self.platform.store.close().await;
    }

    fn next_deadline(&self) -> Option<Instant> {
        let look = self.look_at.filter(|_| self.may_look());
        [self.wake_at, look].into_iter().flatten().min()
    }

    fn may_look(&self) -> bool {
        self.online && self.halted.is_none() && !self.stopping && self.source.is_some()
    }

    fn alarm(&mut self) {
        let now = self.platform.clock.now().mono;
        if self.wake_at.is_some_and(|at| at <= now) {
            self.inputs.push_back(Input::Wake);
        }
        if self.look_at.is_some_and(|at| at <= now) && self.may_look() {
            self.look();
        }
    }

    /// Gives the node everything that happened, one by one.
    fn settle(&mut self) {
        while let Some(input) = self.inputs.pop_front() {
            // The owner and a deadline end connections, too.
            let concerns_peers = matches!(
                input,
                Input::Received { .. }
                    | Input::Disconnected { .. }
                    | Input::Connected { .. }
                    | Input::Command { .. }
                    | Input::Wake
            );
            self.machine.handle_input(self.platform.clock.now(), input);
            self.drain();
            if concerns_peers || self.halted.is_some() {
                self.notice_peers();
            }
        }
    }
}

/// However the loop ends, an error of ours in it included: nobody waits for what will not come.
impl<M> Drop for Runner<M> {
    fn drop(&mut self) {
        self.status.change(|status| *status = Snapshot { halted: self.halted, ..Snapshot::default() });
        self.notices.stopped(self.halted);
    }
}

impl<M> fmt::Debug for Start<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Start")
    }
}
