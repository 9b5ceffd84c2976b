//! What either side can afford and may do with an update (BOLT 2, Adding an HTLC, Updating Fees).
//!
//! Everything is judged on the very specifications that will be signed: the peer's next commitment as we would sign it
//! and our own as the peer would, each with its owner's dust limit.

use super::changes::{HtlcKey, ReduceError, Spec};
use super::command::{AddHtlc, Env};
use super::commitments::Commitments;
use super::error::{ChannelError, Refusal, Violation};
use super::params::{FORMAT, Party, PartyParams};
use crate::tx::{CommitmentSpec, Direction, dust_exposure, fees::opener_cost, untrimmed_count};
use crate::types::{FeeratePerKw, MilliSatoshi};
use bitcoin::Amount;

/// How much more weight a fee is to be paid for than there is.
#[derive(Clone, Copy)]
struct Margin {
    feerate_factor: u32,
    extra_htlcs: usize,
}

const NO_MARGIN: Margin = Margin { feerate_factor: 1, extra_htlcs: 0 };

/// The fee spike buffer: the fee rate doubles and one more HTLC comes.
const FEE_SPIKE: Margin = Margin { feerate_factor: 2, extra_htlcs: 1 };

/// The most that one HTLC can carry away right after a channel was opened by us and for us: beside the peer's reserve, the
/// opener keeps what the commitment may cost.
pub fn sendable_at_first(funding: Amount, reserve: Amount, feerate: FeeratePerKw) -> MilliSatoshi {
    let cost =
        opener_cost(feerate.saturating_mul(FEE_SPIKE.feerate_factor), FEE_SPIKE.extra_htlcs + 1, FORMAT);
    MilliSatoshi::from_amount(funding).saturating_sub(reserve.into()).saturating_sub(cost)
}

/// An HTLC of ours that has no more blocks left is neither offered nor signed: it would bring little but the deadline at
/// which we close. No payee asks for as few.
const TOO_FEW_BLOCKS: u32 = 3;

impl Commitments {
    /// The peer's next commitment with all that we would sign now.
    pub(super) fn remote_outlook(&self) -> Result<Spec, ReduceError> {
        self.remote_newest().spec.reduce(
            &self.htlcs,
            &self.local_changes.proposed,
            &self.remote_changes.acked,
        )
    }

    /// The peer's next commitment as we signed it.
    pub(super) fn remote_next_spec(&self) -> Result<Spec, ReduceError> {
        self.remote.spec.reduce(&self.htlcs, &self.local_changes.signed, &self.remote_changes.signed)
    }

    /// Our next commitment as the peer could sign it now.
    pub(super) fn local_outlook(&self) -> Result<Spec, ReduceError> {
        self.local.spec.reduce(&self.htlcs, &self.local_changes.acked, &self.remote_changes.proposed)
    }

    /// Our commitment once every update known here has reached it.
    fn local_eventually(&self) -> Result<Spec, ReduceError> {
        let ours = &self.local_changes;
        let ours = ours.acked.iter().chain(&ours.signed).chain(&ours.proposed);
        self.local.spec.reduce(&self.htlcs, ours, &self.remote_changes.proposed)
    }

    fn views(&self) -> Result<[(Party, CommitmentSpec); 2], ReduceError> {
        Ok([
            (Party::Remote, self.remote_outlook()?.seen_by(Party::Remote, &self.htlcs)?),
            (Party::Local, self.local_eventually()?.seen_by(Party::Local, &self.htlcs)?),
        ])
    }

    /// What `party` must have beside its HTLCs on this commitment.
    fn needed(
        &self,
        party: Party,
        owner: Party,
        view: &CommitmentSpec,
        margin: Margin,
        with_reserve: bool,
    ) -> MilliSatoshi {
        let reserve = if with_reserve { self.params.reserve_of(party).into() } else { MilliSatoshi::ZERO };
        if party != self.params.opener {
            return reserve;
        }
        let dust_limit = self.params.of(owner).dust_limit;
        let count = untrimmed_count(view, dust_limit, FORMAT).saturating_add(margin.extra_htlcs);
        let feerate = view.feerate_per_kw.saturating_mul(margin.feerate_factor);
        reserve.saturating_add(opener_cost(feerate, count, FORMAT))
    }

    /// What `party` lacks of it; nothing: it has enough.
    fn missing(
        &self,
        party: Party,
        owner: Party,
        view: &CommitmentSpec,
        margin: Margin,
        with_reserve: bool,
    ) -> Option<MilliSatoshi> {
        let has = if party == owner { view.to_local } else { view.to_remote };
        let missing = self.needed(party, owner, view, margin, with_reserve).saturating_sub(has);
        (missing > MilliSatoshi::ZERO).then_some(missing)
    }

