//! Channels inside the node: every step goes through one place, which stores it and lets out what follows.

use super::channel_entry::ChannelEntry;
use super::outbox::{Exempt, Gated};
use super::terms::Terms;
use super::{Event, Node};
use crate::chain::Urgency;
use crate::channel::{
    self, Channel, ChannelError, ChannelEvent, Closer, Command, Env, Feerates, Link, RowName, State,
    Transition,
};
use crate::crypto::ChannelSigner;
use crate::store::{RecordKind, RecordName};
use crate::types::{BlockHeight, ChannelId, ConnId, Features, FeeratePerKw};
use crate::wire::{self, ChannelUpdate};
use bitcoin::blockdata::constants::ChainHash;
use bitcoin::secp256k1::PublicKey;
use bitcoin::{Amount, Transaction};
use std::collections::BTreeMap;

impl Node {
    /// The channel with this peer that a message is for.
    pub(super) fn channel_of(&self, node_id: &PublicKey, channel_id: &ChannelId) -> Option<u32> {
        let is_meant =
            |entry: &ChannelEntry| entry.node_id == *node_id && entry.channel.answers_to(channel_id);
        self.channels.iter().find(|(_, entry)| is_meant(entry)).map(|(index, _)| *index)
    }

    pub(super) fn channels_connected(&mut self, node_id: &PublicKey) {
        let Some((conn, link)) = self.connections.ready(node_id) else { return };
        let Some(features) = link.peer.remote().map(|remote| remote.features.clone()) else { return };
        for (index, entry) in self.channels.iter_mut().filter(|(_, entry)| entry.node_id == *node_id) {
            entry.conn = Some(conn);
            entry.remote_features = features.clone();
            self.todo.push_back((*index, Command::Connected));
        }
        self.run_channels();
    }

    pub(super) fn channels_disconnected(&mut self, conn: ConnId) {
        for (index, entry) in self.channels.iter_mut().filter(|(_, entry)| entry.conn == Some(conn)) {
            entry.conn = None;
            self.todo.push_back((*index, Command::Disconnected));
        }
        self.run_channels();
    }

    /// Carries out what is to be done, and what follows from it, until nothing is left.
    pub(super) fn run_channels(&mut self) {
        while let Some((index, command)) = self.todo.pop_front() {
            if let Err(error) = self.step(index, command) {
                self.channel_error(index, error);
            }
        }
    }

    /// One `commitment_signed` for all updates that gathered, in every channel of which that is due.
    pub(super) fn sign_channels(&mut self, is_due: fn(&Channel) -> bool) {
        let ready: Vec<u32> = self
            .channels
            .iter()
            .filter(|(_, entry)| is_due(&entry.channel))
            .map(|(index, _)| *index)
            .collect();
        for index in ready {
            self.todo.push_back((index, Command::Sign));
        }
        self.run_channels();
    }

    /// Takes one step and stores it. Nothing happens on an error.
    pub(super) fn step(&mut self, index: u32, command: Command) -> Result<(), ChannelError> {
        let Some(entry) = self.channels.get(&index) else { return Ok(()) };
        let transition = self.with_env(entry, |env| entry.channel.process(env, command))?;
        self.apply(index, transition);
        Ok(())
    }

