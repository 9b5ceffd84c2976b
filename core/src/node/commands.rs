//! Commands of the app.

use super::{Answer, Command, CommandError, CommandId, Node};
use crate::channel;
use crate::coins::{Fee, Spending};
use crate::payment::{Outgoing, OutgoingState, PaymentRecord};
use crate::store::{RecordKind, RecordName};
use crate::types::{ChannelId, PaymentId};
use bitcoin::hashes::Hash;
use bitcoin::secp256k1::PublicKey;
use bitcoin::{Amount, ScriptBuf, Txid};

/// The version of the stored form of an on-chain payment's id.
const ONCHAIN_PAYMENT_VERSION: u8 = 1;

impl Node {
    pub(super) fn command(&mut self, id: CommandId, command: Command) {
        match command {
            Command::ConnectPeer { node_id, address } => self.connect_peer(id, node_id, address),
            Command::ForgetPeer { node_id } => {
                let answer = self.forget_peer(&node_id);
                self.answer(id, answer);
            }
            Command::OpenChannel { node_id, amount, feerate } => {
                self.open_channel(id, node_id, amount, feerate)
            }
            Command::CloseChannel { channel_id } => {
                let answer = self.close_channel(&channel_id, channel::Command::Shutdown { script: None });
                self.answer(id, answer);
            }
            Command::ForceClose { channel_id } => {
                let answer = self.close_channel(&channel_id, channel::Command::ForceClose);
                self.answer(id, answer);
            }
            Command::Send(request) => self.send(id, *request),
            Command::MakeInvoice { amount, description, expiry_secs } => {
                self.make_invoice(id, amount, &description, expiry_secs);
            }
            Command::NewAddress => {
                let address = self.coins.new_address();
                self.outbox.exempt(super::outbox::Exempt::WatchesChanged);
                self.answer(id, Ok(Answer::Address(address)));
            }
            Command::SendOnchain { id: payment_id, script_pubkey, amount, fee } => {
                let answer = self.send_onchain(payment_id, script_pubkey, amount, fee);
                self.answer(id, answer);
            }
        }
    }

    fn connect_peer(&mut self, id: CommandId, node_id: PublicKey, address: String) {
        if node_id == self.keys.node_id() {
            return self.answer(
                id,
                Err(CommandError::Refused { reason: "this is the wallet's own node id".into() }),
            );
        }
        self.outbox.put(peer_name(&node_id), address.clone().into_bytes());
        let is_ready = self.connections.ready(&node_id).is_some();
        let known = self.connections.remember(node_id, address, self.now.mono);
        if is_ready {
            return self.answer(id, Ok(Answer::Done));
        }
        known.waiting.push(id);
        if known.conn.is_none() {
            known.retry_at = Some(self.now.mono);
        }
    }

    fn forget_peer(&mut self, node_id: &PublicKey) -> Result<Answer, CommandError> {
        if self.channels.values().any(|entry| entry.node_id == *node_id) {
            return Err(CommandError::Refused {
                reason: "there is a channel with this peer: close it first".into(),
            });
        }
        let known =
            self.connections.acquaintances.remove(node_id).ok_or(CommandError::Unknown { what: "peer" })?;
        self.outbox.delete(&peer_name(node_id));
        let reason = "the peer was forgotten";
        for waiting in known.waiting {
            self.answer(waiting, Err(CommandError::ConnectionFailed { reason: reason.into() }));
        }
        if let Some(conn) = known.conn {
            self.drop_connection(conn, reason);
        }
        Ok(Answer::Done)
    }

    fn close_channel(
        &mut self,
        channel_id: &ChannelId,
        command: channel::Command,
    ) -> Result<Answer, CommandError> {
        let found = self.channels.iter().find(|(_, entry)| entry.channel.id == *channel_id);
        let index = found.map(|(index, _)| *index).ok_or(CommandError::Unknown { what: "channel" })?;
        self.step(index, command).map_err(|error| CommandError::Refused { reason: error.to_string() })?;
        Ok(Answer::Done)
    }

    /// The id is stored with the transaction (contract P6): asked again, even after a start, the answer is the same. An id
    /// that pays over Lightning, or has, pays nothing here.
    fn send_onchain(
        &mut self,
        id: PaymentId,
        script_pubkey: ScriptBuf,
        amount: Option<Amount>,
        fee: Fee,
    ) -> Result<Answer, CommandError> {
        if let Some(txid) = self.onchain_payments.get(&id) {
            return Ok(Answer::Sent(*txid));
        }
        match self.payments.get(&id) {
            None => {}
            Some(known) if known.has_failed() => {}
            Some(PaymentRecord::Outgoing(Outgoing { state: OutgoingState::Sent { .. }, .. })) => {
                return Err(CommandError::AlreadyPaid);
            }
            Some(_) => return Err(CommandError::InFlight),
        }
        let spending = Spending { fee, kept: self.reserve(), randomness: self.entropy.bytes32() };
        let tx = self.coins.send(&self.keys, script_pubkey, amount, spending, self.now.unix)?;
        let txid = tx.compute_txid();
        self.outbox.put(
            RecordName::of(RecordKind::OnchainPayment, id.0),
            [&[ONCHAIN_PAYMENT_VERSION], txid.as_byte_array().as_slice()].concat(),
        );
        self.onchain_payments.insert(id, txid);
        self.outbox.gated(super::outbox::Gated::Broadcast(vec![tx]));
        self.outbox.exempt(super::outbox::Exempt::WatchesChanged);
        Ok(Answer::Sent(txid))
    }

    /// What stays on-chain, to pay for closing the channels there are (BOLT 3, anchors need confirmed coins).
    pub(super) fn reserve(&self) -> Amount {
        let channels = self.channels.values().filter(|entry| entry.needs_reserve()).count();
        let channels = u64::try_from(channels).unwrap_or(u64::MAX);
        Amount::from_sat(self.config.reserve_per_channel.to_sat().saturating_mul(channels))
    }

    /// What can be spent on-chain.
    pub(super) fn onchain_spendable(&self) -> Amount {
        self.coins.balance().spendable.checked_sub(self.reserve()).unwrap_or(Amount::ZERO)
    }
}

/// The transaction of an on-chain payment, as it is stored.
pub(super) fn read_onchain_payment(name: &RecordName, content: &[u8]) -> Option<(PaymentId, Txid)> {
    let (&ONCHAIN_PAYMENT_VERSION, txid) = content.split_first()? else { return None };
    let id = PaymentId(name.which.as_slice().try_into().ok()?);
    Some((id, Txid::from_byte_array(txid.try_into().ok()?)))
}

fn peer_name(node_id: &PublicKey) -> RecordName {
    RecordName::of(RecordKind::PeerAddress, node_id.serialize())
}
