//! What the protocol is doing: one file a state, and here what is the same in all of them.

mod closing;
mod ended;
mod funded;
mod negotiating;
mod normal;
mod opening;
mod operation;
mod shutting_down;
mod unanswered;
mod unproven;
mod wait_for_accept_channel;
mod wait_for_channel_ready;
mod wait_for_funding_confirmed;
mod wait_for_funding_created;
mod wait_for_funding_signed;
mod wait_for_funding_tx;

pub use closing::Closing;
pub use ended::{Closed, Failed, FreezeCause, Frozen};
pub use negotiating::Negotiating;
pub use normal::Normal;
pub use shutting_down::ShuttingDown;
pub use wait_for_accept_channel::WaitForAcceptChannel;
pub use wait_for_channel_ready::WaitForChannelReady;
pub use wait_for_funding_confirmed::WaitForFundingConfirmed;
pub use wait_for_funding_created::WaitForFundingCreated;
pub use wait_for_funding_signed::WaitForFundingSigned;
pub use wait_for_funding_tx::WaitForFundingTx;

use super::Channel;
use super::command::{Command, Env};
use super::commitments::Commitments;
use super::effects::{ChannelEvent, CloseReason, Closer, Effects, Transition};
use super::error::{ChannelError, Fault, Refusal, Violation};
use super::standing::Standing;
use crate::onchain::Bids;
use crate::wire::{self, Message};
use bitcoin::Transaction;

/// What the protocol is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// We sent `open_channel`.
    WaitForAcceptChannel(Box<WaitForAcceptChannel>),
    /// The peer accepted; the wallet makes the funding transaction.
    WaitForFundingTx(Box<WaitForFundingTx>),
    /// We sent `accept_channel`.
    WaitForFundingCreated(Box<WaitForFundingCreated>),
    /// We sent `funding_created`.
    WaitForFundingSigned(Box<WaitForFundingSigned>),
    /// Both have a commitment; the funding transaction is not deep enough.
    WaitForFundingConfirmed(WaitForFundingConfirmed),
    /// The funding transaction is deep enough for us, and the peer has not said so.
    WaitForChannelReady(WaitForChannelReady),
    /// Payments.
    Normal(Normal),
    /// One side wants to close, and HTLCs or updates are left.
    ShuttingDown(ShuttingDown),
    /// The fee of the closing transaction.
    Negotiating(Negotiating),
    /// The channel failed; our commitment is published, or will be when the funding transaction confirms.
    Failed(Failed),
    /// Nothing may be sent or published: we have lost state, or there is a fault in this wallet.
    Frozen(Frozen),
    /// The funding output was spent.
    Closing(Closing),
    /// All is over.
    Closed(Closed),
}

/// Whether the peer is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// No connection.
    Offline,
    /// We sent `channel_reestablish` and wait for the peer's.
    Syncing,
    /// Messages flow.
    Online,
}