    pub(super) fn with_env<T>(&self, entry: &ChannelEntry, run: impl FnOnce(&Env<'_>) -> T) -> T {
        let local_features = crate::peer::PeerConfig::features();
        run(&Env {
            signer: &entry.signer,
            node_secret: self.keys.node_secret(),
            config: &self.config.channel,
            chain_hash: ChainHash::using_genesis_block(self.config.network),
            height: self.chain.height(),
            feerates: self.channel_feerates(),
            local_features: &local_features,
            remote_features: &entry.remote_features,
            shutdown_script: &entry.terms.shutdown_script,
            revoked: &entry.revoked,
        })
    }

    /// The same for a channel that is only about to be.
    pub(super) fn with_new_env<T>(
        &self,
        index: u32,
        conn: ConnId,
        terms: &Terms,
        run: impl FnOnce(&Env<'_>) -> T,
    ) -> T {
        let local_features = crate::peer::PeerConfig::features();
        run(&Env {
            signer: &ChannelSigner::new(self.keys.channel_keys(index)),
            node_secret: self.keys.node_secret(),
            config: &self.config.channel,
            chain_hash: ChainHash::using_genesis_block(self.config.network),
            height: self.chain.height(),
            feerates: self.channel_feerates(),
            local_features: &local_features,
            remote_features: &self.remote_features(conn),
            shutdown_script: &terms.shutdown_script,
            revoked: &BTreeMap::new(),
        })
    }

    pub(super) fn remote_features(&self, conn: ConnId) -> Features {
        let remote = self.connections.links.get(&conn).and_then(|link| link.peer.remote());
        remote.map_or_else(Features::empty, |remote| remote.features.clone())
    }

    /// What we propose for commitments. Anchors add what is missing when one is published, so that no server, by saying
    /// that fees are absurd, can make the fee of a commitment eat the balance.
    pub(super) fn commitment_feerate(&self) -> FeeratePerKw {
        self.fee_rates.at(Urgency::Normal).min(self.config.channel.always_accepted_feerate)
    }

    fn channel_feerates(&self) -> Feerates {
        Feerates { commitment: self.commitment_feerate(), closing: self.fee_rates.at(Urgency::Background) }
    }

    /// The channel and whatever its step causes elsewhere enter the same batch (contract P6).
    pub(super) fn apply(&mut self, index: u32, transition: Transition) {
        if let State::Closed(_) = transition.next.state {
            self.keep_past(index);
        }
        let Some(entry) = self.channels.get_mut(&index) else { return };
        let coins_before = entry.coins_of_bids();
        let was_syncing = entry.channel.link != Link::Online;
        let was_funded = entry.channel.commitments().is_some();
        let before = std::mem::replace(&mut entry.channel, transition.next);
        let came_online = was_syncing && entry.channel.link == Link::Online;
        let answered_before = before.answers_htlcs();
        let answers_now = entry.channel.answers_htlcs();
        let was_closing = matches!(before.state, State::Closing(_));
        let had_failed = matches!(before.state, State::Failed(_));
        if !entry.channel.watches_as_before(&before) {
            self.outbox.exempt(Exempt::WatchesChanged);
            self.claims_due.insert(index);
            entry.watches_more = true;
        }
        if before.state.name() != entry.channel.state.name() {
            self.claims_due.insert(index);
        }
        for (name, content) in transition.effects.append {
            if let RowName::Revoked(number) = name {
                entry.revoked.insert(number, content.clone());
            }
            self.outbox.put(row_name(index, &name.to_bytes()), content);
        }
        let coins_after = entry.coins_of_bids();
        self.coins.release(coins_before.difference(&coins_after).copied());
        self.unstored.insert(index);
        match (answered_before, answers_now) {
            (true, false) => self.forget_parts(index),
            // What was loaded is proven.
            (false, true) => self.take_up_htlcs_of(index),
            (true, true) | (false, false) => {}
        }
        for effect in transition.effects.then {
            match effect {
                channel::Gated::Send(message) => self.send_to_channel_peer(index, message),
                channel::Gated::Broadcast(tx) => self.publish(index, tx),
                channel::Gated::Notify(ChannelEvent::Closed { reason }) if !was_funded => {
                    self.channel_failed(index, reason.to_string());
                }
                // The owner heard of it when the funding output was spent.
                channel::Gated::Notify(ChannelEvent::Closed { .. }) if was_closing => {
                    self.forget_channel(index)
                }
                // The owner heard of it when the channel failed.
                channel::Gated::Notify(ChannelEvent::Closing { closer, .. }) if had_failed => {
                    self.warn_of(closer)
                }
                channel::Gated::Notify(event) => self.channel_event(index, event),
            }
        }
        self.keys_due.insert(index);
        if came_online {
            self.payments_due = true;
        }
    }

    /// Once an input, for all the steps it caused: they share a batch, and only the last state is written.
    pub(super) fn store_channels(&mut self) {
        std::mem::take(&mut self.unstored).into_iter().for_each(|index| self.store_channel(index));
    }

    fn store_channel(&mut self, index: u32) {
        let Some(entry) = self.channels.get_mut(&index) else { return };
        let is_first = entry.stored.is_none();
        for (name, content) in Channel::changed_rows(entry.stored.as_ref(), &entry.channel) {
            let name = row_name(index, &name.to_bytes());
            match content {
                Some(content) => self.outbox.put(name, content),
                None => self.outbox.delete(&name),
            }
        }
        if is_first && entry.channel.is_stored() {
            self.outbox.put(row_name(index, Terms::ROW), entry.terms.to_bytes());
        }
        entry.stored = entry.channel.is_stored().then(|| entry.channel.clone());
    }

    /// What has to be published again after a start and with every block: the funding transaction only until it is seen.
    pub(super) fn to_publish(&self) -> Vec<Vec<Transaction>> {
        let of = |entry: &ChannelEntry| {
            // What cannot be signed now froze its channel, or will with the next step.
            let again = self.with_env(entry, |env| entry.channel.rebroadcasts(env)).unwrap_or_default();
            let funding = entry.funding_seen.as_ref().map(|(seen, _)| seen);
            again.into_iter().filter(|package| package.first() != funding).collect::<Vec<_>>()
        };
        self.channels.values().flat_map(of).collect()
    }

    fn send_to_channel_peer(&mut self, index: u32, message: wire::Message) {
        if let Some(conn) = self.channels.get(&index).and_then(|entry| entry.conn) {
            self.outbox.gated(Gated::Send(conn, message));
        }
    }

    fn publish(&mut self, index: u32, tx: Transaction) {
        let is_funding = self.channels.get(&index).is_some_and(|entry| entry.funding_tx() == Some(&tx));
        if is_funding {
            self.coins.release(tx.input.iter().map(|input| input.previous_output));
            self.coins.apply_own(tx.clone(), self.now.unix);
        }
        self.outbox.gated(Gated::Broadcast(vec![tx]));
    }

    fn channel_event(&mut self, index: u32, event: ChannelEvent) {
        let Some(entry) = self.channels.get(&index) else { return };
        let (node_id, channel_id) = (entry.node_id, entry.channel.id);
        match event {
            ChannelEvent::FundingNeeded { script, amount } => self.fund_channel(index, script, amount),
            ChannelEvent::Pending { channel_id, funding_txid } => {
                self.emit(Event::ChannelPending { channel_id, node_id, funding_txid });
            }
            ChannelEvent::Ready { .. } => {
                self.payments_due = true;
                self.emit(Event::ChannelReady { channel_id, node_id });
            }
            ChannelEvent::HtlcIrrevocablyCommitted(htlc) => self.arrived.push((index, htlc)),
            ChannelEvent::HtlcSettled { origin, id, preimage } => {
                self.payment_settled(index, origin, id, preimage)
            }
            ChannelEvent::HtlcFailed { origin, id, reason } => {
                self.attempt_failed(index, origin, id, &reason)
            }
            ChannelEvent::HtlcNeverCommitted { origin, id } | ChannelEvent::HtlcTimedOut { origin, id } => {
                self.attempt_came_to_nothing(index, origin, id);
            }
            ChannelEvent::FundingUnconfirmed
            | ChannelEvent::PeerWarning { .. }
            | ChannelEvent::ShuttingDown
            | ChannelEvent::PeerFellBehind => {}
            ChannelEvent::FellBehind => {
                let what = "A channel's stored state is old. The peer was asked to close it; keep this wallet running.";
                self.emit(Event::ActionRequired { what: what.into() });
            }
            ChannelEvent::FailsLater { reason } => {
                let what = format!(
                    "A channel cannot go on: {reason}. It is closed once its peer has shown that this copy of the \
                     wallet is the newest; keep this wallet running."
                );
                self.emit(Event::ActionRequired { what });
            }
            ChannelEvent::OwnerMustClose { amount, last_block } => {
                let sat = amount.to_amount_floor().to_sat();
                let what = format!(
                    "A channel cannot go on: its peer was told the preimage of a payment to you and does not settle it. Close this \
                     channel alone now: after block {last_block} the peer can take back {sat} sat. Only if this wallet was \
                     restored from an old copy, do not: then the peer could take all of the channel."
                );
                self.emit(Event::ActionRequired { what });
            }
            ChannelEvent::Frozen { fault } => {
                let what = format!(
                    "A channel stopped by a fault of this wallet: {fault}. Nothing was sent; please report it."
                );
                self.emit(Event::ActionRequired { what });
            }
            ChannelEvent::ClosingAgreed { txid, to_us, .. } => {
                let reason = "closed together".into();
                self.emit(Event::ChannelClosed {
                    channel_id,
                    node_id,
                    reason,
                    txid: Some(txid),
                    amount: to_us,
                });
            }
            ChannelEvent::Failed { reason } => self.channel_failed(index, reason.to_string()),
            ChannelEvent::Closing { closer, txid, to_us } => {
                if closer != Closer::Mutual {
                    let reason = self.channels[&index].close_reason().unwrap_or_default();
                    self.emit(Event::ChannelClosed {
                        channel_id,
                        node_id,
                        reason,
                        txid: Some(txid),
                        amount: to_us,
                    });
                }
                self.warn_of(closer);
            }
            ChannelEvent::Closed { reason } => {
                let (reason, amount) = (reason.to_string(), Amount::ZERO);
                self.coins.give_back_inner_script(entry.terms.shutdown_script.clone());
                self.emit(Event::ChannelClosed { channel_id, node_id, reason, txid: None, amount });
                self.forget_channel(index);
            }
        }
    }

    fn warn_of(&mut self, closer: Closer) {
        if let Some(what) = alarm(closer) {
            self.emit(Event::ActionRequired { what: what.into() });
        }
    }

    /// What an error of a channel asks for. The channel itself did not change.
    pub(super) fn channel_error(&mut self, index: u32, error: ChannelError) {
        let Some(entry) = self.channels.get(&index) else { return };
        let channel_id = entry.channel.id;
        match error {
            ChannelError::Refused(refusal) => self.channel_refused(index, &refusal.to_string()),
            ChannelError::Warn(violation) => {
                if let Some(conn) = entry.conn {
                    let warning = wire::Warning::new(channel_id, &violation.to_string());
                    self.complain(conn, warning.into());
                }
            }
            ChannelError::Disconnect(violation) => {
                if let Some(conn) = entry.conn {
                    let warning = wire::Warning::new(channel_id, &violation.to_string());
                    self.say_farewell(conn, warning.into());
                }
            }
            ChannelError::FailChannel(violation) => {
                let failed = self.with_env(entry, |env| entry.channel.fail(env, &violation));
                self.apply_or_forget(index, failed);
            }
            ChannelError::Bug(fault) => {
                let frozen = entry.channel.freeze(&fault);
                self.apply(index, frozen);
            }
        }
    }

    fn apply_or_forget(&mut self, index: u32, transition: Result<Transition, ChannelError>) {
        match transition {
            Ok(transition) => self.apply(index, transition),
            // It cannot even fail by the rules: it stops where it is, and the owner is told.
            Err(ChannelError::Bug(fault)) => {
                if let Some(entry) = self.channels.get(&index) {
                    let frozen = entry.channel.freeze(&fault);
                    self.apply(index, frozen);
                }
            }
            Err(_) => {}
        }
    }

    /// All is over: nothing of the channel can happen any more.
    pub(super) fn forget_channel(&mut self, index: u32) {
        self.channels.remove(&index);
        self.outbox.replace(&rows_of(index), []);
        self.outbox.exempt(Exempt::WatchesChanged);
    }

    /// The peer's policy for the way towards us, which invoices must name (BOLT 7, `channel_update`).
    pub(super) fn learn_inbound_policy(&mut self, node_id: &PublicKey, update: &ChannelUpdate) {
        let ours = self.keys.node_id();
        let from_peer = u8::from(node_id.serialize() > ours.serialize());
        for (index, entry) in self.channels.iter_mut().filter(|(_, entry)| entry.node_id == *node_id) {
            let Some(commitments) = entry.channel.commitments() else { continue };
            let names = [commitments.funding.short_channel_id, commitments.funding.remote_alias];
            if !names.contains(&Some(update.contents.short_channel_id))
                || update.contents.channel_flags & 1 != from_peer
            {
                continue;
            }
            if entry.terms.learn(&update.contents) {
                self.outbox.put(row_name(*index, Terms::ROW), entry.terms.to_bytes());
            }
        }
    }

    /// The height that deadlines count from.
    pub(super) fn height(&self) -> BlockHeight {
        self.chain.height()
    }
}

/// What the owner must know besides that a channel is closed.
const fn alarm(closer: Closer) -> Option<&'static str> {
    match closer {
        Closer::Mutual | Closer::Local | Closer::RemoteCurrent | Closer::RemoteNext => None,
        Closer::RemoteRevoked { .. } => Some(
            "A peer closed a channel with an old state, to take what is not its own. All of the channel is being claimed: \
             keep this wallet running.",
        ),
        Closer::RemoteUnknown { .. } => Some(
            "A peer closed a channel with a state that this wallet does not know: it was restored from an old copy. Your \
             balance of that state is being claimed; payments that were under way cannot be.",
        ),
        Closer::LocalUnknown { .. } => Some(
            "This wallet closed a channel with a state that it does not hold any more: it was restored from an old copy. \
             Your balance of that state is being claimed; payments that were under way cannot be.",
        ),
        Closer::Unexplained => Some(
            "A channel was spent by a transaction that this wallet cannot explain. Please report it, and keep the wallet's \
             data.",
        ),
    }
}

/// What the names of all rows of a channel begin with.
fn rows_of(index: u32) -> RecordName {
    RecordName::numbered(RecordKind::Channel, u64::from(index))
}

fn row_name(index: u32, row: &[u8]) -> RecordName {
    let mut name = rows_of(index);
    name.which.extend_from_slice(row);
    name
}
