//! The proxy between real sockets on the loopback interface.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use kite_proxy::{ClientAddress, Origins, Proxy, ProxyConfig, RunningProxy};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    time::{sleep, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, client_async, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest, http::StatusCode},
};

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

const PATIENCE: Duration = Duration::from_secs(20);

fn open_config() -> ProxyConfig {
    ProxyConfig {
        allowed_destinations: vec!["*:*".parse().unwrap()],
        allowed_private_networks: vec!["127.0.0.0/8".parse().unwrap()],
        ..ProxyConfig::default()
    }
}

async fn remote() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn url(proxy: &RunningProxy, destination: impl std::fmt::Display) -> String {
    format!("ws://{}/v1/{destination}", proxy.local_addr())
}

async fn connect(proxy: &RunningProxy, remote: SocketAddr) -> Client {
    let url = url(proxy, format_args!("{}/{}", remote.ip(), remote.port()));
    connect_async(url).await.unwrap().0
}

/// Reads to the close frame; gives its code and reason.
async fn closed(client: &mut Client) -> (u16, String) {
    let reading = async {
        while let Some(message) = client.next().await {
            if let Message::Close(frame) = message.unwrap() {
                let frame = frame.unwrap();
                return (frame.code.into(), frame.reason.to_string());
            }
        }
        panic!("no close frame");
    };
    timeout(PATIENCE, reading).await.unwrap()
}

async fn refusal(proxy: &RunningProxy, destination: &str) -> (u16, String) {
    closed(&mut connect_async(url(proxy, destination)).await.unwrap().0).await
}

async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: proxy\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

async fn metric(proxy: &RunningProxy, name: &str) -> u64 {
    let (_, page) = get(proxy.metrics_addr(), "/metrics").await;
    let line = page.lines().find_map(|line| line.strip_prefix(&format!("kite_proxy_{name} ")));
    line.unwrap_or_else(|| panic!("{name} is not in {page}")).parse().unwrap()
}