impl State {
    /// Its name, for texts.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::WaitForAcceptChannel(_) => "wait_for_accept_channel",
            Self::WaitForFundingTx(_) => "wait_for_funding_tx",
            Self::WaitForFundingCreated(_) => "wait_for_funding_created",
            Self::WaitForFundingSigned(_) => "wait_for_funding_signed",
            Self::WaitForFundingConfirmed(_) => "wait_for_funding_confirmed",
            Self::WaitForChannelReady(_) => "wait_for_channel_ready",
            Self::Normal(_) => "normal",
            Self::ShuttingDown(_) => "shutting_down",
            Self::Negotiating(_) => "negotiating",
            Self::Failed(_) => "failed",
            Self::Frozen(_) => "frozen",
            Self::Closing(_) => "closing",
            Self::Closed(_) => "closed",
        }
    }

    pub(super) const fn commitments(&self) -> Option<&Commitments> {
        match self {
            Self::WaitForAcceptChannel(_)
            | Self::WaitForFundingTx(_)
            | Self::WaitForFundingCreated(_)
            | Self::WaitForFundingSigned(_)
            | Self::Closed(_) => None,
            Self::WaitForFundingConfirmed(state) => Some(&state.commitments),
            Self::WaitForChannelReady(state) => Some(&state.commitments),
            Self::Normal(state) => Some(&state.commitments),
            Self::ShuttingDown(state) => Some(&state.commitments),
            Self::Negotiating(state) => Some(&state.commitments),
            Self::Failed(state) => Some(&state.commitments),
            Self::Frozen(state) => Some(&state.commitments),
            Self::Closing(state) => Some(&state.commitments),
        }
    }

    pub(super) const fn commitments_mut(&mut self) -> Option<&mut Commitments> {
        match self {
            Self::WaitForAcceptChannel(_)
            | Self::WaitForFundingTx(_)
            | Self::WaitForFundingCreated(_)
            | Self::WaitForFundingSigned(_)
            | Self::Closed(_) => None,
            Self::WaitForFundingConfirmed(state) => Some(&mut state.commitments),
            Self::WaitForChannelReady(state) => Some(&mut state.commitments),
            Self::Normal(state) => Some(&mut state.commitments),
            Self::ShuttingDown(state) => Some(&mut state.commitments),
            Self::Negotiating(state) => Some(&mut state.commitments),
            Self::Failed(state) => Some(&mut state.commitments),
            Self::Frozen(state) => Some(&mut state.commitments),
            Self::Closing(state) => Some(&mut state.commitments),
        }
    }

    /// Whether the peer alone pays for the channel, its transaction is not confirmed, and nothing of it is ours: then there
    /// is no commitment worth publishing.
    fn has_nothing_at_stake(&self) -> bool {
        let commitments = match self {
            Self::WaitForFundingConfirmed(WaitForFundingConfirmed { commitments })
            | Self::ShuttingDown(ShuttingDown { commitments, .. })
            | Self::Negotiating(Negotiating { commitments, .. }) => commitments,
            _ => return false,
        };
        let is_theirs = commitments.params.opener == super::Party::Remote;
        let is_confirmed = commitments.funding.short_channel_id.is_some();
        let has_money = commitments.local.spec.local > crate::types::MilliSatoshi::ZERO;
        // A reorganisation may have undone the block of a channel that was in use.
        is_theirs && !is_confirmed && !has_money && commitments.htlcs.is_empty()
    }

    /// Whether the channel still lives by the protocol, so that a reconnection begins with `channel_reestablish`.
    const fn reestablishes(&self) -> bool {
        matches!(
            self,
            Self::WaitForFundingConfirmed(_)
                | Self::WaitForChannelReady(_)
                | Self::Normal(_)
                | Self::ShuttingDown(_)
                | Self::Negotiating(_)
        )
    }
}

impl Channel {
    /// Takes one step.
    ///
    /// # Errors
    /// The channel is unchanged, and the error says what to do.
    pub fn process(&self, env: &Env<'_>, command: Command) -> Result<Transition, ChannelError> {
        match command {
            Command::Connected => self.connected(env),
            Command::Disconnected => Ok(self.connection_lost()),
            Command::Message(message) => self.receive(env, message).map_err(|error| match error {
                ChannelError::FailChannel(violation)
                    if violation.leaves_choice() && self.commitments().is_some() =>
                {
                    ChannelError::Disconnect(violation)
                }
                error => error,
            }),
            Command::ForceClose => self.force_close(env),
            Command::Spent { tx, height } if self.is_funding_spent_by(&tx) => {
                self.funding_spent(env, &tx, height)
            }
            command => self.process_in_state(env, command),
        }
    }

    fn process_in_state(&self, env: &Env<'_>, command: Command) -> Result<Transition, ChannelError> {
        match &self.state {
            State::WaitForAcceptChannel(state) => self.in_wait_for_accept_channel(state, env, command),
            State::WaitForFundingTx(state) => self.in_wait_for_funding_tx(state, env, command),
            State::WaitForFundingCreated(state) => self.in_wait_for_funding_created(state, env, command),
            State::WaitForFundingSigned(state) => self.in_wait_for_funding_signed(state, env, command),
            State::WaitForFundingConfirmed(state) => self.in_wait_for_funding_confirmed(state, env, command),
            State::WaitForChannelReady(state) => self.in_wait_for_channel_ready(state, env, command),
            State::Normal(state) => self.in_normal(state, env, command),
            State::ShuttingDown(state) => self.in_shutting_down(state, env, command),
            State::Negotiating(state) => self.in_negotiating(state, env, command),
            State::Failed(state) => self.in_failed(state, env, command),
            State::Frozen(state) => self.in_frozen(state, command),
            State::Closing(state) => self.in_closing(state, env, command),
            State::Closed(_) => self.unhandled(&command),
        }
    }

