//! `kite receive`.

use serde::Serialize;

use crate::failure::Failure;
use crate::qr;
use crate::session::Session;

#[derive(Serialize)]
struct Receive {
    address: String,
    uri: String,
}

pub async fn show(session: &Session<'_>) -> Result<(), Failure> {
    let address = session.wallet.new_address().await?;
    let answer = Receive { uri: format!("bitcoin:{address}"), address };
    if session.output.is_seen()
        && let Some(code) = qr::code(&answer.uri.to_ascii_uppercase())
    {
        session.output.line(code)?;
    }
    session.output.answer(&answer, || answer.address.clone())
}
