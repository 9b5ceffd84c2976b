//! A full LDK node, driven by hand: bytes in, bytes out, blocks as the test mines them.

mod events;
mod messages;
mod restart;
mod second_stage;
mod surroundings;

pub use events::PeerEvent;
pub use messages::PlannedPayment;
pub use restart::Written;

use bitcoin::hashes::{Hash, sha256};
use bitcoin::secp256k1::{PublicKey, Secp256k1};
use bitcoin::{Amount, Network};
use kite_sim::chain::Chain;
use lightning::chain::chainmonitor::ChainMonitor;
use lightning::chain::{BestBlock, Filter, Listen};
use lightning::ln::channel_state::ChannelDetails;
use lightning::ln::channelmanager::{ChainParameters, ChannelManager};
use lightning::ln::peer_handler::{IgnoringMessageHandler, MessageHandler, PeerManager};
use lightning::ln::types::ChannelId;
use lightning::onion_message::messenger::NullMessageRouter;
use lightning::routing::router::RouteHop;
use lightning::sign::{InMemorySigner, KeysManager, NodeSigner, Recipient};
use lightning::types::payment::PaymentHash;
use lightning::util::config::UserConfig;
use lightning_invoice::{Currency, InvoiceBuilder};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;
use surroundings::{Broadcasts, Fees, Log, Monitors, NoRouter, Socket, Wire};

type Watchtower = ChainMonitor<
    InMemorySigner,
    Rc<dyn Filter>,
    Rc<Broadcasts>,
    Rc<Fees>,
    Rc<Log>,
    Rc<Monitors>,
    Rc<KeysManager>,
>;
type Channels = ChannelManager<
    Rc<Watchtower>,
    Rc<Broadcasts>,
    Rc<KeysManager>,
    Rc<KeysManager>,
    Rc<KeysManager>,
    Rc<Fees>,
    Rc<NoRouter>,
    Rc<NullMessageRouter>,
    Rc<Log>,
>;
type Ignoring = IgnoringMessageHandler;
type Peers =
    PeerManager<Socket, Rc<Channels>, Ignoring, Ignoring, Rc<Log>, Ignoring, Rc<KeysManager>, Ignoring>;

/// The fee rate of a quiet network, in satoshi per 1000 weight units.
const QUIET_FEERATE: u32 = 1_000;
/// The least that LDK takes in its own invoices.
const FINAL_CLTV_EXPIRY_DELTA: u16 = 42;

/// What the node does with a payment that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arriving {
    /// Takes it.
    Claim,
    /// Refuses it.
    Fail,
    /// Keeps it waiting until [`LdkPeer::release`].
    Hold,
}

/// An LDK node.
pub struct LdkPeer {
    seed: u8,
    /// Counts the starts, so that no two have the same randomness.
    starts: u32,
    keys: Rc<KeysManager>,
    broadcasts: Rc<Broadcasts>,
    fees: Rc<Fees>,
    log: Rc<Log>,
    watchtower: Rc<Watchtower>,
    channels: Rc<Channels>,
    peers: Peers,
    sockets: BTreeMap<u64, Socket>,
    next_socket: u64,
    /// The blocks that the monitors know.
    best: BestBlock,
    stored_channels: Vec<u8>,
    arriving: Arriving,
    held: Vec<(PaymentHash, lightning::types::payment::PaymentPreimage)>,
    payments: u64,
    now_secs: u64,
    events: Vec<PeerEvent>,
}

impl std::fmt::Debug for LdkPeer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LdkPeer").field("seed", &self.seed).finish_non_exhaustive()
    }
}