    /// The same channel in another state.
    fn with(&self, state: State) -> Self {
        let standing = self.standing.clone();
        Self { id: self.id, peer: self.peer, key_index: self.key_index, state, link: self.link, standing }
    }

    fn step(&self, state: State, effects: Effects) -> Transition {
        Transition { next: self.with(state), effects }
    }

    fn unchanged(&self) -> Transition {
        Transition { next: self.clone(), effects: Effects::default() }
    }

    fn require_online(&self) -> Result<(), ChannelError> {
        if self.link == Link::Online { Ok(()) } else { Err(Refusal::Offline.into()) }
    }

    /// What no state has a use for: news of the chain are ignored, messages are out of place, wishes are refused.
    fn unhandled(&self, command: &Command) -> Result<Transition, ChannelError> {
        let state = self.state.name();
        match command {
            Command::Message(message) => {
                let message_type = message.message_type();
                Err(ChannelError::Disconnect(Violation::Unexpected { message_type, state }))
            }
            Command::Connected
            | Command::Disconnected
            | Command::NewBlock(_)
            | Command::Looked { .. }
            | Command::FundingConfirmed { .. }
            | Command::FundingReorged
            | Command::Spent { .. }
            | Command::BlocksUndone { .. }
            | Command::Bid(_)
            | Command::OnionRead(_) => Ok(self.unchanged()),
            Command::FundingTxSigned { .. }
            | Command::AddHtlc(_)
            | Command::RemoveHtlc { .. }
            | Command::UpdateFee(_)
            | Command::Sign
            | Command::Shutdown { .. }
            | Command::ForceClose => Err(Refusal::WrongState { state }.into()),
        }
    }

    fn connected(&self, env: &Env<'_>) -> Result<Transition, ChannelError> {
        let mut step = self.connection_lost();
        match &mut step.next.state {
            state if state.reestablishes() => {
                if let Some(commitments) = state.commitments_mut() {
                    step.effects.send(commitments.channel_reestablish(env)?);
                }
                step.next.link = Link::Syncing;
            }
            State::Failed(failed) => {
                step.effects.send(wire::Error::new(self.id, &failed.reason.to_string()));
                step.next.link = Link::Online;
            }
            State::Frozen(frozen) => {
                if let FreezeCause::FellBehind = frozen.cause {
                    step.effects.send(fell_behind_error(self));
                }
                step.next.link = Link::Online;
            }
            State::Closing(_) => step.next.link = Link::Online,
            _ => {}
        }
        Ok(step)
    }

    /// What neither side has committed to is forgotten. Of a state that may be old, what it holds as not signed may have
    /// been signed since: that waits for the proof.
    fn connection_lost(&self) -> Transition {
        let mut step = self.disconnected();
        if step.next.standing == Standing::Current {
            step.next.take_back_unsigned_adds(&mut step.effects);
        }
        step
    }

    /// Our HTLCs that no signature covers may look for another way. Kept until the peer is back, they would be signed
    /// whenever it likes, however late (BOLT 2, Message Retransmission: "missing HTLCs which are now too old to be added").
    fn take_back_unsigned_adds(&mut self, effects: &mut Effects) {
        if let State::Normal(Normal { commitments }) | State::ShuttingDown(ShuttingDown { commitments, .. }) =
            &mut self.state
        {
            never_committed(commitments, effects);
            commitments.forget_unsigned_adds();
        }
    }

