//! The command line.

use std::{ffi::OsString, str::FromStr, time::Duration};

use kite_proxy::{ClientAddress, Origins, ProxyConfig};
use lexopt::prelude::{Long, Short, ValueExt};

pub const HELP: &str = "\
kite-proxy: carries the websocket of a browser wallet to a Lightning node's TCP port

Usage: kite-proxy --origin ORIGIN [OPTIONS]

  --listen ADDRESS            where to listen [127.0.0.1:8090]
  --metrics-listen ADDRESS    where to answer /metrics [the same address]
  --origin ORIGIN             a page that may connect, e.g. https://wallet.example; repeat it, or 'any'
  --allow PATTERN             a destination: *:9735, *.example.com:9735-9740, [2001:db8::1]:*; repeat it [*:9735]
  --allow-private NETWORK     a network that may be reached although it is not public, e.g. 127.0.0.0/8; repeat it
  --trusted-hops N            read the client's address from X-Forwarded-For, N trusted hops from the right
  --max-connections N         in total [4096]
  --max-per-client N          at a time of one client [32]
  --max-new-per-minute N      new ones of one client [60]
  --max-bytes-per-second N    of one client, both directions together [unlimited]
  --connect-timeout SECONDS   [10]
  --idle-timeout SECONDS      without data in either direction [600]
  --shutdown-timeout SECONDS  how long SIGTERM waits for connections to end in order [15]
  -h, --help
";

/// What the command line asks for.
#[derive(Debug)]
pub enum Command {
    /// Run a proxy.
    Run(Box<ProxyConfig>),
    /// Explain the options.
    Help,
}

/// Reads the command line, without the program's name.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut config = ProxyConfig { listen: ([127, 0, 0, 1], 8090).into(), ..ProxyConfig::default() };
    let (mut allowed, mut origins, mut any_origin) = (Vec::new(), Vec::new(), false);
    while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
        let name = match argument {
            Short('h') | Long("help") => return Ok(Command::Help),
            Long(name) => name.to_owned(),
            other => return Err(other.unexpected().to_string()),
        };
        let parser = &mut parser;
        match name.as_str() {
            "listen" => config.listen = value(parser, &name)?,
            "metrics-listen" => config.metrics_listen = Some(value(parser, &name)?),
            "origin" => match value::<String>(parser, &name)?.as_str() {
                "any" => any_origin = true,
                origin => origins.push(origin.trim_end_matches('/').to_owned()),
            },
            "allow" => allowed.push(value(parser, &name)?),
            "allow-private" => config.allowed_private_networks.push(value(parser, &name)?),
            "trusted-hops" => {
                config.client_address = ClientAddress::ForwardedFor { trusted_hops: value(parser, &name)? };
            }
            "max-connections" => config.max_connections = value(parser, &name)?,
            "max-per-client" => config.max_connections_per_client = value(parser, &name)?,
            "max-new-per-minute" => {
                config.max_new_connections_per_client_per_minute = value(parser, &name)?;
            }
            "max-bytes-per-second" => {
                config.max_bytes_per_client_per_second = Some(value(parser, &name)?);
            }
            "connect-timeout" => config.connect_timeout = seconds(parser, &name)?,
            "idle-timeout" => config.idle_timeout = seconds(parser, &name)?,
            "shutdown-timeout" => config.shutdown_timeout = seconds(parser, &name)?,
            _ => return Err(format!("there is no option --{name}")),
        }
    }
    config.origins = match (any_origin, origins.is_empty()) {
        (true, true) => Origins::Any,
        (false, false) => Origins::Listed(origins),
        (true, false) => return Err("--origin any cannot be combined with others".to_owned()),
        // A proxy on the internet that serves every page is a decision, not a default.
        (false, true) => return Err("--origin is needed: whose pages may connect, or 'any'".to_owned()),
    };
    if !allowed.is_empty() {
        config.allowed_destinations = allowed;
    }
    Ok(Command::Run(Box::new(config)))
}

fn value<T: FromStr<Err: std::fmt::Display>>(parser: &mut lexopt::Parser, name: &str) -> Result<T, String> {
    let given = parser.value().map_err(|error| error.to_string())?;
    let text = given.string().map_err(|error| format!("--{name}: {error}"))?;
    text.parse().map_err(|error| format!("--{name}: {error}"))
}

fn seconds(parser: &mut lexopt::Parser, name: &str) -> Result<Duration, String> {
    value(parser, name).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(line: &str) -> Result<ProxyConfig, String> {
        match parse(line.split_whitespace().map(OsString::from))? {
            Command::Run(config) => Ok(*config),
            Command::Help => Err("help".to_owned()),
        }
    }

    #[test]
    fn options() {
        let config = run(
            "--origin https://a.example/ --origin=https://b.example --allow *:1 --allow a:* --trusted-hops 2",
        )
        .unwrap();
        assert_eq!(
            config.origins,
            Origins::Listed(vec!["https://a.example".to_owned(), "https://b.example".to_owned()])
        );
        assert_eq!(config.allowed_destinations.len(), 2);
        assert_eq!(config.client_address, ClientAddress::ForwardedFor { trusted_hops: 2 });
        assert_eq!(
            run("--origin any").unwrap().allowed_destinations,
            ProxyConfig::default().allowed_destinations
        );
    }

    #[test]
    fn mistakes_are_named() {
        for (line, word) in [
            ("", "--origin"),
            ("--origin any --origin https://a", "combined"),
            ("--origin any --allow x", "--allow"),
            ("--origin any --allow-private x", "--allow-private"),
            ("--origin any --max-connections -1", "--max-connections"),
            ("--orgin any", "--orgin"),
            ("--origin any extra", "extra"),
            ("--origin", "--origin"),
            ("--help", "help"),
        ] {
            let error = run(line).unwrap_err();
            assert!(error.contains(word), "{line}: {error}");
        }
    }
}