impl LdkPeer {
    /// A new node at the tip of the chain. The same seed gives the same node.
    pub fn new(seed: u8, chain: &Chain) -> Self {
        let keys = Rc::new(KeysManager::new(&[seed; 32], u64::from(seed), 0, true));
        let broadcasts = Rc::new(Broadcasts::default());
        let (fees, log) = (Rc::new(Fees(Cell::new(QUIET_FEERATE))), Rc::new(Log::default()));
        let watchtower = watchtower(&keys, &broadcasts, &fees, &log);
        let best = BestBlock::new(chain.tip(), chain.height());
        let channels = Rc::new(ChannelManager::new(
            fees.clone(),
            watchtower.clone(),
            broadcasts.clone(),
            Rc::new(NoRouter),
            Rc::new(NullMessageRouter {}),
            log.clone(),
            keys.clone(),
            keys.clone(),
            keys.clone(),
            config(),
            ChainParameters { network: Network::Regtest, best_block: best },
            u32::try_from(chain.now().0).unwrap_or(u32::MAX),
        ));
        let peers = peers(&channels, &keys, &log, seed, 0);
        Self {
            seed,
            starts: 0,
            keys,
            broadcasts,
            fees,
            log,
            watchtower,
            channels,
            peers,
            sockets: BTreeMap::new(),
            next_socket: 0,
            best,
            stored_channels: Vec::new(),
            arriving: Arriving::Claim,
            held: Vec::new(),
            payments: 0,
            now_secs: chain.now().0,
            events: Vec::new(),
        }
    }

    /// Its node id.
    pub fn node_id(&self) -> PublicKey {
        self.keys.get_node_id(Recipient::Node).expect("every node has an id")
    }

    /// Every channel it knows.
    pub fn channels(&self) -> Vec<ChannelDetails> {
        self.channels.list_channels()
    }

    /// What happened since this was asked last.
    pub fn take_events(&mut self) -> Vec<PeerEvent> {
        std::mem::take(&mut self.events)
    }

    /// What the node says about itself.
    pub fn log(&self) -> Vec<String> {
        self.log.lines()
    }

    /// What transactions pay these days, for the node's own estimates. A channel it opened follows with the next tick.
    pub fn set_feerate(&self, sat_per_kw: u32) {
        self.fees.0.set(sat_per_kw);
    }

    /// Says nothing about itself any more: what is said takes time.
    pub fn be_silent(&self) {
        self.log.silence();
    }

    /// What to do with payments that arrive from now on.
    pub fn set_arriving(&mut self, arriving: Arriving) {
        self.arriving = arriving;
    }

    /// The minute timers of the node.
    pub fn tick(&mut self) {
        self.channels.timer_tick_occurred();
        self.peers.timer_tick_occurred();
        self.peers.process_events();
    }
}

/// Connections. The numbers are the node's own.
impl LdkPeer {
    /// Somebody opened a byte stream to the node.
    pub fn accept(&mut self) -> u64 {
        let socket = self.new_socket();
        let number = socket.number;
        self.peers.new_inbound_connection(socket, None).expect("a new socket");
        number
    }

    /// The node opens a byte stream to somebody.
    pub fn connect(&mut self, node_id: PublicKey) -> u64 {
        let mut socket = self.new_socket();
        let number = socket.number;
        let act_one =
            self.peers.new_outbound_connection(node_id, socket.clone(), None).expect("a new socket");
        lightning::ln::peer_handler::SocketDescriptor::send_data(&mut socket, &act_one, true);
        number
    }

    /// Bytes for the node. A stream that it closed takes none.
    pub fn receive(&mut self, number: u64, bytes: &[u8]) {
        let Some(socket) = self.sockets.get_mut(&number) else { return };
        if socket.wire.borrow().is_closed {
            return;
        }
        if self.peers.read_event(socket, bytes).is_err() {
            socket.wire.borrow_mut().is_closed = true;
        }
        self.peers.process_events();
    }

    /// Bytes of the node.
    pub fn take_outgoing(&mut self, number: u64) -> Vec<u8> {
        self.peers.process_events();
        let Some(socket) = self.sockets.get(&number) else { return Vec::new() };
        std::mem::take(&mut socket.wire.borrow_mut().outgoing)
    }

    /// Whether the node closed the stream, or never had it.
    pub fn is_closed(&self, number: u64) -> bool {
        self.sockets.get(&number).is_none_or(|socket| socket.wire.borrow().is_closed)
    }