    /// Without a funding transaction that may be published, a lost connection ends the channel (BOLT 2, Message
    /// Retransmission); otherwise what the peer has not committed to is forgotten.
    pub(super) fn disconnected(&self) -> Transition {
        let mut effects = Effects::default();
        let mut next = self.clone();
        next.link = Link::Offline;
        match &mut next.state {
            State::Closed(_) => {}
            State::Negotiating(state) => match state.undone() {
                Some(before) => next.state = State::ShuttingDown(before),
                None => state.restart(),
            },
            // It says so again with the next connection (BOLT 2, Message Retransmission).
            State::ShuttingDown(state) => {
                state.commitments.forget_uncommitted();
                state.remote_script = None;
            }
            state => match state.commitments_mut() {
                Some(commitments) => commitments.forget_uncommitted(),
                None => {
                    let reason = CloseReason::Failed { detail: "the connection was lost".into() };
                    next.state = State::Closed(Closed { reason: reason.clone() });
                    effects.notify(ChannelEvent::Closed { reason });
                }
            },
        }
        Transition { next, effects }
    }

    fn receive(&self, env: &Env<'_>, message: Message) -> Result<Transition, ChannelError> {
        let message_type = message.message_type();
        match message {
            Message::Warning(warning) => {
                let mut step = self.unchanged();
                step.effects.notify(ChannelEvent::PeerWarning { text: warning.text() });
                Ok(step)
            }
            Message::Unknown { .. } => Ok(self.unchanged()),
            Message::Error(error) => self.receive_error(env, &error),
            _ if self.link == Link::Offline => {
                let state = "offline";
                Err(ChannelError::Disconnect(Violation::Unexpected { message_type, state }))
            }
            Message::ChannelReestablish(message) if self.state.reestablishes() => {
                if self.link == Link::Online {
                    let state = self.state.name();
                    return Err(ChannelError::Disconnect(Violation::Unexpected { message_type, state }));
                }
                self.receive_reestablish(env, &message)
            }
            _ if self.link == Link::Syncing => {
                Err(ChannelError::Disconnect(Violation::BeforeReestablish { message_type }))
            }
            message => self.process_in_state(env, Command::Message(message)),
        }
    }

    fn receive_error(&self, env: &Env<'_>, error: &wire::Error) -> Result<Transition, ChannelError> {
        match &self.state {
            State::Failed(_) | State::Frozen(_) | State::Closing(_) | State::Closed(_) => {
                Ok(self.unchanged())
            }
            State::Negotiating(state) if state.agreed.is_some() => self.fail_with(env, None),
            _ => Err(ChannelError::FailChannel(Violation::RemoteError { text: error.text() })),
        }
    }

    /// Ends the channel after [`ChannelError::FailChannel`]: tells the peer, and publishes our latest commitment if there
    /// is one. Where nothing is at stake yet, the channel is simply closed. A state that may be old waits until the peer
    /// has shown that it is not (contract P10).
    ///
    /// # Errors
    /// [`ChannelError::Bug`].
    pub fn fail(&self, env: &Env<'_>, violation: &Violation) -> Result<Transition, ChannelError> {
        let is_agreed = matches!(&self.state, State::Negotiating(state) if state.agreed.is_some());
        let publishes = self.state.reestablishes() && !is_agreed && !self.state.has_nothing_at_stake();
        match &self.standing {
            Standing::Unproven { failed, warned_at } if publishes => {
                Ok(self.fail_later(env, violation, (failed.as_ref(), *warned_at)))
            }
            _ => self.fail_with(env, Some(violation)),
        }
    }

    fn force_close(&self, env: &Env<'_>) -> Result<Transition, ChannelError> {
        match &self.state {
            State::Frozen(_) | State::Closing(_) | State::Closed(_) | State::Failed(_) => {
                Err(Refusal::WrongState { state: self.state.name() }.into())
            }
            _ => self.fail_with(env, Some(&Violation::ForceClosed)),
        }
    }

