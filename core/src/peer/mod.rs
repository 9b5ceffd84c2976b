//! The life of one connection (BOLT 1): handshake, `init`, pings, complaints.
//!
//! A [`Peer`] sees decoded messages and the clock, and says what to send, what to hand on and when to close. It holds no
//! channel: nothing here may change the state of one. [`Backoff`] says when to connect again.

mod allowance;
mod backoff;
mod error;
mod init;
mod liveness;

#[cfg(test)]
mod tests;

pub(crate) use allowance::Allowance;
pub use backoff::Backoff;
pub use error::PeerError;
pub use init::{PeerConfig, RemoteInit};

use crate::types::{ChannelId, Instant};
use crate::wire::{Init, Message, ReplyChannelRange, ReplyShortChannelIdsEnd};
use liveness::Liveness;

/// How long the handshake of BOLT 8 may take, dialling included.
pub const HANDSHAKE_TIMEOUT_SECS: u64 = 30;
/// How long the remote may take for its `init`.
pub const INIT_TIMEOUT_SECS: u64 = 30;
/// The first pongs (and other replies that cost us more than the question cost the remote) are sent at once.
const REPLY_BURST: u32 = 20;
/// From then on one is sent in this time.
const REPLY_INTERVAL_MILLIS: u64 = 1000;

/// So many channels the remote may begin to open at once over a connection,
const OPENING_BURST: u32 = 5;
/// and from then on one in this time. What comes of them is bounded besides.
const OPENING_INTERVAL_MILLIS: u64 = 60_000;

/// One connection to a remote node, from dialling to its end.
#[derive(Debug)]
pub struct Peer {
    config: PeerConfig,
    state: State,
    replies: Allowance,
    openings: Allowance,
}

#[derive(Debug)]
enum State {
    Handshake { until: Instant },
    AwaitingInit { until: Instant },
    Ready { since: Instant, remote: RemoteInit, liveness: Liveness },
}

/// What a message from the remote means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerEvent {
    /// Both sides have sent `init`: other messages may be sent from now on.
    Ready(RemoteInit),
    /// To be sent back. It reveals nothing of our state.
    Reply(Message),
    /// For a channel, or for gossip.
    Dispatch(Message),
    /// The remote has failed a channel, or all. One that is not ours with this remote is to be ignored.
    Error {
        /// What has failed.
        scope: Scope,
        /// Why, in the remote's words: bounded and safe to show.
        text: String,
    },
    /// The remote complains; no channel fails by it.
    Warning {
        /// What it is about.
        scope: Scope,
        /// The complaint, in the remote's words: bounded and safe to show.
        text: String,
    },
    /// Nothing is to be done.
    Ignored,
}

/// What an `error` or `warning` is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Every channel with this remote; for a `warning`, none in particular.
    All,
    /// One channel, by its temporary name while it is being opened.
    Channel(ChannelId),
}

impl Peer {
    /// A connection that is being dialled.
    pub const fn new(now: Instant, config: PeerConfig) -> Self {
        Self {
            config,
            state: State::Handshake { until: now.plus_secs(HANDSHAKE_TIMEOUT_SECS) },
            replies: Allowance::new(REPLY_BURST, REPLY_INTERVAL_MILLIS, now),
            openings: Allowance::new(OPENING_BURST, OPENING_INTERVAL_MILLIS, now),
        }
    }

    /// The handshake is complete. Returns our `init`, to be sent before anything else.
    pub fn on_connected(&mut self, now: Instant) -> Message {
        self.state = State::AwaitingInit { until: now.plus_secs(INIT_TIMEOUT_SECS) };
        self.config.init().into()
    }

    /// Takes a message from the remote.
    ///
    /// # Errors
    /// When the connection must be closed. No channel fails by that.
    pub fn on_message(&mut self, now: Instant, message: Message) -> Result<PeerEvent, PeerError> {
        if let State::Ready { liveness, .. } = &mut self.state {
            liveness.on_message(now, &message);
            return Ok(self.on_message_when_ready(now, message));
        }
        match message {
            Message::Init(init) if matches!(self.state, State::AwaitingInit { .. }) => {
                self.on_init(now, &init)
            }
            Message::Error(error) => Err(PeerError::Refused { text: error.text() }),
            Message::Warning(warning) => Err(PeerError::Refused { text: warning.text() }),
            message => Err(PeerError::MessageBeforeInit { message_type: message.message_type() }),
        }
    }

