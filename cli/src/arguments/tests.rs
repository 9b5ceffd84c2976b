use super::{Arguments, Command};
use crate::amount::{Msat, Sat};
use clap::{CommandFactory as _, Parser as _};
use std::fs;
use std::path::Path;

fn parsed(line: &str) -> Result<Command, clap::error::ErrorKind> {
    let words = std::iter::once("kite").chain(line.split(' '));
    Arguments::try_parse_from(words).map(|arguments| arguments.command).map_err(|error| error.kind())
}

/// The help of every command is in `help.txt`: a change of the arguments is seen there. `KITE_WRITE_HELP=1` writes it anew.
#[test]
fn the_help_is_as_it_was() {
    let mut command = Arguments::command().term_width(100);
    command.build();
    let mut text = command.render_long_help().to_string();
    for sub in command.get_subcommands_mut() {
        let help = sub.render_help();
        text.push_str(&format!("\n==== {} ====\n{help}", sub.get_name()));
    }
    let text = text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n") + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/arguments/help.txt");
    if std::env::var_os("KITE_WRITE_HELP").is_some() {
        fs::write(&path, &text).expect("written");
    }
    assert_eq!(fs::read_to_string(&path).expect("it is there"), text);
}

#[test]
fn the_arguments_are_consistent() {
    Arguments::command().debug_assert();
}

#[test]
fn every_argument_of_a_payment_is_read() {
    let Ok(Command::Pay(pay)) = parsed(
        "pay lnbcrt1 --amount 25_000 --max-fee 1500msat --timeout 5 --note tea --idempotency-key k --yes",
    ) else {
        panic!("not a payment");
    };
    assert_eq!(
        (pay.input.as_str(), pay.amount, pay.max_fee),
        ("lnbcrt1", Some(Msat(25_000_000)), Some(Msat(1_500)))
    );
    assert_eq!((pay.timeout, pay.note.as_deref(), pay.yes), (5, Some("tea"), true));
    assert_eq!(pay.idempotency_key.as_deref(), Some("k"));
    let Ok(Command::Pay(pay)) = parsed("pay lnbcrt1") else { panic!("not a payment") };
    assert_eq!((pay.amount, pay.max_fee, pay.timeout, pay.yes), (None, None, 60, false));
}

#[test]
fn every_argument_of_a_channel_is_read() {
    let Ok(Command::Open(open)) = parsed("open 02@h:1 500_000 --feerate 3 --wait -y") else {
        panic!("not open")
    };
    assert_eq!((open.node.as_str(), open.amount, open.feerate), ("02@h:1", Sat(500_000), Some(3)));
    assert!(open.wait && open.yes);
    let Ok(Command::Close(close)) = parsed("close 1 --force") else { panic!("not close") };
    assert!(close.force && !close.yes && close.channel == "1");
}

#[test]
fn every_argument_of_an_invoice_is_read() {
    let Ok(Command::Invoice(invoice)) = parsed("invoice 5 --description tea --expiry 60 --wait") else {
        panic!("not an invoice")
    };
    assert_eq!(
        (invoice.amount, invoice.description.as_str(), invoice.expiry),
        (Some(Msat(5_000)), "tea", 60)
    );
    assert!(invoice.wait);
    let Ok(Command::Invoice(invoice)) = parsed("invoice") else { panic!("not an invoice") };
    assert_eq!((invoice.amount, invoice.expiry, invoice.wait), (None, 3_600, false));
}

#[test]
fn settings_stand_before_or_after_the_command() {
    for line in ["--wallet w --network regtest --json info", "info --json --network regtest --wallet w"] {
        let arguments = Arguments::try_parse_from(std::iter::once("kite").chain(line.split(' ')));
        let arguments = arguments.expect("they are right");
        assert!(arguments.json);
        assert_eq!(arguments.given.wallet.as_deref(), Some(Path::new("w")));
        assert_eq!(arguments.given.network.as_deref(), Some("regtest"));
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    use clap::error::ErrorKind;
    for (line, kind) in [
        ("pay", ErrorKind::MissingRequiredArgument),
        ("open 02@h:1", ErrorKind::MissingRequiredArgument),
        ("open 02@h:1 1500msat", ErrorKind::ValueValidation),
        ("invoice 1.5", ErrorKind::ValueValidation),
        ("history --csv --json", ErrorKind::ArgumentConflict),
        ("history --limit 0", ErrorKind::ValueValidation),
        ("completions tcsh", ErrorKind::InvalidValue),
        ("send", ErrorKind::InvalidSubcommand),
        ("init --passphrase secret", ErrorKind::UnknownArgument),
        ("init --mnemonic words", ErrorKind::UnknownArgument),
    ] {
        assert_eq!(parsed(line).map(|_| ()), Err(kind), "{line}");
    }
}
