//! From a published commitment to what the rules of BOLT 5 ask for: what it pays, who published it, what is to be claimed
//! of it, and what it would take to bring one into a block.

use super::command::Env;
use super::commitments::Commitments;
use super::effects::Closer;
use super::error::{ChannelError, Fault};
use super::params::Party;
use super::rows::read_revoked_row;
use super::states::{Closing, Failed, Negotiating, State};
use super::{Channel, HtlcKey, Removal};
use crate::chain::Urgency;
use crate::crypto::{derive_revocation_public_key, ec};
use crate::onchain::{
    self, Bids, Broadcaster, Claim, Close, Coin, HtlcOutput, OutputKind, Spends, Stake, anchor, local,
    remote, revoked,
};
use crate::tx::scripts;
use crate::types::{BlockHeight, CommitmentNumber, PaymentPreimage};
use bitcoin::secp256k1::PublicKey;
use bitcoin::{Amount, OutPoint, Script, Transaction};

/// What a channel wants from the chain.
#[derive(Clone, Debug, Default)]
pub struct OnchainWork {
    /// A transaction that closes the channel and is in no block yet.
    pub unconfirmed: Option<Unconfirmed>,
    /// What is, or will be, ours to take.
    pub claims: Vec<Claim>,
    /// What was published for it so far.
    pub bids: Bids,
}

/// A transaction that closes a channel and is in no block yet.
#[derive(Clone, Debug)]
pub struct Unconfirmed {
    /// It, with its witness.
    pub tx: Transaction,
    /// What it pays.
    pub fee: Amount,
    /// By what it can be made to pay more, and what that is worth. Unset where it cannot, or where it is not our affair.
    pub anchor: Option<(Claim, Stake)>,
    /// What it pays us, where both closed together and no block took it for [`PATIENCE_BLOCKS`]: a child that spends it
    /// pays for both.
    pub late_payout: Option<Coin>,
}

/// So many blocks come without a closing transaction before it is paid for from what it pays us: its fee was agreed, and
/// paying more for nothing is not.
const PATIENCE_BLOCKS: u32 = 12;

impl Commitments {
    /// What a transaction pays that `closer` published; unset where that is no commitment.
    pub(super) fn understand(
        &self,
        env: &Env<'_>,
        closer: Closer,
        tx: &Transaction,
    ) -> Result<Option<Close>, Fault> {
        let ours = &self.params.local.basepoints;
        let of_remote = |number, spec, point: &PublicKey| {
            let draft = self.drafting().build(Party::Remote, number, spec, point)?;
            Ok::<_, Fault>(remote::close(&draft.commitment, &ours.funding_pubkey, &ours.payment_basepoint))
        };
        Ok(match closer {
            Closer::Mutual | Closer::Unexplained => None,
            Closer::Local => Some(local::close(&self.local_commitment(env.signer)?, &ours.funding_pubkey)),
            Closer::RemoteCurrent => {
                Some(of_remote(self.remote.number, &self.remote.spec, &self.remote_point)?)
            }
            Closer::RemoteNext => match (&self.remote_next, &self.remote_next_point) {
                (Some(next), Some(point)) => Some(of_remote(next.number, &next.spec, point)?),
                _ => None,
            },
            Closer::RemoteUnknown { .. } => {
                let script = scripts::to_remote_anchors(&ours.payment_basepoint);
                Some(Close::of_unknown(tx, OutputKind::ToRemote, script))
            }
            Closer::LocalUnknown { number } => {
                let script = self.local_delayed_script(env.signer, CommitmentNumber(number))?;
                Some(Close::of_unknown(tx, OutputKind::ToLocal, script))
            }
            Closer::RemoteRevoked { number } => Some(self.understand_revoked(env, number, tx)?),
        })
    }

    fn understand_revoked(&self, env: &Env<'_>, number: u64, tx: &Transaction) -> Result<Close, Fault> {
        let number = CommitmentNumber(number);
        let point = self.revealed_point(number)?;
        let keys = self.cache.keys_for(&self.params, Party::Remote, &point)?;
        let kept = env.revoked.get(&number).map(|row| read_revoked_row(number, row));
        let kept = kept.transpose().map_err(|_| Fault::Broken("a row of revoked HTLCs is damaged"))?;
        let htlcs: Vec<HtlcOutput> = kept
            .unwrap_or_default()
            .into_iter()
            .map(|htlc| HtlcOutput {
                offered_by: htlc.offered_by,
                id: None,
                payment_hash: htlc.payment_hash,
                cltv_expiry: htlc.cltv_expiry,
            })
            .collect();
        Ok(revoked::close(tx, &keys, self.params.local.to_self_delay, &htlcs)?)
    }

    fn revealed_secret(&self, number: CommitmentNumber) -> Result<[u8; 32], Fault> {
        self.remote_secrets
            .get_number(number)
            .ok_or(Fault::Broken("the secret of a revoked commitment is gone"))
    }

