//! The channel state machine (BOLT 2).
//!
//! [`Channel::process`] takes a channel and something that happened, and gives the channel after it and what follows. It
//! changes nothing itself: where it fails, the channel is as it was, and the error says what to do. `states/` has one file
//! a state; updates, commitments and their exchange, which several states share, stand beside them.

mod changes;
mod command;
mod commitments;
mod dance;
mod drafting;
mod effects;
mod error;
mod keys;
mod limits;
mod mutual;
mod onchain;
mod open;
mod params;
mod reestablish;
mod rows;
mod spend;
mod standing;
mod states;
mod table;
mod updates;
mod watches;

#[cfg(test)]
mod tests;

pub use changes::{
    HtlcKey, LiveHtlc, LocalChanges, Onion, ReduceError, RemoteChanges, Removal, Spec, Update,
};
pub use command::{AddHtlc, Command, Env, Feerates, OpenRequest};
pub use commitments::{Commitments, Funding, LastSent, LocalCommitment, RemoteCommitment};
pub use effects::{ChannelEvent, CloseReason, Closer, Effects, Gated, IncomingHtlc, Transition};
pub use error::{ChannelError, Fault, Refusal, Violation};
pub use limits::sendable_at_first;
pub use onchain::{OnchainWork, Unconfirmed};
pub use open::Agreement;
pub use params::{ChannelConfig, ChannelParams, FORMAT, Party, PartyParams, channel_type};
pub use rows::{Parity, RevokedHtlc, RowChange, RowError, RowName, read_revoked_row};
pub use standing::Standing;
pub use states::{
    Closed, Closing, Failed, FreezeCause, Frozen, Link, Negotiating, Normal, ShuttingDown, State,
    WaitForAcceptChannel, WaitForChannelReady, WaitForFundingConfirmed, WaitForFundingCreated,
    WaitForFundingSigned, WaitForFundingTx,
};
pub use table::{HtlcSet, HtlcTable};
pub use watches::Watch;

use crate::types::{ChannelId, HtlcId, MilliSatoshi};
use bitcoin::secp256k1::PublicKey;

/// A channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Its name: the temporary one until there is a funding transaction.
    pub id: ChannelId,
    /// The peer.
    pub peer: PublicKey,
    /// Which of the wallet's channel keys it uses.
    pub key_index: u32,
    /// What the protocol is doing.
    pub state: State,
    /// Whether the peer is there. Never stored.
    pub link: Link,
    /// Whether its state is known to be the newest. Never stored.
    pub standing: Standing,
}

impl Channel {
    /// Whether messages with this name are for this channel: between `funding_created` and `funding_signed` it goes by two.
    pub fn answers_to(&self, id: &ChannelId) -> bool {
        match &self.state {
            State::WaitForFundingSigned(state) if state.temporary_channel_id == *id => true,
            _ => self.id == *id,
        }
    }

    /// The commitments, once there is a funding transaction and until all is over.
    pub const fn commitments(&self) -> Option<&Commitments> {
        self.state.commitments()
    }

    /// Whether [`Command::Sign`] should follow: there are updates to sign and nothing stands in the way.
    pub fn needs_signing(&self) -> bool {
        let operating = matches!(self.state, State::Normal(_) | State::ShuttingDown(_));
        operating && self.link == Link::Online && self.commitments().is_some_and(Commitments::can_sign)
    }

    /// Whether [`Command::Sign`] should come before the peer's HTLCs are answered: others of its HTLCs wait for our
    /// signature. An answer that they are signed without is signed together with theirs, in one commitment less; the peer
    /// has it as early.
    pub fn owes_signatures_of_adds(&self) -> bool {
        let adds = |commitments: &Commitments| {
            commitments.remote_changes.acked.iter().any(|update| matches!(update, Update::Add(_)))
        };
        self.needs_signing() && self.commitments().is_some_and(adds)
    }

