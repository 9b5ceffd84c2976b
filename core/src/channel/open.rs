//! What is agreed in `open_channel` and `accept_channel`, and the first commitments that follow from it (BOLT 2,
//! Channel Establishment v1).

use super::changes::{LocalChanges, RemoteChanges, Spec};
use super::command::{Env, OpenRequest};
use super::commitments::{Commitments, Funding, LastSent, LocalCommitment, RemoteCommitment};
use super::error::{ChannelError, Violation};
use super::keys::KeyCache;
use super::mutual::is_shutdown_script;
use super::params::{ChannelParams, FORMAT, LEAST_DUST_LIMIT, Party, PartyParams, channel_type};
use super::table::HtlcTable;
use crate::crypto::{ChannelBasepoints, SecretStore, SignerError};
use crate::tx::{fees::opener_cost, funding, obscured::obscuring_factor, weight::MAX_ACCEPTED_HTLCS};
use crate::types::{BlockHeight, ChannelId, CommitmentNumber, Feature, FeeratePerKw, HtlcId, MilliSatoshi};
use crate::wire::{AcceptChannel, OpenChannel};
use bitcoin::secp256k1::{PublicKey, ecdsa::Signature};
use bitcoin::{Amount, OutPoint, ScriptBuf, Txid};
use std::sync::Arc;

/// All that both sides have agreed on before there is a funding transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// Who funds the channel.
    pub opener: Party,
    /// Our side.
    pub local: PartyParams,
    /// The peer's side.
    pub remote: PartyParams,
    /// What the channel will hold.
    pub funding_amount: Amount,
    /// What of it the accepter owns from the start.
    pub push: MilliSatoshi,
    /// The first fee rate.
    pub feerate: FeeratePerKw,
    /// How deep the funding transaction must be for us.
    pub minimum_depth: u32,
    /// The per-commitment point of the peer's commitment 0.
    pub remote_first_point: PublicKey,
    /// The height when this was agreed.
    pub opened_at: BlockHeight,
}

impl Agreement {
    /// The script of the funding output.
    pub fn funding_output_script(&self) -> ScriptBuf {
        let (local, remote) = (&self.local.basepoints, &self.remote.basepoints);
        funding::funding_output_script(&local.funding_pubkey, &remote.funding_pubkey)
    }

    /// What both first commitments say.
    pub fn first_spec(&self) -> Spec {
        let opener = MilliSatoshi::from_amount(self.funding_amount).saturating_sub(self.push);
        let (local, remote) = match self.opener {
            Party::Local => (opener, self.push),
            Party::Remote => (self.push, opener),
        };
        Spec { feerate: self.feerate, local, remote, htlcs: Default::default() }
    }

    /// The parameters of the channel with this funding output.
    pub fn params(&self, funding_outpoint: OutPoint) -> ChannelParams {
        let of = |party| match party {
            Party::Local => self.local.basepoints.payment_basepoint,
            Party::Remote => self.remote.basepoints.payment_basepoint,
        };
        ChannelParams {
            opener: self.opener,
            local: self.local.clone(),
            remote: self.remote.clone(),
            funding_outpoint,
            funding_amount: self.funding_amount,
            minimum_depth: self.minimum_depth,
            opened_at: self.opened_at,
            obscuring_factor: obscuring_factor(&of(self.opener), &of(self.opener.other())),
        }
    }

    /// The channel's first state, once the peer's signature of our commitment 0 has been checked.
    pub(super) fn commitments(
        &self,
        params: ChannelParams,
        remote_signature: Signature,
        remote_txid: Txid,
    ) -> Commitments {
        let spec = self.first_spec();
        Commitments {
            params: Arc::new(params),
            funding: Funding::default(),
            htlcs: HtlcTable::new(),
            local_changes: LocalChanges::default(),
            remote_changes: RemoteChanges::default(),
            local_next_htlc_id: HtlcId(0),
            remote_next_htlc_id: HtlcId(0),
            local: LocalCommitment {
                number: CommitmentNumber(0),
                spec: spec.clone(),
                remote_signature,
                htlc_signatures: Vec::new(),
            },
            remote: RemoteCommitment { number: CommitmentNumber(0), txid: remote_txid, spec },
            remote_next: None,
            remote_point: self.remote_first_point,
            remote_next_point: None,
            remote_secrets: SecretStore::new(),
            last_sent: LastSent::RevokeAndAck,
            may_broadcast: false,
            cache: KeyCache::default(),
        }
    }
}

