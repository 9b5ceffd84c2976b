//! The public keys of one commitment transaction (BOLT 3, Keys).

use crate::crypto::{
    ChannelBasepoints, DeriveError, Multiples, derive_public_key, derive_revocation_public_key_from,
};
use bitcoin::hashes::{Hash, hash160};
use bitcoin::secp256k1::PublicKey;
use std::sync::OnceLock;

/// The keys of a commitment transaction, derived once for its per-commitment point. Those that only HTLCs need are
/// derived at the first use.
#[derive(Clone, Debug)]
pub struct CommitmentKeys {
    /// With which the countersignatory punishes the broadcaster of a revoked commitment.
    pub revocation_pubkey: PublicKey,
    /// The broadcaster's, for its delayed money.
    pub broadcaster_delayed_pubkey: PublicKey,
    /// The countersignatory's, for `to_remote`; the same on every commitment.
    pub countersignatory_payment_pubkey: PublicKey,
    /// The broadcaster's, for the funding output and its anchor.
    pub broadcaster_funding_pubkey: PublicKey,
    /// The countersignatory's, for the funding output and its anchor.
    pub countersignatory_funding_pubkey: PublicKey,
    broadcaster_htlc_basepoint: PublicKey,
    countersignatory_htlc_basepoint: PublicKey,
    per_commitment_point: PublicKey,
    htlc_keys: OnceLock<HtlcKeys>,
}

/// The keys of the HTLC outputs of one commitment transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HtlcKeys {
    /// The broadcaster's, which signs HTLC-success and HTLC-timeout transactions.
    pub broadcaster_htlc_pubkey: PublicKey,
    /// The countersignatory's, which signs them too and claims directly.
    pub countersignatory_htlc_pubkey: PublicKey,
    /// HASH160 of the revocation key, which every HTLC output can be punished with.
    pub revocation_pubkey_hash: [u8; 20],
}

impl CommitmentKeys {
    /// Derives the keys that every commitment needs.
    ///
    /// # Errors
    /// [`DeriveError`], with probability 2^-128.
    pub fn derive(
        broadcaster: &ChannelBasepoints,
        countersignatory: &ChannelBasepoints,
        per_commitment_point: &PublicKey,
    ) -> Result<Self, DeriveError> {
        let revocation_basepoint = Multiples::new(countersignatory.revocation_basepoint);
        Self::derive_from(broadcaster, countersignatory, &revocation_basepoint, per_commitment_point)
    }

    /// As [`CommitmentKeys::derive`], with the countersignatory's revocation basepoint as it serves many commitments.
    ///
    /// # Errors
    /// [`DeriveError`], with probability 2^-128.
    pub fn derive_from(
        broadcaster: &ChannelBasepoints,
        countersignatory: &ChannelBasepoints,
        revocation_basepoint: &Multiples,
        per_commitment_point: &PublicKey,
    ) -> Result<Self, DeriveError> {
        let revocation_pubkey =
            derive_revocation_public_key_from(revocation_basepoint, per_commitment_point)?;
        Self::with_revocation_pubkey(revocation_pubkey, broadcaster, countersignatory, per_commitment_point)
    }

    /// As [`CommitmentKeys::derive`], where the revocation key is derived already.
    ///
    /// # Errors
    /// [`DeriveError`], with probability 2^-128.
    pub fn with_revocation_pubkey(
        revocation_pubkey: PublicKey,
        broadcaster: &ChannelBasepoints,
        countersignatory: &ChannelBasepoints,
        per_commitment_point: &PublicKey,
    ) -> Result<Self, DeriveError> {
        Ok(Self {
            revocation_pubkey,
            broadcaster_delayed_pubkey: derive_public_key(
                &broadcaster.delayed_payment_basepoint,
                per_commitment_point,
            )?,
            countersignatory_payment_pubkey: countersignatory.payment_basepoint,
            broadcaster_funding_pubkey: broadcaster.funding_pubkey,
            countersignatory_funding_pubkey: countersignatory.funding_pubkey,
            broadcaster_htlc_basepoint: broadcaster.htlc_basepoint,
            countersignatory_htlc_basepoint: countersignatory.htlc_basepoint,
            per_commitment_point: *per_commitment_point,
            htlc_keys: OnceLock::new(),
        })
    }

    /// The keys of the HTLC outputs, derived at the first call: ask ahead of time, while idle.
    ///
    /// # Errors
    /// [`DeriveError`], with probability 2^-128.
    pub fn htlc_keys(&self) -> Result<&HtlcKeys, DeriveError> {
        if let Some(keys) = self.htlc_keys.get() {
            return Ok(keys);
        }
        let derive = |basepoint| derive_public_key(basepoint, &self.per_commitment_point);
        let keys = HtlcKeys {
            broadcaster_htlc_pubkey: derive(&self.broadcaster_htlc_basepoint)?,
            countersignatory_htlc_pubkey: derive(&self.countersignatory_htlc_basepoint)?,
            revocation_pubkey_hash: hash160::Hash::hash(&self.revocation_pubkey.serialize()).to_byte_array(),
        };
        Ok(self.htlc_keys.get_or_init(|| keys))
    }

    /// Whether the keys of the HTLC outputs have been derived.
    pub fn has_htlc_keys(&self) -> bool {
        self.htlc_keys.get().is_some()
    }

    /// The per-commitment point all of them were derived from.
    pub const fn per_commitment_point(&self) -> &PublicKey {
        &self.per_commitment_point
    }
}
