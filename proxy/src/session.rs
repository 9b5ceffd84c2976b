//! One websocket and its TCP connection.

use std::{io, net::SocketAddr, pin::pin, sync::atomic::Ordering::Relaxed};

use bytes::{Bytes, BytesMut};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpSocket, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error as WsError, Message,
        protocol::{CloseFrame, Role, WebSocketConfig},
    },
};

use crate::{
    Destination, Host, Reason, address,
    http::{Grant, Opening},
    limits::Pace,
    prompt::acknowledge_at_once,
    pulse::Pulse,
    server::{SOCKET_BUFFER_BYTES, Shared},
};

/// The largest message taken from a client. A Lightning message has at most 65,569 bytes on the wire.
const MAX_MESSAGE_BYTES: usize = 128 * 1024;
/// How much is taken from the destination at a time.
const CHUNK_BYTES: usize = 16 * 1024;

type Socket = WebSocketStream<TcpStream>;
type ToClient = SplitSink<Socket, Message>;
type FromClient = SplitStream<Socket>;

/// Carries a granted websocket to its end, or tells the client why it was refused.
pub(crate) async fn run(socket: TcpStream, received: Bytes, opening: Opening, shared: &Shared) {
    // With no write buffer every message goes to the kernel before the next is taken: that is the back-pressure.
    let config = WebSocketConfig::default()
        .read_buffer_size(CHUNK_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(4 * CHUNK_BYTES)
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES));
    let socket =
        WebSocketStream::from_partially_read(socket, received.into(), Role::Server, Some(config)).await;
    let (mut to_client, mut from_client) = socket.split();

    let granted = match opening {
        Opening::Granted(grant) => match connect_unless_stopping(&grant.destination, shared).await {
            Ok(remote) => Ok((grant, remote)),
            Err(reason) => Err(reason),
        },
        Opening::Refused(reason) => Err(reason),
    };
    match granted {
        Ok((grant, remote)) => relay(to_client, from_client, remote, grant, shared).await,
        Err(reason) => {
            shared.metrics.count_refused(reason);
            let closing = close(&mut to_client, &mut from_client, reason, None, shared);
            let _ = timeout(shared.config.close_timeout, closing).await;
        }
    }
}

async fn connect_unless_stopping(destination: &Destination, shared: &Shared) -> Result<TcpStream, Reason> {
    tokio::select! {
        connected = timeout(shared.config.connect_timeout, connect(destination, shared)) => {
            connected.unwrap_or(Err(Reason::ConnectTimeout))
        }
        () = shared.stopping() => Err(Reason::ShuttingDown),
    }
}

/// Resolves once, and connects to the very addresses that were checked: a name that changes its mind between check
/// and use (DNS rebinding) changes nothing.
async fn connect(destination: &Destination, shared: &Shared) -> Result<TcpStream, Reason> {
    let found: Vec<SocketAddr> = match &destination.host {
        Host::Address(address) => vec![SocketAddr::new(*address, destination.port)],
        Host::Name(name) => tokio::net::lookup_host((name.as_str(), destination.port))
            .await
            .map_err(|_| Reason::Unresolvable)?
            .collect(),
    };
    if found.is_empty() {
        return Err(Reason::Unresolvable);
    }
    let allowed = |found: &SocketAddr| {
        let address = address::canonical(found.ip());
        let private = &shared.config.allowed_private_networks;
        address::is_public(address) || private.iter().any(|network| network.contains(address))
    };
    let mut refused = Reason::PrivateAddress;
    for address in found.into_iter().filter(allowed) {
        match open(address).await {
            Ok(stream) => return Ok(stream),
            Err(_) => refused = Reason::ConnectFailed,
        }
    }
    Err(refused)
}

async fn open(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_send_buffer_size(SOCKET_BUFFER_BYTES)?;
    socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES)?;
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn relay(
    mut to_client: ToClient,
    mut from_client: FromClient,
    remote: TcpStream,
    grant: Grant,
    shared: &Shared,
) {
    shared.metrics.opened.fetch_add(1, Relaxed);
    shared.metrics.active.fetch_add(1, Relaxed);
    let _active = Active(shared);
    let pulse = Pulse::new();
    let pace = &grant.admission.pace;
    let (from_remote, mut to_remote) = remote.into_split();

    let reason = {
        let upward = pin!(carry_to_remote(&mut from_client, &mut to_remote, &pulse, pace, shared));
        let downward = pin!(carry_to_client(from_remote, &mut to_client, &pulse, pace, shared));
        tokio::select! {
            reason = upward => reason,
            reason = downward => reason,
            reason = pulse.failed(&shared.config) => reason,
            () = shared.stopping() => Reason::ShuttingDown,
        }
    };
    shared.metrics.count_closed(reason);
    if reason.close_code().is_some() || reason == Reason::ClientClosed {
        // The client's last bytes may still be under way when the destination or this proxy has finished.
        let last = match reason {
            Reason::RemoteClosed | Reason::ShuttingDown => Some(&mut to_remote),
            _ => None,
        };
        let closing = close(&mut to_client, &mut from_client, reason, last, shared);
        let _ = timeout(shared.config.close_timeout, closing).await;
        let _ = timeout(shared.config.close_timeout, to_remote.shutdown()).await;
    }
}

