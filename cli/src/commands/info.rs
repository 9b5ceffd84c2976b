//! `kite info`.

use crate::amount::grouped;
use crate::arguments::Look;
use crate::failure::Failure;
use crate::session::Session;
use crate::{table, when};

pub async fn show(session: &Session<'_>, look: &Look) -> Result<(), Failure> {
    if !look.offline {
        session.go_online().await?;
    }
    let info = session.wallet.info().await?;
    session.output.answer(&info, || {
        table::facts(&[
            ("node id", info.node_id.clone()),
            ("network", info.network.clone()),
            ("block", format!("{} of {}", grouped(info.height.into()), when::local(info.tip_time_secs))),
            ("synced", synced(&info)),
            ("peers connected", info.peers.to_string()),
            ("channels", info.channels.to_string()),
            (
                "under way",
                if info.safe_to_close { "nothing" } else { "a payment, a transaction or a write" }.into(),
            ),
            ("wallet", session.config.data.clone()),
            ("version", info.version.clone()),
        ])
    })
}

fn synced(info: &kite_wallet::api::Info) -> String {
    match (&info.chain_error, info.synced, info.tip_old) {
        (Some(error), false, _) => format!("no: {error}"),
        (Some(error), true, _) => format!("yes, but {error}"),
        (None, false, _) => "no".into(),
        (None, true, true) => "yes, but the newest block is hours old".into(),
        (None, true, false) => "yes".into(),
    }
}
