//! The loop around a node that does what the test says.

mod support;

use bitcoin::secp256k1::PublicKey;
use bitcoin::{Network, ScriptBuf};
use futures::{SinkExt, StreamExt};
use kite_core::chain::{ChainFact, History, ProofError};
use kite_core::node::{Answer, Command, CommandError, CommandId, Input, Output, StoreFailure};
use kite_core::store::{Batch, Op};
use kite_core::types::{ConnId, Instant, Now};
use kite_wallet::chain::{ChainConfig, ChainError, ChainSource, ChainView, Publisher};
use kite_wallet::platform::{Lock, StoreError};
use kite_wallet::run::{Gone, Handle, Machine, Notice, Start, start, view};
use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::device::Device;
use support::esplora::{Esplora, Fault};
use support::world::payment;

/// Plays a node: notes every input, and says what the test put in.
#[derive(Clone, Default)]
struct Puppet(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    inputs: Vec<String>,
    outputs: VecDeque<Output>,
    /// Outputs that follow the next input.
    replies: VecDeque<Vec<Output>>,
    commands: Vec<CommandId>,
    wake_at: Option<Instant>,
    headers: usize,
    /// No history with a transaction in it is believed.
    disbelieves: Option<bitcoin::BlockHash>,
    /// The script that is watched is a channel's.
    has_channel: bool,
    halts: bool,
    /// The next input finds an error of ours.
    breaks: bool,
}

impl Machine for Puppet {
    fn handle_input(&mut self, _: Now, input: Input) {
        let mut inner = self.0.lock().unwrap();
        if inner.breaks {
            drop(inner);
            panic!("an error of ours");
        }
        let text = match &input {
            Input::Persisted { seq } => format!("persisted {seq}"),
            Input::PersistFailed { seq, failure } => {
                if inner.halts {
                    inner.outputs.push_back(Output::Halted(*failure));
                }
                format!("persist failed {seq} {failure:?}")
            }
            Input::Connected { conn } => format!("connected {}", conn.0),
            Input::Received { conn, bytes } => {
                format!("received {} {}", conn.0, String::from_utf8_lossy(bytes))
            }
            Input::Disconnected { conn, reason } => format!("disconnected {} {reason}", conn.0),
            Input::Command { id, .. } => {
                inner.commands.push(*id);
                "command".into()
            }
            Input::Chain(ChainFact::Headers(headers)) => {
                inner.headers += headers.len();
                format!("headers {}", headers.len())
            }
            Input::Chain(ChainFact::History(history)) => format!("history {}", history.transactions.len()),
            Input::Chain(ChainFact::Synced { .. }) => "synced".into(),
            Input::Chain(ChainFact::FeeRates(_)) => "fee rates".into(),
            Input::Wake => {
                inner.wake_at = None;
                "wake".into()
            }
            other => format!("{other:?}"),
        };
        inner.inputs.push(text);
        let replies = inner.replies.pop_front().unwrap_or_default();
        inner.outputs.extend(replies);
    }

    fn poll_output(&mut self) -> Output {
        let mut inner = self.0.lock().unwrap();
        let wake_at = inner.wake_at;
        inner.outputs.pop_front().unwrap_or(Output::Idle { wake_at })
    }

    fn chain_view(&self) -> ChainView {
        let height = u32::try_from(self.0.lock().unwrap().headers).unwrap();
        let world = WORLD.with(Clone::clone);
        let world = world.lock().unwrap();
        let hash = |height: u32| world.as_ref()?.get(height as usize).copied();
        let script = ScriptBuf::from(vec![0x51; 22]);
        let has_channel = self.0.lock().unwrap().has_channel;
        let outputs = has_channel.then(|| (script.clone(), bitcoin::OutPoint::null()));
        view(height, hash, vec![script], outputs.into_iter().collect())
    }

    fn check_history(&self, history: &History) -> Result<(), ProofError> {
        self.0.lock().unwrap().disbelieves.map_or(Ok(()), |hash| match history.transactions.is_empty() {
            true => Ok(()),
            false => Err(ProofError::UnknownBlock { hash }),
        })
    }

    fn connected_peers(&self) -> Vec<PublicKey> {
        Vec::new()
    }
}

thread_local! {
    static WORLD: Arc<Mutex<Option<Vec<bitcoin::BlockHash>>>> = Arc::default();
}

struct Stage {
    puppet: Puppet,
    device: Device,
    server: Esplora,
    handle: Handle<Puppet>,
}

