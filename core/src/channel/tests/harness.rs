//! Two channels and the wire between them. After every step a channel is written to rows, as changes, and read back.

use crate::channel::{
    AddHtlc, Channel, ChannelConfig, ChannelError, ChannelEvent, Command, Env, Feerates, Gated, Link,
    OpenRequest, Party, Removal, RowName, Transition, Violation,
};
use crate::crypto::{ChannelSigner, NodeKeys, Seed};
use crate::types::{
    ChannelId, CltvExpiry, CommitmentNumber, Features, FeeratePerKw, HtlcId, MilliSatoshi, PaymentHash,
    PaymentId, PaymentPreimage, ShortChannelId,
};
use crate::wire::Message;
use bitcoin::blockdata::constants::ChainHash;
use bitcoin::secp256k1::{PublicKey, SecretKey};
use bitcoin::{Amount, Network, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness};
use bitcoin::{absolute::LockTime, hashes::Hash, transaction::Version};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

pub const HEIGHT: u32 = 1_000;
pub const FUNDING: Amount = Amount::from_sat(1_000_000);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Alice,
    Bob,
}

impl Who {
    pub fn other(self) -> Self {
        match self {
            Self::Alice => Self::Bob,
            Self::Bob => Self::Alice,
        }
    }
}

/// One wallet with its one channel.
pub struct Side {
    pub signer: ChannelSigner,
    pub node_secret: SecretKey,
    pub node_id: PublicKey,
    pub config: ChannelConfig,
    pub feerates: Feerates,
    pub height: u32,
    pub features: Features,
    pub remote_features: Features,
    pub shutdown_script: ScriptBuf,
    pub chain_hash: ChainHash,
    pub channel: Option<Channel>,
    pub rows: BTreeMap<RowName, Vec<u8>>,
    pub revoked: BTreeMap<CommitmentNumber, Vec<u8>>,
    pub events: Vec<ChannelEvent>,
    pub broadcasts: Vec<Transaction>,
    /// Whether every step is read back. Reading derives keys, which a count of operations leaves out.
    pub reads_back: bool,
}

pub fn features() -> Features {
    Features::from_bits([0, 8, 12, 14, 44, 17, 23, 27])
}

impl Side {
    pub fn new(seed: u8) -> Self {
        let keys = NodeKeys::from_seed(&Seed::new([seed; 64]), Network::Regtest).unwrap();
        Self {
            signer: ChannelSigner::new(keys.channel_keys(7)),
            node_id: keys.node_id(),
            node_secret: *keys.node_secret(),
            config: ChannelConfig {
                always_accepted_feerate: FeeratePerKw::from_sat_per_kw(5_000),
                ..ChannelConfig::default()
            },
            feerates: Feerates {
                commitment: FeeratePerKw::from_sat_per_kw(1_000),
                closing: FeeratePerKw::from_sat_per_kw(500),
            },
            height: HEIGHT,
            features: features(),
            remote_features: features(),
            shutdown_script: ScriptBuf::new_p2wpkh(&bitcoin::WPubkeyHash::from_byte_array([seed; 20])),
            chain_hash: ChainHash::REGTEST,
            channel: None,
            rows: BTreeMap::new(),
            revoked: BTreeMap::new(),
            events: Vec::new(),
            broadcasts: Vec::new(),
            reads_back: true,
        }
    }

