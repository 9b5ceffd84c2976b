//! Whether the remote is still there (BOLT 1, The `ping` and `pong` Messages).

use super::PeerError;
use crate::types::Instant;
use crate::wire::{Message, Ping, Pong};

/// After this silence the remote is pinged; also what keeps a proxy from closing an idle connection.
pub const PING_AFTER_SECS: u64 = 30;
/// How long the remote may take for its pong.
pub const PONG_TIMEOUT_SECS: u64 = 30;
/// How many bytes we ask for: few, and not 0.
const NUM_PONG_BYTES: u16 = 16;
/// From here on a `ping` wants no answer.
const NO_PONG_FROM: u16 = 65532;

#[derive(Debug)]
pub enum Liveness {
    /// The remote was heard; if it stays silent it is pinged.
    Quiet { ping_at: Instant },
    /// A `ping` is on its way.
    Pinged { pong_until: Instant },
}

/// The answer to a `ping`, unless it wants none.
pub fn pong(ping: Ping) -> Option<Pong> {
    (ping.num_pong_bytes < NO_PONG_FROM).then_some(Pong { byteslen: ping.num_pong_bytes })
}

impl Liveness {
    pub const fn new(now: Instant) -> Self {
        Self::Quiet { ping_at: now.plus_secs(PING_AFTER_SECS) }
    }

    pub const fn deadline(&self) -> Instant {
        match self {
            Self::Quiet { ping_at } => *ping_at,
            Self::Pinged { pong_until } => *pong_until,
        }
    }

    /// Every message shows that the remote is there, but only its pong shows that it still hears us.
    pub fn on_message(&mut self, now: Instant, message: &Message) {
        let answered = *message == Message::Pong(Pong { byteslen: NUM_PONG_BYTES });
        match self {
            Self::Pinged { .. } if !answered => {}
            Self::Pinged { .. } | Self::Quiet { .. } => *self = Self::new(now),
        }
    }

    pub fn probe(&mut self, now: Instant) -> Option<Message> {
        match self {
            Self::Pinged { .. } => None,
            Self::Quiet { .. } => {
                *self = Self::Pinged { pong_until: now.plus_secs(PONG_TIMEOUT_SECS) };
                Some(Ping { num_pong_bytes: NUM_PONG_BYTES, byteslen: 0 }.into())
            }
        }
    }

    pub fn on_deadline(&mut self, now: Instant) -> Result<Message, PeerError> {
        self.probe(now).ok_or(PeerError::PongTimeout)
    }
}
