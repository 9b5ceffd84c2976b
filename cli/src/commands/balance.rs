//! `kite balance`.

use crate::amount::{in_sat, sat};
use crate::arguments::Look;
use crate::failure::Failure;
use crate::session::Session;
use crate::table;

pub async fn show(session: &Session<'_>, look: &Look) -> Result<(), Failure> {
    if !look.offline {
        session.go_online().await?;
    }
    let balance = session.wallet.balance().await?;
    session.output.answer(&balance, || {
        table::facts(&[
            ("total", in_sat(balance.total_msat)),
            ("can be sent over Lightning", in_sat(balance.spendable_msat)),
            ("can be received over Lightning", in_sat(balance.receivable_msat)),
            ("on its way out", in_sat(balance.in_flight_msat)),
            ("on-chain", sat(balance.onchain_sat)),
            ("  of it kept for closing channels", sat(balance.reserved_sat)),
            ("on-chain, waiting for a block", sat(balance.onchain_pending_sat)),
            ("coming back from closed channels", sat(balance.closing_sat)),
        ])
    })
}
