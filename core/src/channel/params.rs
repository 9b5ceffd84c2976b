//! What is agreed once, in `open_channel` and `accept_channel`, and what we ask for and accept there.

use crate::crypto::ChannelBasepoints;
use crate::tx::{CommitmentFormat, CommitmentParams, FixedOutputs, funding};
use crate::types::{BlockHeight, Feature, Features, FeeratePerKw, MilliSatoshi};
use bitcoin::{Amount, OutPoint, ScriptBuf, Transaction};

/// The one kind of commitment transaction that this wallet uses.
pub const FORMAT: CommitmentFormat = CommitmentFormat::AnchorsZeroFeeHtlcTx;

/// The dust limit below which no commitment output may be asked for (BOLT 2, open_channel).
pub const LEAST_DUST_LIMIT: Amount = Amount::from_sat(354);

/// `option_anchors` and `option_static_remotekey`: the one `channel_type` that is offered and accepted.
pub fn channel_type() -> Features {
    Features::from_bits([Feature::StaticRemotekey.required(), Feature::Anchors.required()])
}

/// One of the two sides of a channel, as seen from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    /// This wallet.
    Local,
    /// The peer.
    Remote,
}

impl Party {
    /// The other side.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Local => Self::Remote,
            Self::Remote => Self::Local,
        }
    }
}

/// What this wallet asks of its channels and what it accepts from peers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelConfig {
    /// Our own dust limit.
    pub dust_limit: Amount,
    /// The reserve we ask the peer to keep, in hundredths of the channel.
    pub reserve_percent: u64,
    /// The least reserve we ask for.
    pub least_reserve: Amount,
    /// The greatest reserve we keep for a peer, in hundredths of the channel.
    pub max_reserve_percent: u64,
    /// How many blocks the peer waits for its money after it closed alone.
    pub to_self_delay: u16,
    /// How many blocks we are ready to wait for ours.
    pub max_to_self_delay: u16,
    /// How many HTLCs the peer may have in flight.
    pub max_accepted_htlcs: u16,
    /// The smallest HTLC we take.
    pub htlc_minimum_msat: MilliSatoshi,
    /// The greatest `htlc_minimum_msat` that we accept from a peer.
    pub max_htlc_minimum_msat: MilliSatoshi,
    /// How deep a funding transaction of the peer must be before we use the channel.
    pub minimum_depth: u32,
    /// The greatest `minimum_depth` that we accept when we open.
    pub max_minimum_depth: u32,
    /// The smallest channel we open or accept.
    pub min_funding: Amount,
    /// The first amount that is too large for a channel (2^24 without `option_support_large_channel`).
    pub funding_limit: Amount,
    /// The greatest dust limit that we accept from a peer.
    pub max_remote_dust_limit: Amount,
    /// How much may be in flight in trimmed HTLCs on one commitment.
    pub max_dust_htlc_exposure: MilliSatoshi,
    /// The least fee rate of commitments.
    pub min_feerate: FeeratePerKw,
    /// The peer's fee rate may be this many times our estimate.
    pub max_feerate_factor: u32,
    /// A fee rate up to this is never called unreasonable: the opener pays it, and with anchors HTLCs are not touched by
    /// it, so that a poor estimate of ours must not cost a channel.
    pub always_accepted_feerate: FeeratePerKw,
    /// HTLCs that run longer than this many blocks are not offered.
    pub max_cltv_expiry_delta: u32,
    /// So many blocks after its expiry, an HTLC we offered and that the peer did not remove makes us close.
    pub offered_htlc_grace: u32,
    /// So many blocks before its expiry, an HTLC that we fulfilled and that is not resolved makes us close.
    pub fulfilled_htlc_deadline: u32,
    /// The peer's unconfirmed channel is forgotten after so many blocks.
    pub funding_timeout: u32,
}

impl Default for ChannelConfig {
    fn default() -> Self {
        Self {
            dust_limit: LEAST_DUST_LIMIT,
            reserve_percent: 1,
            least_reserve: Amount::from_sat(1_000),
            max_reserve_percent: 20,
            to_self_delay: 144,
            max_to_self_delay: 2_016,
            max_accepted_htlcs: 30,
            htlc_minimum_msat: MilliSatoshi::from_msat(1),
            max_htlc_minimum_msat: MilliSatoshi::from_msat(1_000_000),
            minimum_depth: 3,
            max_minimum_depth: 144,
            min_funding: Amount::from_sat(20_000),
            funding_limit: Amount::from_sat(1 << 24),
            max_remote_dust_limit: Amount::from_sat(1_062),
            max_dust_htlc_exposure: MilliSatoshi::from_msat(10_000_000),
            min_feerate: FeeratePerKw::FLOOR,
            max_feerate_factor: 10,
            always_accepted_feerate: FeeratePerKw::from_sat_per_kw(25_000),
            max_cltv_expiry_delta: 2_016,
            offered_htlc_grace: 2,
            fulfilled_htlc_deadline: 18,
            funding_timeout: 2_016,
        }
    }
}

