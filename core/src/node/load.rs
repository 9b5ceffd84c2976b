//! A node from what is stored. The rest is derived (contract P9).

use super::channel_entry::ChannelEntry;
use super::commands::read_onchain_payment;
use super::connections::Connections;
use super::facts::read_headers;
use super::outbox::{Gated, Outbox};
use super::past::PastChannel;
use super::record::NodeRecord;
use super::{Event, EventRecord, Node};
use crate::chain::{Checkpoint, FeeRates, HeaderChain};
use crate::channel::ChannelConfig;
use crate::coins::{Coins, CoinsError};
use crate::crypto::{Entropy, KeyError, NodeKeys, Seed};
use crate::gossip::{GossipSync, Graph};
use crate::payment::{Parts, PaymentRecord, RecordError};
use crate::peer::PeerConfig;
use crate::store::{RecordKind, RecordName, Records, Shelf, Stored, Vault, VaultError};
use crate::types::{Now, UnixTime};
use bitcoin::blockdata::constants::ChainHash;
use bitcoin::secp256k1::PublicKey;
use bitcoin::{Amount, Network};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What the owner, or the app, decides.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// The network.
    pub network: Network,
    /// From where on a new wallet checks headers. One that is stored goes on from where it began.
    pub checkpoint: Checkpoint,
    /// What we ask of channels and accept.
    pub channel: ChannelConfig,
    /// Kept on-chain for each channel, to pay for its close (BOLT 3, anchors).
    pub reserve_per_channel: Amount,
    /// Whether peers may open channels to us.
    pub accept_channels: bool,
    /// The owner knows what is [`YOUNG`] and wants mainnet all the same.
    pub accept_young_mainnet: bool,
    /// A newest block that is older, in seconds, is not believed to be the newest. Unset: blocks may be any time apart.
    pub max_tip_age_secs: Option<u64>,
}

/// What is young about Kite on mainnet, in words for the owner. Nothing of it is lost on test networks.
pub const YOUNG: [&str; 5] = [
    "No one outside of the project has audited it.",
    "It has been tested against LDK's nodes only, on private networks: other kinds of nodes may behave otherwise.",
    "It watches its channels only while it runs: open it every few days. A peer that cheats while nobody looks for a week keeps what it took.",
    "It asks one chain server, which cannot invent coins or blocks, but can hide them.",
    "Channels are stored on this device alone: the words bring back on-chain coins, not channels.",
];

/// Blocks are ten minutes apart on average: a pause of this length comes once in seventy million blocks.
const MAX_TIP_AGE_SECS: u64 = 3 * 3600;

/// Why a stored node cannot be loaded. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// Mainnet, and the owner has not accepted what is [`YOUNG`].
    #[error("Kite is young on mainnet: its owner has to know what that means, and accept it")]
    MainnetNotAccepted,
    /// The seed makes no keys.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A record does not open.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The on-chain wallet does not read back.
    #[error(transparent)]
    Coins(#[from] CoinsError),
    /// A record was written by a newer Kite.
    #[error(
        "the stored {what} (version {version}) was written by a newer Kite: update the app, nothing is lost"
    )]
    NewerVersion {
        /// What it is about.
        what: &'static str,
        /// Its version.
        version: u8,
    },
    /// A record does not read back.
    #[error("the stored {what} is damaged: {detail}")]
    Damaged {
        /// What it is about.
        what: &'static str,
        /// Where.
        detail: String,
    },
    /// The store belongs to a wallet on another network.
    #[error("this wallet was made for another network")]
    OtherNetwork,
}

impl From<RecordError> for LoadError {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::NewerVersion { version } => Self::NewerVersion { what: "payment", version },
            RecordError::Damaged { detail } => Self::Damaged { what: "payment", detail },
        }
    }
}

impl NodeConfig {
    /// What is right for most wallets.
    pub fn new(network: Network) -> Self {
        Self {
            network,
            checkpoint: Checkpoint::newest(network),
            accept_young_mainnet: false,
            channel: ChannelConfig { to_self_delay: to_self_delay(network), ..ChannelConfig::default() },
            reserve_per_channel: Amount::from_sat(10_000),
            accept_channels: true,
            max_tip_age_secs: (network != Network::Regtest).then_some(MAX_TIP_AGE_SECS),
        }
    }
}

/// How long a peer waits for its money when it closes by itself, in blocks, and so how long a wallet may sleep before a cheater
/// keeps what it took: a week, half of what others refuse. On regtest blocks do not wait for time.
const fn to_self_delay(network: Network) -> u16 {
    match network {
        Network::Regtest => 144,
        _ => 1_008,
    }
}