    /// The stream is gone.
    pub fn disconnected(&mut self, number: u64) {
        if let Some(socket) = self.sockets.remove(&number) {
            self.peers.socket_disconnected(&socket);
        }
    }

    fn new_socket(&mut self) -> Socket {
        let socket = Socket { number: self.next_socket, wire: Rc::new(RefCell::new(Wire::default())) };
        self.sockets.insert(socket.number, socket.clone());
        self.next_socket += 1;
        socket
    }
}

/// What its owner does.
impl LdkPeer {
    /// Opens a channel; the chain's faucet pays for it.
    pub fn open_channel(&mut self, node_id: PublicKey, amount: Amount, push_msat: u64) {
        self.channels
            .create_channel(node_id, amount.to_sat(), push_msat, 0, None, None)
            .expect("a connected peer and a sane amount");
        self.peers.process_events();
    }

    /// An invoice for the node.
    pub fn invoice(&mut self, amount_msat: Option<u64>) -> String {
        let (hash, secret) =
            self.channels.create_inbound_payment(amount_msat, 3_600, None).expect("an amount that exists");
        let node_secret = self.keys.get_node_secret_key();
        let builder = InvoiceBuilder::new(Currency::Regtest)
            .description("interop".into())
            .payment_hash(sha256::Hash::from_byte_array(hash.0))
            .payment_secret(secret)
            .duration_since_epoch(Duration::from_secs(self.now_secs))
            .min_final_cltv_expiry_delta(u64::from(FINAL_CLTV_EXPIRY_DELTA))
            .basic_mpp();
        let builder = match amount_msat {
            Some(amount_msat) => builder.amount_milli_satoshis(amount_msat),
            None => builder,
        };
        let sign = |hash: &_| Secp256k1::new().sign_ecdsa_recoverable(hash, &node_secret);
        builder.build_signed(sign).expect("everything is set").to_string()
    }

    /// Pays an invoice of a direct peer over the channel with it. Tells the hash.
    pub fn pay(&mut self, invoice: &str) -> PaymentHash {
        self.pay_with(invoice, |_| {})
    }

    /// Pays with a hop that the test changes: a wrong amount, a wrong expiry.
    pub fn pay_with(&mut self, invoice: &str, change: impl FnOnce(&mut RouteHop)) -> PaymentHash {
        let planned = self.plan(invoice, change);
        self.make(planned)
    }

    /// Pays to a hash that the payee has never heard of, with everything else as in its invoice.
    pub fn pay_other_hash(&mut self, invoice: &str) -> PaymentHash {
        let mut planned = self.plan(invoice, |_| {});
        planned.hash = PaymentHash(sha256::Hash::hash(&planned.hash.0).to_byte_array());
        self.make(planned)
    }

    fn make(&self, planned: PlannedPayment) -> PaymentHash {
        let hash = planned.hash;
        self.offer(planned);
        self.peers.process_events();
        hash
    }

    /// Takes or refuses what is held.
    pub fn release(&mut self, claim: bool) {
        for (hash, preimage) in std::mem::take(&mut self.held) {
            match claim {
                true => self.channels.claim_funds(preimage),
                false => self.channels.fail_htlc_backwards(&hash),
            }
        }
        self.peers.process_events();
    }

    /// Starts a cooperative close of every channel with a peer.
    pub fn close_channels(&mut self, node_id: &PublicKey) {
        for channel_id in self.channels_with(node_id) {
            self.channels.close_channel(&channel_id, node_id).expect("an open channel");
        }
        self.peers.process_events();
    }

    /// Publishes the last commitment of every channel with a peer.
    pub fn force_close_channels(&mut self, node_id: &PublicKey) {
        for channel_id in self.channels_with(node_id) {
            let why = "the test wants it".to_string();
            self.channels
                .force_close_broadcasting_latest_txn(&channel_id, node_id, why)
                .expect("a channel of the peer");
        }
        self.peers.process_events();
    }

    fn channels_with(&self, node_id: &PublicKey) -> Vec<ChannelId> {
        self.channels
            .list_channels_with_counterparty(node_id)
            .iter()
            .map(|channel| channel.channel_id)
            .collect()
    }
}