impl ChannelConfig {
    /// The reserve we ask a peer with this dust limit to keep.
    pub fn reserve(&self, funding: Amount, remote_dust_limit: Amount) -> Amount {
        percent(funding, self.reserve_percent)
            .max(self.least_reserve)
            .max(self.dust_limit)
            .max(remote_dust_limit)
    }

    /// The greatest reserve we agree to keep.
    pub fn max_reserve(&self, funding: Amount) -> Amount {
        percent(funding, self.max_reserve_percent).max(self.least_reserve)
    }

    /// The greatest fee rate we accept from an opener while we estimate `estimate`.
    pub fn max_feerate(&self, estimate: FeeratePerKw) -> FeeratePerKw {
        estimate.saturating_mul(self.max_feerate_factor).max(self.always_accepted_feerate)
    }
}

fn percent(amount: Amount, percent: u64) -> Amount {
    Amount::from_sat(amount.to_sat().saturating_mul(percent) / 100)
}

/// What one side announced about itself. Every limit binds the *other* side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartyParams {
    /// Its public keys.
    pub basepoints: ChannelBasepoints,
    /// Below this, its commitments have no outputs.
    pub dust_limit: Amount,
    /// What the other side may have in flight towards it.
    pub max_htlc_value_in_flight: MilliSatoshi,
    /// What the other side must keep.
    pub channel_reserve: Amount,
    /// The smallest HTLC that it takes.
    pub htlc_minimum: MilliSatoshi,
    /// How long the other side waits for its own money after it closed alone.
    pub to_self_delay: u16,
    /// How many HTLCs the other side may have in flight towards it.
    pub max_accepted_htlcs: u16,
    /// Where it is paid when the channel closes, if it bound itself to that.
    pub upfront_shutdown_script: Option<ScriptBuf>,
}

/// All that was agreed when the channel was opened; never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelParams {
    /// Who funded the channel and pays its fees.
    pub opener: Party,
    /// Our side.
    pub local: PartyParams,
    /// The peer's side.
    pub remote: PartyParams,
    /// The channel's output.
    pub funding_outpoint: OutPoint,
    /// What it holds.
    pub funding_amount: Amount,
    /// How deep the funding transaction must be for us to use the channel.
    pub minimum_depth: u32,
    /// The height when the channel was agreed.
    pub opened_at: BlockHeight,
    /// Hides the commitment numbers (BOLT 3, Commitment Transaction).
    pub obscuring_factor: u64,
}

impl ChannelParams {
    /// The values announced by one side.
    pub const fn of(&self, party: Party) -> &PartyParams {
        match party {
            Party::Local => &self.local,
            Party::Remote => &self.remote,
        }
    }

    /// What the commitment transactions of one side are built from.
    pub fn commitment_params(&self, broadcaster: Party) -> CommitmentParams {
        let of = |party| &self.of(party).basepoints;
        CommitmentParams {
            funding_outpoint: self.funding_outpoint,
            funding_amount: self.funding_amount,
            broadcaster_dust_limit: self.of(broadcaster).dust_limit,
            to_self_delay: self.of(broadcaster.other()).to_self_delay,
            opener_is_broadcaster: matches!(
                (self.opener, broadcaster),
                (Party::Local, Party::Local) | (Party::Remote, Party::Remote)
            ),
            obscuring_factor: self.obscuring_factor,
            format: FORMAT,
            fixed_outputs: FixedOutputs::new(
                FORMAT,
                &of(broadcaster.other()).payment_basepoint,
                &of(broadcaster).funding_pubkey,
                &of(broadcaster.other()).funding_pubkey,
            ),
        }
    }

    /// The witness script of the funding output.
    pub fn funding_script(&self) -> ScriptBuf {
        let keys = |party| self.of(party).basepoints.funding_pubkey;
        funding::funding_script(&keys(Party::Local), &keys(Party::Remote))
    }

    /// Whether a transaction is the funding transaction, and pays what was agreed.
    pub fn is_funded_by(&self, tx: &Transaction) -> bool {
        let OutPoint { txid, vout } = self.funding_outpoint;
        let output = usize::try_from(vout).ok().and_then(|index| tx.output.get(index));
        let pays = output.is_some_and(|output| {
            output.value == self.funding_amount && output.script_pubkey == self.funding_script().to_p2wsh()
        });
        tx.compute_txid() == txid && pays
    }

    /// What this side must keep.
    pub const fn reserve_of(&self, party: Party) -> Amount {
        self.of(party.other()).channel_reserve
    }
}
