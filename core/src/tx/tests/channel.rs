//! The channel of BOLT 3's Appendices C and F, which the other tests use too.

use crate::crypto::ec::public_key;
use crate::crypto::{ChannelBasepoints, ChannelKeys, derive_private_key};
use crate::tx::obscured::obscuring_factor;
use crate::tx::{
    CommitmentFormat, CommitmentKeys, CommitmentParams, CommitmentSpec, Direction, FixedOutputs, Htlc,
};
use crate::types::{CltvExpiry, CommitmentNumber, FeeratePerKw, HtlcId, MilliSatoshi, PaymentPreimage};
use bitcoin::secp256k1::{PublicKey, SecretKey};
use bitcoin::{Amount, OutPoint};
use serde::Deserialize;

pub(super) const NUMBER: CommitmentNumber = CommitmentNumber(42);

#[derive(Deserialize)]
struct File {
    channel: Vector,
    htlcs: Vec<VectorHtlc>,
}

#[derive(Deserialize)]
struct Vector {
    funding_tx_id: String,
    funding_output_index: u32,
    funding_amount_satoshi: u64,
    commitment_number: u64,
    local_delay: u16,
    local_dust_limit_satoshi: u64,
    local_payment_basepoint: PublicKey,
    remote_payment_basepoint: PublicKey,
    local_htlc_basepoint: PublicKey,
    remote_htlc_basepoint: PublicKey,
    local_funding_privkey: String,
    local_funding_pubkey: PublicKey,
    remote_funding_pubkey: PublicKey,
    local_privkey: String,
    local_htlcpubkey: PublicKey,
    remote_htlcpubkey: PublicKey,
    local_delayedpubkey: PublicKey,
    local_revocation_pubkey: PublicKey,
    funding_wscript: String,
    x_local_per_commitment_secret: String,
    remote_funding_privkey: String,
    local_payment_basepoint_secret: String,
    remote_revocation_basepoint_secret: String,
    local_delayed_payment_basepoint_secret: String,
    remote_payment_basepoint_secret: String,
    remote_revocation_basepoint: PublicKey,
    local_delayed_payment_basepoint: PublicKey,
    local_per_commitment_point: PublicKey,
    remote_privkey: String,
    local_delayed_privkey: String,
    obscuring_factor: String,
}

#[derive(Deserialize)]
struct VectorHtlc {
    direction: String,
    amount_msat: u64,
    expiry: u32,
    payment_preimage: String,
}

pub(super) struct TestChannel {
    pub(super) local: ChannelKeys,
    pub(super) remote: ChannelKeys,
    pub(super) per_commitment_secret: SecretKey,
    pub(super) keys: CommitmentKeys,
    pub(super) params: CommitmentParams,
    pub(super) htlcs: Vec<(Direction, Htlc)>,
    pub(super) preimages: Vec<PaymentPreimage>,
}

impl TestChannel {
    pub(super) fn new(format: CommitmentFormat) -> Self {
        let file: File =
            serde_json::from_str(include_str!("../../../tests/vectors/bolt03/channel.json")).unwrap();
        let vector = &file.channel;
        assert_eq!(vector.commitment_number, NUMBER.0);
        let (local, remote) = (local_keys(vector), remote_keys(vector));
        let per_commitment_secret = secret(&vector.x_local_per_commitment_secret);
        let point = public_key(&per_commitment_secret);
        let keys = CommitmentKeys::derive(&local.basepoints(), &remote.basepoints(), &point).unwrap();
        let params = CommitmentParams {
            format,
            funding_outpoint: OutPoint {
                txid: vector.funding_tx_id.parse().unwrap(),
                vout: vector.funding_output_index,
            },
            funding_amount: Amount::from_sat(vector.funding_amount_satoshi),
            broadcaster_dust_limit: Amount::from_sat(vector.local_dust_limit_satoshi),
            to_self_delay: vector.local_delay,
            opener_is_broadcaster: true,
            obscuring_factor: obscuring_factor(
                &vector.local_payment_basepoint,
                &vector.remote_payment_basepoint,
            ),
            fixed_outputs: FixedOutputs::new(
                format,
                &vector.remote_payment_basepoint,
                &vector.local_funding_pubkey,
                &vector.remote_funding_pubkey,
            ),
        };
        let channel = Self {
            per_commitment_secret,
            keys,
            params,
            htlcs: (0..).zip(&file.htlcs).map(|(id, htlc)| htlc.read(id)).collect(),
            preimages: file.htlcs.iter().map(VectorHtlc::preimage).collect(),
            local,
            remote,
        };
        channel.check_derived_keys(vector);
        channel
    }

