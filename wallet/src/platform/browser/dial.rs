//! A websocket to the wallet's proxy, which opens the TCP connection.

use super::super::{ByteReader, ByteStream, ByteWriter, Dial, DialError, Pending};
use bitcoin::secp256k1::PublicKey;
use futures::future::{Either, select};
use futures::{Sink as _, Stream as _};
use gloo_net::websocket::futures::WebSocket;
use gloo_net::websocket::{Message, State, WebSocketError};
use gloo_timers::future::TimeoutFuture;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

const PATIENCE_MILLIS: u32 = 15_000;
/// A websocket cannot be told to wait. A peer that sends more than this unread is cut off.
const MOST_UNREAD_BYTES: usize = 4 * 1024 * 1024;
const MOST_READ_BYTES: usize = 64 * 1024;
/// The browser buffers what is written. Above this, writing waits.
const MOST_UNSENT_BYTES: u32 = 256 * 1024;
const UNSENT_LOOK_MILLIS: u32 = 20;

/// Websockets to `{proxy}/v1/{host}/{port}`.
#[derive(Debug, Clone)]
pub struct WebsocketDial {
    proxy_url: Option<String>,
}

/// One websocket, shared by its two halves and the task that takes in what arrives.
struct Shared {
    /// Unset when it has ended.
    socket: Option<WebSocket>,
    arrived: VecDeque<u8>,
    /// Why it ended; unset at a regular end.
    broken: Option<String>,
    reader: Option<Waker>,
}

struct Reader(Rc<RefCell<Shared>>);

struct Writer(Rc<RefCell<Shared>>);

impl WebsocketDial {
    /// Through the proxy at this address, `ws://` or `wss://`.
    pub fn new(proxy_url: Option<String>) -> Self {
        Self { proxy_url }
    }

    fn url(&self, address: &str) -> Result<String, DialError> {
        let proxy = self
            .proxy_url
            .as_deref()
            .ok_or_else(|| failed("this wallet has no proxy to reach peers through"))?;
        let (host, port) =
            address.rsplit_once(':').ok_or_else(|| failed("the address has no port: host:port is needed"))?;
        let port: u16 = port.parse().map_err(|_| failed("the port is no number from 0 to 65535"))?;
        let host = js_sys::encode_uri_component(host);
        Ok(format!("{}/v1/{host}/{port}", proxy.trim_end_matches('/')))
    }
}

impl Dial for WebsocketDial {
    fn connect(&self, _node_id: PublicKey, address: String) -> Pending<'_, Result<ByteStream, DialError>> {
        Box::pin(async move {
            let mut socket =
                WebSocket::open(&self.url(&address)?).map_err(|error| failed(&error.to_string()))?;
            let open = poll_fn(|context| Pin::new(&mut socket).poll_ready(context));
            if let Either::Right(_) = select(open, TimeoutFuture::new(PATIENCE_MILLIS)).await {
                return Err(failed("the proxy did not answer in time"));
            }
            if !matches!(socket.state(), State::Open) {
                return Err(failed("the proxy cannot be reached, or refused the connection"));
            }
            let shared = Rc::new(RefCell::new(Shared {
                socket: Some(socket),
                arrived: VecDeque::new(),
                broken: None,
                reader: None,
            }));
            wasm_bindgen_futures::spawn_local(take_in(Rc::downgrade(&shared)));
            Ok(ByteStream { reader: Box::new(Reader(Rc::clone(&shared))), writer: Box::new(Writer(shared)) })
        })
    }
}

/// Takes in what arrives, until the end or until both halves are gone.
async fn take_in(shared: Weak<RefCell<Shared>>) {
    poll_fn(|context| match shared.upgrade() {
        None => Poll::Ready(()),
        Some(shared) => shared.borrow_mut().take_in(context),
    })
    .await;
}

impl Shared {
    fn take_in(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let Some(socket) = &mut self.socket else { return Poll::Ready(()) };
            let Poll::Ready(message) = Pin::new(socket).poll_next(context) else { return Poll::Pending };
            match message {
                Some(Ok(Message::Bytes(bytes))) if self.arrived.len() + bytes.len() <= MOST_UNREAD_BYTES => {
                    self.arrived.extend(bytes);
                }
                Some(Ok(Message::Bytes(_))) => self.end(Some("the peer sent more than was read".to_owned())),
                Some(Ok(Message::Text(_))) => self.end(Some("the proxy sent text".to_owned())),
                Some(Err(error)) => self.end(reason(&error)),
                None => self.end(None),
            }
            if let Some(reader) = self.reader.take() {
                reader.wake();
            }
        }
    }

    fn end(&mut self, broken: Option<String>) {
        self.broken = broken;
        self.socket = None;
    }

    fn read(&mut self, context: &Context<'_>) -> Poll<Result<Option<Vec<u8>>, DialError>> {
        if !self.arrived.is_empty() {
            let length = self.arrived.len().min(MOST_READ_BYTES);
            return Poll::Ready(Ok(Some(self.arrived.drain(..length).collect())));
        }
        if self.socket.is_some() {
            self.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(self.broken.as_deref().map_or(Ok(None), |reason| Err(failed(reason))))
    }

    fn write(&mut self, bytes: Vec<u8>) -> Result<(), DialError> {
        let Some(socket) = &mut self.socket else {
            return Err(failed(self.broken.as_deref().unwrap_or("the connection has ended")));
        };
        Pin::new(socket).start_send(Message::Bytes(bytes)).map_err(|error| failed(&error.to_string()))
    }

    fn unsent_bytes(&self) -> u32 {
        self.socket.as_ref().map_or(0, WebSocket::buffered_amount)
    }
}

impl ByteReader for Reader {
    fn read(&mut self) -> Pending<'_, Result<Option<Vec<u8>>, DialError>> {
        Box::pin(poll_fn(|context| self.0.borrow_mut().read(context)))
    }
}

impl Writer {
    async fn until_unsent_below(&self, bytes: u32) {
        while self.0.borrow().unsent_bytes() > bytes {
            TimeoutFuture::new(UNSENT_LOOK_MILLIS).await;
        }
    }
}

impl ByteWriter for Writer {
    fn write(&mut self, bytes: Vec<u8>) -> Pending<'_, Result<(), DialError>> {
        Box::pin(async move {
            self.0.borrow_mut().write(bytes)?;
            self.until_unsent_below(MOST_UNSENT_BYTES).await;
            Ok(())
        })
    }

    fn close(&mut self) -> Pending<'_, ()> {
        Box::pin(async {
            // The browser sends what is buffered before it closes.
            let mut shared = self.0.borrow_mut();
            shared.end(None);
            if let Some(reader) = shared.reader.take() {
                reader.wake();
            }
        })
    }
}

/// The proxy's reason; unset at a regular end.
fn reason(error: &WebSocketError) -> Option<String> {
    match error {
        WebSocketError::ConnectionClose(close) if close.code == 1000 => None,
        WebSocketError::ConnectionClose(close) if !close.reason.is_empty() => Some(close.reason.clone()),
        WebSocketError::ConnectionClose(close) => Some(format!("the connection broke (code {})", close.code)),
        other => Some(other.to_string()),
    }
}

fn failed(reason: &str) -> DialError {
    DialError { reason: reason.to_owned() }
}