/// The chain.
impl LdkPeer {
    /// Does everything that is due: new blocks, events, forwards, broadcasts. Tells whether anything was.
    pub fn settle(&mut self, chain: &mut Chain) -> bool {
        let mut moved = self.follow(chain);
        moved |= self.work(chain);
        self.peers.process_events();
        for package in std::mem::take(&mut *self.broadcasts.0.borrow_mut()) {
            // LDK publishes again with every block, also what is long confirmed or replaced.
            moved |= chain.submit_package(&package).is_ok();
        }
        if self.channels.get_and_clear_needs_persistence() {
            self.store();
        }
        moved
    }

    /// Forwards and events that are due. Tells whether anything was.
    pub fn work(&mut self, chain: &mut Chain) -> bool {
        let mut moved = false;
        while self.handle_events(chain) || self.process_forwards() {
            moved = true;
        }
        moved
    }

    fn process_forwards(&self) -> bool {
        let needed = self.channels.needs_pending_htlc_processing();
        if needed {
            self.channels.process_pending_htlc_forwards();
        }
        needed
    }

    fn follow(&mut self, chain: &Chain) -> bool {
        self.now_secs = chain.now().0;
        let (watchtower, channels) = (self.watchtower.clone(), self.channels.clone());
        let moved = follow(watchtower.as_ref(), self.best, chain);
        let moved = follow(channels.as_ref(), self.channels.current_best_block(), chain) || moved;
        self.best = BestBlock::new(chain.tip(), chain.height());
        moved
    }
}

fn follow(listener: &dyn Listen, from: BestBlock, chain: &Chain) -> bool {
    let is_shared =
        |height: u32| height <= chain.height() && chain.header(height).block_hash() == from.block_hash;
    if !is_shared(from.height) {
        // The branch it is on is not known any more: as deep as any test replaces is deep enough.
        let fork = from.height.saturating_sub(REORG_DEPTH);
        listener.blocks_disconnected(BestBlock::new(chain.header(fork).block_hash(), fork));
        return connect(listener, fork, chain);
    }
    connect(listener, from.height, chain)
}

/// No test replaces more blocks than this.
const REORG_DEPTH: u32 = 6;

fn connect(listener: &dyn Listen, from: u32, chain: &Chain) -> bool {
    for height in from + 1..=chain.height() {
        listener.block_connected(chain.block(height), height);
    }
    from < chain.height()
}

fn watchtower(
    keys: &Rc<KeysManager>,
    broadcasts: &Rc<Broadcasts>,
    fees: &Rc<Fees>,
    log: &Rc<Log>,
) -> Rc<Watchtower> {
    let (monitors, key) = (Rc::new(Monitors), keys.get_peer_storage_key());
    Rc::new(ChainMonitor::new(
        None,
        broadcasts.clone(),
        log.clone(),
        fees.clone(),
        monitors,
        keys.clone(),
        key,
    ))
}

fn peers(channels: &Rc<Channels>, keys: &Rc<KeysManager>, log: &Rc<Log>, seed: u8, starts: u32) -> Peers {
    let handler = MessageHandler {
        chan_handler: channels.clone(),
        route_handler: IgnoringMessageHandler {},
        onion_message_handler: IgnoringMessageHandler {},
        custom_message_handler: IgnoringMessageHandler {},
        send_only_message_handler: IgnoringMessageHandler {},
    };
    let mut random = [seed; 32];
    random[..4].copy_from_slice(&starts.to_be_bytes());
    PeerManager::new(handler, starts, &random, log.clone(), keys.clone())
}

/// Anchors, unannounced channels, and each one asked about before it is accepted, as anchors need it.
fn config() -> UserConfig {
    let mut config = UserConfig::default();
    config.channel_handshake_config.negotiate_anchors_zero_fee_htlc_tx = true;
    config.channel_handshake_config.announce_for_forwarding = false;
    config.channel_handshake_config.minimum_depth = 3;
    config.manually_accept_inbound_channels = true;
    config.accept_forwards_to_priv_channels = true;
    config
}