    pub fn env(&self) -> Env<'_> {
        Env {
            signer: &self.signer,
            node_secret: &self.node_secret,
            config: &self.config,
            chain_hash: self.chain_hash,
            height: self.height,
            feerates: self.feerates,
            local_features: &self.features,
            remote_features: &self.remote_features,
            shutdown_script: &self.shutdown_script,
            revoked: &self.revoked,
        }
    }

    pub fn channel(&self) -> &Channel {
        self.channel.as_ref().unwrap()
    }

    pub fn try_process(&mut self, command: Command) -> Result<Vec<Message>, ChannelError> {
        let transition = self.channel().process(&self.env(), command)?;
        Ok(self.take(transition))
    }

    pub fn process(&mut self, command: Command) -> Vec<Message> {
        self.try_process(command.clone()).unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }

    pub fn fail(&mut self, violation: &Violation) -> Vec<Message> {
        let transition = self.channel().fail(&self.env(), violation).unwrap();
        self.take(transition)
    }

    /// Stores a step and reads it back; then releases what waited for that.
    pub fn take(&mut self, transition: Transition) -> Vec<Message> {
        let Transition { next, effects } = transition;
        for (name, change) in Channel::changed_rows(self.channel.as_ref(), &next) {
            assert_eq!(RowName::from_bytes(&name.to_bytes()), Ok(name));
            match change {
                Some(bytes) => {
                    self.rows.insert(name, bytes);
                }
                None => assert!(self.rows.remove(&name).is_some(), "{name:?} was not stored"),
            }
        }
        for (name, bytes) in effects.append {
            let RowName::Revoked(number) = name else { panic!("{name:?} is not written once") };
            assert!(self.revoked.insert(number, bytes).is_none(), "{name:?} written twice");
        }
        match next.is_stored() {
            true if self.reads_back => {
                assert_eq!(Channel::from_rows(self.rows.clone()).unwrap(), next.as_stored());
            }
            true => {}
            false => assert!(self.rows.is_empty()),
        }
        self.channel = Some(next);
        let mut messages = Vec::new();
        for gated in effects.then {
            match gated {
                Gated::Send(message) => {
                    assert_ne!(self.channel().link, Link::Offline, "{message:?} without a connection");
                    messages.push(message);
                }
                Gated::Broadcast(tx) => self.broadcasts.push(tx),
                Gated::Notify(event) => self.events.push(event),
            }
        }
        messages
    }

    /// As after a crash: only what was stored is left, and the onions that payments build again.
    pub fn restart(&mut self) {
        let mut channel = Channel::from_rows(self.rows.clone()).unwrap();
        let before = &self.channel().commitments().unwrap().htlcs;
        for (key, htlc) in before.iter().filter(|(key, _)| key.offered_by == Party::Local) {
            let is_signed = !self.channel().commitments().unwrap().unsigned_adds().any(|id| id == key.id);
            assert_eq!(channel.needs_onion(key.id), htlc.onion.is_some() && is_signed);
            if let Some(onion) = &htlc.onion {
                channel.attach_onion(key.id, onion.clone());
            }
        }
        self.channel = Some(channel);
    }

    pub fn balances(&self) -> (u64, u64) {
        let spec = &self.channel().commitments().unwrap().local.spec;
        (spec.local.to_msat(), spec.remote.to_msat())
    }

    pub fn take_events(&mut self) -> Vec<ChannelEvent> {
        std::mem::take(&mut self.events)
    }
}

/// Alice, who opens; Bob; and what is on its way between them.
pub struct World {
    pub alice: Side,
    pub bob: Side,
    pub to_alice: VecDeque<Message>,
    pub to_bob: VecDeque<Message>,
    pub funding_tx: Option<Transaction>,
    /// What was offered, by the preimage.
    offered: BTreeMap<u8, u64>,
}

impl World {
    pub fn new() -> Self {
        Self {
            alice: Side::new(1),
            bob: Side::new(2),
            to_alice: VecDeque::new(),
            to_bob: VecDeque::new(),
            funding_tx: None,
            offered: BTreeMap::new(),
        }
    }

    pub fn side(&mut self, who: Who) -> &mut Side {
        match who {
            Who::Alice => &mut self.alice,
            Who::Bob => &mut self.bob,
        }
    }

    pub fn inbox(&mut self, who: Who) -> &mut VecDeque<Message> {
        match who {
            Who::Alice => &mut self.to_alice,
            Who::Bob => &mut self.to_bob,
        }
    }

    pub fn send(&mut self, from: Who, messages: Vec<Message>) {
        for message in messages {
            let bytes = message.encode().unwrap();
            self.inbox(from.other()).push_back(Message::decode(&bytes).unwrap());
        }
    }

    pub fn tell(&mut self, who: Who, command: Command) {
        let messages = self.side(who).process(command);
        self.send(who, messages);
    }

