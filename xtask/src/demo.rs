//! `cargo xtask demo`: a world to try the wallet in, and the page. Ctrl-C ends all of it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::Outcome;
use crate::install;
use crate::page;
use crate::places;
use crate::programs::Programs;
use crate::shell::{self, cargo, command};

/// Seconds between two blocks of the demo's chain.
const BLOCK_SECS: &str = "10";
/// How long world and page may take to end: a world that is still starting is completed first.
const PATIENCE: Duration = Duration::from_secs(60);
/// The world's chain is checked by Bitcoin Core's own code, in C++.
const CPP: &[install::Need] = &[("g++", "g++")];

/// Builds what is missing, starts everything, prints one URL and waits.
///
/// # Errors
/// When something cannot be built or started, or ends by itself.
pub fn demo(arguments: &[String]) -> Outcome {
    println!("1/3  the regtest world (chain, Esplora, faucet, proxy, three Lightning nodes)");
    println!("     the first time its nodes are compiled, which takes a quarter of an hour on two cores");
    let devnet = world()?;
    println!("2/3  the wallet and its page");
    page::build()?;
    println!("3/3  starting");
    let programs = Programs::new(PATIENCE);
    programs.end_when_asked()?;
    let outcome = show(&programs, &devnet, arguments);
    // Asked while it starts, it does not come up: that is what was asked for.
    let is_asked = programs.is_asked();
    drop(programs);
    if !is_asked {
        return outcome;
    }
    println!("stopped");
    Ok(())
}

/// Starts both programs, says where they are, and waits for their end.
fn show(programs: &Programs, devnet: &Path, arguments: &[String]) -> Outcome {
    let mut start = Command::new(devnet);
    start.args(["--block-secs", BLOCK_SECS]).args(arguments);
    let described = programs.start("the world", &mut start)?;
    let config = config(&described)?;
    let server = page::folder().join("serve.mjs");
    let mut serve = command("node", &[server.as_os_str()]);
    serve.args(["--config-json", &config, "--port", "0"]);
    let url = text_field(&programs.start("the page", &mut serve)?, "url")?;
    println!(
        "\nOpen this page in a browser:\n\n    {url}\n\n{}\nCtrl-C ends all of it.",
        to_try(&described)?
    );
    programs.wait()
}

/// What there is to do in this world, and where it is for other programs.
fn to_try(described: &str) -> Outcome<String> {
    let field = |name| text_field(described, name);
    Ok(format!(
        "To try: create a wallet, get test coins, open a channel with alice, pay an invoice of carol ('Try it' beside the field).\n\
         Each start is a new world: a wallet of an earlier one is not in it.\n\
         For your own programs: chain server {}, proxy {}, nodes {}/world.json",
        field("esplora_url")?,
        field("proxy_url")?,
        field("control_url")?
    ))
}

/// Builds the devnet, and nothing that only tests need, and returns its program.
fn world() -> Outcome<PathBuf> {
    install::apt(CPP)?;
    shell::run(&mut cargo(&["build", "--locked", "--package", "kite-devnet"]))?;
    Ok(places::native_target().join("debug/kite-devnet"))
}

/// What the page is told about the world: the fields of its description that it needs.
fn config(described: &str) -> Outcome<String> {
    let field = |name| text_field(described, name);
    Ok(format!(
        r#"{{"network":"regtest","esploraUrl":"{}","proxyUrl":"{}","controlUrl":"{}"}}"#,
        field("esplora_url")?,
        field("proxy_url")?,
        field("control_url")?
    ))
}

/// A text in one line of flat JSON, as our own programs print it (addresses: nothing is escaped).
fn text_field(json: &str, name: &str) -> Outcome<String> {
    let marker = format!("\"{name}\":\"");
    let rest = json.split_once(&marker).map(|(_, rest)| rest);
    let value = rest.and_then(|rest| rest.split_once('"')).map(|(value, _)| value.to_owned());
    value.ok_or_else(|| format!("no {name} in {json}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_told_where_the_world_is() {
        let line = r#"{"esplora_url":"http://127.0.0.1:1","control_url":"http://127.0.0.1:2","proxy_url":"ws://127.0.0.1:3"}"#;
        assert_eq!(
            config(line).unwrap(),
            r#"{"network":"regtest","esploraUrl":"http://127.0.0.1:1","proxyUrl":"ws://127.0.0.1:3","controlUrl":"http://127.0.0.1:2"}"#
        );
        assert!(config("{}").is_err());
        assert!(to_try(line).unwrap().contains("chain server http://127.0.0.1:1, proxy ws://127.0.0.1:3,"));
    }
}