    fn fail_with(&self, env: &Env<'_>, violation: Option<&Violation>) -> Result<Transition, ChannelError> {
        let mut effects = Effects::default();
        let reason = match violation {
            Some(Violation::ForceClosed) => CloseReason::ForceClosed,
            Some(violation) => CloseReason::Failed { detail: violation.to_string() },
            None => CloseReason::Mutual,
        };
        let tell = !matches!(violation, None | Some(Violation::RemoteError { .. }));
        if tell && self.link != Link::Offline {
            effects.send(wire::Error::new(self.id, &reason.to_string()));
        }
        match &self.state {
            State::Frozen(_) | State::Closing(_) | State::Closed(_) | State::Failed(_) => {
                Ok(self.unchanged())
            }
            // The closing transaction is as good as ours and costs less.
            State::Negotiating(Negotiating { agreed: Some(tx), .. }) => {
                effects.broadcast(tx.clone());
                Ok(Transition { next: self.clone(), effects })
            }
            state => match state.commitments() {
                Some(commitments) if !state.has_nothing_at_stake() => {
                    let mut commitments = commitments.clone();
                    commitments.forget_uncommitted();
                    commitments.may_broadcast = true;
                    effects.broadcast(commitments.signed_local_commitment(env.signer)?);
                    never_committed(&commitments, &mut effects);
                    effects.notify(ChannelEvent::Failed { reason: reason.clone() });
                    let bids = Bids::default();
                    Ok(self.step(State::Failed(Failed { commitments, reason, bids }), effects))
                }
                _ => {
                    effects.notify(ChannelEvent::Closed { reason: reason.clone() });
                    Ok(self.step(State::Closed(Closed { reason }), effects))
                }
            },
        }
    }

    /// Stops the channel after [`ChannelError::Bug`]: nothing is sent or published for it until the wallet's owner has a
    /// wallet without that fault.
    pub fn freeze(&self, fault: &Fault) -> Transition {
        let mut effects = Effects::default();
        match &self.state {
            State::Frozen(_) | State::Closing(_) | State::Closed(_) => return self.unchanged(),
            _ => {}
        }
        let fault = fault.to_string();
        effects.notify(ChannelEvent::Frozen { fault: fault.clone() });
        match self.state.commitments() {
            Some(commitments) => {
                let mut commitments = commitments.clone();
                commitments.forget_uncommitted();
                let cause = FreezeCause::Fault { fault };
                self.step(State::Frozen(Frozen { commitments, cause }), effects)
            }
            None => {
                let reason = CloseReason::Failed { detail: fault };
                effects.notify(ChannelEvent::Closed { reason: reason.clone() });
                self.step(State::Closed(Closed { reason }), effects)
            }
        }
    }

    /// What should be published again at every start and every block, as long as it is not in the chain: packages, parents
    /// first.
    ///
    /// # Errors
    /// [`ChannelError::Bug`].
    pub fn rebroadcasts(&self, env: &Env<'_>) -> Result<Vec<Vec<Transaction>>, ChannelError> {
        let mut packages = Vec::new();
        if let Some(commitments) = self.commitments()
            && !matches!(self.state, State::Frozen(_) | State::Closing(_))
        {
            packages.extend(commitments.funding.tx.clone().map(|tx| vec![tx]));
        }
        match &self.state {
            State::Failed(state) => {
                packages
                    .push(state.bids.with_children(state.commitments.signed_local_commitment(env.signer)?));
            }
            State::Negotiating(state) => {
                packages.extend(state.agreed.clone().map(|tx| state.bids.with_children(tx)));
            }
            // Both signed it, so that it is public: whoever holds it back does not keep us from getting on. A revoked one
            // was in a block that is undone: back in one, all of it is ours, and without it nothing would go on.
            State::Closing(state) if state.height.is_none() => {
                let is_wanted =
                    state.closer.is_newest() || matches!(state.closer, Closer::RemoteRevoked { .. });
                packages.extend(is_wanted.then(|| state.bids.with_children(state.tx.clone())));
            }
            State::Closing(state) => {
                packages.extend(state.bids.live().iter().map(|bid| vec![bid.tx.clone()]));
            }
            _ => {}
        }
        Ok(packages)
    }
}

/// HTLCs that were to be offered and stand in no commitment will never be paid.
fn never_committed(commitments: &Commitments, effects: &mut Effects) {
    for id in commitments.unsigned_adds() {
        let htlc = commitments.htlcs.get(&super::HtlcKey::outgoing(id));
        if let Some(origin) = htlc.and_then(|htlc| htlc.origin) {
            effects.notify(ChannelEvent::HtlcNeverCommitted { origin, id });
        }
    }
}

fn fell_behind_error(channel: &Channel) -> wire::Error {
    wire::Error::new(channel.id, "we have lost state: please close the channel")
}
