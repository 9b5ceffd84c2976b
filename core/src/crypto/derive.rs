//! Keys of one commitment, from basepoints and a per-commitment point (BOLT 3, Key Derivation).

use super::{
    ec::{self, CurveError},
    hash::sha256,
    multiples::Multiples,
};
use bitcoin::secp256k1::{PublicKey, SecretKey};
use thiserror::Error;

/// The derived value is not a key. Whoever can bring this about has found a preimage of SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("no key can be derived: {0}")]
pub struct DeriveError(#[from] pub CurveError);

/// `basepoint + SHA256(per_commitment_point || basepoint) * G`: HTLC and delayed payment keys.
///
/// # Errors
/// [`DeriveError`], with probability 2^-128.
pub fn derive_public_key(
    basepoint: &PublicKey,
    per_commitment_point: &PublicKey,
) -> Result<PublicKey, DeriveError> {
    let tweak = hash_points(per_commitment_point, basepoint);
    Ok(ec::add_scalar_to_point(basepoint, &tweak)?)
}

/// The secret key of [`derive_public_key`]; `basepoint` is that of `basepoint_secret`.
///
/// # Errors
/// [`DeriveError`], with probability 2^-128.
pub fn derive_private_key(
    basepoint_secret: &SecretKey,
    basepoint: &PublicKey,
    per_commitment_point: &PublicKey,
) -> Result<SecretKey, DeriveError> {
    let tweak = hash_points(per_commitment_point, basepoint);
    Ok(ec::add_scalar_to_key(basepoint_secret, &tweak)?)
}

/// The key that only the two secrets together open: the countersignatory's revocation basepoint, blinded with the
/// broadcaster's per-commitment point.
///
/// # Errors
/// [`DeriveError`], with probability 2^-128.
pub fn derive_revocation_public_key(
    revocation_basepoint: &PublicKey,
    per_commitment_point: &PublicKey,
) -> Result<PublicKey, DeriveError> {
    derive_revocation_public_key_from(&Multiples::new(*revocation_basepoint), per_commitment_point)
}

/// As [`derive_revocation_public_key`], for a basepoint that serves many commitments.
///
/// # Errors
/// [`DeriveError`], with probability 2^-128.
pub fn derive_revocation_public_key_from(
    revocation_basepoint: &Multiples,
    per_commitment_point: &PublicKey,
) -> Result<PublicKey, DeriveError> {
    let basepoint = revocation_basepoint.point();
    let of_commitment =
        ec::multiply_point(per_commitment_point, &hash_points(per_commitment_point, basepoint))?;
    let blinding = hash_points(basepoint, per_commitment_point);
    Ok(ec::add_product(&of_commitment, revocation_basepoint, &blinding)?)
}

/// As [`derive_revocation_public_key_from`], by whoever has the secret of the commitment: in constant time, and at less
/// cost than with the point alone.
///
/// # Errors
/// [`DeriveError`], with probability 2^-128.
pub fn derive_revocation_public_key_with(
    revocation_basepoint: &Multiples,
    per_commitment_secret: &SecretKey,
    per_commitment_point: &PublicKey,
) -> Result<PublicKey, DeriveError> {
    let basepoint = revocation_basepoint.point();
    let mut blinded = ec::multiply_key(per_commitment_secret, &hash_points(per_commitment_point, basepoint))?;
    let of_commitment = ec::public_key(&blinded);
    blinded.non_secure_erase();
    let blinding = hash_points(basepoint, per_commitment_point);
    Ok(ec::add_product(&of_commitment, revocation_basepoint, &blinding)?)
}

/// The secret key of [`derive_revocation_public_key`], once the per-commitment secret has been revealed.
///
/// # Errors
/// [`DeriveError`], with probability 2^-128.
pub fn derive_revocation_private_key(
    revocation_basepoint_secret: &SecretKey,
    per_commitment_secret: &SecretKey,
) -> Result<SecretKey, DeriveError> {
    let basepoint = ec::public_key(revocation_basepoint_secret);
    let point = ec::public_key(per_commitment_secret);
    let of_basepoint = ec::multiply_key(revocation_basepoint_secret, &hash_points(&basepoint, &point))?;
    let of_commitment = ec::multiply_key(per_commitment_secret, &hash_points(&point, &basepoint))?;
    Ok(ec::add_scalar_to_key(&of_basepoint, &of_commitment.secret_bytes())?)
}

fn hash_points(first: &PublicKey, second: &PublicKey) -> [u8; 32] {
    sha256(&[&first.serialize(), &second.serialize()])
}
