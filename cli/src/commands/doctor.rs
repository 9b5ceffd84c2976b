//! `kite doctor`: everything that can be wrong, one line each, with what to do.

mod checks;

use serde::Serialize;

use crate::arguments::Arguments;
use crate::esplora::Esplora;
use crate::failure::Failure;
use crate::output::Output;
use crate::session::Session;
use crate::settings;

/// How one thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Status {
    Ok,
    Warn,
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    status: Status,
    detail: String,
    /// What to do; unset where nothing is to be done.
    advice: Option<String>,
    #[serde(skip)]
    exit_code: u8,
}

#[derive(Serialize)]
struct Report {
    healthy: bool,
    checks: Vec<Check>,
}

impl Check {
    fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, status: Status::Ok, detail: detail.into(), advice: None, exit_code: 0 }
    }

    fn warn(name: &'static str, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { status: Status::Warn, advice: Some(advice.into()), ..Self::ok(name, detail) }
    }

    fn fail(name: &'static str, failure: &Failure, advice: impl Into<String>) -> Self {
        let exit_code = failure.exit_code();
        Self {
            status: Status::Fail,
            advice: Some(advice.into()),
            exit_code,
            ..Self::ok(name, failure.to_string())
        }
    }
}

pub async fn examine(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let mut checks = Vec::new();
    match settings::config(&arguments.given) {
        Ok(config) => {
            checks.push(Check::ok("settings", format!("{} through {}", config.network, config.esplora_url)));
            checks.extend(checks::folder(&config));
            checks.push(checks::chain_server(&Esplora::new(&config), &config).await);
            match Session::open(arguments, output).await {
                Ok(session) => {
                    checks.push(Check::ok("wallet", "it opens, and no other process has it"));
                    let opened = checks::of_wallet(&session).await;
                    session.close().await;
                    checks.extend(opened?);
                }
                Err(failure) => {
                    let advice = checks::how_to_open(&failure);
                    checks.push(Check::fail("wallet", &failure, advice));
                }
            }
        }
        Err(failure) => {
            let advice = "give it, or make a wallet: kite init --network NETWORK --esplora URL";
            checks.push(Check::fail("settings", &failure, advice));
        }
    }
    tell(checks, output)
}

fn tell(checks: Vec<Check>, output: &Output) -> Result<(), Failure> {
    let failed: Vec<u8> =
        checks.iter().filter(|check| check.status == Status::Fail).map(|check| check.exit_code).collect();
    let report = Report { healthy: failed.is_empty(), checks };
    output.answer(&report, || report.checks.iter().map(line).collect::<Vec<_>>().join("\n"))?;
    match failed.first() {
        None => Ok(()),
        Some(exit_code) => Err(Failure::Unhealthy { failed: failed.len(), exit_code: *exit_code }),
    }
}

fn line(check: &Check) -> String {
    let status = match check.status {
        Status::Ok => "ok",
        Status::Warn => "warn",
        Status::Fail => "FAIL",
    };
    let advice = check.advice.as_ref().map_or_else(String::new, |advice| format!("\n{:22}{advice}", ""));
    format!("{status:<4}  {:<14}  {}{advice}", check.name, check.detail)
}

#[cfg(test)]
mod tests {
    use super::{Check, line, tell};
    use crate::failure::Failure;
    use crate::output::Output;
    use kite_wallet::api::WalletError;

    #[test]
    fn a_line_says_what_is_wrong_and_what_to_do() {
        assert_eq!(line(&Check::ok("peers", "one")), "ok    peers           one");
        let failed = Check::fail("wallet", &WalletError::AlreadyOpen.into(), "end it");
        assert_eq!(
            line(&failed),
            "FAIL  wallet          this wallet is open in another tab or process\n                      end it"
        );
    }

    #[test]
    fn the_first_failure_gives_the_exit_code() {
        let server = WalletError::ChainUnavailable { reason: "no".into() }.into();
        let checks = vec![
            Check::warn("channels", "none", "open one"),
            Check::fail("chain server", &server, "another"),
            Check::fail("wallet", &WalletError::WrongPassphrase.into(), "again"),
        ];
        let told = tell(checks, &Output::new(true));
        assert!(matches!(told, Err(Failure::Unhealthy { failed: 2, exit_code: 4 })), "{told:?}");
        assert!(tell(vec![Check::warn("channels", "none", "open one")], &Output::new(true)).is_ok());
    }
}