    pub fn try_tell(&mut self, who: Who, command: Command) -> Result<(), ChannelError> {
        let messages = self.side(who).try_process(command)?;
        self.send(who, messages);
        Ok(())
    }

    /// Delivers the next message for one side. False: there is none.
    pub fn deliver(&mut self, to: Who) -> bool {
        let Some(message) = self.inbox(to).pop_front() else { return false };
        self.tell(to, Command::Message(message));
        true
    }

    /// The next message for one side, taken off the wire.
    pub fn intercept(&mut self, to: Who) -> Message {
        self.inbox(to).pop_front().unwrap()
    }

    pub fn sign_if_needed(&mut self, who: Who) -> bool {
        let needed = self.side(who).channel.as_ref().is_some_and(Channel::needs_signing);
        if needed {
            self.tell(who, Command::Sign);
        }
        needed
    }

    /// Delivers and signs until nothing moves.
    pub fn settle(&mut self) {
        let mut steps = 0;
        loop {
            let moved = [Who::Alice, Who::Bob].map(|who| self.deliver(who) || self.sign_if_needed(who));
            if moved == [false, false] {
                return;
            }
            steps += 1;
            assert!(steps < 1_000, "it never ends");
        }
    }

    pub fn request(&mut self, request: OpenRequest) {
        let alice = &self.alice;
        let temporary = ChannelId([9; 32]);
        let transition = Channel::open(&alice.env(), &request, self.bob.node_id, 7, temporary).unwrap();
        let messages = self.alice.take(transition);
        self.send(Who::Alice, messages);
    }

    pub fn accept(&mut self) -> Result<(), ChannelError> {
        let Message::OpenChannel(open) = self.intercept(Who::Bob) else { panic!("not open_channel") };
        let transition = Channel::accept(&self.bob.env(), self.alice.node_id, 7, &open)?;
        let messages = self.bob.take(transition);
        self.send(Who::Bob, messages);
        Ok(())
    }

    pub fn make_funding_tx(&mut self) -> Transaction {
        let Some(ChannelEvent::FundingNeeded { script, amount }) = self.alice.events.last() else {
            panic!("no funding needed: {:?}", self.alice.events)
        };
        let tx = funding_tx(script.clone(), *amount);
        self.funding_tx = Some(tx.clone());
        tx
    }

    /// Up to both waiting for the funding transaction.
    pub fn funded(request: OpenRequest) -> Self {
        let mut world = Self::new();
        world.fund(request);
        world
    }

    pub fn fund(&mut self, request: OpenRequest) {
        self.request(request);
        self.accept().unwrap();
        assert!(self.deliver(Who::Alice));
        let tx = self.make_funding_tx();
        self.tell(Who::Alice, Command::FundingTxSigned { tx, output_index: 1 });
        self.settle();
    }

    pub fn confirm(&mut self, who: Who) -> Result<(), ChannelError> {
        let tx = self.funding_tx.clone().unwrap();
        let short_channel_id = ShortChannelId::new(HEIGHT - 10, 1, 1).unwrap();
        self.try_tell(who, Command::FundingConfirmed { tx, short_channel_id })
    }

    /// A channel in use, with 700,000 sat on Alice's side and 300,000 on Bob's.
    pub fn open() -> Self {
        Self::open_with(Self::new(), MilliSatoshi::from_msat(300_000_000))
    }

    pub fn open_with(mut world: Self, push: MilliSatoshi) -> Self {
        world.fund(OpenRequest { funding: FUNDING, push });
        world.confirm(Who::Alice).unwrap();
        world.confirm(Who::Bob).unwrap();
        world.settle();
        for who in [Who::Alice, Who::Bob] {
            let side = world.side(who);
            assert!(side.channel().is_usable(), "{:?}", side.channel().state.name());
            side.events.clear();
        }
        world
    }

    /// One side sees a transaction in a block, or on its way there.
    pub fn see(&mut self, who: Who, tx: &Transaction, height: Option<u32>) {
        self.tell(who, Command::Spent { tx: tx.clone(), height });
    }

    /// One side sees the best block rise, and has seen what is in it.
    pub fn rise(&mut self, who: Who, height: u32) {
        self.side(who).height = height;
        self.tell(who, Command::NewBlock(height));
        self.look(who, height, true);
    }