    fn revealed_point(&self, number: CommitmentNumber) -> Result<PublicKey, Fault> {
        let secret = self.revealed_secret(number)?;
        ec::public_key_of_revealed(&secret).map_err(|_| Fault::Broken("a revealed secret is no key"))
    }

    fn broadcaster(&self, closer: Closer) -> Result<Broadcaster<'_>, Fault> {
        Ok(match closer {
            Closer::Local => Broadcaster::Local {
                number: self.local.number,
                htlc_signatures: &self.local.htlc_signatures,
                to_self_delay: self.params.remote.to_self_delay,
            },
            // No signature of an HTLC transaction is left of it.
            Closer::LocalUnknown { number } => Broadcaster::Local {
                number: CommitmentNumber(number),
                htlc_signatures: &[],
                to_self_delay: self.params.remote.to_self_delay,
            },
            Closer::RemoteCurrent => Broadcaster::Remote { per_commitment_point: self.remote_point },
            Closer::RemoteNext => match self.remote_next_point {
                Some(per_commitment_point) => Broadcaster::Remote { per_commitment_point },
                None => Broadcaster::Unknown,
            },
            Closer::RemoteRevoked { number } => {
                let number = CommitmentNumber(number);
                let ours = &self.params.local.basepoints.revocation_basepoint;
                Broadcaster::Revoked {
                    per_commitment_secret: self.revealed_secret(number)?,
                    revocation_pubkey: derive_revocation_public_key(ours, &self.revealed_point(number)?)?,
                    to_self_delay: self.params.local.to_self_delay,
                }
            }
            Closer::RemoteUnknown { .. } | Closer::Mutual | Closer::Unexplained => Broadcaster::Unknown,
        })
    }

    fn claims(
        &self,
        closer: Closer,
        close: &Close,
        confirmed: BlockHeight,
        spends: &Spends,
    ) -> Result<Vec<Claim>, Fault> {
        let settled = |htlc: &HtlcOutput| self.settled_with_us(htlc);
        Ok(onchain::claims(close, confirmed, self.broadcaster(closer)?, spends, settled))
    }

    /// The preimage of an HTLC that the peer offered and that was settled with us: that very one.
    fn settled_with_us(&self, htlc: &HtlcOutput) -> Option<PaymentPreimage> {
        match &self.htlcs.get(&HtlcKey::incoming(htlc.id?))?.removal {
            Some(Removal::Fulfilled(preimage)) => Some(*preimage),
            _ => None,
        }
    }

    /// A commitment that is in no block, with what it is worth to bring it there. The peer pays for its own, unless a
    /// deadline of ours depends on it.
    fn unconfirmed(
        &self,
        closer: Closer,
        close: Option<&Close>,
        tx: Transaction,
        height: BlockHeight,
    ) -> Result<Unconfirmed, Fault> {
        let paid: Amount = tx.output.iter().map(|output| output.value).sum();
        let fee = self.params.funding_amount.checked_sub(paid).unwrap_or(Amount::ZERO);
        let Some((close, claim)) =
            close.filter(|_| closer.is_newest()).and_then(|it| Some((it, anchor::claim(it)?)))
        else {
            return Ok(Unconfirmed { tx, fee, anchor: None, late_payout: None });
        };
        let claims = self.claims(closer, close, height, &Spends::default())?;
        let hurried = claims.iter().filter(|claim| claim.deadline.is_some());
        let deadline = hurried.clone().filter_map(|claim| claim.deadline).min();
        let amount: Amount = match deadline {
            Some(_) => hurried.map(|claim| claim.amount).sum(),
            None => claims.iter().map(|claim| claim.amount).sum(),
        };
        let is_ours = closer == Closer::Local || deadline.is_some();
        let stake = Stake { amount, claimed: amount, deadline, urgency: Urgency::Normal };
        Ok(Unconfirmed { tx, fee, anchor: is_ours.then_some((claim, stake)), late_payout: None })
    }

    /// A closing transaction that is in no block. `script` is ours.
    fn unconfirmed_mutual(
        &self,
        tx: Transaction,
        script: &Script,
        waits_since: Option<BlockHeight>,
        height: BlockHeight,
    ) -> Unconfirmed {
        let paid: Amount = tx.output.iter().map(|output| output.value).sum();
        let fee = self.params.funding_amount.checked_sub(paid).unwrap_or(Amount::ZERO);
        let txid = tx.compute_txid();
        let is_late = waits_since.is_some_and(|since| height.saturating_sub(since) >= PATIENCE_BLOCKS);
        let mut outputs =
            (0..).zip(&tx.output).filter(|(_, output)| output.script_pubkey.as_script() == script);
        let payout = outputs.next().filter(|_| is_late);
        let late_payout =
            payout.map(|(vout, output)| Coin { outpoint: OutPoint { txid, vout }, output: output.clone() });
        Unconfirmed { tx, fee, anchor: None, late_payout }
    }
}

