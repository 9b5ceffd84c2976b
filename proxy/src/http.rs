//! What happens before there is a websocket: paths, methods, origins, limits.

use std::net::IpAddr;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    header::{self, HeaderName, HeaderValue},
};
use tokio::sync::OwnedSemaphorePermit;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::{ClientAddress, Destination, Origins, Reason, destination, limits::Admission, server::Shared};

/// A websocket that was granted, and what to do with it.
#[derive(Debug)]
pub(crate) enum Opening {
    /// Tell the client why not, and close.
    Refused(Reason),
    /// Connect it.
    Granted(Grant),
}

/// Where a granted websocket goes, and its place among all others until it ends.
#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) destination: Destination,
    pub(crate) admission: Admission,
    pub(crate) _place: OwnedSemaphorePermit,
}

/// Which paths a listener answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Serves {
    pub(crate) websockets: bool,
    pub(crate) metrics: bool,
}

type Answer = Response<Full<Bytes>>;

/// Answers one request. With an [`Opening`] the answer is the switch to a websocket.
pub(crate) fn answer<B>(
    shared: &Shared,
    serves: Serves,
    peer: IpAddr,
    request: &Request<B>,
) -> (Answer, Option<Opening>) {
    if request.method() != Method::GET {
        return (refusal(shared, Reason::MethodNotAllowed), None);
    }
    match request.uri().path() {
        "/healthz" => (health(shared), None),
        "/metrics" if serves.metrics => (metrics(shared), None),
        path if serves.websockets => match path.strip_prefix("/v1/") {
            Some(destination) => match open(shared, peer, request, destination) {
                Ok((answer, opening)) => (answer, Some(opening)),
                Err(reason) => (refusal(shared, reason), None),
            },
            None => (refusal(shared, Reason::NotFound), None),
        },
        _ => (refusal(shared, Reason::NotFound), None),
    }
}

fn open<B>(
    shared: &Shared,
    peer: IpAddr,
    request: &Request<B>,
    destination: &str,
) -> Result<(Answer, Opening), Reason> {
    if shared.is_stopping() {
        return Err(Reason::Draining);
    }
    let headers = request.headers();
    if !origin_allowed(&shared.config.origins, headers) {
        return Err(Reason::OriginNotAllowed);
    }
    let key = websocket_key(headers).ok_or(Reason::UpgradeRequired)?;
    let client = client_address(shared.config.client_address, peer, headers).ok_or(Reason::ClientUnknown)?;
    let place = shared.places.clone().try_acquire_owned().map_err(|_| Reason::Full)?;
    let opening = match grant(shared, client, destination, place) {
        Ok(grant) => Opening::Granted(grant),
        Err(reason) if reason.status().is_some() => return Err(reason),
        Err(reason) => Opening::Refused(reason),
    };
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, key);
    Ok((answer, opening))
}

fn grant(
    shared: &Shared,
    client: IpAddr,
    destination: &str,
    place: OwnedSemaphorePermit,
) -> Result<Grant, Reason> {
    let (host, port) = destination.split_once('/').ok_or(Reason::BadDestination)?;
    let destination = Destination::from_path(host, port).map_err(|_| Reason::BadDestination)?;
    destination::check(&shared.config.allowed_destinations, &destination)?;
    let admission = shared.clients.admit(client)?;
    Ok(Grant { destination, admission, _place: place })
}

/// RFC 6455, 4.2.1: what makes a request the opening of a websocket. Gives the accepting key.
fn websocket_key(headers: &HeaderMap) -> Option<HeaderValue> {
    let lists = |name: HeaderName, token: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(token)))
    };
    let version = headers.get(header::SEC_WEBSOCKET_VERSION)?;
    let key = headers.get(header::SEC_WEBSOCKET_KEY)?;
    let is_opening = lists(header::CONNECTION, "upgrade")
        && lists(header::UPGRADE, "websocket")
        && version.as_bytes() == b"13"
        && key.len() == 24;
    if is_opening { HeaderValue::from_str(&derive_accept_key(key.as_bytes())).ok() } else { None }
}

