//! Listening, and ending in order.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::pin,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering::Relaxed},
    time::Duration,
};

use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn, upgrade::OnUpgrade};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{Semaphore, watch},
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};

use crate::{
    ConfigError, ProxyConfig,
    http::{self, Opening, Serves},
    limits::{Clients, HeldSocket, Sockets},
    metrics::Metrics,
    session,
};

/// Sockets beyond the allowed connections: room for `/healthz`, `/metrics` and for telling clients why not.
const SPARE_SOCKETS: usize = 256;
/// How long a client may take to send its request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// The kernel's buffers of each socket: enough for Lightning's messages, and a bound on memory.
pub(crate) const SOCKET_BUFFER_BYTES: u32 = 128 * 1024;
const LISTEN_BACKLOG: u32 = 1024;

/// The proxy as something to start.
#[derive(Debug)]
pub struct Proxy;

/// Why a proxy did not start.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// The configuration cannot work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// A proxy at work. Dropping it ends every connection at once; [`RunningProxy::shutdown`] ends them in order.
#[derive(Debug)]
pub struct RunningProxy {
    local_addr: SocketAddr,
    metrics_addr: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// What all connections of a proxy share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: ProxyConfig,
    pub(crate) metrics: Metrics,
    pub(crate) clients: Arc<Clients>,
    pub(crate) sockets: Arc<Sockets>,
    pub(crate) places: Arc<Semaphore>,
    pub(crate) stop: watch::Receiver<bool>,
}

impl Proxy {
    /// Starts listening. Must be called within a tokio runtime that has time and IO enabled.
    ///
    /// # Errors
    /// [`ProxyError`] when the configuration cannot work or an address cannot be listened on.
    pub async fn start(config: ProxyConfig) -> Result<RunningProxy, ProxyError> {
        config.check()?;
        let listener = listen(config.listen)?;
        let own_metrics = config.metrics_listen.map(listen).transpose()?;
        let local = |listener: &TcpListener, address| {
            listener.local_addr().map_err(|source| ProxyError::Listen { address, source })
        };
        let local_addr = local(&listener, config.listen)?;
        let metrics_addr = own_metrics.as_ref().map_or(Ok(local_addr), |own| local(own, local_addr))?;

        let (stop, stopped) = watch::channel(false);
        let max_connections = usize::try_from(config.max_connections).unwrap_or(usize::MAX >> 4);
        let shared = Arc::new(Shared {
            metrics: Metrics::new(),
            clients: Arc::new(Clients::new(&config)),
            sockets: Arc::new(Sockets::new(&config)),
            places: Arc::new(Semaphore::new(max_connections.min(Semaphore::MAX_PERMITS))),
            stop: stopped,
            config,
        });
        let sockets = max_connections.saturating_add(SPARE_SOCKETS);
        let serves = Serves { websockets: true, metrics: own_metrics.is_none() };
        let mut tasks = vec![tokio::spawn(accept(listener, sockets, serves, Arc::clone(&shared)))];
        if let Some(own) = own_metrics {
            let serves = Serves { websockets: false, metrics: true };
            tasks.push(tokio::spawn(accept(own, SPARE_SOCKETS, serves, shared)));
        }
        Ok(RunningProxy { local_addr, metrics_addr, stop, tasks })
    }
}

impl RunningProxy {
    /// Where clients connect.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Where `/metrics` is.
    pub fn metrics_addr(&self) -> SocketAddr {
        self.metrics_addr
    }

    /// Takes no more connections, closes those that are open with code 1001 after passing on what was already on
    /// its way, and returns when all have ended or [`ProxyConfig::shutdown_timeout`] has passed.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        for task in &mut self.tasks {
            // A panic in the task has ended its connections too.
            let _ = task.await;
        }
    }
}

impl Drop for RunningProxy {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Shared {
    pub(crate) fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Waits until the proxy is told to stop, or is dropped.
    pub(crate) async fn stopping(&self) {
        let _ = self.stop.clone().wait_for(|stop| *stop).await;
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, ProxyError> {
    let bind = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        // Accepted sockets inherit these.
        socket.set_send_buffer_size(SOCKET_BUFFER_BYTES)?;
        socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES)?;
        socket.bind(address)?;
        socket.listen(LISTEN_BACKLOG)
    };
    bind().map_err(|source| ProxyError::Listen { address, source })
}

async fn accept(listener: TcpListener, max_sockets: usize, serves: Serves, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    let mut stopping = pin!(shared.stopping());
    loop {
        tokio::select! {
            () = &mut stopping => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((socket, peer)) => {
                    let place = shared.sockets.take(peer.ip()).filter(|_| connections.len() < max_sockets);
                    match place {
                        Some(held) => {
                            connections.spawn(serve(socket, peer, held, serves, Arc::clone(&shared)));
                        }
                        None => { shared.metrics.sockets_dropped.fetch_add(1, Relaxed); }
                    }
                }
                // Out of file descriptors, or a client that left already; the next try may go well.
                Err(_) => sleep(Duration::from_millis(20)).await,
            },
        }
    }
    drop(listener);
    let all_ended = async { while connections.join_next().await.is_some() {} };
    // Whoever has not ended by then is cut off when `connections` is dropped.
    let _ = timeout(shared.config.shutdown_timeout, all_ended).await;
}

async fn serve(socket: TcpStream, peer: SocketAddr, _held: HeldSocket, serves: Serves, shared: Arc<Shared>) {
    // Lightning's messages are small and wait for answers.
    let _ = socket.set_nodelay(true);
    let granted: Mutex<Option<(OnUpgrade, Opening)>> = Mutex::new(None);
    let service = service_fn(|mut request: Request<Incoming>| {
        let upgrade = hyper::upgrade::on(&mut request);
        let (answer, opening) = http::answer(&shared, serves, peer.ip(), &request);
        *granted.lock().unwrap_or_else(PoisonError::into_inner) = opening.map(|opening| (upgrade, opening));
        async { Ok::<_, Infallible>(answer) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST_TIMEOUT)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(socket), service)
        .with_upgrades();
    tokio::select! {
        _ = timeout(REQUEST_TIMEOUT * 2, connection) => {}
        () = shared.stopping() => {}
    }
    let granted = granted.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some((upgrade, opening)) = granted
        && let Ok(Ok(upgraded)) = timeout(REQUEST_TIMEOUT, upgrade).await
        && let Ok(parts) = upgraded.downcast::<TokioIo<TcpStream>>()
    {
        session::run(parts.io.into_inner(), parts.read_buf, opening, &shared).await;
    }
}