impl Closing {
    /// What is, or will be, ours to take; as if the commitment came into the next block, as long as it is in none.
    pub(super) fn claims(&self, height: BlockHeight) -> Result<Vec<Claim>, Fault> {
        let Some(close) = &self.close else { return Ok(Vec::new()) };
        let confirmed = self.height.unwrap_or_else(|| height.saturating_add(1));
        self.commitments.claims(self.closer, close, confirmed, &self.spends)
    }
}

impl Channel {
    /// What is to be published, and what is to be claimed.
    ///
    /// # Errors
    /// [`ChannelError::Bug`].
    pub fn onchain_work(&self, env: &Env<'_>) -> Result<OnchainWork, ChannelError> {
        Ok(match &self.state {
            State::Failed(Failed { commitments, bids, .. }) => {
                let ours = &commitments.params.local.basepoints.funding_pubkey;
                let close = local::close(&commitments.local_commitment(env.signer)?, ours);
                let tx = commitments.signed_local_commitment(env.signer)?;
                // Nothing can be built on what spends a funding transaction that is in no block.
                let close = Some(&close).filter(|_| commitments.funding.short_channel_id.is_some());
                let unconfirmed = commitments.unconfirmed(Closer::Local, close, tx, env.height)?;
                OnchainWork { unconfirmed: Some(unconfirmed), claims: Vec::new(), bids: bids.clone() }
            }
            State::Negotiating(Negotiating {
                commitments,
                local_script,
                agreed: Some(tx),
                waits_since,
                bids,
                ..
            }) => {
                let (tx, height) = (tx.clone(), env.height);
                let unconfirmed = commitments.unconfirmed_mutual(tx, local_script, *waits_since, height);
                OnchainWork { unconfirmed: Some(unconfirmed), claims: Vec::new(), bids: bids.clone() }
            }
            State::Closing(closing) if closing.closer == Closer::Mutual && closing.height.is_none() => {
                let Closing { commitments, tx, closing_script, waits_since, bids, .. } = closing;
                let script = closing_script.as_deref().unwrap_or(env.shutdown_script);
                let (tx, height) = (tx.clone(), env.height);
                let unconfirmed = commitments.unconfirmed_mutual(tx, script, *waits_since, height);
                OnchainWork { unconfirmed: Some(unconfirmed), claims: Vec::new(), bids: bids.clone() }
            }
            State::Closing(closing) => {
                let Closing { commitments, closer, close, tx, bids, .. } = closing;
                let unconfirmed = || commitments.unconfirmed(*closer, close.as_ref(), tx.clone(), env.height);
                let (unconfirmed, claims) = match closing.height {
                    None => (Some(unconfirmed()?), Vec::new()),
                    Some(_) => (None, closing.claims(env.height)?),
                };
                OnchainWork { unconfirmed, claims, bids: bids.clone() }
            }
            _ => OnchainWork::default(),
        })
    }

    /// What comes back from a channel whose funding output is spent by a commitment, with the height of the block that is
    /// expected to bring the last of it. `has_come` tells of an output whether the wallet has what it held already: the
    /// wallet and the channel hear of a claim one after the other.
    ///
    /// # Errors
    /// [`ChannelError::Bug`].
    pub fn closing_amount(
        &self,
        height: BlockHeight,
        has_come: impl Fn(OutPoint) -> bool,
    ) -> Result<(Amount, Option<BlockHeight>), ChannelError> {
        let State::Closing(closing) = &self.state else { return Ok((Amount::ZERO, None)) };
        let mut claims = closing.claims(height)?;
        // What an HTLC transaction pays is delayed, and comes later.
        claims.retain(|claim| claim.is_second_stage() || !has_come(claim.outpoint));
        let delay = u32::from(closing.commitments.params.remote.to_self_delay);
        let expected = claims.iter().map(|claim| {
            let next = claim.from.max(height).saturating_add(1);
            if claim.is_second_stage() { next.saturating_add(delay) } else { next }
        });
        Ok((claims.iter().map(|claim| claim.amount).sum(), expected.max()))
    }

    /// The outputs that are counted there: what spends one and is in no block is no coin besides.
    pub fn claimable(&self, height: BlockHeight) -> impl Iterator<Item = OutPoint> {
        let closing = match &self.state {
            State::Closing(closing) => Some(closing),
            _ => None,
        };
        // What cannot be told was a fault when the channel took its last step, and counts nothing.
        let claims = closing.and_then(|closing| closing.claims(height).ok());
        claims.into_iter().flatten().map(|claim| claim.outpoint)
    }

    /// The bids of a channel that is closing.
    pub const fn bids(&self) -> Option<&Bids> {
        match &self.state {
            State::Failed(Failed { bids, .. })
            | State::Negotiating(Negotiating { bids, .. })
            | State::Closing(Closing { bids, .. }) => Some(bids),
            _ => None,
        }
    }
}
