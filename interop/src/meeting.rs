//! One Kite node, one LDK node, a byte stream between them that can break anywhere, and a chain.

use crate::ldk::LdkPeer;
use bitcoin::{Amount, Txid};
use kite_core::invoice::Invoice;
use kite_core::node::{
    Answer, ChannelInfo, Command, CommandError, CommandId, Event, Input, Node, SendRequest,
};
use kite_core::types::{ConnId, FeeratePerKw, Instant, MilliSatoshi, Now, PaymentId, UnixTime};
use kite_sim::chain::{Chain, Rejected, Source};
use kite_sim::host::{Act, Host};
use kite_sim::world::later;
use std::collections::VecDeque;

/// The two, and what is between them.
#[derive(Debug)]
pub struct Meeting {
    /// The chain.
    pub chain: Chain,
    /// Ours.
    pub kite: Host,
    /// The other.
    pub ldk: LdkPeer,
    now: Now,
    stream: Option<Stream>,
    /// Nobody answers a call.
    is_offline: bool,
    /// Kite hears of no block.
    is_chain_silent: bool,
    /// How many more pieces are delivered before the stream breaks; unset: it does not.
    breaks_after: Option<u32>,
    /// How many pieces were delivered.
    pub delivered: u32,
    source: Source,
    next_payment: u32,
    last_send: Option<CommandId>,
    trace: Vec<String>,
}

#[derive(Debug)]
struct Stream {
    kite: ConnId,
    ldk: u64,
    to_ldk: VecDeque<Vec<u8>>,
}

impl Default for Meeting {
    fn default() -> Self {
        Self::new()
    }
}

impl Meeting {
    /// Both run and know the chain; they are not connected, and neither has coins.
    pub fn new() -> Self {
        let mut chain = Chain::new();
        chain.record();
        let ldk = LdkPeer::new(7, &chain);
        let now = Now { mono: Instant(1_000), unix: chain.now() };
        let mut meeting = Self {
            chain,
            kite: Host::new(3, Host::config()),
            ldk,
            now,
            stream: None,
            is_offline: false,
            is_chain_silent: false,
            breaks_after: None,
            delivered: 0,
            source: Source::default(),
            next_payment: 1,
            last_send: None,
            trace: Vec::new(),
        };
        meeting.kite.start(meeting.now);
        meeting.settle();
        meeting
    }

    /// Our node.
    pub fn node(&self) -> &Node {
        self.kite.running()
    }

    /// Does what there is to do until nothing is. Time stands still.
    ///
    /// # Panics
    /// It never ends.
    pub fn settle(&mut self) {
        for _ in 0..10_000 {
            let mut moved = self.kite_acts();
            moved |= self.ldk.settle(&mut self.chain);
            moved |= self.tell_chain();
            moved |= self.deliver();
            if !moved {
                return;
            }
        }
        panic!("it never ends: {}", self.story());
    }

    /// Lets time pass, waking the node whenever it wants.
    pub fn pass(&mut self, secs: u64) {
        let end = self.now.mono.plus_secs(secs);
        self.settle();
        while let Some(wake_at) = self.kite.wake_at().filter(|at| *at <= end) {
            let millis = wake_at.0.saturating_sub(self.now.mono.0).max(1);
            self.advance(millis);
            self.kite.input(self.now, Input::Wake);
            self.settle();
        }
        self.advance(end.0.saturating_sub(self.now.mono.0));
        self.settle();
    }

    fn advance(&mut self, millis: u64) {
        self.now = later(self.now, millis);
    }

    /// Mines blocks, one at a time, and lets both see each.
    pub fn mine(&mut self, count: u32) {
        for _ in 0..count {
            self.chain.mine(1);
            self.now.unix = UnixTime(self.now.unix.0.max(self.chain.now().0));
            self.settle();
        }
    }

    /// What happened, for a test that fails.
    pub fn story(&self) -> String {
        let ldk = self.ldk.log();
        let last = &ldk[ldk.len().saturating_sub(60)..];
        let events: Vec<_> = self.kite.events().collect();
        format!(
            "TRACE\n{}\nLDK SAYS\n{}\nKITE EVENTS {events:?}\nKITE CHANNELS {:?}\nKITE'S LAST PAYMENT {:?}",
            self.trace.join("\n"),
            last.join("\n"),
            self.kite.node().map(Node::channels),
            self.last_send.and_then(|id| self.kite.answer(id)),
        )
    }

