//! How far the synchronisation with one peer has come, and what it may still cost us.

use crate::types::{Instant, Now, ShortChannelId, UnixTime};

/// A peer that has sent nothing for so long after it was asked for its gossip is asked in another way.
pub(super) const SILENCE_SECS: u64 = 20;
/// A stream that paused for so long is over.
pub(super) const PAUSE_SECS: u64 = 30;
/// A question without an answer for so long is given up.
pub(super) const ANSWER_SECS: u64 = 60;

/// Forged messages after which nothing more is heard from a peer.
const MAX_FORGED: u32 = 5;
/// Work that a peer may cause at once: a few times the whole of mainnet.
const WORK_BURST: u64 = 600_000;
/// Work that it may cause besides, each second.
const WORK_PER_SEC: u64 = 20;

/// A peer that is connected.
#[derive(Clone, Debug)]
pub(super) struct GossipPeer {
    pub(super) state: State,
    /// Else it was asked for what is new only.
    pub(super) asked_for_all: bool,
    /// When it came.
    ready_at: Now,
    work_left: u64,
    work_at: Instant,
    forged: u32,
}

/// What the peer is doing for us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Others are asked; nothing was asked of it and nothing is heard.
    Waiting,
    /// It was asked for its gossip by a filter.
    Streaming {
        /// When it last spoke, or was asked.
        last: Instant,
        /// Whether it has spoken.
        heard: bool,
    },
    /// It was asked which channels there are.
    Listing {
        /// When it last spoke.
        last: Instant,
        /// Those we do not know.
        missing: Vec<ShortChannelId>,
        /// How many channels it listed.
        listed: usize,
        /// In how many messages.
        replies: usize,
    },
    /// It was asked about channels.
    Asking {
        /// When it last spoke.
        last: Instant,
        /// Those still to ask about.
        missing: Vec<ShortChannelId>,
    },
    /// It told all, or was silent, and now tells what is new.
    Listening,
    /// It sent forgeries.
    Banned,
}

impl GossipPeer {
    pub(super) fn new(now: Now) -> Self {
        Self {
            state: State::Waiting,
            asked_for_all: false,
            ready_at: now,
            work_left: WORK_BURST,
            work_at: now.mono,
            forged: 0,
        }
    }

    /// Whether gossip was asked of it, so that what it says is heard.
    pub(super) fn is_active(&self) -> bool {
        !matches!(self.state, State::Waiting | State::Banned)
    }

    /// Whether it is telling what we do not know yet.
    pub(super) fn is_syncing(&self) -> bool {
        matches!(self.state, State::Streaming { .. } | State::Listing { .. } | State::Asking { .. })
    }

    /// When it is to be asked something else. A waiting peer is not in it.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Streaming { last, heard: false } => Some(last.plus_secs(SILENCE_SECS)),
            State::Streaming { last, heard: true } => Some(last.plus_secs(PAUSE_SECS)),
            State::Listing { last, .. } | State::Asking { last, .. } => Some(last.plus_secs(ANSWER_SECS)),
            State::Waiting | State::Listening | State::Banned => None,
        }
    }

    /// When it came, on the clock for timers.
    pub(super) fn ready_at(&self) -> Instant {
        self.ready_at.mono
    }

    /// The date at a moment after it came.
    pub(super) fn date_at(&self, mono: Instant) -> UnixTime {
        let millis = mono.0.saturating_sub(self.ready_at.mono.0);
        UnixTime(self.ready_at.unix.0.saturating_add(millis / 1000))
    }

    /// Notes that it spoke.
    pub(super) fn spoke(&mut self, now: Instant) {
        match &mut self.state {
            State::Streaming { last, heard } => (*last, *heard) = (now, true),
            State::Listing { last, .. } | State::Asking { last, .. } => *last = now,
            State::Waiting | State::Listening | State::Banned => {}
        }
    }

    /// Takes so much work from what the peer may still cause. False where it is used up.
    pub(super) fn spend(&mut self, work: u64, now: Instant) -> bool {
        let secs = now.0.saturating_sub(self.work_at.0) / 1000;
        if secs > 0 {
            self.work_left = self.work_left.saturating_add(secs.saturating_mul(WORK_PER_SEC)).min(WORK_BURST);
            self.work_at = self.work_at.plus_secs(secs);
        }
        match self.work_left.checked_sub(work) {
            Some(left) => {
                self.work_left = left;
                true
            }
            None => false,
        }
    }

    /// Notes a forgery. True where it is one too many, the first time.
    pub(super) fn forged(&mut self) -> bool {
        self.forged = self.forged.saturating_add(1);
        if self.forged == MAX_FORGED {
            self.state = State::Banned;
        }
        self.forged == MAX_FORGED
    }
}