impl Stage {
    async fn new(outputs: Vec<Output>, with_first_batch: Vec<Op>) -> Self {
        let (puppet, device, server) = (Puppet::default(), Device::default(), Esplora::start().await);
        puppet.0.lock().unwrap().outputs.extend(outputs);
        puppet.0.lock().unwrap().halts = true;
        let platform = device.platform();
        platform.store.open().await.unwrap();
        let config = ChainConfig { timeout_millis: 400, ..ChainConfig::new(&server.url, Network::Regtest) };
        let (http, clock) = (platform.http.clone(), platform.clock.clone());
        let chain = (
            ChainSource::new(config.clone(), http.clone(), clock.clone()).unwrap(),
            Publisher::new(&config, http, clock).unwrap(),
        );
        let lock = Lock::acquire(&device).await.unwrap();
        let handle = start(Start { machine: puppet.clone(), platform, chain, lock, with_first_batch });
        Self { puppet, device, server, handle }
    }

    async fn say(&self, outputs: Vec<Output>) {
        self.puppet.0.lock().unwrap().outputs.extend(outputs);
        // An input makes the loop look for outputs.
        self.handle.event_handled(0).await.unwrap();
    }

    fn inputs(&self) -> Vec<String> {
        let inputs = &self.puppet.0.lock().unwrap().inputs;
        inputs.iter().filter(|input| !input.starts_with("EventHandled")).cloned().collect()
    }