/// Bytes in which every place differs from its neighbourhood.
fn pattern(len: usize) -> Vec<u8> {
    (0..len as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_arrive_in_order_both_ways_whatever_the_fragments() {
    let proxy = Proxy::start(open_config()).await.unwrap();
    let (listener, address) = remote().await;
    let echo = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (mut read, mut write) = stream.split();
        tokio::io::copy(&mut read, &mut write).await.unwrap()
    });
    let sent = pattern(1 << 20);
    let (mut sink, mut source) = connect(&proxy, address).await.split();
    let bytes = Bytes::from(sent.clone());
    let sending = tokio::spawn(async move {
        let mut rest = bytes;
        for size in [1, 0, 2, 3, 7, 61, 997, 4_099, 16_411, 65_535, 65_569].into_iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let fragment = rest.split_to(size.min(rest.len()));
            sink.send(Message::Binary(fragment)).await.unwrap();
        }
        sink
    });
    let mut received = Vec::new();
    while received.len() < sent.len() {
        match timeout(PATIENCE, source.next()).await.unwrap().unwrap().unwrap() {
            Message::Binary(bytes) => received.extend_from_slice(&bytes),
            other => panic!("{other:?}"),
        }
    }
    assert!(received == sent);
    let mut client = source.reunite(sending.await.unwrap()).unwrap();
    client.close(None).await.unwrap();
    assert_eq!(timeout(PATIENCE, echo).await.unwrap().unwrap(), 1 << 20);
    assert_eq!(metric(&proxy, "bytes_total{direction=\"to_remote\"}").await, 1 << 20);
    assert_eq!(metric(&proxy, "bytes_total{direction=\"to_client\"}").await, 1 << 20);
    assert_eq!(metric(&proxy, "connections_opened_total").await, 1);
    assert_eq!(metric(&proxy, "connections_closed_total{reason=\"client_closed\"}").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_client_holds_the_destination_back() {
    const OFFERED: usize = 24 << 20;
    let proxy = Proxy::start(open_config()).await.unwrap();
    let (listener, address) = remote().await;
    let (progress, watched) = tokio::sync::watch::channel(0);
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        for chunk in pattern(OFFERED).chunks(64 << 10) {
            stream.write_all(chunk).await.unwrap();
            progress.send_modify(|written| *written += chunk.len());
        }
    });
    let mut client = connect(&proxy, address).await;
    let mut before = 0;
    loop {
        sleep(Duration::from_millis(400)).await;
        let written = *watched.borrow();
        if written == before && written > 0 {
            break;
        }
        before = written;
    }
    // What is under way lies in the sockets of the test and of the proxy; the proxy itself took a part of it only.
    assert!(before < 10 << 20, "{before} bytes were taken although nobody read");
    let taken = metric(&proxy, "bytes_total{direction=\"to_client\"}").await;
    assert!(taken < 8 << 20, "{taken}");
    let mut received = Vec::with_capacity(OFFERED);
    while let Some(Ok(message)) = timeout(PATIENCE, client.next()).await.unwrap() {
        if let Message::Binary(bytes) = message {
            received.extend_from_slice(&bytes);
        }
    }
    assert!(received == pattern(OFFERED));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_destination_holds_the_client_back() {
    let config = ProxyConfig { stall_timeout: Duration::from_secs(2), ..open_config() };
    let proxy = Proxy::start(config).await.unwrap();
    let (listener, address) = remote().await;
    let (mut sink, source) = connect(&proxy, address).await.split();
    let (_unread, _) = listener.accept().await.unwrap();
    let mut taken = 0usize;
    let chunk = Bytes::from(pattern(64 << 10));
    while let Ok(Ok(())) =
        timeout(Duration::from_millis(500), sink.send(Message::Binary(chunk.clone()))).await
    {
        taken += chunk.len();
        assert!(taken < 16 << 20, "{taken}");
    }
    let mut client = source.reunite(sink).unwrap();
    assert_eq!(closed(&mut client).await, (4014, "remote_stalled".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn private_destinations_are_refused_by_default_also_by_name() {
    let (listener, address) = remote().await;
    let port = address.port();
    let config = ProxyConfig { allowed_private_networks: Vec::new(), ..open_config() };
    let proxy = Proxy::start(config).await.unwrap();
    for host in [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "%5B::ffff:127.0.0.1%5D",
        "2130706433",
        "0.0.0.0",
        "169.254.169.254",
    ] {
        let (code, reason) = refusal(&proxy, &format!("{host}/{port}")).await;
        assert_eq!((code, reason.as_str()), (4003, "private_address"), "{host}");
    }
    assert!(timeout(Duration::from_millis(100), listener.accept()).await.is_err());
    assert_eq!(metric(&proxy, "requests_refused_total{reason=\"private_address\"}").await, 7);
    assert_eq!(metric(&proxy, "connections_opened_total").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_resolved() {
    let (listener, address) = remote().await;
    let proxy = Proxy::start(open_config()).await.unwrap();
    let (mut client, _) =
        connect_async(url(&proxy, format_args!("localhost/{}", address.port()))).await.unwrap();
    client.send(Message::Binary(Bytes::from_static(b"hello"))).await.unwrap();
    let (mut stream, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    let mut hello = [0; 5];
    stream.read_exact(&mut hello).await.unwrap();
    assert_eq!(&hello, b"hello");
    assert_eq!(refusal(&proxy, "does-not-exist.invalid/9735").await.1, "unresolvable");
}

#[tokio::test(flavor = "multi_thread")]
async fn destinations_outside_the_list_are_refused() {
    let config =
        ProxyConfig { allowed_destinations: vec!["127.0.0.1:9735".parse().unwrap()], ..open_config() };
    let proxy = Proxy::start(config).await.unwrap();
    assert_eq!(refusal(&proxy, "127.0.0.1/22").await, (4002, "port_not_allowed".to_owned()));
    assert_eq!(refusal(&proxy, "1.1.1.1/9735").await, (4001, "host_not_allowed".to_owned()));
    for bad in ["127.0.0.1", "127.0.0.1/0", "127.0.0.1/9735/x", "a%20b/9735", "/9735"] {
        assert_eq!(refusal(&proxy, bad).await, (4000, "bad_destination".to_owned()), "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_destination_is_told() {
    let (listener, address) = remote().await;
    drop(listener);
    let proxy = Proxy::start(open_config()).await.unwrap();
    let path = format!("127.0.0.1/{}", address.port());
    assert_eq!(refusal(&proxy, &path).await, (4012, "connect_failed".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_listed_origins_may_connect() {
    let (_listener, address) = remote().await;
    let origins = Origins::Listed(vec!["https://wallet.example".to_owned()]);
    let proxy = Proxy::start(ProxyConfig { origins, ..open_config() }).await.unwrap();
    let ask = |origin: Option<&'static str>| {
        let mut request =
            url(&proxy, format_args!("127.0.0.1/{}", address.port())).into_client_request().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        connect_async(request)
    };
    for origin in [None, Some("https://evil.example"), Some("null")] {
        match ask(origin).await {
            Err(Error::Http(answer)) => assert_eq!(answer.status(), StatusCode::FORBIDDEN),
            other => panic!("{other:?}"),
        }
    }
    assert!(ask(Some("https://wallet.example")).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_client_cannot_take_everything() {
    let (_listener, address) = remote().await;
    let path = format!("127.0.0.1/{}", address.port());
    let config = ProxyConfig {
        max_connections_per_client: 2,
        max_new_connections_per_client_per_minute: 3,
        ..open_config()
    };
    let proxy = Proxy::start(config).await.unwrap();
    let first = connect(&proxy, address).await;
    let _second = connect(&proxy, address).await;
    assert_eq!(refusal(&proxy, &path).await, (4004, "client_connections".to_owned()));
    drop(first);
    while metric(&proxy, "connections_active").await > 1 {
        sleep(Duration::from_millis(10)).await;
    }
    let third = connect(&proxy, address).await;
    drop(third);
    while metric(&proxy, "connections_active").await > 1 {
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(refusal(&proxy, &path).await, (4005, "client_rate".to_owned()));
    assert_eq!(metric(&proxy, "requests_refused_total{reason=\"client_rate\"}").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_say_nothing_take_no_places_from_others() {
    let (_listener, address) = remote().await;
    let config = ProxyConfig { max_connections: 2, max_connections_per_client: 1, ..open_config() };
    let proxy = Proxy::start(config).await.unwrap();
    let mut silent = Vec::new();
    for _ in 0..400 {
        silent.push(TcpStream::connect(proxy.local_addr()).await.unwrap());
    }
    // Somebody else, from another address.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let stream = socket.connect(proxy.local_addr()).await.unwrap();
    let path = format_args!("127.0.0.1/{}", address.port()).to_string();
    let opening = client_async(url(&proxy, &path), stream);
    let (mut other, _) = timeout(PATIENCE, opening).await.unwrap().unwrap();
    other.send(Message::Binary(Bytes::from_static(b"hello"))).await.unwrap();
    drop(silent);
    // The places are given back.
    timeout(PATIENCE, async {
        while connect_async(url(&proxy, &path)).await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .unwrap();
    assert!(metric(&proxy, "sockets_dropped_total").await >= 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_proxy_says_so_to_the_load_balancer() {
    let (_listener, address) = remote().await;
    let config = ProxyConfig {
        max_connections: 1,
        client_address: ClientAddress::ForwardedFor { trusted_hops: 1 },
        ..open_config()
    };
    let proxy = Proxy::start(config).await.unwrap();
    let ask = |client: Option<&'static str>| {
        let mut request =
            url(&proxy, format_args!("127.0.0.1/{}", address.port())).into_client_request().unwrap();
        if let Some(client) = client {
            request.headers_mut().insert("x-forwarded-for", client.parse().unwrap());
        }
        connect_async(request)
    };
    let status = |result| match result {
        Err(Error::Http(answer)) => answer.status().as_u16(),
        _ => 101,
    };
    assert_eq!(status(ask(None).await), 400);
    let _first = ask(Some("1.1.1.1")).await.unwrap();
    assert_eq!(status(ask(Some("2.2.2.2")).await), 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_are_not_bytes_of_the_stream_are_refused() {
    let (_listener, address) = remote().await;
    let proxy = Proxy::start(open_config()).await.unwrap();
    let mut client = connect(&proxy, address).await;
    client.send(Message::text("hello")).await.unwrap();
    assert_eq!(closed(&mut client).await, (1003, "text_frame".to_owned()));
    let mut client = connect(&proxy, address).await;
    client.send(Message::Binary(vec![0; 200 << 10].into())).await.unwrap();
    let (code, reason) = closed(&mut client).await;
    assert_eq!((code, reason.as_str()), (1009, "message_too_big"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_either_side_reaches_the_other_after_the_last_byte() {
    let (listener, address) = remote().await;
    let proxy = Proxy::start(open_config()).await.unwrap();

    let mut client = connect(&proxy, address).await;
    let (mut stream, _) = listener.accept().await.unwrap();
    client.send(Message::Binary(Bytes::from_static(b"last words"))).await.unwrap();
    client.close(None).await.unwrap();
    let mut read = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut read)).await.unwrap().unwrap();
    assert_eq!(read, "last words");

    let mut client = connect(&proxy, address).await;
    let (mut stream, _) = listener.accept().await.unwrap();
    stream.write_all(b"last words").await.unwrap();
    stream.shutdown().await.unwrap();
    // The destination has only closed its own half: what the client had under way still arrives.
    client.send(Message::Binary(Bytes::from_static(b"answer"))).await.unwrap();
    let first = timeout(PATIENCE, client.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(first, Message::Binary(Bytes::from_static(b"last words")));
    assert_eq!(closed(&mut client).await, (1000, "remote_closed".to_owned()));
    let _ = client.next().await;
    let mut read = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut read)).await.unwrap().unwrap();
    assert_eq!(read, "answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_are_pinged_and_silent_connections_end() {
    let (listener, address) = remote().await;
    let config = ProxyConfig {
        ping_interval: Duration::from_millis(50),
        stall_timeout: Duration::from_millis(300),
        idle_timeout: Duration::from_secs(1),
        ..open_config()
    };
    let proxy = Proxy::start(config).await.unwrap();
    let mut client = connect(&proxy, address).await;
    let first = timeout(PATIENCE, client.next()).await.unwrap().unwrap().unwrap();
    assert!(first.is_ping());
    // It answers pings while it reads, so only the missing data ends it.
    assert_eq!(closed(&mut client).await, (4015, "idle".to_owned()));

    // This one reads nothing, hence answers nothing.
    let _silent = connect(&proxy, address).await;
    let (_first, _) = listener.accept().await.unwrap();
    let (mut second, _) = listener.accept().await.unwrap();
    assert_eq!(timeout(PATIENCE, second.read(&mut [0; 1])).await.unwrap().unwrap_or(0), 0);
    assert_eq!(metric(&proxy, "connections_closed_total{reason=\"client_unresponsive\"}").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_ends_connections_in_order_and_within_its_time() {
    let (listener, address) = remote().await;
    let config = ProxyConfig { shutdown_timeout: Duration::from_secs(1), ..open_config() };
    let proxy = Proxy::start(config).await.unwrap();
    let mut polite = connect(&proxy, address).await;
    let (mut stream, _) = listener.accept().await.unwrap();
    let _mute = connect(&proxy, address).await;
    let local = proxy.local_addr();
    let start = tokio::time::Instant::now();
    let shutdown = tokio::spawn(proxy.shutdown());
    assert_eq!(closed(&mut polite).await, (1001, "shutting_down".to_owned()));
    let _ = polite.next().await;
    assert_eq!(timeout(PATIENCE, stream.read(&mut [0; 1])).await.unwrap().unwrap(), 0);
    timeout(PATIENCE, shutdown).await.unwrap().unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1) && start.elapsed() < Duration::from_secs(4));
    assert!(TcpStream::connect(local).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_a_websocket_is_answered_in_json() {
    let proxy = Proxy::start(open_config()).await.unwrap();
    let local = proxy.local_addr();
    let json = |body: String| serde_json::from_str::<serde_json::Value>(&body).unwrap();
    let (status, body) = get(local, "/healthz").await;
    assert_eq!((status, json(body)["status"].as_str()), (200, Some("ok")));
    for (path, expected, name) in
        [("/v1/127.0.0.1/1", 426, "upgrade_required"), ("/", 404, "not_found"), ("/v2/x", 404, "not_found")]
    {
        let (status, body) = get(local, path).await;
        assert_eq!((status, json(body)["error"].as_str()), (expected, Some(name)), "{path}");
    }
    let (_, page) = get(local, "/metrics").await;
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("kite_proxy_") && value.parse::<u64>().is_ok(), "{line}");
    }
    let own = ProxyConfig { metrics_listen: Some("127.0.0.1:0".parse().unwrap()), ..open_config() };
    let proxy = Proxy::start(own).await.unwrap();
    assert_eq!(get(proxy.local_addr(), "/metrics").await.0, 404);
    assert_eq!(get(proxy.metrics_addr(), "/metrics").await.0, 200);
    assert_eq!(get(proxy.metrics_addr(), "/v1/127.0.0.1/1").await.0, 404);
}
