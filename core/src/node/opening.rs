//! Channels on their way into being.

use super::channel_entry::ChannelEntry;
use super::outbox::Gated;
use super::terms::Terms;
use super::{Answer, CommandError, CommandId, Event, Node};
use crate::channel::{self, Channel, ChannelError, OpenRequest, State, Transition};
use crate::coins::{Fee, Spending};
use crate::types::{ChannelId, ConnId, FeeratePerKw, MilliSatoshi};
use crate::wire::{self, OpenChannel};
use bitcoin::secp256k1::PublicKey;
use bitcoin::{Amount, OutPoint, ScriptBuf};

/// So many channels of one peer may be on their way at a time (fake-channel attacks).
const MAX_OPENING_PER_PEER: usize = 3;
/// And so many in all.
const MAX_OPENING: usize = 20;

/// The owner's wish that opened a channel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opening {
    /// For the funding transaction.
    feerate: FeeratePerKw,
}

impl Node {
    pub(super) fn open_channel(
        &mut self,
        id: CommandId,
        node_id: PublicKey,
        amount: Amount,
        feerate: FeeratePerKw,
    ) {
        let request = OpenRequest { funding: amount, push: MilliSatoshi::ZERO };
        let answer = self.start_opening(node_id, request, feerate);
        self.answer(id, answer);
    }

    pub(super) fn start_opening(
        &mut self,
        node_id: PublicKey,
        request: OpenRequest,
        feerate: FeeratePerKw,
    ) -> Result<Answer, CommandError> {
        let (conn, _) = self.connections.ready(&node_id).ok_or(CommandError::NotConnected)?;
        if !self.knows_height() {
            return Err(CommandError::NotSynced);
        }
        let needed = MilliSatoshi::from_amount(request.funding + self.config.reserve_per_channel);
        let available = MilliSatoshi::from_amount(self.onchain_spendable());
        if needed > available {
            return Err(CommandError::Insufficient { needed, available });
        }
        let temporary_channel_id = ChannelId(self.entropy.bytes32());
        let index = self.record.next_channel;
        let opened =
            self.new_channel(conn, |env| Channel::open(env, &request, node_id, index, temporary_channel_id));
        opened.map_err(|error| CommandError::Refused { reason: error.to_string() })?;
        if let Some(entry) = self.channels.get_mut(&index) {
            entry.opening = Some(Opening { feerate });
        }
        Ok(Answer::ChannelOpening { channel: index })
    }

    /// A peer wants to open a channel with us.
    pub(super) fn accept_channel(&mut self, conn: ConnId, node_id: PublicKey, open: &OpenChannel) {
        let temporary_channel_id = open.temporary_channel_id;
        let refuse =
            |reason: &str| -> wire::Message { wire::Error::new(temporary_channel_id, reason).into() };
        // One that is closed or failed before it is funded costs as much as before.
        let opening =
            |entry: &&ChannelEntry| is_opening(&entry.channel.state) || entry.channel.awaits_remote_funding();
        let of_peer = self.channels.values().filter(opening).filter(|entry| entry.node_id == node_id).count();
        let reason = if !self.config.accept_channels {
            "this wallet takes no channels"
        } else if of_peer >= MAX_OPENING_PER_PEER
            || self.channels.values().filter(opening).count() >= MAX_OPENING
        {
            "too many channels are being opened"
        } else if self.channel_of(&node_id, &temporary_channel_id).is_some() {
            "this temporary_channel_id is in use"
        } else if !self.knows_height() {
            "the chain is not in sync yet: try again later"
        } else if !self.connections.may_open(conn, self.now.mono) {
            "too many channels were opened: try again later"
        } else {
            let index = self.record.next_channel;
            let accepted = self.new_channel(conn, |env| Channel::accept(env, node_id, index, open));
            if let Err(error) = accepted {
                self.complain(conn, refuse(&error.to_string()));
            }
            return;
        };
        self.complain(conn, refuse(reason));
    }

