//! One file a command.

mod balance;
mod channels;
mod close;
mod completions;
mod doctor;
mod history;
mod info;
mod invoice;
mod make;
mod open;
mod pay;
mod receive;
mod watch;

use crate::arguments::{Arguments, Command};
use crate::failure::Failure;
use crate::output::Output;
use crate::session::Session;
use crate::signals::asked_to_stop;

/// Carries one command out.
///
/// # Errors
/// Why it failed.
pub async fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    match &arguments.command {
        Command::Init => until_stopped(make::init(&arguments.given, output)).await,
        Command::Restore => until_stopped(make::restore(&arguments.given, output)).await,
        Command::Doctor => until_stopped(doctor::examine(arguments, output)).await,
        Command::Completions { shell } => completions::print(*shell, output),
        command => {
            let session = Session::open(arguments, output).await?;
            let result = until_stopped(in_session(&session, command)).await;
            session.close().await;
            match (command, result) {
                // There is no other end.
                (Command::Watch, Err(Failure::Interrupted)) => Ok(()),
                (_, result) => result,
            }
        }
    }
}

async fn in_session(session: &Session<'_>, command: &Command) -> Result<(), Failure> {
    match command {
        Command::Info(look) => info::show(session, look).await,
        Command::Balance(look) => balance::show(session, look).await,
        Command::Receive => receive::show(session).await,
        Command::Invoice(invoice) => invoice::make(session, invoice).await,
        Command::Pay(pay) => pay::pay(session, pay).await,
        Command::Open(open) => open::open(session, open).await,
        Command::Close(close) => close::close(session, close).await,
        Command::Channels(look) => channels::show(session, look).await,
        Command::History(history) => history::show(session, history).await,
        Command::Watch => watch::watch(session).await,
        // They do not begin with a wallet that is open.
        Command::Init | Command::Restore | Command::Doctor | Command::Completions { .. } => Ok(()),
    }
}

async fn until_stopped(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::select! {
        result = work => result,
        () = asked_to_stop() => Err(Failure::Interrupted),
    }
}