    /// Waits until the node has seen this.
    async fn until(&self, input: &str) {
        for _ in 0..1_000 {
            if self.inputs().iter().any(|seen| seen.starts_with(input)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("no {input:?} in {:?}", self.inputs());
    }
}

fn batch(seq: u64) -> Output {
    Output::Persist(plain_batch(seq))
}

fn plain_batch(seq: u64) -> Batch {
    let fence = u64::from(seq > 1);
    Batch { seq, expect_fence: fence, fence: 1, ops: vec![Op::Put { key: vec![1], value: vec![2] }] }
}

fn connect(conn: u64) -> Output {
    let node_id = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798".parse().unwrap();
    Output::Connect { conn: ConnId(conn), node_id, address: format!("host:{conn}") }
}

fn send(conn: u64, text: &str) -> Output {
    Output::Send { conn: ConnId(conn), bytes: text.into() }
}

async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn batches_are_written_one_at_a_time_and_acknowledged_once_each_when_they_are_durable() {
    let stage = Stage::new(vec![], vec![]).await;
    stage.device.be_slow();
    stage.say(vec![batch(1), batch(2)]).await;
    settle().await;
    assert_eq!(stage.device.waiting_commits(), 1, "one batch at a time");
    assert!(stage.inputs().is_empty(), "nothing is acknowledged before it is durable");

    // Inputs are taken meanwhile (P5).
    let asking = stage.handle.ask(|puppet| puppet.0.lock().unwrap().inputs.len());
    assert!(asking.await.is_ok());

    assert!(stage.device.finish_one());
    stage.until("persisted 1").await;
    settle().await;
    assert_eq!(stage.inputs(), ["persisted 1"]);
    assert!(stage.device.finish_one());
    stage.until("persisted 2").await;
    settle().await;
    assert_eq!(stage.inputs(), ["persisted 1", "persisted 2"]);
    assert_eq!(stage.device.batches.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn what_a_new_wallet_needs_is_in_the_first_batch_and_in_no_other() {
    let extra = Op::Put { key: b"keyslot".to_vec(), value: vec![9] };
    let stage = Stage::new(vec![batch(1)], vec![extra.clone()]).await;
    stage.handle.durable().await.unwrap();
    stage.say(vec![batch(2)]).await;
    stage.until("persisted 2").await;
    let batches = stage.device.batches.lock().unwrap();
    assert!(batches[0].ops.contains(&extra));
    assert_eq!(batches[1], plain_batch(2));
}

#[tokio::test]
async fn a_store_that_fails_halts_everything_and_nothing_is_written_again() {
    for (error, failure) in [
        (StoreError::FenceLost, StoreFailure::FenceLost),
        (StoreError::Full, StoreFailure::Full),
        (StoreError::Failed { reason: "io".into() }, StoreFailure::Failed),
    ] {
        let stage = Stage::new(vec![], vec![]).await;
        stage.device.fail_with(error);
        let handle = stage.handle.clone();
        let waiting = tokio::spawn(async move { handle.command(Command::NewAddress).await });
        stage.until("command").await;
        stage.say(vec![batch(1), batch(2)]).await;
        stage.until("persist failed").await;
        assert!(stage.inputs().contains(&format!("persist failed 1 {failure:?}")));
        assert_eq!(waiting.await.unwrap().unwrap().unwrap_err(), CommandError::Stopped);
        assert_eq!(stage.handle.durable().await, Err(Gone));
        assert_eq!(stage.device.batches.lock().unwrap().len(), 1);
        assert_eq!(stage.handle.status.get().halted, Some(failure));
        assert_eq!(stage.handle.notices.next().await, Some(Notice::Stopped(Some(failure))));
        assert_eq!(stage.handle.notices.next().await, None);
        stage.handle.stop().await;
        assert!(!stage.device.locked.load(Ordering::SeqCst));
    }
}

#[tokio::test]
async fn a_store_that_fails_while_opening_tells_whoever_waits() {
    let stage = Stage::new(vec![], vec![]).await;
    stage.device.be_slow();
    stage.device.fail_with(StoreError::Full);
    stage.say(vec![batch(1)]).await;
    let handle = stage.handle.clone();
    let waiting = tokio::spawn(async move { handle.durable().await });
    settle().await;
    stage.device.finish_one();
    assert_eq!(waiting.await.unwrap(), Err(Gone));
}

#[tokio::test]
async fn a_loop_that_breaks_tells_whoever_waits() {
    let stage = Stage::new(vec![], vec![]).await;
    let notices = stage.handle.notices.clone();
    let waiting = tokio::spawn(async move { notices.next().await });
    settle().await;
    stage.puppet.0.lock().unwrap().breaks = true;
    stage.handle.hurry().await.unwrap();
    let told = tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("it is told");
    assert_eq!(told.unwrap(), Some(Notice::Stopped(None)));
    assert_eq!(stage.handle.notices.next().await, None);
    assert_eq!(stage.handle.durable().await, Err(Gone));
    assert!(!stage.device.locked.load(Ordering::SeqCst));
}

#[tokio::test]
async fn connections_wait_until_the_wallet_is_online() {
    let stage = Stage::new(vec![connect(1), connect(2)], vec![]).await;
    stage.say(vec![Output::Disconnect { conn: ConnId(2) }]).await;
    settle().await;
    assert!(stage.device.dialled.lock().unwrap().is_empty());
    stage.handle.go_online().await.unwrap();
    stage.until("connected 1").await;
    assert_eq!(stage.device.dialled.lock().unwrap().len(), 1, "the second was given up");
}

#[tokio::test]
async fn bytes_go_both_ways_in_order_and_the_end_is_told_once() {
    let stage = Stage::new(vec![connect(1)], vec![]).await;
    stage.handle.go_online().await.unwrap();
    stage.until("connected 1").await;
    let mut far = stage.device.take_far_end();
    stage.say((0..200).map(|i| send(1, &format!("{i},"))).collect()).await;
    let expected: String = (0..200).map(|i| format!("{i},")).collect();
    let mut got = String::new();
    while got.len() < expected.len() {
        got += std::str::from_utf8(&far.from_wallet.next().await.unwrap()).unwrap();
    }
    assert_eq!(got, expected);

    far.to_wallet.send(b"abc".to_vec()).await.unwrap();
    stage.until("received 1 abc").await;
    drop(far);
    stage.until("disconnected 1").await;
    settle().await;
    assert_eq!(stage.inputs().iter().filter(|input| input.starts_with("disconnected")).count(), 1);
    stage.say(vec![send(1, "too late"), Output::Disconnect { conn: ConnId(1) }]).await;
}

#[tokio::test]
async fn a_peer_that_cannot_be_reached_is_told() {
    let stage = Stage::new(vec![connect(1)], vec![]).await;
    stage.device.unreachable.store(true, Ordering::SeqCst);
    stage.handle.go_online().await.unwrap();
    stage.until("disconnected 1 nobody is there").await;
}

#[tokio::test]
async fn a_peer_that_never_pauses_does_not_keep_the_node_from_what_is_due() {
    let stage = Stage::new(vec![connect(1)], vec![]).await;
    stage.device.flood.store(100_000, Ordering::SeqCst);
    stage.puppet.0.lock().unwrap().wake_at = Some(Instant(0));
    stage.handle.go_online().await.unwrap();
    stage.until("wake").await;
    let inputs = stage.inputs();
    let woken = inputs.iter().position(|input| input == "wake").unwrap();
    assert!(woken < 10, "after {woken} inputs");
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_disconnected_and_its_bytes_are_not_kept() {
    let stage = Stage::new(vec![connect(1)], vec![]).await;
    stage.handle.go_online().await.unwrap();
    stage.until("connected 1").await;
    let big = "x".repeat(65_000);
    stage.say((0..100).map(|_| send(1, &big)).collect()).await;
    stage.until("disconnected 1 the peer does not read what it is sent").await;
}

#[tokio::test]
async fn last_words_are_sent_before_a_connection_closes() {
    let stage = Stage::new(vec![connect(1)], vec![]).await;
    stage.handle.go_online().await.unwrap();
    stage.until("connected 1").await;
    let mut far = stage.device.take_far_end();
    stage.say(vec![send(1, "a"), send(1, "b"), send(1, "c"), Output::Disconnect { conn: ConnId(1) }]).await;
    let mut got = String::new();
    while let Some(bytes) = far.from_wallet.next().await {
        got += std::str::from_utf8(&bytes).unwrap();
    }
    assert_eq!(got, "abc");
    settle().await;
    assert!(!stage.inputs().iter().any(|input| input.starts_with("disconnected")), "the node knows");
}

#[tokio::test]
async fn answers_find_their_commands() {
    let stage = Stage::new(vec![], vec![]).await;
    let ask = || {
        let handle = stage.handle.clone();
        tokio::spawn(async move { handle.command(Command::NewAddress).await })
    };
    let (first, second) = (ask(), ask());
    while stage.puppet.0.lock().unwrap().commands.len() < 2 {
        settle().await;
    }
    let ids = stage.puppet.0.lock().unwrap().commands.clone();
    let answer = |id, result| Output::Answer { id, result: Box::new(result) };
    stage.say(vec![answer(ids[1], Err(CommandError::NotSynced)), answer(ids[0], Ok(Answer::Done))]).await;
    assert!(matches!(first.await.unwrap(), Ok(Ok(Answer::Done))));
    assert!(matches!(second.await.unwrap(), Ok(Err(CommandError::NotSynced))));
}

#[tokio::test]
async fn stopping_waits_for_the_batch_being_written_and_gives_everything_back() {
    let stage = Stage::new(vec![], vec![]).await;
    stage.device.be_slow();
    stage.say(vec![batch(1)]).await;
    settle().await;
    let stop = || {
        let handle = stage.handle.clone();
        tokio::spawn(async move { handle.stop().await })
    };
    let stopping = [stop(), stop()];
    settle().await;
    // The loop takes no more requests.
    let last = stop();
    settle().await;
    assert!(!last.is_finished() && !stopping.iter().any(tokio::task::JoinHandle::is_finished));
    stage.device.finish_one();
    last.await.unwrap();
    assert!(!stage.device.locked.load(Ordering::SeqCst));
    assert!(!stage.device.open.load(Ordering::SeqCst));
    assert_eq!(stage.device.stored.lock().unwrap().records.len(), 1);
    assert_eq!(stage.handle.go_online().await, Err(Gone));
    assert_eq!(stage.handle.notices.next().await, Some(Notice::Stopped(None)));
    for first in stopping {
        first.await.unwrap();
    }
}

#[tokio::test]
async fn the_loop_ends_when_nobody_can_ask_any_more() {
    let Stage { handle, device, .. } = Stage::new(vec![], vec![]).await;
    drop(handle);
    for _ in 0..1_000 {
        if !device.locked.load(Ordering::SeqCst) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("the loop goes on");
}

#[tokio::test]
async fn a_deadline_wakes_the_node_and_not_before() {
    let stage = Stage::new(vec![], vec![]).await;
    stage.puppet.0.lock().unwrap().wake_at = Some(Instant(300));
    stage.say(vec![]).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!stage.inputs().contains(&"wake".to_owned()));
    stage.until("wake").await;
}

#[tokio::test]
async fn the_chain_reaches_the_node_and_news_of_it_the_app() {
    let stage = Stage::new(vec![], vec![]).await;
    stage.server.world.lock().unwrap().mine_many(14);
    let hashes =
        stage.server.world.lock().unwrap().blocks.iter().map(|block| block.header.block_hash()).collect();
    *WORLD.with(Clone::clone).lock().unwrap() = Some(hashes);
    assert!(stage.server.take_requests().is_empty(), "nobody is asked before the wallet is online");
    stage.server.fail("/blocks", Fault::Status(500, "starting"));
    stage.handle.go_online().await.unwrap();
    while stage.handle.status.get().chain_error.is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(!stage.handle.status.get().synced);
    stage.server.behave();
    stage.handle.hurry().await.unwrap();
    stage.until("synced").await;
    assert_eq!(stage.handle.notices.next().await, Some(Notice::Synced));
    let status = stage.handle.status.get();
    assert!(status.synced && status.chain_error.is_none());
    let inputs = stage.inputs();
    let place = |input: &str| inputs.iter().position(|seen| seen.starts_with(input)).unwrap();
    assert!(place("headers 14") < place("history") && place("history") < place("synced"), "{inputs:?}");
}

#[tokio::test]
async fn what_cannot_be_proven_does_not_reach_the_node_and_is_asked_for_again() {
    for has_channel in [false, true] {
        let stage = Stage::new(vec![], vec![]).await;
        let genesis = stage.server.world.lock().unwrap().tip();
        *WORLD.with(Clone::clone).lock().unwrap() = Some(vec![genesis]);
        stage.server.world.lock().unwrap().pay(&ScriptBuf::from(vec![0x51; 22]), 700);
        stage.puppet.0.lock().unwrap().disbelieves = Some(genesis);
        stage.puppet.0.lock().unwrap().has_channel = has_channel;
        stage.handle.go_online().await.unwrap();
        while stage.handle.status.get().chain_error.is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let status = stage.handle.status.get();
        let Some(ChainError::Unread { reason, .. }) = status.chain_error else { panic!("{status:?}") };
        assert!(matches!(*reason, ChainError::Unproven { .. }));
        assert!(!stage.inputs().iter().any(|input| input.starts_with("history")));
        // The rest of what the server says counts, but nobody is in step with the chain who knows nothing of a channel.
        stage.until("fee rates").await;
        settle().await;
        assert_eq!(stage.inputs().contains(&"synced".into()), !has_channel);
        assert_eq!(status.synced, !has_channel);
        stage.puppet.0.lock().unwrap().disbelieves = None;
        stage.handle.hurry().await.unwrap();
        stage.until("history 1").await;
        stage.until("synced").await;
        while stage.handle.status.get().chain_error.is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(stage.handle.status.get().synced);
    }
}

#[tokio::test]
async fn transactions_are_published_again_after_a_failure_and_in_order() {
    let stage = Stage::new(vec![], vec![]).await;
    stage.server.fail("/tx", Fault::Status(503, "busy"));
    let script = ScriptBuf::from(vec![0x51; 22]);
    let (parent, child) = (payment(&script, 1_000), payment(&script, 2_000));
    stage.say(vec![Output::Broadcast(vec![parent.clone()]), Output::Broadcast(vec![child.clone()])]).await;
    settle().await;
    assert!(stage.server.take_requests().is_empty(), "not before the wallet is online");
    assert!(!stage.handle.status.get().publishing, "no wait would help");
    stage.handle.go_online().await.unwrap();
    while !stage.server.take_requests().contains(&"/tx".to_owned()) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(stage.handle.status.get().publishing);
    stage.server.behave();
    for _ in 0..2_000 {
        if stage.server.published.lock().unwrap().len() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(*stage.server.published.lock().unwrap(), [parent.compute_txid(), child.compute_txid()]);
    while stage.handle.status.get().publishing {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[test]
fn a_view_is_dense_at_the_tip_and_ends_at_the_lowest_block() {
    let hash = |height: u32| bitcoin::hashes::Hash::hash(&height.to_be_bytes());
    let heights = |tip: u32, lowest: u32| -> Vec<u32> {
        let hash_at = |height| (lowest..=tip).contains(&height).then(|| hash(height));
        view(tip, hash_at, vec![], vec![]).known.iter().map(|block| block.height).collect()
    };
    assert_eq!(heights(0, 0), [0]);
    assert_eq!(heights(3, 0), [3, 2, 1, 0]);
    for (tip, lowest) in [(1_000, 0), (250_000, 200_123), (50, 49)] {
        let heights = heights(tip, lowest);
        assert_eq!(heights[0], tip);
        assert_eq!(*heights.last().unwrap(), lowest);
        assert!(heights.len() <= 40, "{}", heights.len());
        assert!(heights.windows(2).all(|pair| pair[0] > pair[1]));
    }
}
