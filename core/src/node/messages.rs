//! Bytes of peers: from the first one of a handshake to the message that a channel or the graph is given.

use super::outbox::{Exempt, Gated, Setup};
use super::{Answer, CommandError, Node, Output};
use crate::channel;
use crate::gossip::GossipSync;
use crate::peer::{PeerError, PeerEvent, RemoteInit, Scope};
use crate::transport::Connection;
use crate::types::{ChannelId, ConnId, Feature};
use crate::wire::{self, DecodeError, Message};
use bitcoin::secp256k1::PublicKey;

impl Node {
    /// Dials whom it is time to dial, and lets every connection see the clock.
    pub(super) fn keep_connections(&mut self) {
        let now = self.now.mono;
        let due: Vec<ConnId> = self
            .connections
            .links
            .iter()
            .filter(|(_, link)| link.peer.deadline() <= now)
            .map(|(conn, _)| *conn)
            .collect();
        for conn in due {
            let Some(link) = self.connections.links.get_mut(&conn) else { continue };
            match link.peer.on_deadline(now) {
                Ok(Some(message)) => self.send_setup(conn, message),
                Ok(None) => {}
                Err(error) => self.drop_connection(conn, &error.to_string()),
            }
        }
        for (node_id, message) in self.gossip.on_deadline(now) {
            self.send_gossip(&node_id, message);
        }
        for (conn, node_id, address) in self.connections.dial(now) {
            self.outbox.exempt(Exempt::Connect(conn, node_id, address));
        }
    }

    pub(super) fn connected(&mut self, conn: ConnId) {
        let Some(link) = self.connections.links.get_mut(&conn).filter(|link| link.connection.is_none())
        else {
            return;
        };
        let Some(node_id) = link.node_id else { return };
        let (connection, act_one) =
            Connection::initiator(self.keys.node_secret(), node_id, self.entropy.secret_key());
        link.connection = Some(connection);
        self.outbox.exempt(Exempt::Handshake(conn, act_one));
    }

    pub(super) fn accepted(&mut self, conn: ConnId) {
        let connection = Connection::responder(self.keys.node_secret(), self.entropy.secret_key());
        if !self.connections.accept(conn, connection, self.now.mono) {
            self.outbox.exempt(Exempt::Drop(conn));
        }
    }

    /// Connections that slept may be dead without knowing it: they are asked, the others are dialled.
    pub(super) fn hurry(&mut self) {
        self.connections.hurry(self.now.mono);
        let now = self.now.mono;
        let probes: Vec<_> = self
            .connections
            .links
            .iter_mut()
            .filter_map(|(conn, link)| link.peer.probe(now).map(|ping| (*conn, ping)))
            .collect();
        for (conn, ping) in probes {
            self.send_setup(conn, ping);
        }
    }

    pub(super) fn received(&mut self, conn: ConnId, bytes: &[u8]) {
        // The transport takes so much at once; a host may hand over more.
        for piece in bytes.chunks(crate::transport::MAX_RECEIVE) {
            let Some(link) = self.connections.links.get_mut(&conn) else { return };
            let Some(connection) = &mut link.connection else { return };
            let was_established = connection.is_established();
            match connection.receive(piece) {
                Ok(reply) => {
                    if !reply.is_empty() {
                        self.outbox.exempt(Exempt::Handshake(conn, reply));
                    }
                }
                Err(error) => return self.drop_connection(conn, &error.to_string()),
            }
            if !was_established && connection.is_established() {
                let init = link.peer.on_connected(self.now.mono);
                let node_id = connection.remote_node_id();
                self.send_setup(conn, init);
                if let Some(stale) = node_id.and_then(|node_id| self.connections.identify(conn, node_id)) {
                    self.drop_connection(stale, "the peer connected anew");
                }
            }
            self.read_messages(conn);
        }
    }

    pub(super) fn disconnected(&mut self, conn: ConnId, reason: &str) {
        self.outbox.connection_lost(conn);
        self.forget_connection(conn, reason);
    }

    /// Closes a connection at once, without a word. No channel fails by it.
    pub(super) fn drop_connection(&mut self, conn: ConnId, reason: &str) {
        self.outbox.drop_connection(conn);
        self.forget_connection(conn, reason);
    }

    /// Sends a last message and closes the connection. No channel fails by it.
    pub(super) fn say_farewell(&mut self, conn: ConnId, message: Message) {
        let Some(link) = self.connections.links.get_mut(&conn) else { return };
        link.is_closing = true;
        let node_id = link.node_id;
        self.outbox.gated(Gated::Send(conn, message));
        self.outbox.gated(Gated::Disconnect(conn));
        if let Some(node_id) = node_id {
            self.gossip.peer_lost(&node_id);
        }
        self.channels_disconnected(conn);
    }

    pub(super) fn forget_connection(&mut self, conn: ConnId, reason: &str) {
        let Some((node_id, waiting)) = self.connections.lost(conn, self.now.mono, self.entropy.bytes())
        else {
            return;
        };
        for id in waiting {
            self.answer(id, Err(CommandError::ConnectionFailed { reason: reason.into() }));
        }
        self.gossip.peer_lost(&node_id);
        self.channels_disconnected(conn);
    }

    fn read_messages(&mut self, conn: ConnId) {
        loop {
            let Some(link) = self.connections.links.get_mut(&conn).filter(|link| !link.is_closing) else {
                return;
            };
            let Some(connection) = &mut link.connection else { return };
            let message = match connection.next_message() {
                Ok(Some(bytes)) => read(&bytes),
                Ok(None) => return,
                Err(error) => return self.drop_connection(conn, &error.to_string()),
            };
            match message {
                Ok(message) => self.message(conn, message),
                Err(DecodeError::UnknownEvenType { message_type }) => {
                    return self.drop_connection(conn, &format!("unknown message type {message_type}"));
                }
                Err(error) => {
                    let warning = wire::Warning::new(ChannelId::ALL, &error.to_string());
                    return self.say_farewell(conn, warning.into());
                }
            }
        }
    }

