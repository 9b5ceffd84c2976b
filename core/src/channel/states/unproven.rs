//! A channel that is to end before its peer has proved the state (contract P10): nothing is published, and the owner is told.

use super::funded::is_overdue;
use crate::channel::command::Env;
use crate::channel::commitments::Commitments;
use crate::channel::effects::{ChannelEvent, Transition};
use crate::channel::error::Violation;
use crate::channel::{Channel, Party, Standing};
use crate::types::{BlockHeight, MilliSatoshi};
use crate::wire;

impl Channel {
    /// A peer whose `channel_reestablish` does not fit is asked to close. `known` is what was to end the channel before, and when
    /// the owner was warned.
    pub(super) fn fail_later(
        &self,
        env: &Env<'_>,
        violation: &Violation,
        (known, warned_at): (Option<&Violation>, Option<BlockHeight>),
    ) -> Transition {
        let mut step = self.unchanged();
        if violation.is_of_reestablish() {
            step.effects.send(wire::Error::new(self.id, &violation.to_string()));
        }
        let deadline = violation.deadline();
        // A deadline is news even where the peer has said before that it gives the channel up.
        let is_news = known.is_none_or(|known| deadline.is_some() && known.deadline().is_none());
        let warning = deadline
            .zip(self.commitments())
            .and_then(|(height, commitments)| commitments.warning(env, height, warned_at));
        let failed = known.filter(|_| !is_news).unwrap_or(violation).clone();
        let warned_at = if warning.is_some() { deadline } else { warned_at };
        let plain = || is_news.then(|| ChannelEvent::FailsLater { reason: violation.to_string() });
        if let Some(event) = warning.or_else(plain) {
            step.effects.notify(event);
            step.next.standing = Standing::Unproven { failed: Some(failed), warned_at };
        }
        step
    }
}

impl Commitments {
    /// What the owner is to hear at this height of preimages that the peer was told: once when an HTLC is overdue, and again
    /// when two thirds and one third of that time are left. Closing alone saves nothing of what has no output.
    fn warning(
        &self,
        env: &Env<'_>,
        height: BlockHeight,
        warned_at: Option<BlockHeight>,
    ) -> Option<ChannelEvent> {
        let dust_limit = self.params.local.dust_limit;
        let overdue = || {
            self.on_commitments().map(|(key, htlc)| (key.offered_by, htlc)).filter(|(offered_by, htlc)| {
                *offered_by == Party::Remote
                    && is_overdue(env, htlc, height)
                    && htlc.amount.to_amount_floor() >= dust_limit
            })
        };
        let first = env.config.fulfilled_htlc_deadline;
        let marks = [first, first * 2 / 3, first / 3];
        let is_due = |expiry: BlockHeight| {
            let mut marks = marks.iter().map(|left| expiry.saturating_sub(*left));
            warned_at.is_none_or(|warned_at| marks.any(|mark| warned_at < mark && mark <= height))
        };
        let expiries = || overdue().map(|(_, htlc)| htlc.cltv_expiry.height());
        let amount =
            overdue().map(|(_, htlc)| htlc.amount).fold(MilliSatoshi::ZERO, MilliSatoshi::saturating_add);
        let last_block = expiries().min()?;
        expiries().any(is_due).then_some(ChannelEvent::OwnerMustClose { amount, last_block })
    }
}