    fn check_derived_keys(&self, vector: &Vector) {
        let (local, remote) = (self.local.basepoints(), self.remote.basepoints());
        assert_eq!(local.payment_basepoint, vector.local_payment_basepoint);
        assert_eq!(remote.payment_basepoint, vector.remote_payment_basepoint);
        assert_eq!(local.htlc_basepoint, vector.local_htlc_basepoint);
        assert_eq!(remote.htlc_basepoint, vector.remote_htlc_basepoint);
        assert_eq!(local.funding_pubkey, vector.local_funding_pubkey);
        assert_eq!(remote.funding_pubkey, vector.remote_funding_pubkey);
        assert_eq!(remote.revocation_basepoint, vector.remote_revocation_basepoint);
        assert_eq!(local.delayed_payment_basepoint, vector.local_delayed_payment_basepoint);
        assert_eq!(self.keys.per_commitment_point(), &vector.local_per_commitment_point);
        assert_eq!(self.keys.revocation_pubkey, vector.local_revocation_pubkey);
        assert_eq!(self.keys.broadcaster_delayed_pubkey, vector.local_delayedpubkey);
        assert_eq!(self.keys.htlc_keys().unwrap().broadcaster_htlc_pubkey, vector.local_htlcpubkey);
        assert_eq!(self.keys.htlc_keys().unwrap().countersignatory_htlc_pubkey, vector.remote_htlcpubkey);
        assert_eq!(self.local_htlc_key(), secret(&vector.local_privkey));
        assert_eq!(self.remote_htlc_key(), secret(&vector.remote_privkey));
        assert_eq!(self.local_delayed_key(), secret(&vector.local_delayed_privkey));
        let script = crate::tx::funding::funding_script(&remote.funding_pubkey, &local.funding_pubkey);
        assert_eq!(hex::encode(script.as_bytes()), vector.funding_wscript);
        assert_eq!(format!("{:#x}", self.params.obscuring_factor), vector.obscuring_factor);
    }

    pub(super) fn local_htlc_key(&self) -> SecretKey {
        derive_private_key(
            &self.local.htlc_base,
            &self.local.basepoints().htlc_basepoint,
            self.keys.per_commitment_point(),
        )
        .unwrap()
    }

    pub(super) fn remote_htlc_key(&self) -> SecretKey {
        derive_private_key(
            &self.remote.htlc_base,
            &self.remote.basepoints().htlc_basepoint,
            self.keys.per_commitment_point(),
        )
        .unwrap()
    }

    pub(super) fn local_delayed_key(&self) -> SecretKey {
        derive_private_key(
            &self.local.delayed_payment_base,
            &self.local.basepoints().delayed_payment_basepoint,
            self.keys.per_commitment_point(),
        )
        .unwrap()
    }

    /// The basepoints of both parties, the broadcaster's first.
    pub(super) fn basepoints(&self) -> (ChannelBasepoints, ChannelBasepoints) {
        (self.local.basepoints(), self.remote.basepoints())
    }

    /// Balances of 3 million satoshi for the remote, and what is left for the local party, with these HTLCs.
    pub(super) fn spec(&self, htlcs: &[usize], feerate: u32) -> CommitmentSpec {
        let htlcs: Vec<_> = htlcs.iter().map(|index| self.htlcs[*index]).collect();
        let to_remote = MilliSatoshi::from_msat(3_000_000_000);
        let spent = MilliSatoshi::checked_sum(htlcs.iter().map(|(_, htlc)| htlc.amount_msat)).unwrap();
        let spent = spent.checked_add(to_remote).unwrap();
        CommitmentSpec {
            htlcs,
            feerate_per_kw: FeeratePerKw::from_sat_per_kw(feerate),
            to_local: MilliSatoshi::from(self.params.funding_amount).checked_sub(spent).unwrap(),
            to_remote,
        }
    }
}

impl VectorHtlc {
    fn read(&self, id: u64) -> (Direction, Htlc) {
        let direction = match self.direction.as_str() {
            "local->remote" => Direction::Offered,
            "remote->local" => Direction::Received,
            other => panic!("unknown direction {other}"),
        };
        let htlc = Htlc {
            id: HtlcId(id),
            amount_msat: MilliSatoshi::from_msat(self.amount_msat),
            payment_hash: self.preimage().payment_hash(),
            cltv_expiry: CltvExpiry::new(self.expiry).unwrap(),
        };
        (direction, htlc)
    }

    fn preimage(&self) -> PaymentPreimage {
        PaymentPreimage(hex::decode(&self.payment_preimage).unwrap().try_into().unwrap())
    }
}

/// The vectors use the payment key for HTLCs too, and give no revocation secret of the local party.
fn local_keys(vector: &Vector) -> ChannelKeys {
    ChannelKeys {
        funding: secret(&vector.local_funding_privkey),
        revocation_base: SecretKey::from_slice(&[0x55; 32]).unwrap(),
        payment: secret(&vector.local_payment_basepoint_secret),
        delayed_payment_base: secret(&vector.local_delayed_payment_basepoint_secret),
        htlc_base: secret(&vector.local_payment_basepoint_secret),
        commitment_seed: [0; 32],
    }
}

fn remote_keys(vector: &Vector) -> ChannelKeys {
    ChannelKeys {
        funding: secret(&vector.remote_funding_privkey),
        revocation_base: secret(&vector.remote_revocation_basepoint_secret),
        payment: secret(&vector.remote_payment_basepoint_secret),
        delayed_payment_base: SecretKey::from_slice(&[0x66; 32]).unwrap(),
        htlc_base: secret(&vector.remote_payment_basepoint_secret),
        commitment_seed: [0; 32],
    }
}

/// "Private keys are displayed as 32 bytes plus a trailing 1."
pub(super) fn secret(hex_with_suffix: &str) -> SecretKey {
    let bytes = hex::decode(hex_with_suffix).unwrap();
    assert_eq!((bytes.len(), bytes[32]), (33, 1));
    SecretKey::from_slice(&bytes[..32]).unwrap()
}