    fn on_init(&mut self, now: Instant, init: &Init) -> Result<PeerEvent, PeerError> {
        let remote = self.config.check(init)?;
        self.state = State::Ready { since: now, remote: remote.clone(), liveness: Liveness::new(now) };
        Ok(PeerEvent::Ready(remote))
    }

    fn on_message_when_ready(&mut self, now: Instant, message: Message) -> PeerEvent {
        match message {
            Message::Error(error) => {
                PeerEvent::Error { scope: Scope::of(error.channel_id), text: error.text() }
            }
            Message::Warning(warning) => {
                PeerEvent::Warning { scope: Scope::of(warning.channel_id), text: warning.text() }
            }
            Message::Ping(ping) => self.reply(now, liveness::pong(ping).map(Message::Pong)),
            // Init: the features of a connection never change. Filter: we relay no gossip.
            Message::Init(_)
            | Message::Pong(_)
            | Message::GossipTimestampFilter(_)
            | Message::Unknown { .. } => PeerEvent::Ignored,
            // We keep no gossip for others: every question is answered with nothing, so that nobody is left waiting.
            Message::QueryShortChannelIds(query) => self.reply(
                now,
                Some(ReplyShortChannelIdsEnd { chain_hash: query.chain_hash, full_information: 0 }.into()),
            ),
            Message::QueryChannelRange(query) => self.reply(
                now,
                Some(
                    ReplyChannelRange {
                        chain_hash: query.chain_hash,
                        first_blocknum: query.first_blocknum,
                        number_of_blocks: query.number_of_blocks,
                        sync_complete: 1,
                        short_channel_ids: Vec::new(),
                        timestamps: None,
                        checksums: None,
                    }
                    .into(),
                ),
            ),
            message => PeerEvent::Dispatch(message),
        }
    }

    /// A reply to a question that anyone can ask in any number.
    fn reply(&mut self, now: Instant, reply: Option<Message>) -> PeerEvent {
        match reply {
            Some(reply) if self.replies.take(now) => PeerEvent::Reply(reply),
            _ => PeerEvent::Ignored,
        }
    }

    /// Whether the remote may be told what is wrong with a message of its own: it can send wrong ones in any number, too.
    pub fn may_complain(&mut self, now: Instant) -> bool {
        self.replies.take(now)
    }

    /// Whether the remote may begin to open a channel: each costs us a key index and a write, even if nothing comes of it.
    pub fn may_open(&mut self, now: Instant) -> bool {
        self.openings.take(now)
    }

    /// When [`Peer::on_deadline`] is to be called next.
    pub const fn deadline(&self) -> Instant {
        match &self.state {
            State::Handshake { until } | State::AwaitingInit { until } => *until,
            State::Ready { liveness, .. } => liveness.deadline(),
        }
    }

    /// The clock has moved. Returns a `ping` when one is due; earlier than the deadline nothing happens.
    ///
    /// # Errors
    /// When the remote took too long and the connection is to be closed. No channel fails by that.
    pub fn on_deadline(&mut self, now: Instant) -> Result<Option<Message>, PeerError> {
        if now < self.deadline() {
            return Ok(None);
        }
        match &mut self.state {
            State::Handshake { .. } => Err(PeerError::HandshakeTimeout),
            State::AwaitingInit { .. } => Err(PeerError::InitTimeout),
            State::Ready { liveness, .. } => liveness.on_deadline(now).map(Some),
        }
    }

    /// Asks at once whether the remote is still there, as after a sleep of the device. Returns the `ping` to send; unset
    /// while one is on its way, or before the remote's `init`.
    pub fn probe(&mut self, now: Instant) -> Option<Message> {
        match &mut self.state {
            State::Ready { liveness, .. } => liveness.probe(now),
            State::Handshake { .. } | State::AwaitingInit { .. } => None,
        }
    }

    /// What the remote said of itself; unset before its `init`.
    pub const fn remote(&self) -> Option<&RemoteInit> {
        match &self.state {
            State::Ready { remote, .. } => Some(remote),
            State::Handshake { .. } | State::AwaitingInit { .. } => None,
        }
    }

    /// When both sides had sent `init`; unset before. [`Backoff::on_lost`] wants it.
    pub const fn ready_since(&self) -> Option<Instant> {
        match &self.state {
            State::Ready { since, .. } => Some(*since),
            State::Handshake { .. } | State::AwaitingInit { .. } => None,
        }
    }
}

impl Scope {
    fn of(channel_id: ChannelId) -> Self {
        if channel_id == ChannelId::ALL { Self::All } else { Self::Channel(channel_id) }
    }
}
