//! Payments hear of an HTLC that the chain took back only when that is deep enough not to be undone (BOLT 5).

use super::Life;
use super::check::Breach;
use super::trace::{Settled, trace};
use kite_core::node::Event;
use kite_core::types::PaymentHash;

/// The "reasonable depth" of BOLT 5.
pub(super) const REASONABLE_DEPTH: u32 = 6;

impl Life {
    /// To be asked after every block: later what was told too early is deep as well.
    pub(super) fn check_depths(&mut self) -> Result<(), Breach> {
        let failed = |event: &&Event| matches!(event, Event::PaymentFailed { .. });
        let told = self.world.hosts.iter().map(|host| host.events().filter(failed).count()).sum();
        if std::mem::replace(&mut self.told_failed, told) >= told {
            return Ok(());
        }
        for host in 0..2 {
            self.stored[host].refresh(&self.world.hosts[host]);
            self.ledger.note_htlcs(&self.stored[host].htlcs);
        }
        for (number, wish) in self.ledger.wishes.iter().enumerate() {
            let has_failed = wish.told(&self.world).1 > 0;
            let is_only = self.ledger.wishes.iter().filter(|other| other.hash() == wish.hash()).count() == 1;
            let is_known =
                !is_only || self.found_failed.contains(&wish.request.id) || self.is_lost[wish.payer];
            if !has_failed || is_known {
                continue;
            }
            self.found_failed.insert(wish.request.id);
            if let Some(depth) = self.timed_out_at_depth(&wish.hash()).filter(|it| *it < REASONABLE_DEPTH) {
                let what = format!("told that it failed when its HTLC was taken back {depth} blocks deep");
                return Err(Breach::Payment { number, payer: wish.payer, what });
            }
            if self.is_torn(wish) && !self.is_lost[wish.payee] {
                let what = "told that it failed, and it was received".into();
                return Err(Breach::Payment { number, payer: wish.payer, what });
            }
        }
        Ok(())
    }

    /// How deep the transaction is that took an HTLC back, if one did.
    fn timed_out_at_depth(&self, hash: &PaymentHash) -> Option<u32> {
        let chain = &self.world.chain;
        let ends = self.ledger.channels.values().filter_map(|funded| trace(chain, funded.outpoint));
        let mut ends = ends.flat_map(|trace| trace.ends);
        let end = ends.find(|end| end.settled == Some(Settled::Timeout) && end.is_of(hash))?;
        Some(chain.depth(&end.settled_by?.compute_txid()).unwrap_or(0))
    }
}