impl Node {
    /// The node that a store holds; a new one if it is empty.
    ///
    /// `entropy` must be fresh at every start. The first batch takes the store's fence, and nothing that speaks of
    /// state leaves before that batch is durable.
    ///
    /// # Errors
    /// A store that cannot be read, in whole or in part. It is left as it is.
    pub fn load(
        seed: &Seed,
        storage_key: &[u8; 32],
        entropy: [u8; 32],
        config: NodeConfig,
        stored: &Stored,
        now: Now,
    ) -> Result<Self, LoadError> {
        if config.network == Network::Bitcoin && !config.accept_young_mainnet {
            return Err(LoadError::MainnetNotAccepted);
        }
        let keys = NodeKeys::from_seed(seed, config.network)?;
        let (shelf, records) = Shelf::open(Vault::new(storage_key), stored)?;
        let record = node_record(&records, &config, now)?;
        let chain_hash = ChainHash::using_genesis_block(config.network);
        let mut node = Self {
            chain: headers(&records, config.network, &record)?,
            coins: coins(&records, &keys, &config)?,
            channels: channels(&records, &keys)?,
            past_channels: past_channels(&records)?,
            graph: graph(&records),
            connections: Connections::new(PeerConfig::new(chain_hash), now.mono),
            keys,
            config,
            now,
            entropy: Entropy::new(entropy),
            outbox: Outbox::new(shelf),
            record,
            onchain_payments: BTreeMap::new(),
            todo: VecDeque::new(),
            unstored: BTreeSet::new(),
            claims_due: BTreeSet::new(),
            keys_due: BTreeSet::new(),
            payments: BTreeMap::new(),
            payment_ids: BTreeMap::new(),
            pending: BTreeSet::new(),
            payments_due: true,
            invoices: BTreeMap::new(),
            searches: BTreeMap::new(),
            arrived: Vec::new(),
            parts: Parts::default(),
            part_secrets: BTreeMap::new(),
            events: BTreeMap::new(),
            fee_rates: FeeRates::default(),
            synced_at: None,
            blocks_unlooked: 0,
            told_of_old_tip: false,
            graph_stored: (0, now.mono),
            gossip: GossipSync::new(chain_hash),
        };
        node.store_record();
        node.load_payments(&records)?;
        node.load_onchain_payments(&records)?;
        node.rebuild_onions();
        node.load_events(&records);
        node.load_peers(&records)?;
        node.release_forgotten_coins();
        node.broadcast_again();
        node.settle_down();
        Ok(node)
    }

    fn load_payments(&mut self, records: &Records) -> Result<(), LoadError> {
        for (name, terms) in of_kind(records, RecordKind::Payment) {
            let progress = records.get(&RecordName::of(RecordKind::PaymentProgress, name.which.clone()));
            let payment = PaymentRecord::from_bytes(terms, progress.map_or(&[], Vec::as_slice))?;
            self.index_payment(payment);
        }
        Ok(())
    }

    fn load_onchain_payments(&mut self, records: &Records) -> Result<(), LoadError> {
        for (name, content) in of_kind(records, RecordKind::OnchainPayment) {
            let payment = read_onchain_payment(name, content).ok_or_else(|| LoadError::Damaged {
                what: "on-chain payment",
                detail: format!("a record named {name:?}"),
            })?;
            self.onchain_payments.extend([payment]);
        }
        Ok(())
    }

    /// Events tell what payments and channels hold already: one that cannot be read is left out, and the owner is told. A
    /// payment or channel that cannot be read stops the start instead.
    fn load_events(&mut self, records: &Records) {
        let mut unreadable = 0usize;
        for (name, content) in of_kind(records, RecordKind::Event) {
            let seq = name.number().map(|(seq, _)| seq);
            if let Some(seq) = seq {
                self.record.next_event = self.record.next_event.max(seq.saturating_add(1));
            }
            match seq.map(|seq| EventRecord::from_bytes(seq, content, &self.payments)) {
                Some(Ok(event)) => {
                    self.events.insert(event.seq, event);
                }
                Some(Err(_)) | None => {
                    self.outbox.delete(name);
                    unreadable += 1;
                }
            }
        }
        for event in self.events.values() {
            self.outbox.gated(Gated::Event(event.clone()));
        }
        if unreadable > 0 {
            let what = format!(
                "{unreadable} of this wallet's notices could not be read and were left out. No money is touched by it: \
                 look at your payments and channels for what is new."
            );
            self.emit(Event::ActionRequired { what });
        }
    }

    fn load_peers(&mut self, records: &Records) -> Result<(), LoadError> {
        let damaged = |detail: &str| LoadError::Damaged { what: "peer address", detail: detail.into() };
        for (name, content) in of_kind(records, RecordKind::PeerAddress) {
            let node_id = PublicKey::from_slice(&name.which).map_err(|_| damaged("not a node id"))?;
            let address = String::from_utf8(content.clone()).map_err(|_| damaged("not text"))?;
            self.connections.remember(node_id, address, self.now.mono);
        }
        Ok(())
    }

    /// Coins that were set aside for a channel that was never stored, whose funding will never be published, or for a claim
    /// that was not stored.
    pub(super) fn release_forgotten_coins(&mut self) {
        let needed: Vec<_> = self
            .channels
            .values()
            .filter_map(ChannelEntry::funding_tx)
            .flat_map(|tx| tx.input.iter().map(|input| input.previous_output).collect::<Vec<_>>())
            .chain(self.channels.values().flat_map(ChannelEntry::coins_of_bids))
            .collect();
        let forgotten: Vec<_> =
            self.coins.set_aside().into_iter().filter(|outpoint| !needed.contains(outpoint)).collect();
        self.coins.release(forgotten);
    }

