//! What the wallet tells on its own.

#[cfg(all(feature = "wasm", target_family = "wasm"))]
use super::WalletJs;
use super::{Wallet, WalletError};
use crate::run::Notice;
use bitcoin::hex::DisplayHex;
use futures::future::{AbortHandle, Abortable};
use kite_api::api;
use kite_core::node::{self, StoreFailure};
use kite_core::types::UnixTime;
use std::sync::Arc;

/// An event with its place in the queue.
#[api(record)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventEnvelope {
    /// Counts up from 1 for the life of the wallet, for [`Wallet::event_handled`]. 0 for passing news, which are not stored:
    /// `synced`, `peer_connected`, `peer_disconnected` and `stopped`.
    pub seq: u64,
    /// When it happened, in seconds since 1970.
    pub time_secs: u64,
    /// What happened.
    pub event: Event,
}

/// Something that happened.
#[api(enumeration)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An outgoing payment arrived.
    PaymentSent {
        /// Which one.
        id: String,
        /// Its hash.
        payment_hash: String,
        /// The proof of payment.
        preimage: String,
        /// What was paid on top, in millisatoshi.
        fee_msat: u64,
        /// Milliseconds from the call to the proof; unset if the wallet was started again in between.
        took_millis: Option<u64>,
    },
    /// An incoming payment is the owner's.
    PaymentReceived {
        /// Which one.
        id: String,
        /// Its hash.
        payment_hash: String,
        /// How much, in millisatoshi.
        amount_msat: u64,
    },
    /// An outgoing payment failed, and nothing of it is under way.
    PaymentFailed {
        /// Which one.
        id: String,
        /// Its hash.
        payment_hash: String,
        /// The code of [`super::PaymentFailure`].
        code: String,
        /// Why, in words for the owner.
        reason: String,
    },
    /// A channel waits for its funding transaction.
    ChannelPending {
        /// Its name on the network.
        channel_id: String,
        /// The peer.
        node_id: String,
        /// The funding transaction.
        funding_txid: String,
    },
    /// A channel can be used.
    ChannelReady {
        /// Its name on the network.
        channel_id: String,
        /// The peer.
        node_id: String,
    },
    /// A channel will be, or was, closed.
    ChannelClosed {
        /// Its name on the network.
        channel_id: String,
        /// The peer.
        node_id: String,
        /// Why, in words for the owner.
        reason: String,
        /// The transaction that closes it; unset before there is one.
        closing_txid: Option<String>,
        /// What comes back to the owner, in satoshi.
        amount_sat: u64,
    },
    /// A channel could not be opened.
    ChannelOpenFailed {
        /// The peer.
        node_id: String,
        /// Why, in words for the owner.
        reason: String,
    },
    /// Coins arrived on-chain: told when they are seen and again when they are in a block.
    OnchainReceived {
        /// The transaction.
        txid: String,
        /// How much, in satoshi.
        amount_sat: u64,
        /// Whether it is in a block.
        confirmed: bool,
    },
    /// Coins left on-chain, the fee included: told when the transaction is in a block, and before if it was made elsewhere.
    OnchainSent {
        /// The transaction.
        txid: String,
        /// How much, in satoshi.
        amount_sat: u64,
        /// Whether it is in a block.
        confirmed: bool,
    },
    /// Something needs the owner.
    ActionRequired {
        /// What, in words for the owner.
        what: String,
    },
    /// The wallet has caught up with the chain.
    Synced,
    /// A peer is connected.
    PeerConnected {
        /// The peer.
        node_id: String,
    },
    /// A peer is no longer connected; the wallet tries again by itself.
    PeerDisconnected {
        /// The peer.
        node_id: String,
    },
    /// The wallet has stopped and nothing else will happen until it is opened again.
    Stopped {
        /// `closed` by the app, `lease_lost` to another tab or process, `store_full` or `store_unavailable`.
        reason: String,
    },
}

/// Hears of events as they happen.
#[api(listener)]
pub trait EventListener {
    /// Called for one event after the other, each once in a run, also where it failed for one of them. A stored event comes
    /// again after the next start unless [`Wallet::event_handled`] was called for it. The wallet does not wait for it.
    fn on_event(&self, event: EventEnvelope);
}

#[api]
impl Wallet {
    /// Waits for the next event. Passing news come once; a stored event comes again and again until
    /// [`Wallet::event_handled`] is called for it, also after the wallet was started again. Use this or a listener, not
    /// both.
    ///
    /// # Errors
    /// `Stopped`, `LeaseLost`, `StoreUnavailable` once everything was told.
    pub async fn next_event(&self) -> Result<EventEnvelope, WalletError> {
        match self.handle.notices.next().await {
            Some(notice) => Ok(self.envelope(notice)),
            None => Err(self.stopped(crate::run::Gone)),
        }
    }