/// Counts a connection as active until dropped, so that one cut off at shutdown is not counted for ever.
struct Active<'a>(&'a Shared);

impl Drop for Active<'_> {
    fn drop(&mut self) {
        self.0.metrics.active.fetch_sub(1, Relaxed);
    }
}

async fn carry_to_remote(
    from_client: &mut FromClient,
    to_remote: &mut OwnedWriteHalf,
    pulse: &Pulse,
    pace: &Pace,
    shared: &Shared,
) -> Reason {
    loop {
        let message = from_client.next().await;
        pulse.heard_client();
        match message {
            Some(Ok(Message::Binary(bytes))) => {
                pulse.client_unread(true);
                pace.wait(bytes.len()).await;
                pulse.writing_to_remote(true);
                if to_remote.write_all(&bytes).await.is_err() {
                    return Reason::RemoteReset;
                }
                acknowledge_at_once(to_remote.as_ref());
                pulse.writing_to_remote(false);
                pulse.client_unread(false);
                pulse.data_passed();
                count(&shared.metrics.to_remote_bytes, bytes.len());
            }
            Some(Ok(Message::Text(_))) => return Reason::TextFrame,
            Some(Ok(Message::Close(_))) => return Reason::ClientClosed,
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
            Some(Err(error)) => return reason_of(&error),
            None => return Reason::ClientLost,
        }
    }
}

async fn carry_to_client(
    mut from_remote: OwnedReadHalf,
    to_client: &mut ToClient,
    pulse: &Pulse,
    pace: &Pace,
    shared: &Shared,
) -> Reason {
    let interval = shared.config.ping_interval;
    let mut pings = interval_at(Instant::now() + interval, interval);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut buffer = BytesMut::with_capacity(CHUNK_BYTES);
    loop {
        buffer.reserve(CHUNK_BYTES);
        let message = tokio::select! {
            read = from_remote.read_buf(&mut buffer) => match read {
                Ok(0) => return Reason::RemoteClosed,
                Ok(_) => {
                    acknowledge_at_once(from_remote.as_ref());
                    Message::Binary(buffer.split().freeze())
                }
                Err(_) => return Reason::RemoteReset,
            },
            _ = pings.tick() => Message::Ping(Bytes::new()),
        };
        let data_bytes = if message.is_binary() { message.len() } else { 0 };
        pace.wait(data_bytes).await;
        pulse.sending_to_client(true);
        if let Err(error) = to_client.send(message).await {
            return reason_of(&error);
        }
        pulse.sending_to_client(false);
        if data_bytes == 0 {
            pulse.pinged();
        } else {
            pulse.data_passed();
            count(&shared.metrics.to_client_bytes, data_bytes);
        }
    }
}

/// Sends the close frame and reads until the client has answered it. What the client still sends goes to `last`.
async fn close(
    to_client: &mut ToClient,
    from_client: &mut FromClient,
    reason: Reason,
    mut last: Option<&mut OwnedWriteHalf>,
    shared: &Shared,
) {
    let sent = match reason.close_code() {
        Some(code) => {
            let frame = CloseFrame { code: code.into(), reason: reason.name().into() };
            to_client.send(Message::Close(Some(frame))).await
        }
        // The client closed first; this sends the answer that is already prepared.
        None => to_client.close().await,
    };
    if sent.is_err() {
        return;
    }
    while let Some(Ok(message)) = from_client.next().await {
        if let (Message::Binary(bytes), Some(remote)) = (message, last.as_deref_mut())
            && remote.write_all(&bytes).await.is_ok()
        {
            count(&shared.metrics.to_remote_bytes, bytes.len());
        }
    }
}

fn reason_of(error: &WsError) -> Reason {
    match error {
        WsError::Capacity(_) => Reason::MessageTooBig,
        WsError::Protocol(
            tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
        ) => Reason::ClientLost,
        WsError::Protocol(_) | WsError::Utf8(_) => Reason::ProtocolError,
        WsError::ConnectionClosed | WsError::AlreadyClosed => Reason::ClientClosed,
        _ => Reason::ClientLost,
    }
}

fn count(counter: &std::sync::atomic::AtomicU64, bytes: usize) {
    counter.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Relaxed);
}
