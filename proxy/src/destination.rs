//! Where a client wants to go, and which of these places are allowed.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

use crate::Reason;

/// The longest host name DNS allows.
const MAX_NAME_BYTES: usize = 253;

/// A host and a port, as asked for by a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The host.
    pub host: Host,
    /// The port, never 0.
    pub port: u16,
}

/// A host by address or by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// An address, IPv4 never wrapped in IPv6.
    Address(IpAddr),
    /// A DNS name in lower case, without a final dot.
    Name(String),
}

/// Why a text is not a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DestinationError {
    /// Not an address and not a DNS name.
    #[error("the host is neither an address nor a DNS name")]
    Host,
    /// Not a number from 1 to 65535.
    #[error("the port is not a number from 1 to 65535")]
    Port,
}

impl Destination {
    /// From the two path segments of the URL, percent-encoded.
    ///
    /// # Errors
    /// [`DestinationError`] names the half that is wrong.
    pub fn from_path(host: &str, port: &str) -> Result<Self, DestinationError> {
        let host = percent_decode(host).ok_or(DestinationError::Host)?;
        Ok(Self { host: host.parse()?, port: parse_port(port).ok_or(DestinationError::Port)? })
    }
}

impl FromStr for Host {
    type Err = DestinationError;

    fn from_str(text: &str) -> Result<Self, DestinationError> {
        if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let address: Ipv6Addr = inner.parse().map_err(|_| DestinationError::Host)?;
            return Ok(Host::Address(crate::address::canonical(address.into())));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Host::Address(crate::address::canonical(address)));
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        // Asking DNS for an onion name would tell the resolver of it (RFC 7686).
        let onion = name == "onion" || name.ends_with(".onion");
        if is_name(&name) && !onion { Ok(Host::Name(name)) } else { Err(DestinationError::Host) }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Host::Address(address) => write!(f, "{address}"),
            Host::Name(name) => f.write_str(name),
        }
    }
}

fn is_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= MAX_NAME_BYTES && name.split('.').all(label)
}

fn parse_port(text: &str) -> Option<u16> {
    let digits = (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0)
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(if byte == b'%' {
            let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            digit(bytes.next()?)? << 4 | digit(bytes.next()?)?
        } else {
            byte
        });
    }
    String::from_utf8(decoded).ok()
}

/// Destinations that are allowed: `host:port`, where the host is an address, `[an IPv6 address]`, a name,
/// `*.a.name` (every name below it) or `*` (any), and the port a number, a range `9735-9740` or `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    host: HostPattern,
    first_port: u16,
    last_port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum HostPattern {
    Any,
    Below(String),
    Exact(Host),
}

/// A text that is not a [`Pattern`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a destination pattern such as *:9735, *.example.com:9735-9740 or [2001:db8::1]:*")]
pub struct PatternError(String);

impl Pattern {
    /// One port of every host.
    pub const fn any_host(port: u16) -> Self {
        Self { host: HostPattern::Any, first_port: port, last_port: port }
    }

    fn matches_host(&self, host: &Host) -> bool {
        match (&self.host, host) {
            (HostPattern::Any, _) => true,
            (HostPattern::Below(domain), Host::Name(name)) => {
                name.strip_suffix(domain.as_str()).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
            }
            (HostPattern::Below(_), Host::Address(_)) => false,
            (HostPattern::Exact(allowed), host) => allowed == host,
        }
    }

    fn matches_port(&self, port: u16) -> bool {
        (self.first_port..=self.last_port).contains(&port)
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let refused = || PatternError(text.to_owned());
        let (host, port) = text.rsplit_once(':').ok_or_else(refused)?;
        let host = match (host, host.strip_prefix("*.")) {
            ("*", _) => HostPattern::Any,
            (_, Some(domain)) if is_name(domain) => HostPattern::Below(domain.to_ascii_lowercase()),
            (_, Some(_)) => return Err(refused()),
            // An IPv6 address without brackets would leave it open where the port begins.
            (host, None) if host.contains(':') && !host.starts_with('[') => return Err(refused()),
            (host, None) => HostPattern::Exact(host.parse().map_err(|_| refused())?),
        };
        let (first_port, last_port) = match (port, port.split_once('-')) {
            ("*", _) => (1, u16::MAX),
            (_, Some((first, last))) => {
                (parse_port(first).ok_or_else(refused)?, parse_port(last).ok_or_else(refused)?)
            }
            (port, None) => parse_port(port).map(|port| (port, port)).ok_or_else(refused)?,
        };
        if first_port > last_port {
            return Err(refused());
        }
        Ok(Self { host, first_port, last_port })
    }
}