    fn message(&mut self, conn: ConnId, message: Message) {
        let now = self.now.mono;
        let Some(link) = self.connections.links.get_mut(&conn) else { return };
        let Some(node_id) = link.node_id else { return };
        match link.peer.on_message(now, message) {
            Ok(PeerEvent::Ready(remote)) => self.peer_ready(conn, node_id, &remote),
            Ok(PeerEvent::Reply(message)) => self.send_setup(conn, message),
            Ok(PeerEvent::Dispatch(message)) => self.dispatch(conn, node_id, message),
            Ok(PeerEvent::Error { scope, text }) => self.peer_error(&node_id, scope, &text),
            Ok(PeerEvent::Warning { .. } | PeerEvent::Ignored) => {}
            Err(error) => self.peer_failed(conn, &error),
        }
    }

    fn peer_failed(&mut self, conn: ConnId, error: &PeerError) {
        match error.farewell() {
            Some(farewell) => self.say_farewell(conn, farewell),
            None => self.drop_connection(conn, &error.to_string()),
        }
    }

    fn peer_ready(&mut self, conn: ConnId, node_id: PublicKey, remote: &RemoteInit) {
        if let Some(known) = self.connections.acquaintances.get_mut(&node_id) {
            for id in std::mem::take(&mut known.waiting) {
                self.answer(id, Ok(Answer::Done));
            }
        }
        self.channels_connected(&node_id);
        if remote.features.supports(Feature::GossipQueries) {
            for message in self.gossip.peer_ready(node_id, &self.graph, self.now) {
                self.send_setup(conn, message);
            }
        }
        self.payments_due = true;
    }

    fn dispatch(&mut self, conn: ConnId, node_id: PublicKey, message: Message) {
        if let Message::ChannelUpdate(update) = &message {
            self.learn_inbound_policy(&node_id, update);
        }
        if GossipSync::takes(&message) {
            for reply in self.gossip.on_message(&node_id, message, &mut self.graph, self.now) {
                self.send_setup(conn, reply);
            }
            return;
        }
        match message {
            Message::OpenChannel(open) => self.accept_channel(conn, node_id, &open),
            message => {
                if let Some(channel_id) = message.channel_id() {
                    match self.channel_of(&node_id, &channel_id) {
                        Some(index) if self.claims_used_funding(index, &message) => {
                            self.abandon(index, "this funding output belongs to another channel");
                        }
                        Some(index) => self.todo.push_back((index, channel::Command::Message(message))),
                        None => self.unknown_channel(conn, channel_id),
                    }
                }
            }
        }
        self.run_channels();
    }

    /// BOLT 1: an error about a channel that is not ours with this peer is ignored, any other message is answered.
    fn unknown_channel(&mut self, conn: ConnId, channel_id: ChannelId) {
        self.complain(conn, wire::Error::new(channel_id, "no such channel").into());
    }

    /// Tells a peer what is wrong with a message of its own, unless it makes too many of them.
    pub(super) fn complain(&mut self, conn: ConnId, complaint: Message) {
        let now = self.now.mono;
        if self.connections.links.get_mut(&conn).is_some_and(|link| link.peer.may_complain(now)) {
            self.outbox.gated(Gated::Send(conn, complaint));
        }
    }

    fn peer_error(&mut self, node_id: &PublicKey, scope: Scope, text: &str) {
        let failed: Vec<u32> = self
            .channels
            .iter()
            .filter(|(_, entry)| entry.node_id == *node_id)
            .filter(|(_, entry)| match scope {
                Scope::All => true,
                Scope::Channel(channel_id) => entry.channel.id == channel_id,
            })
            .map(|(index, _)| *index)
            .collect();
        for index in failed {
            let error = wire::Error::new(self.channels[&index].channel.id, text);
            self.todo.push_back((index, channel::Command::Message(error.into())));
        }
        self.run_channels();
    }

    fn send_gossip(&mut self, node_id: &PublicKey, message: Message) {
        if let Some((conn, _)) = self.connections.ready(node_id) {
            self.send_setup(conn, message);
        }
    }

    /// Sends a message that reveals nothing; any other is a fault of ours and goes through the gate.
    pub(super) fn send_setup(&mut self, conn: ConnId, message: Message) {
        match Setup::new(message) {
            Ok(setup) => self.outbox.exempt(Exempt::Setup(conn, setup)),
            Err(message) => self.outbox.gated(Gated::Send(conn, *message)),
        }
    }

    pub(super) fn encrypt(&mut self, conn: ConnId, message: &Message) -> Option<Output> {
        let connection = self.connections.links.get_mut(&conn)?.connection.as_mut()?;
        // A message that does not fit is a fault of ours; leaving it out is what a lost connection would do.
        let bytes = connection.encrypt(&message.encode().ok()?).ok()?;
        Some(Output::Send { conn, bytes })
    }
}

/// What is passed over is as a message that nobody knows.
fn read(bytes: &[u8]) -> Result<Message, DecodeError> {
    let message_type = bytes.first_chunk().map_or(0, |bytes| u16::from_be_bytes(*bytes));
    Message::decode(bytes).or_else(|error| match Message::is_passed_over(message_type, error) {
        true => Ok(Message::Unknown { message_type }),
        false => Err(error),
    })
}