/// Our `open_channel`.
pub(super) fn open_channel(
    env: &Env<'_>,
    request: &OpenRequest,
    temporary_channel_id: ChannelId,
) -> Result<OpenChannel, SignerError> {
    let basepoints = env.signer.basepoints();
    let config = env.config;
    Ok(OpenChannel {
        chain_hash: env.chain_hash,
        temporary_channel_id,
        funding_satoshis: request.funding,
        push_msat: request.push,
        dust_limit_satoshis: config.dust_limit,
        max_htlc_value_in_flight_msat: request.funding.into(),
        channel_reserve_satoshis: config.reserve(request.funding, config.dust_limit),
        htlc_minimum_msat: config.htlc_minimum_msat,
        feerate_per_kw: env.feerates.commitment.max(config.min_feerate),
        to_self_delay: config.to_self_delay,
        max_accepted_htlcs: config.max_accepted_htlcs,
        funding_pubkey: basepoints.funding_pubkey,
        revocation_basepoint: basepoints.revocation_basepoint,
        payment_basepoint: basepoints.payment_basepoint,
        delayed_payment_basepoint: basepoints.delayed_payment_basepoint,
        htlc_basepoint: basepoints.htlc_basepoint,
        first_per_commitment_point: env.signer.per_commitment_point(CommitmentNumber(0))?,
        channel_flags: 0,
        upfront_shutdown_script: Some(ScriptBuf::new()),
        channel_type: Some(channel_type()),
    })
}

/// Our `accept_channel`.
pub(super) fn accept_channel(env: &Env<'_>, open: &OpenChannel) -> Result<AcceptChannel, SignerError> {
    let basepoints = env.signer.basepoints();
    let config = env.config;
    Ok(AcceptChannel {
        temporary_channel_id: open.temporary_channel_id,
        dust_limit_satoshis: config.dust_limit,
        max_htlc_value_in_flight_msat: open.funding_satoshis.into(),
        channel_reserve_satoshis: config.reserve(open.funding_satoshis, open.dust_limit_satoshis),
        htlc_minimum_msat: config.htlc_minimum_msat,
        minimum_depth: config.minimum_depth,
        to_self_delay: config.to_self_delay,
        max_accepted_htlcs: config.max_accepted_htlcs,
        funding_pubkey: basepoints.funding_pubkey,
        revocation_basepoint: basepoints.revocation_basepoint,
        payment_basepoint: basepoints.payment_basepoint,
        delayed_payment_basepoint: basepoints.delayed_payment_basepoint,
        htlc_basepoint: basepoints.htlc_basepoint,
        first_per_commitment_point: env.signer.per_commitment_point(CommitmentNumber(0))?,
        upfront_shutdown_script: Some(ScriptBuf::new()),
        channel_type: Some(channel_type()),
    })
}

macro_rules! party_params {
    ($message:expr) => {
        PartyParams {
            basepoints: ChannelBasepoints {
                funding_pubkey: $message.funding_pubkey,
                revocation_basepoint: $message.revocation_basepoint,
                payment_basepoint: $message.payment_basepoint,
                delayed_payment_basepoint: $message.delayed_payment_basepoint,
                htlc_basepoint: $message.htlc_basepoint,
            },
            dust_limit: $message.dust_limit_satoshis,
            max_htlc_value_in_flight: $message.max_htlc_value_in_flight_msat,
            channel_reserve: $message.channel_reserve_satoshis,
            htlc_minimum: $message.htlc_minimum_msat,
            to_self_delay: $message.to_self_delay,
            max_accepted_htlcs: $message.max_accepted_htlcs,
            upfront_shutdown_script: $message
                .upfront_shutdown_script
                .clone()
                .filter(|script| !script.is_empty()),
        }
    };
}

/// Checks the peer's `open_channel` and answers it.
pub(super) fn answer(env: &Env<'_>, open: &OpenChannel) -> Result<(AcceptChannel, Agreement), ChannelError> {
    check_open(env, open).map_err(ChannelError::FailChannel)?;
    let accept = accept_channel(env, open)?;
    let (local, remote) = (party_params!(accept), party_params!(open));
    check_dust_against_reserve(&local, &remote).map_err(ChannelError::FailChannel)?;
    let agreement = Agreement {
        opener: Party::Remote,
        local,
        remote,
        funding_amount: open.funding_satoshis,
        push: open.push_msat,
        feerate: open.feerate_per_kw,
        minimum_depth: env.config.minimum_depth.max(1),
        remote_first_point: open.first_per_commitment_point,
        opened_at: env.height,
    };
    Ok((accept, agreement))
}