    /// One side has asked about everything as of this height.
    pub fn look(&mut self, who: Who, height: u32, sees_funding: bool) {
        self.tell(who, Command::Looked { height, sees_funding });
    }

    pub fn add(&mut self, from: Who, amount_msat: u64, preimage: u8) -> HtlcId {
        let side = self.side(from);
        let id = side.channel().commitments().unwrap().local_next_htlc_id;
        self.tell(from, Command::AddHtlc(add(amount_msat, preimage)));
        self.offered.insert(preimage, amount_msat);
        id
    }

    /// Offers again what came to nothing with the connection, as payments do.
    pub fn offer_again(&mut self) {
        for who in [Who::Alice, Who::Bob] {
            let lost = |event: &ChannelEvent| match event {
                ChannelEvent::HtlcNeverCommitted { origin, .. } => Some(origin.0[0]),
                _ => None,
            };
            for preimage in self.side(who).events.iter().filter_map(lost).collect::<Vec<_>>() {
                self.add(who, self.offered[&preimage], preimage);
            }
        }
    }

    pub fn fulfil(&mut self, who: Who, id: HtlcId, preimage: u8) {
        self.tell(
            who,
            Command::RemoveHtlc { id, removal: Removal::Fulfilled(PaymentPreimage([preimage; 32])) },
        );
    }

    pub fn fail(&mut self, who: Who, id: HtlcId) {
        self.tell(who, Command::RemoveHtlc { id, removal: Removal::Failed(vec![7; 292]) });
    }

    /// The connection is lost, with everything that is on its way.
    pub fn disconnect(&mut self) {
        self.to_alice.clear();
        self.to_bob.clear();
        for who in [Who::Alice, Who::Bob] {
            let messages = self.side(who).process(Command::Disconnected);
            assert!(messages.is_empty());
        }
    }

    pub fn connect(&mut self) {
        for who in [Who::Alice, Who::Bob] {
            self.tell(who, Command::Connected);
        }
    }

    /// Both sides hold the same commitments, with everything in them.
    pub fn assert_settled(&mut self) {
        let alice = self.alice.channel().commitments().unwrap();
        let bob = self.bob.channel().commitments().unwrap();
        for (one, other) in [(alice, bob), (bob, alice)] {
            assert!(one.remote_next.is_none());
            assert_eq!(one.local.number, other.remote.number);
            assert_eq!(
                (one.local.spec.local, one.local.spec.remote),
                (one.remote.spec.local, one.remote.spec.remote)
            );
            assert_eq!(
                (one.local.spec.local, one.local.spec.remote),
                (other.local.spec.remote, other.local.spec.local)
            );
            assert_eq!(one.local.spec.htlcs, one.remote.spec.htlcs);
            assert!(!one.local_has_changes());
        }
    }
}

pub fn add(amount_msat: u64, preimage: u8) -> AddHtlc {
    AddHtlc {
        origin: PaymentId([preimage; 16]),
        amount: MilliSatoshi::from_msat(amount_msat),
        payment_hash: hash(preimage),
        cltv_expiry: CltvExpiry::new(HEIGHT + 144).unwrap(),
        onion: Arc::new([preimage; 1366]),
    }
}

pub fn hash(preimage: u8) -> PaymentHash {
    PaymentPreimage([preimage; 32]).payment_hash()
}

pub fn request() -> OpenRequest {
    OpenRequest { funding: FUNDING, push: MilliSatoshi::ZERO }
}

pub fn funding_tx(script: ScriptBuf, amount: Amount) -> Transaction {
    let change = ScriptBuf::new_p2wpkh(&bitcoin::WPubkeyHash::from_byte_array([3; 20]));
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint { txid: Txid::from_byte_array([5; 32]), vout: 0 },
            script_sig: ScriptBuf::new(),
            sequence: Sequence::MAX,
            witness: Witness::from_slice(&[[1u8; 71]]),
        }],
        output: vec![
            TxOut { value: Amount::from_sat(10_000), script_pubkey: change },
            TxOut { value: amount, script_pubkey: script },
        ],
    }
}