fn origin_allowed(origins: &Origins, headers: &HeaderMap) -> bool {
    match origins {
        Origins::Any => true,
        Origins::Listed(listed) => {
            let mut sent = headers.get_all(header::ORIGIN).iter();
            match (sent.next().and_then(|origin| origin.to_str().ok()), sent.next()) {
                (Some(origin), None) => listed.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin)),
                _ => false,
            }
        }
    }
}

fn client_address(source: ClientAddress, peer: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
    let ClientAddress::ForwardedFor { trusted_hops } = source else { return Some(peer) };
    // Each hop appends what it saw, so the client's own inventions stand on the left and are never reached.
    let values: Vec<&str> = headers
        .get_all(HeaderName::from_static("x-forwarded-for"))
        .iter()
        .map(|value| value.to_str().unwrap_or(""))
        .collect();
    let hop = usize::from(trusted_hops).checked_sub(1)?;
    let entry = values.iter().rev().flat_map(|value| value.rsplit(',')).nth(hop)?.trim();
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    bare.parse().ok().or_else(|| entry.parse().ok().map(|socket: std::net::SocketAddr| socket.ip()))
}

fn health(shared: &Shared) -> Answer {
    if shared.is_stopping() {
        return refusal(shared, Reason::Draining);
    }
    plain(StatusCode::OK, "application/json", "{\"status\":\"ok\"}\n".into())
}

fn metrics(shared: &Shared) -> Answer {
    plain(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", shared.metrics.page())
}

fn refusal(shared: &Shared, reason: Reason) -> Answer {
    shared.metrics.count_refused(reason);
    // Names and sentences are constants without quotes or backslashes, so this is JSON.
    let body = format!("{{\"error\":\"{}\",\"message\":\"{}\"}}\n", reason.name(), reason.sentence());
    let status = reason.status().unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = plain(status, "application/json", body);
    match reason {
        Reason::UpgradeRequired => {
            answer.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        }
        Reason::MethodNotAllowed => {
            answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET"));
        }
        _ => {}
    }
    answer
}

fn plain(status: StatusCode, content_type: &'static str, body: String) -> Answer {
    let mut answer = Response::new(Full::from(body));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn forwarded_addresses_are_read_from_the_trusted_end() {
        let peer = "10.0.0.1".parse().unwrap();
        let mut sent = headers(&[("x-forwarded-for", "6.6.6.6, 1.1.1.1")]);
        sent.append("x-forwarded-for", "[2001:db8::1], 2.2.2.2:99".parse().unwrap());
        let read = |trusted_hops| client_address(ClientAddress::ForwardedFor { trusted_hops }, peer, &sent);
        assert_eq!(read(1), "2.2.2.2".parse().ok());
        assert_eq!(read(2), "2001:db8::1".parse().ok());
        assert_eq!(read(3), "1.1.1.1".parse().ok());
        assert_eq!(read(5), None);
        assert_eq!(client_address(ClientAddress::Connection, peer, &sent), Some(peer));
    }

    #[test]
    fn an_opening_needs_all_its_headers() {
        let full = [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        assert_eq!(websocket_key(&headers(&full)).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        for missing in 0..full.len() {
            let mut some = full.to_vec();
            some.remove(missing);
            assert_eq!(websocket_key(&headers(&some)), None, "{missing}");
        }
    }

    #[test]
    fn origins_must_match_whole_and_once() {
        let listed = Origins::Listed(vec!["https://wallet.example".to_owned()]);
        let ask = |value: &str| origin_allowed(&listed, &headers(&[("origin", value)]));
        assert!(ask("https://wallet.example") && ask("https://Wallet.example"));
        assert!(!ask("https://wallet.example.evil") && !ask("http://wallet.example") && !ask("null"));
        assert!(!origin_allowed(&listed, &HeaderMap::new()));
        let mut twice = headers(&[("origin", "https://wallet.example")]);
        twice.append("origin", "https://evil.example".parse().unwrap());
        assert!(!origin_allowed(&listed, &twice));
    }
}