    /// The app has dealt with this event and every earlier one: they do not come again.
    ///
    /// # Errors
    /// `Stopped`, `LeaseLost`, `StoreUnavailable`.
    pub async fn event_handled(&self, seq: u64) -> Result<(), WalletError> {
        self.handle.event_handled(seq).await.map_err(|gone| self.stopped(gone))
    }

    /// Tells a listener of every event from now on, those that were not handled yet first. It replaces the one before it.
    pub async fn set_listener(&self, listener: Arc<dyn EventListener>) {
        let (notices, timings) = (self.handle.notices.clone(), self.handle.timings.clone());
        let (clock, spawn) = (self.platform.clock.clone(), self.platform.spawn.clone());
        let (abort, registration) = AbortHandle::new_pair();
        let telling = async move {
            while let Some(notice) = notices.next_for_listener().await {
                let event = envelope(notice, clock.now().unix, |id| timings.took_millis(id));
                let listener = listener.clone();
                spawn.call(Box::new(move || listener.on_event(event))).await;
            }
        };
        self.platform.spawn.spawn(Box::pin(async move {
            // Replaced, or at its end.
            let _ = Abortable::new(telling, registration).await;
        }));
        if let Some(previous) = super::lock(&self.listener).replace(abort) {
            previous.abort();
        }
    }

    /// Tells the listener of nothing more.
    pub async fn clear_listener(&self) {
        if let Some(previous) = super::lock(&self.listener).take() {
            previous.abort();
        }
    }
}

impl Wallet {
    fn envelope(&self, notice: Notice) -> EventEnvelope {
        envelope(notice, self.platform.clock.now().unix, |id| self.handle.timings.took_millis(id))
    }
}

fn envelope(
    notice: Notice,
    now: UnixTime,
    took_millis: impl Fn(&kite_core::types::PaymentId) -> Option<u64>,
) -> EventEnvelope {
    let passing = |event| EventEnvelope { seq: 0, time_secs: now.0, event };
    match notice {
        Notice::Stored(record) => EventEnvelope {
            seq: record.seq,
            time_secs: record.time.0,
            event: stored(record.event, took_millis),
        },
        Notice::Synced => passing(Event::Synced),
        Notice::PeerConnected(peer) => passing(Event::PeerConnected { node_id: peer.to_string() }),
        Notice::PeerDisconnected(peer) => passing(Event::PeerDisconnected { node_id: peer.to_string() }),
        Notice::Stopped(failure) => {
            let reason = match failure {
                None => "closed",
                Some(StoreFailure::FenceLost) => "lease_lost",
                Some(StoreFailure::Full) => "store_full",
                Some(StoreFailure::Failed) => "store_unavailable",
            };
            passing(Event::Stopped { reason: reason.into() })
        }
    }
}

fn stored(event: node::Event, took_millis: impl Fn(&kite_core::types::PaymentId) -> Option<u64>) -> Event {
    match event {
        node::Event::PaymentSent { id, payment_hash, preimage, fee } => Event::PaymentSent {
            took_millis: took_millis(&id),
            id: id.to_string(),
            payment_hash: payment_hash.to_string(),
            preimage: preimage.0.to_lower_hex_string(),
            fee_msat: fee.to_msat(),
        },
        node::Event::PaymentReceived { id, payment_hash, amount } => Event::PaymentReceived {
            id: id.to_string(),
            payment_hash: payment_hash.to_string(),
            amount_msat: amount.to_msat(),
        },
        node::Event::PaymentFailed { id, payment_hash, reason } => Event::PaymentFailed {
            id: id.to_string(),
            payment_hash: payment_hash.to_string(),
            code: super::payments::failure_code(&reason).into(),
            reason: reason.to_string(),
        },
        node::Event::ChannelPending { channel_id, node_id, funding_txid } => Event::ChannelPending {
            channel_id: channel_id.to_string(),
            node_id: node_id.to_string(),
            funding_txid: funding_txid.to_string(),
        },
        node::Event::ChannelReady { channel_id, node_id } => {
            Event::ChannelReady { channel_id: channel_id.to_string(), node_id: node_id.to_string() }
        }
        node::Event::ChannelClosed { channel_id, node_id, reason, txid, amount } => Event::ChannelClosed {
            channel_id: channel_id.to_string(),
            node_id: node_id.to_string(),
            reason,
            closing_txid: txid.map(|txid| txid.to_string()),
            amount_sat: amount.to_sat(),
        },
        node::Event::ChannelOpenFailed { node_id, reason } => {
            Event::ChannelOpenFailed { node_id: node_id.to_string(), reason }
        }
        node::Event::Onchain { txid, net_sat, confirmed } => {
            let (txid, amount_sat) = (txid.to_string(), net_sat.unsigned_abs());
            match net_sat >= 0 {
                true => Event::OnchainReceived { txid, amount_sat, confirmed },
                false => Event::OnchainSent { txid, amount_sat, confirmed },
            }
        }
        node::Event::ActionRequired { what } => Event::ActionRequired { what },
    }
}
