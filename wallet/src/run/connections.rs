//! Byte streams to peers: what is read goes to the node, what the node sends waits here for its turn.

use super::{Done, Machine, Runner};
use crate::platform::{ByteReader, ByteStream, ByteWriter, Clock, DialError, Pending};
use bitcoin::secp256k1::PublicKey;
use futures::future::{AbortHandle, Abortable, Either, select};
use kite_core::node::Input;
use kite_core::types::ConnId;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A peer that leaves this much unread is disconnected.
const MAX_UNSENT_BYTES: usize = 4 << 20;
/// A peer that takes nothing for so long is gone.
const WRITE_TIMEOUT_MILLIS: u64 = 30_000;
/// How long the last words to a peer may take.
const CLOSE_TIMEOUT_MILLIS: u64 = 5_000;

/// One byte stream, from the moment the node asked for it.
pub(super) struct Link {
    /// Stops what is being dialled or read.
    reading: AbortHandle,
    is_open: bool,
    /// Unset while dialling and while something is being written.
    writer: Option<Box<dyn ByteWriter>>,
    unsent: Vec<Vec<u8>>,
    unsent_bytes: usize,
    /// The node is done with it; what is unsent still goes out.
    is_closing: bool,
}

impl<M: Machine + 'static> Runner<M> {
    pub(super) fn connect(&mut self, conn: ConnId, node_id: PublicKey, address: String) {
        if !self.online {
            return self.held.push((conn, node_id, address));
        }
        let dial = self.platform.dial.clone();
        let (reading, registration) = AbortHandle::new_pair();
        let dialling = async move { dial.connect(node_id, address).await };
        let dialling: Pending<'static, _> = Box::pin(dialling);
        self.tasks.push(Box::pin(async move {
            match Abortable::new(dialling, registration).await {
                Ok(result) => Done::Dialed(conn, result),
                Err(_) => Done::Nothing,
            }
        }));
        let link = Link {
            reading,
            is_open: false,
            writer: None,
            unsent: Vec::new(),
            unsent_bytes: 0,
            is_closing: false,
        };
        self.links.insert(conn, link);
    }

    pub(super) fn dialed(&mut self, conn: ConnId, result: Result<ByteStream, DialError>) {
        match (result, self.links.get_mut(&conn)) {
            (Ok(stream), Some(link)) if !link.is_closing => {
                link.is_open = true;
                link.writer = Some(stream.writer);
                self.read(conn, stream.reader);
                self.inputs.push_back(Input::Connected { conn });
            }
            (Err(error), Some(_)) => self.lost(conn, error.reason),
            // The node gave it up meanwhile: dropping the stream closes it.
            _ => {}
        }
    }

    pub(super) fn read(&mut self, conn: ConnId, mut reader: Box<dyn ByteReader>) {
        let Some(link) = self.links.get_mut(&conn) else { return };
        let (abort, registration) = AbortHandle::new_pair();
        link.reading = abort;
        let reading: Pending<'static, _> = Box::pin(async move {
            let result = reader.read().await;
            (reader, result)
        });
        self.tasks.push(Box::pin(async move {
            match Abortable::new(reading, registration).await {
                Ok((reader, result)) => Done::Read(conn, reader, result),
                Err(_) => Done::Nothing,
            }
        }));
    }

    pub(super) fn was_read(
        &mut self,
        conn: ConnId,
        reader: Box<dyn ByteReader>,
        result: Result<Option<Vec<u8>>, DialError>,
    ) {
        if self.links.get(&conn).is_none_or(|link| link.is_closing) {
            return;
        }
        match result {
            Ok(Some(bytes)) => {
                if !bytes.is_empty() {
                    self.inputs.push_back(Input::Received { conn, bytes });
                }
                // The next bytes are taken once the node has dealt with these: the peer cannot run ahead.
                self.read(conn, reader);
            }
            Ok(None) => self.lost(conn, "the peer closed the connection".into()),
            Err(error) => self.lost(conn, error.reason),
        }
    }

    pub(super) fn send(&mut self, conn: ConnId, bytes: Vec<u8>) {
        let Some(link) = self.links.get_mut(&conn) else { return };
        link.unsent_bytes = link.unsent_bytes.saturating_add(bytes.len());
        if link.unsent_bytes > MAX_UNSENT_BYTES {
            return self.lost(conn, "the peer does not read what it is sent".into());
        }
        link.unsent.push(bytes);
        self.write(conn);
    }

    /// Writes all that waits, unless something is being written already.
    fn write(&mut self, conn: ConnId) {
        let Some(link) = self.links.get_mut(&conn) else { return };
        if link.unsent.is_empty() {
            return;
        }
        let Some(mut writer) = link.writer.take() else { return };
        let bytes = std::mem::take(&mut link.unsent).concat();
        link.unsent_bytes = 0;
        let clock = self.platform.clock.clone();
        self.tasks.push(Box::pin(async move {
            let result = in_time(&clock, WRITE_TIMEOUT_MILLIS, writer.write(bytes)).await;
            let result = result.unwrap_or_else(|| {
                Err(DialError { reason: "the peer does not read what it is sent".into() })
            });
            Done::Written(conn, writer, result)
        }));
    }

    pub(super) fn written(
        &mut self,
        conn: ConnId,
        writer: Box<dyn ByteWriter>,
        result: Result<(), DialError>,
    ) {
        let Some(link) = self.links.get_mut(&conn) else { return };
        match result {
            Ok(()) => {
                link.writer = Some(writer);
                if link.is_closing { self.close(conn) } else { self.write(conn) }
            }
            Err(_) if link.is_closing => drop(self.links.remove(&conn)),
            Err(error) => self.lost(conn, error.reason),
        }
    }

    /// The node is done with this stream. What it said last still goes out.
    pub(super) fn disconnect(&mut self, conn: ConnId) {
        self.held.retain(|(held, ..)| *held != conn);
        let Some(link) = self.links.get_mut(&conn) else { return };
        link.is_closing = true;
        link.reading.abort();
        self.close(conn);
    }

    fn close(&mut self, conn: ConnId) {
        let Some(link) = self.links.get_mut(&conn) else { return };
        let Some(mut writer) = link.writer.take() else {
            // Something is being written, and `written` comes back here; or it was never opened.
            if !link.is_open {
                self.links.remove(&conn);
            }
            return;
        };
        let bytes = std::mem::take(&mut link.unsent).concat();
        self.links.remove(&conn);
        let clock = self.platform.clock.clone();
        self.tasks.push(Box::pin(async move {
            let goodbye: Pending<'_, _> = Box::pin(async {
                if bytes.is_empty() || writer.write(bytes).await.is_ok() {
                    writer.close().await;
                }
            });
            in_time(&clock, CLOSE_TIMEOUT_MILLIS, goodbye).await;
            Done::Nothing
        }));
    }

    /// The stream is gone, and the node hears of it.
    pub(super) fn lost(&mut self, conn: ConnId, reason: String) {
        if let Some(link) = self.links.remove(&conn) {
            link.reading.abort();
            if !link.is_closing {
                self.inputs.push_back(Input::Disconnected { conn, reason });
            }
        }
    }

    pub(super) fn notice_peers(&mut self) {
        let peers: BTreeSet<PublicKey> = self.machine.connected_peers().into_iter().collect();
        if peers == self.peers {
            return;
        }
        for gone in self.peers.difference(&peers) {
            self.notices.pass(super::Notice::PeerDisconnected(*gone));
        }
        for new in peers.difference(&self.peers) {
            self.notices.pass(super::Notice::PeerConnected(*new));
        }
        self.peers = peers;
    }
}

/// What comes of it, unless it takes too long.
async fn in_time<T>(clock: &Arc<dyn Clock>, millis: u64, pending: Pending<'_, T>) -> Option<T> {
    let deadline = clock.now().mono.plus_millis(millis);
    match select(pending, clock.sleep_until(deadline)).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}