    /// Of several payments to one hash, the one that must keep others from being made is found by it: all but one of
    /// them have failed.
    pub(super) fn index_payment(&mut self, payment: PaymentRecord) {
        let (hash, id) = (payment.payment_hash(), payment.id());
        match payment.is_pending() {
            true => self.pending.insert(id),
            false => self.pending.remove(&id),
        };
        self.payments.insert(id, payment);
        let known = self.payment_ids.get(&hash).and_then(|known| self.payments.get(known));
        if known.is_none_or(PaymentRecord::has_failed) {
            self.payment_ids.insert(hash, id);
        }
    }

    pub(super) fn store_payment(&mut self, payment: PaymentRecord) {
        let name = |kind| RecordName::of(kind, payment.id().0);
        // They never change.
        if !self.payments.contains_key(&payment.id()) {
            self.outbox.put(name(RecordKind::Payment), payment.terms_to_bytes());
        }
        self.outbox.put(name(RecordKind::PaymentProgress), payment.progress_to_bytes());
        self.index_payment(payment);
    }
}

fn of_kind(records: &Records, kind: RecordKind) -> impl Iterator<Item = (&RecordName, &Vec<u8>)> {
    records.range(RecordName::only(kind)..).take_while(move |(name, _)| name.kind == kind)
}

fn node_record(records: &Records, config: &NodeConfig, now: Now) -> Result<NodeRecord, LoadError> {
    let Some(content) = records.get(&RecordName::only(RecordKind::Node)) else {
        return match records.is_empty() {
            true => Ok(NodeRecord::new(config.network, config.checkpoint.height, now.unix)),
            false => Err(LoadError::Damaged { what: "node", detail: "its own record is missing".into() }),
        };
    };
    let record =
        NodeRecord::from_bytes(content).map_err(|detail| LoadError::Damaged { what: "node", detail })?;
    if record.magic != config.network.magic().to_bytes() {
        return Err(LoadError::OtherNetwork);
    }
    Ok(record)
}

fn headers(records: &Records, network: Network, record: &NodeRecord) -> Result<HeaderChain, LoadError> {
    let damaged = |detail: String| LoadError::Damaged { what: "chain of headers", detail };
    let checkpoint = Checkpoint::at(network, record.checkpoint_height())
        .ok_or_else(|| damaged(format!("nothing is known of block {}", record.checkpoint_height())))?;
    let mut chain = HeaderChain::new(network, checkpoint);
    for (_, row) in of_kind(records, RecordKind::Headers) {
        let headers = read_headers(row).ok_or_else(|| damaged("not headers".into()))?;
        // Their times were compared with the clock when they came; the clock may have been set back since.
        chain.accept(&headers, UnixTime(u64::MAX)).map_err(|error| damaged(error.to_string()))?;
    }
    Ok(chain)
}

fn coins(records: &Records, keys: &NodeKeys, config: &NodeConfig) -> Result<Coins, LoadError> {
    let mut rows = of_kind(records, RecordKind::Coins).map(|(_, row)| row.as_slice()).peekable();
    match rows.peek() {
        Some(_) => Ok(Coins::load(keys, config.network, rows)?),
        None => Ok(Coins::create(keys, config.network)?),
    }
}

/// The graph only helps to find ways: one that does not read back is fetched again.
fn graph(records: &Records) -> Graph {
    let stored = records.get(&RecordName::only(RecordKind::Graph));
    stored.and_then(|bytes| Graph::from_bytes(bytes).ok()).unwrap_or_default()
}

/// The name of a row within its channel, and its content.
pub(super) type StoredRow = (Vec<u8>, Vec<u8>);

fn channels(records: &Records, keys: &NodeKeys) -> Result<BTreeMap<u32, ChannelEntry>, LoadError> {
    let mut rows: BTreeMap<u32, Vec<StoredRow>> = BTreeMap::new();
    for (name, content) in of_kind(records, RecordKind::Channel) {
        let numbered = name.number().and_then(|(index, row)| Some((u32::try_from(index).ok()?, row)));
        let (index, row) = numbered.ok_or_else(|| LoadError::Damaged {
            what: "channel",
            detail: format!("a record named {name:?}"),
        })?;
        rows.entry(index).or_default().push((row.to_vec(), content.clone()));
    }
    rows.into_iter().map(|(index, rows)| Ok((index, ChannelEntry::load(index, rows, keys)?))).collect()
}

fn past_channels(records: &Records) -> Result<BTreeMap<u32, PastChannel>, LoadError> {
    let damaged = |detail: String| LoadError::Damaged { what: "past channel", detail };
    of_kind(records, RecordKind::PastChannel)
        .map(|(name, content)| {
            let index = name.number().and_then(|(index, _)| u32::try_from(index).ok());
            let index = index.ok_or_else(|| damaged(format!("a record named {name:?}")))?;
            Ok((index, PastChannel::from_bytes(content).map_err(damaged)?))
        })
        .collect()
}