    /// Whether HTLCs of ours, which the peer was told, wait for its `revoke_and_ack` to be signed.
    pub fn holds_unsigned_adds(&self) -> bool {
        let operating = matches!(self.state, State::Normal(_) | State::ShuttingDown(_));
        let waits = |commitments: &Commitments| commitments.unsigned_adds().next().is_some();
        operating && self.link == Link::Online && self.commitments().is_some_and(waits)
    }

    /// Whether the peer was to fund it and has not, whatever both sides have said to each other since.
    pub fn awaits_remote_funding(&self) -> bool {
        self.commitments().is_some_and(Commitments::awaits_remote_funding)
    }

    /// Whether payments can be sent now.
    pub const fn is_usable(&self) -> bool {
        self.is_ready() && matches!(self.link, Link::Online)
    }

    /// Whether payments can be sent whenever the peer is there.
    pub const fn is_ready(&self) -> bool {
        match &self.state {
            State::Normal(state) => state.commitments.funding.short_channel_id.is_some(),
            _ => false,
        }
    }

    /// The most that one HTLC can carry away now; nothing while the channel is not open for it.
    pub fn sendable(&self) -> MilliSatoshi {
        match &self.state {
            State::Normal(state) => state.commitments.sendable(),
            _ => MilliSatoshi::ZERO,
        }
    }

    /// The most that one HTLC can bring now; nothing while the channel is not open for it.
    pub fn receivable(&self) -> MilliSatoshi {
        match &self.state {
            State::Normal(state) => state.commitments.receivable(),
            _ => MilliSatoshi::ZERO,
        }
    }

    /// Whether the peer's HTLCs can be answered. A channel that has failed settles on-chain, and one that may not be
    /// published (contract P10) cannot enforce before its deadline what was fulfilled (BOLT 2, `cltv_expiry_delta`
    /// Selection): its HTLCs wait until the peer has proved the state.
    pub const fn answers_htlcs(&self) -> bool {
        self.may_answer_htlcs() && matches!(self.standing, Standing::Current)
    }

    /// Whether the peer's HTLCs can be answered now or once the peer is there.
    pub const fn may_answer_htlcs(&self) -> bool {
        let will_fail = matches!(self.standing, Standing::Unproven { failed: Some(_), .. });
        matches!(self.state, State::Normal(_) | State::ShuttingDown(_)) && !will_fail
    }

    /// The peer's HTLCs that wait for an answer: to be taken up again after a start.
    pub fn unresolved_incoming(&self, env: &Env<'_>) -> Vec<IncomingHtlc> {
        let limit = env.config.max_dust_htlc_exposure;
        let Some(commitments) = self.commitments().filter(|_| self.answers_htlcs()) else {
            return Vec::new();
        };
        commitments.unresolved_incoming().filter_map(|id| commitments.incoming_htlc(id, limit)).collect()
    }

    /// What the table knows of an HTLC.
    pub fn htlc(&self, offered_by: Party, id: HtlcId) -> Option<&LiveHtlc> {
        self.commitments()?.htlcs.get(&HtlcKey { offered_by, id })
    }

    /// Whether this HTLC of ours may have to be offered again after a start, for which it needs its onion.
    pub fn needs_onion(&self, id: HtlcId) -> bool {
        self.commitments().is_some_and(|commitments| commitments.is_undelivered(id))
    }

    /// Gives an HTLC of ours its onion back after a start: the very bytes of before, built again by whoever made them.
    pub fn attach_onion(&mut self, id: HtlcId, onion: Onion) {
        let htlcs = self.state.commitments_mut().map(|commitments| &mut commitments.htlcs);
        if let Some(htlc) = htlcs.and_then(|htlcs| htlcs.get_mut(&HtlcKey::outgoing(id))) {
            htlc.onion = Some(onion);
        }
    }

    /// Derives the keys of the next commitments. To be called while there is nothing else to do; changes nothing that is
    /// stored.
    ///
    /// # Errors
    /// A key does not exist, with probability 2^-128.
    pub fn derive_ahead(&mut self, env: &Env<'_>) -> Result<(), ChannelError> {
        match self.state.commitments_mut() {
            Some(commitments) => Ok(commitments.derive_ahead(env.signer)?),
            None => Ok(()),
        }
    }
}