/// What `open_channel` must respect.
fn check_open(env: &Env<'_>, open: &OpenChannel) -> Result<(), Violation> {
    if open.chain_hash != env.chain_hash {
        return Err(Violation::WrongChain);
    }
    if env.negotiated(Feature::DualFund) {
        return Err(Violation::DualFund);
    }
    check_channel_type(open.channel_type.as_ref())?;
    let (funding, config) = (open.funding_satoshis, env.config);
    if funding < config.min_funding || funding >= config.funding_limit {
        let (least, limit) = (config.min_funding, config.funding_limit);
        return Err(Violation::FundingAmount { funding, least, limit });
    }
    let push = open.push_msat;
    let opener_balance =
        MilliSatoshi::from_amount(funding).checked_sub(push).ok_or(Violation::Push { push, funding })?;
    let (least, most) = (config.min_feerate, config.max_feerate(env.feerates.commitment));
    if open.feerate_per_kw < least || open.feerate_per_kw > most {
        return Err(Violation::Feerate { feerate: open.feerate_per_kw, least, most });
    }
    check_party(env, &party_params!(open), funding)?;
    let cost = opener_cost(open.feerate_per_kw, 0, FORMAT);
    let Some(after_cost) = opener_balance.checked_sub(cost) else {
        let missing = cost.saturating_sub(opener_balance);
        return Err(Violation::CannotAfford { who: Party::Remote, missing });
    };
    let reserve = MilliSatoshi::from_amount(open.channel_reserve_satoshis);
    if after_cost <= reserve && push <= reserve {
        return Err(Violation::BothBelowReserve);
    }
    Ok(())
}

/// Checks the peer's `accept_channel`.
pub(super) fn agree(
    env: &Env<'_>,
    open: &OpenChannel,
    accept: &AcceptChannel,
) -> Result<Agreement, Violation> {
    check_channel_type(accept.channel_type.as_ref())?;
    let limit = env.config.max_minimum_depth;
    if accept.minimum_depth == 0 || accept.minimum_depth > limit {
        return Err(Violation::MinimumDepth { minimum_depth: accept.minimum_depth, limit });
    }
    let (local, remote) = (party_params!(open), party_params!(accept));
    check_party(env, &remote, open.funding_satoshis)?;
    check_dust_against_reserve(&local, &remote)?;
    Ok(Agreement {
        opener: Party::Local,
        local,
        remote,
        funding_amount: open.funding_satoshis,
        push: open.push_msat,
        feerate: open.feerate_per_kw,
        minimum_depth: accept.minimum_depth.max(env.config.minimum_depth),
        remote_first_point: accept.first_per_commitment_point,
        opened_at: env.height,
    })
}

fn check_channel_type(offered: Option<&crate::types::Features>) -> Result<(), Violation> {
    if offered == Some(&channel_type()) {
        return Ok(());
    }
    Err(Violation::ChannelType { offered: offered.cloned() })
}

/// What either message must respect.
fn check_party(env: &Env<'_>, remote: &PartyParams, funding: Amount) -> Result<(), Violation> {
    let config = env.config;
    if remote.to_self_delay > config.max_to_self_delay {
        let (to_self_delay, limit) = (remote.to_self_delay, config.max_to_self_delay);
        return Err(Violation::ToSelfDelay { to_self_delay, limit });
    }
    if !(1..=MAX_ACCEPTED_HTLCS).contains(&remote.max_accepted_htlcs) {
        return Err(Violation::MaxAcceptedHtlcs { max_accepted_htlcs: remote.max_accepted_htlcs });
    }
    let (dust_limit, reserve) = (remote.dust_limit, remote.channel_reserve);
    if dust_limit < LEAST_DUST_LIMIT || dust_limit > config.max_remote_dust_limit {
        let (least, limit) = (LEAST_DUST_LIMIT, config.max_remote_dust_limit);
        return Err(Violation::DustLimit { dust_limit, least, limit });
    }
    if dust_limit > reserve {
        return Err(Violation::DustAboveReserve { dust_limit, reserve });
    }
    let limit = config.max_reserve(funding);
    if reserve > limit {
        return Err(Violation::ReserveTooLarge { reserve, limit });
    }
    let (minimum, limit) = (remote.htlc_minimum, config.max_htlc_minimum_msat);
    if minimum > limit {
        return Err(Violation::HtlcMinimum { minimum, limit });
    }
    if remote.max_htlc_value_in_flight < limit {
        return Err(Violation::InFlightLimit { limit: remote.max_htlc_value_in_flight });
    }
    match &remote.upfront_shutdown_script {
        Some(script) if !is_shutdown_script(script, env.negotiated(Feature::ShutdownAnysegwit)) => {
            Err(Violation::ShutdownScript)
        }
        _ => Ok(()),
    }
}

/// Neither side's reserve may be dust to the other (BOLT 2, accept_channel).
fn check_dust_against_reserve(local: &PartyParams, remote: &PartyParams) -> Result<(), Violation> {
    for (one, other) in [(local, remote), (remote, local)] {
        if one.dust_limit > other.channel_reserve {
            let (dust_limit, reserve) = (one.dust_limit, other.channel_reserve);
            return Err(Violation::DustAboveReserve { dust_limit, reserve });
        }
    }
    Ok(())
}