    /// Takes the next channel key index, which is never used again, and the first step with it.
    fn new_channel(
        &mut self,
        conn: ConnId,
        first_step: impl FnOnce(&channel::Env<'_>) -> Result<Transition, ChannelError>,
    ) -> Result<(), ChannelError> {
        let index = self.record.next_channel;
        let terms = Terms::new(self.coins.new_inner_script());
        let transition = match self.with_new_env(index, conn, &terms, first_step) {
            Ok(transition) => transition,
            Err(error) => {
                self.coins.give_back_inner_script(terms.shutdown_script);
                return Err(error);
            }
        };
        self.record.next_channel += 1;
        self.store_record();
        let mut entry = ChannelEntry::new(transition.next.clone(), &self.keys, terms);
        entry.conn = Some(conn);
        entry.set_remote_features(self.remote_features(conn));
        self.channels.insert(index, entry);
        self.apply(index, transition);
        Ok(())
    }

    /// The peer agreed: the funding transaction is made and signed, and not published.
    pub(super) fn fund_channel(&mut self, index: u32, script: ScriptBuf, amount: Amount) {
        let Some(opening) = self.channels.get(&index).and_then(|entry| entry.opening) else { return };
        // The channel that is being opened counts already.
        let kept = self.reserve();
        let spending = Spending { fee: Fee::Rate(opening.feerate), kept, randomness: self.entropy.bytes32() };
        match self.coins.fund(&self.keys, script.clone(), amount, spending) {
            Ok(tx) => {
                let index_of_output = tx.output.iter().position(|output| output.script_pubkey == script);
                if let Some(output_index) = index_of_output.and_then(|position| u16::try_from(position).ok())
                {
                    self.todo.push_back((index, channel::Command::FundingTxSigned { tx, output_index }));
                }
            }
            Err(error) => {
                let reason = error.to_string();
                self.abandon(index, &reason);
            }
        }
    }

    /// A channel that was never stored ends: its coins are free again, and the owner is told. Of one that was stored the owner
    /// is told what comes back of it, before fees.
    pub(super) fn channel_failed(&mut self, index: u32, reason: String) {
        let Some(entry) = self.channels.get(&index) else { return };
        let (node_id, channel_id, opener) = (entry.node_id, entry.channel.id, entry.opening.is_some());
        if let Some(commitments) = entry.channel.commitments() {
            let ours = commitments.local_balance().to_amount_floor();
            let amount = if entry.channel.awaits_remote_funding() { Amount::ZERO } else { ours };
            self.emit(Event::ChannelClosed { channel_id, node_id, reason, txid: None, amount });
            return;
        }
        self.coins.give_back_inner_script(entry.terms.shutdown_script.clone());
        self.forget_channel(index);
        self.release_forgotten_coins();
        if opener {
            self.emit(Event::ChannelOpenFailed { node_id, reason });
        }
    }

    /// Whether a peer names for this channel, which has none yet, a funding output that another channel has, of whatever
    /// peer (one output, one channel).
    pub(super) fn claims_used_funding(&self, index: u32, message: &wire::Message) -> bool {
        let wire::Message::FundingCreated(created) = message else { return false };
        let has_funding = |entry: &ChannelEntry| entry.channel.commitments().is_some();
        if self.channels.get(&index).is_some_and(has_funding) {
            return false;
        }
        let claimed = OutPoint { txid: created.funding_txid, vout: u32::from(created.funding_output_index) };
        self.channels.values().any(|entry| entry.funding_outpoint() == Some(claimed))
    }

    pub(super) fn abandon(&mut self, index: u32, reason: &str) {
        if let Some(entry) = self.channels.get(&index) {
            let error = wire::Error::new(entry.channel.id, reason);
            if let Some(conn) = entry.conn {
                self.outbox.gated(Gated::Send(conn, error.into()));
            }
        }
        self.channel_failed(index, reason.into());
    }

    /// One of our own commands to a channel was refused. Commands of the owner answer by themselves.
    pub(super) fn channel_refused(&mut self, index: u32, reason: &str) {
        if self
            .channels
            .get(&index)
            .is_some_and(|entry| is_opening(&entry.channel.state) && entry.opening.is_some())
        {
            self.abandon(index, reason);
        }
    }
}

/// Whether nothing binds the two sides yet, or the funding transaction is not confirmed.
fn is_opening(state: &State) -> bool {
    matches!(
        state,
        State::WaitForAcceptChannel(_)
            | State::WaitForFundingTx(_)
            | State::WaitForFundingCreated(_)
            | State::WaitForFundingSigned(_)
            | State::WaitForFundingConfirmed(_)
    )
}