/// Checks a destination against the allow-list; says whether it is the host or only the port that is refused.
pub(crate) fn check(allowed: &[Pattern], destination: &Destination) -> Result<(), Reason> {
    let mut refused = Reason::HostNotAllowed;
    for pattern in allowed.iter().filter(|pattern| pattern.matches_host(&destination.host)) {
        if pattern.matches_port(destination.port) {
            return Ok(());
        }
        refused = Reason::PortNotAllowed;
    }
    Err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_from_paths() {
        let host = |host: &str| Destination::from_path(host, "9735").map(|found| found.host.to_string());
        assert_eq!(host("1.2.3.4").unwrap(), "1.2.3.4");
        assert_eq!(host("%5B2001:db8::1%5d").unwrap(), "[2001:db8::1]");
        assert_eq!(host("[::ffff:127.0.0.1]").unwrap(), "127.0.0.1");
        assert_eq!(host("Node.Example.COM.").unwrap(), "node.example.com");
        let long = "a".repeat(64);
        for wrong in [
            "",
            ".",
            "a..b",
            "-a.b",
            "a-.b",
            "a b",
            "%",
            "%4",
            "%zz",
            "%00",
            "%ff",
            "a%2Fb",
            "a:1",
            "[1.2.3.4]",
            "[::1",
            "fe80::1%25eth0",
            "abc.onion",
            long.as_str(),
            "ü.example",
        ] {
            assert_eq!(Destination::from_path(wrong, "9735"), Err(DestinationError::Host), "{wrong}");
        }
        for wrong in ["", "0", "65536", "+1", "-1", "1x", "000001", "%31"] {
            assert_eq!(Destination::from_path("a.b", wrong), Err(DestinationError::Port), "{wrong}");
        }
    }

    #[test]
    fn patterns() {
        let ask = |patterns: &[&str], host: &str, port: &str| {
            let patterns: Vec<Pattern> = patterns.iter().map(|text| text.parse().unwrap()).collect();
            check(&patterns, &Destination::from_path(host, port).unwrap())
        };
        assert_eq!(ask(&["*:9735"], "any.host", "9735"), Ok(()));
        assert_eq!(ask(&["*:9735"], "any.host", "9736"), Err(Reason::PortNotAllowed));
        assert_eq!(ask(&["a.b:1", "a.b:5-7"], "A.b", "6"), Ok(()));
        assert_eq!(ask(&["a.b:*"], "c.b", "6"), Err(Reason::HostNotAllowed));
        assert_eq!(ask(&["*.b.c:*"], "a.b.c", "6"), Ok(()));
        assert_eq!(ask(&["*.b.c:*"], "b.c", "6"), Err(Reason::HostNotAllowed));
        assert_eq!(ask(&["*.b.c:*"], "ab.c", "6"), Err(Reason::HostNotAllowed));
        assert_eq!(ask(&["[::1]:*"], "[0::1]", "6"), Ok(()));
        assert_eq!(ask(&["127.0.0.1:*"], "[::ffff:127.0.0.1]", "6"), Ok(()));
        assert_eq!(ask(&[], "a", "1"), Err(Reason::HostNotAllowed));
        for wrong in ["", "*", "a.b", "a.b:", "a.b:0", "a.b:7-5", "::1:9735", "*.:1", "a*:1", "a.b:1-", ":1"]
        {
            assert!(wrong.parse::<Pattern>().is_err(), "{wrong}");
        }
    }
}