    /// Checks an HTLC of ours that has just been put among the proposed updates.
    pub(super) fn check_offered(&self, env: &Env<'_>, htlc: &AddHtlc) -> Result<(), Refusal> {
        let remote = &self.params.remote;
        let least = remote.htlc_minimum.max(MilliSatoshi::from_msat(1));
        if htlc.amount < least {
            return Err(Refusal::HtlcTooSmall { amount: htlc.amount, minimum: least });
        }
        let least = env.height.saturating_add(TOO_FEW_BLOCKS + 1);
        let most = env.height.saturating_add(env.config.max_cltv_expiry_delta);
        let expiry = htlc.cltv_expiry;
        if !(least..=most).contains(&expiry.height()) {
            return Err(Refusal::ExpiryOutOfRange { expiry, least, most });
        }
        let views = self.views().map_err(|error| match error {
            ReduceError::Balance(Party::Local) => Refusal::InsufficientFunds { missing: htlc.amount },
            error => Refusal::Reduce(error),
        })?;
        for (owner, view) in &views {
            check_limits(Party::Local, *owner, view, remote)?;
            let margin = if self.params.opener == Party::Local { FEE_SPIKE } else { NO_MARGIN };
            if let Some(missing) = self.missing(Party::Local, *owner, view, margin, true) {
                return Err(Refusal::InsufficientFunds { missing });
            }
            let trimmed = htlc.amount.to_amount_floor() < self.params.of(*owner).dust_limit;
            if trimmed {
                let exposure = dust_exposure(view, self.params.of(*owner).dust_limit, FORMAT);
                let limit = env.config.max_dust_htlc_exposure;
                if exposure > limit {
                    return Err(Refusal::DustExposure { exposure, limit });
                }
            } else if self.params.opener == Party::Remote
                && let Some(missing) = self.missing(Party::Remote, *owner, view, NO_MARGIN, true)
            {
                return Err(Refusal::RemoteCannotAfford { missing });
            }
        }
        Ok(())
    }

    /// Checks that what is to be signed is not too old for it. What is told cannot be taken back but with the connection.
    pub(super) fn check_unsigned(&self, env: &Env<'_>) -> Result<(), ChannelError> {
        let (height, latest) = (env.height, env.height.saturating_add(TOO_FEW_BLOCKS));
        for key in self.unsigned_adds().map(HtlcKey::outgoing) {
            if self.htlcs.get(&key).is_some_and(|htlc| htlc.cltv_expiry.height() <= latest) {
                return Err(ChannelError::Disconnect(Violation::TooOldToSign { key, height }));
            }
        }
        Ok(())
    }

    /// Checks an HTLC of the peer that has just been put among the proposed updates.
    pub(super) fn check_received(&self, key: HtlcKey) -> Result<(), ChannelError> {
        let fail = |violation| Err(ChannelError::FailChannel(violation));
        let local = &self.params.local;
        let Some(htlc) = self.htlcs.get(&key) else { return fail(Violation::UnknownHtlc(key)) };
        let minimum = local.htlc_minimum.max(MilliSatoshi::from_msat(1));
        if htlc.amount < minimum {
            return fail(Violation::HtlcTooSmall { amount: htlc.amount, minimum });
        }
        let spec = self.local_outlook().map_err(|error| {
            ChannelError::FailChannel(match error {
                ReduceError::Balance(who) => Violation::CannotAfford { who, missing: htlc.amount },
                error => Violation::Reduce(error),
            })
        })?;
        for owner in [Party::Local, Party::Remote] {
            let view = spec
                .seen_by(owner, &self.htlcs)
                .map_err(|error| ChannelError::FailChannel(Violation::Reduce(error)))?;
            check_limits(Party::Remote, owner, &view, local)
                .map_err(|excess| ChannelError::FailChannel(excess.into()))?;
            if let Some(missing) = self.missing(Party::Remote, owner, &view, NO_MARGIN, true) {
                return fail(Violation::CannotAfford { who: Party::Remote, missing });
            }
            // We keep a buffer for this, so only a peer that overdraws it on purpose gets here.
            if let Some(missing) = self.missing(Party::Local, owner, &view, NO_MARGIN, false) {
                return fail(Violation::CannotAfford { who: Party::Local, missing });
            }
        }
        Ok(())
    }

    /// Checks a fee rate of ours that has just been put among the proposed updates. It must be affordable even if all the
    /// HTLCs that the peer may offer are on their way already: nothing could be taken back then.
    pub(super) fn check_offered_feerate(&self) -> Result<(), Refusal> {
        let extra_htlcs = usize::from(self.params.local.max_accepted_htlcs);
        for (owner, view) in &self.views().map_err(Refusal::Reduce)? {
            let crowded = Margin { extra_htlcs, ..NO_MARGIN };
            let now = self.missing(Party::Local, *owner, view, NO_MARGIN, true);
            let later = self.missing(Party::Local, *owner, view, crowded, false);
            if let Some(missing) = now.or(later) {
                return Err(Refusal::InsufficientFunds { missing });
            }
        }
        Ok(())
    }