    fn kite_acts(&mut self) -> bool {
        let mut moved = false;
        while let Some(act) = self.kite.acts.pop_front() {
            moved = true;
            match act {
                Act::Connect(conn, node_id) => {
                    assert_eq!(node_id, self.ldk.node_id());
                    if self.is_offline {
                        let reason = "nobody answers".into();
                        self.kite.input(self.now, Input::Disconnected { conn, reason });
                        continue;
                    }
                    let ldk = self.ldk.accept();
                    self.stream = Some(Stream { kite: conn, ldk, to_ldk: VecDeque::new() });
                    self.trace.push("connected".into());
                    self.kite.input(self.now, Input::Connected { conn });
                }
                Act::Send(conn, bytes) => {
                    if let Some(stream) = self.stream.as_mut().filter(|stream| stream.kite == conn) {
                        stream.to_ldk.push_back(bytes);
                    }
                }
                Act::Disconnect(conn) => {
                    self.trace.push("kite hangs up".into());
                    if self.stream.as_ref().is_some_and(|stream| stream.kite == conn) {
                        self.hang_up();
                    }
                }
                Act::Broadcast(package) => {
                    let result = self.chain.submit_package(&package);
                    let txids: Vec<Txid> = package.iter().map(bitcoin::Transaction::compute_txid).collect();
                    self.trace.push(format!("kite publishes {txids:?}: {result:?}"));
                    // What the scripts, the amounts or the rules of relay forbid, nothing explains.
                    let is_wrong = result.as_ref().is_err_and(Rejected::is_for_ever);
                    assert!(!is_wrong, "{}", self.story());
                }
                Act::Watch => self.source.look_again(),
            }
        }
        moved
    }

    fn tell_chain(&mut self) -> bool {
        let Some(node) = self.kite.node().filter(|_| !self.is_chain_silent) else { return false };
        let news = self.source.news(&self.chain, node);
        let moved = !news.is_empty();
        for fact in news {
            self.kite.input(self.now, Input::Chain(fact));
        }
        moved
    }

    /// One piece in each direction.
    fn deliver(&mut self) -> bool {
        let mut moved = false;
        if let Some(bytes) = self.stream.as_mut().and_then(|stream| stream.to_ldk.pop_front()) {
            moved = true;
            if let Some(bytes) = self.pass_on(bytes)
                && let Some(stream) = &self.stream
            {
                self.trace.push(format!("kite -> ldk {}", bytes.len()));
                self.ldk.receive(stream.ldk, &bytes);
            }
        }
        let Some(stream) = &self.stream else { return moved };
        let bytes = self.ldk.take_outgoing(stream.ldk);
        if !bytes.is_empty() {
            moved = true;
            if let Some(bytes) = self.pass_on(bytes)
                && let Some(stream) = &self.stream
            {
                self.trace.push(format!("ldk -> kite {}", bytes.len()));
                self.kite.input(self.now, Input::Received { conn: stream.kite, bytes });
            }
        }
        if self.stream.as_ref().is_some_and(|stream| self.ldk.is_closed(stream.ldk)) {
            self.trace.push("ldk hangs up".into());
            self.disconnect();
        }
        if self.breaks_after == Some(0) {
            self.breaks_after = None;
            self.disconnect();
        }
        moved
    }

    /// What arrives of a piece: all; nothing where the stream broke; half of the piece on which it breaks.
    fn pass_on(&mut self, bytes: Vec<u8>) -> Option<Vec<u8>> {
        self.delivered += 1;
        match &mut self.breaks_after {
            None => Some(bytes),
            Some(0) => None,
            Some(1) => {
                self.breaks_after = Some(0);
                Some(bytes[..bytes.len().div_ceil(2)].to_vec())
            }
            Some(left) => {
                *left -= 1;
                Some(bytes)
            }
        }
    }

    /// The stream breaks in the middle of the n-th piece from now, counted from 1.
    pub fn break_at(&mut self, piece: u32) {
        self.breaks_after = Some(piece);
    }

    /// The stream, or the next one, breaks no more.
    pub fn mend(&mut self) {
        self.breaks_after = None;
    }

    /// The stream breaks now; what is on its way is lost.
    pub fn disconnect(&mut self) {
        let Some(stream) = self.stream.take() else { return };
        self.trace.push("disconnected".into());
        self.ldk.disconnected(stream.ldk);
        self.kite.input(self.now, Input::Disconnected { conn: stream.kite, reason: "cut".into() });
    }

    fn hang_up(&mut self) {
        // What was written before arrives.
        if let Some(mut stream) = self.stream.take() {
            for bytes in std::mem::take(&mut stream.to_ldk) {
                self.ldk.receive(stream.ldk, &bytes);
            }
            self.ldk.disconnected(stream.ldk);
        }
    }

    /// Nobody answers Kite's calls, or somebody does again.
    pub fn set_offline(&mut self, is_offline: bool) {
        self.is_offline = is_offline;
    }