    /// Checks a fee rate of the peer that has just been put among the proposed updates. A lower one need not restore a
    /// reserve that was not there before.
    pub(super) fn check_received_feerate(&self, before: FeeratePerKw) -> Result<(), ChannelError> {
        let spec = self.local_outlook().map_err(|e| ChannelError::FailChannel(Violation::Reduce(e)))?;
        for owner in [Party::Local, Party::Remote] {
            let view = spec
                .seen_by(owner, &self.htlcs)
                .map_err(|error| ChannelError::FailChannel(Violation::Reduce(error)))?;
            let with_reserve = view.feerate_per_kw > before;
            if let Some(missing) = self.missing(Party::Remote, owner, &view, NO_MARGIN, with_reserve) {
                return Err(ChannelError::FailChannel(Violation::CannotAfford {
                    who: Party::Remote,
                    missing,
                }));
            }
        }
        Ok(())
    }

    /// The most that can be offered in one HTLC now.
    pub fn sendable(&self) -> MilliSatoshi {
        let Ok(views) = self.views() else { return MilliSatoshi::ZERO };
        let one_more = Margin { extra_htlcs: NO_MARGIN.extra_htlcs + 1, ..NO_MARGIN };
        let cannot_afford = |(owner, view): &(Party, CommitmentSpec)| {
            self.missing(Party::Remote, *owner, view, one_more, true).is_some()
        };
        if self.params.opener == Party::Remote && views.iter().any(cannot_afford) {
            return MilliSatoshi::ZERO;
        }
        self.room(Party::Local, &views)
    }

    /// The most that the peer can offer us in one HTLC now, as far as we can tell.
    pub fn receivable(&self) -> MilliSatoshi {
        let Ok(views) = self.views() else { return MilliSatoshi::ZERO };
        self.room(Party::Remote, &views)
    }

    /// The most that `by` can offer in one HTLC, if the fee rate doubles meanwhile: what is left of its balance and of the
    /// other side's limits, on both commitments.
    fn room(&self, by: Party, views: &[(Party, CommitmentSpec)]) -> MilliSatoshi {
        let limits = self.params.of(by.other());
        let spike = Margin { extra_htlcs: FEE_SPIKE.extra_htlcs + 1, ..FEE_SPIKE };
        let mut most = limits.max_htlc_value_in_flight;
        for (owner, view) in views {
            let has = if by == *owner { view.to_local } else { view.to_remote };
            let direction = offered_by(by, *owner);
            if view.of(direction).count() >= usize::from(limits.max_accepted_htlcs) {
                return MilliSatoshi::ZERO;
            }
            let in_flight = view.in_flight(direction).unwrap_or(limits.max_htlc_value_in_flight);
            most = most
                .min(has.saturating_sub(self.needed(by, *owner, view, spike, true)))
                .min(limits.max_htlc_value_in_flight.saturating_sub(in_flight));
        }
        if most < limits.htlc_minimum { MilliSatoshi::ZERO } else { most }
    }
}

/// How an HTLC offered by `by` stands in the commitment of `owner`.
fn offered_by(by: Party, owner: Party) -> Direction {
    if by == owner { Direction::Offered } else { Direction::Received }
}

/// A limit that the receiver of HTLCs set when the channel was opened, and that they exceed.
enum Excess {
    TooManyHtlcs { limit: u16 },
    TooMuchInFlight { total: MilliSatoshi, limit: MilliSatoshi },
}

/// Whether the HTLCs offered by `by` exceed it on this commitment.
fn check_limits(by: Party, owner: Party, view: &CommitmentSpec, limits: &PartyParams) -> Result<(), Excess> {
    let direction = offered_by(by, owner);
    if view.of(direction).count() > usize::from(limits.max_accepted_htlcs) {
        return Err(Excess::TooManyHtlcs { limit: limits.max_accepted_htlcs });
    }
    // More than can be counted is too much.
    let total = view.in_flight(direction).unwrap_or(MilliSatoshi::from_msat(u64::MAX));
    let limit = limits.max_htlc_value_in_flight;
    if total > limit { Err(Excess::TooMuchInFlight { total, limit }) } else { Ok(()) }
}

impl From<Excess> for Refusal {
    fn from(excess: Excess) -> Self {
        match excess {
            Excess::TooManyHtlcs { limit } => Self::TooManyHtlcs { limit },
            Excess::TooMuchInFlight { total, limit } => Self::TooMuchInFlight { total, limit },
        }
    }
}

impl From<Excess> for Violation {
    fn from(excess: Excess) -> Self {
        match excess {
            Excess::TooManyHtlcs { limit } => Self::TooManyHtlcs { limit },
            Excess::TooMuchInFlight { total, limit } => Self::TooMuchInFlight { total, limit },
        }
    }
}