    /// Kite hears of no block from now on, or of all again; LDK sees each.
    pub fn set_chain_silent(&mut self, is_chain_silent: bool) {
        self.is_chain_silent = is_chain_silent;
    }

    /// Whether the stream is open.
    pub fn is_connected(&self) -> bool {
        self.stream.is_some()
    }

    /// Connects, if they are not, and settles.
    pub fn connect(&mut self) {
        let node_id = self.ldk.node_id();
        let known = self.node().peers().iter().any(|peer| peer.node_id == node_id);
        if known {
            self.kite.input(self.now, Input::Hurry);
        } else {
            self.kite.command(self.now, Command::ConnectPeer { node_id, address: "ldk:9735".into() });
        }
        self.settle();
        assert!(self.stream.is_some(), "{}", self.story());
    }

    /// Kite's node ends and starts again from its disk.
    pub fn restart_kite(&mut self) {
        self.kite.crash();
        self.kite.acts.clear();
        if let Some(stream) = self.stream.take() {
            self.ldk.disconnected(stream.ldk);
        }
        self.source = Source::default();
        self.kite.start(self.now);
        self.settle();
    }

    /// LDK's node ends and starts again.
    pub fn restart_ldk(&mut self) {
        self.disconnect();
        self.ldk.restart();
        self.settle();
    }
}

/// What the owner of the Kite wallet does.
impl Meeting {
    /// Gives a command and settles.
    ///
    /// # Errors
    /// What the node answered.
    ///
    /// # Panics
    /// It did not answer.
    pub fn command(&mut self, command: Command) -> Result<Answer, CommandError> {
        let id = self.ask(command);
        self.settle();
        self.kite.answer(id).cloned().unwrap_or_else(|| panic!("no answer: {}", self.story()))
    }

    /// Gives a command and does not wait.
    pub fn ask(&mut self, command: Command) -> CommandId {
        self.kite.command(self.now, command)
    }

    /// Puts coins into the wallet, confirmed.
    pub fn give_coins(&mut self, amount: Amount) {
        let Ok(Answer::Address(address)) = self.command(Command::NewAddress) else {
            panic!("{}", self.story())
        };
        self.chain.pay_to(address.script_pubkey(), amount);
        self.mine(1);
    }

    /// Kite opens a channel with LDK, and it becomes usable.
    pub fn kite_opens(&mut self, amount: Amount) {
        let node_id = self.ldk.node_id();
        let feerate = FeeratePerKw::from_sat_per_kw(500);
        let answer = self.command(Command::OpenChannel { node_id, amount, feerate });
        assert!(matches!(answer, Ok(Answer::ChannelOpening { .. })), "{answer:?} {}", self.story());
        self.mine(6);
    }

    /// LDK opens a channel with Kite, and it becomes usable.
    pub fn ldk_opens(&mut self, amount: Amount, push_msat: u64) {
        let node_id = self.node().node_id();
        self.ldk.open_channel(node_id, amount, push_msat);
        self.settle();
        self.mine(6);
    }

    /// The only channel.
    ///
    /// # Panics
    /// There are none, or more.
    pub fn channel(&self) -> ChannelInfo {
        let channels = self.node().channels();
        assert_eq!(channels.len(), 1, "{}", self.story());
        channels[0].clone()
    }

    /// Starts to pay an invoice of LDK.
    pub fn kite_pays(&mut self, invoice: &str) -> PaymentId {
        let invoice = Invoice::decode(invoice).expect("LDK's invoices are valid");
        let id = PaymentId(u128::from(self.next_payment).to_be_bytes());
        self.next_payment += 1;
        let request = SendRequest {
            id,
            amount: invoice.amount.expect("an invoice with an amount"),
            invoice,
            max_fee: MilliSatoshi::from_msat(0),
            timeout_secs: 60,
            note: None,
        };
        self.last_send = Some(self.ask(Command::Send(Box::new(request))));
        id
    }

    /// An invoice of Kite.
    pub fn kite_invoice(&mut self, amount_msat: u64) -> String {
        let amount = Some(MilliSatoshi::from_msat(amount_msat));
        let answer =
            self.command(Command::MakeInvoice { amount, description: "tea".into(), expiry_secs: 3_600 });
        let Ok(Answer::Invoice { invoice, .. }) = answer else { panic!("{answer:?} {}", self.story()) };
        invoice
    }

    /// How many events of Kite are of a kind.
    pub fn count(&self, is_kind: impl Fn(&Event) -> bool) -> usize {
        self.kite.events().filter(|event| is_kind(event)).count()
    }
}
