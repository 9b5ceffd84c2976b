//! The one place that calls libsecp256k1, so that every curve operation of a payment can be counted.

use super::multiples::Multiples;
use bitcoin::secp256k1::constants::{GENERATOR_X, GENERATOR_Y};
use bitcoin::secp256k1::ecdsa::{RecoverableSignature, Signature};
use bitcoin::secp256k1::{All, Message, PublicKey, Scalar, Secp256k1, SecretKey, ecdh};
use std::sync::OnceLock;
use thiserror::Error;

/// A signature that does not verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the signature is not low-S or does not verify for key {public_key}")]
pub struct SignatureError {
    /// The key that should have signed.
    pub public_key: PublicKey,
}

/// An operation on a key whose result is not a key. Honest inputs meet it with probability 2^-128.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CurveError {
    /// The scalar is zero or not below the order of the curve.
    #[error("the scalar is zero or not below the order of the curve")]
    ScalarOutOfRange,
    /// The sum is the point at infinity, or zero.
    #[error("the sum is the point at infinity, or zero")]
    SumIsZero,
    /// No key can have made the signature.
    #[error("no key can have made the signature")]
    NotRecoverable,
}

/// The context of all operations. It holds no secret.
///
/// libsecp256k1 is not blinded with randomness here: the core has none, and its signing is constant-time without.
pub fn secp() -> &'static Secp256k1<All> {
    static SECP: OnceLock<Secp256k1<All>> = OnceLock::new();
    SECP.get_or_init(Secp256k1::gen_new)
}

/// The generator of the curve.
pub fn generator() -> &'static Multiples {
    static GENERATOR: OnceLock<Multiples> = OnceLock::new();
    GENERATOR.get_or_init(|| {
        let mut uncompressed = [4; 65];
        uncompressed[1..33].copy_from_slice(&GENERATOR_X);
        uncompressed[33..].copy_from_slice(&GENERATOR_Y);
        // A constant of the curve.
        Multiples::shared(PublicKey::from_slice(&uncompressed).expect("a point of the curve"))
    })
}

/// Signs a digest: RFC 6979 nonce, low-S, no grinding for a low R.
pub fn sign_ecdsa(digest: &[u8; 32], key: &SecretKey) -> Signature {
    count(|counts| &mut counts.sign);
    secp().sign_ecdsa(&Message::from_digest(*digest), key)
}

/// Checks a signature of a digest.
///
/// # Errors
/// [`SignatureError`] when it does not verify, also when only because its S is high.
pub fn verify_ecdsa(
    digest: &[u8; 32],
    signature: &Signature,
    public_key: &PublicKey,
) -> Result<(), SignatureError> {
    count(|counts| &mut counts.verify);
    secp()
        .verify_ecdsa(&Message::from_digest(*digest), signature, public_key)
        .map_err(|_| SignatureError { public_key: *public_key })
}

/// Signs a digest so that the public key can be recovered (BOLT 11): as [`sign_ecdsa`], with the recovery id.
pub fn sign_ecdsa_recoverable(digest: &[u8; 32], key: &SecretKey) -> RecoverableSignature {
    count(|counts| &mut counts.sign);
    secp().sign_ecdsa_recoverable(&Message::from_digest(*digest), key)
}

/// The key that made a signature of a digest (BOLT 11). Costs as much as [`verify_ecdsa`] and counts as one.
///
/// # Errors
/// [`CurveError::NotRecoverable`] when no key can have made it. A high S is accepted.
pub fn recover_ecdsa(digest: &[u8; 32], signature: &RecoverableSignature) -> Result<PublicKey, CurveError> {
    count(|counts| &mut counts.verify);
    secp().recover_ecdsa(&Message::from_digest(*digest), signature).map_err(|_| CurveError::NotRecoverable)
}

/// The shared secret of BOLT 4 and BOLT 8: SHA-256 of the compressed product.
pub fn ecdh(public_key: &PublicKey, key: &SecretKey) -> [u8; 32] {
    count(|counts| &mut counts.ecdh);
    ecdh::SharedSecret::new(public_key, key).secret_bytes()
}

/// The public key of a secret key.
pub fn public_key(key: &SecretKey) -> PublicKey {
    count(|counts| &mut counts.create);
    PublicKey::from_secret_key(secp(), key)
}

/// The public key of a secret key that is no secret any more: its duration may tell the key.
///
/// # Errors
/// [`CurveError::ScalarOutOfRange`] for what is no secret key.
pub fn public_key_of_revealed(key: &[u8; 32]) -> Result<PublicKey, CurveError> {
    let secret = SecretKey::from_slice(key).map_err(|_| CurveError::ScalarOutOfRange)?;
    match generator().terms(key) {
        Some(terms) => {
            count(|counts| &mut counts.create);
            sum(&terms)
        }
        None => Ok(public_key(&secret)),
    }
}

/// Whether a secret key that is no secret any more is that of a public key: as comparing with [`public_key_of_revealed`],
/// without the inversion that brings a sum into the form in which it can be read.
pub fn is_secret_of(key: &[u8; 32], public_key: &PublicKey) -> bool {
    let Ok(secret) = SecretKey::from_slice(key) else { return false };
    match generator().terms(key) {
        Some(mut terms) => {
            count(|counts| &mut counts.create);
            terms.push(negate(public_key));
            sum(&terms) == Err(CurveError::SumIsZero)
        }
        None => self::public_key(&secret) == *public_key,
    }
}

/// `scalar * point`, for a public scalar.
///
/// # Errors
/// [`CurveError::ScalarOutOfRange`] for zero and for scalars not below the order.
pub fn multiply_point(point: &PublicKey, scalar: &[u8; 32]) -> Result<PublicKey, CurveError> {
    count(|counts| &mut counts.mul);
    point.mul_tweak(secp(), &to_scalar(scalar)?).map_err(|_| CurveError::ScalarOutOfRange)
}

/// `point + scalar * G`, for a public scalar.
///
/// # Errors
/// [`CurveError`] when the scalar is not below the order or the sum is the point at infinity.
pub fn add_scalar_to_point(point: &PublicKey, scalar: &[u8; 32]) -> Result<PublicKey, CurveError> {
    add_product(point, generator(), scalar)
}

/// `point + scalar * base`, for a public scalar.
///
/// # Errors
/// [`CurveError`] when the scalar is not below the order or the sum is the point at infinity.
pub fn add_product(point: &PublicKey, base: &Multiples, scalar: &[u8; 32]) -> Result<PublicKey, CurveError> {
    let in_range = to_scalar(scalar)?;
    if let Some(mut terms) = base.terms(scalar) {
        count(|counts| &mut counts.mul);
        terms.push(*point);
        return sum(&terms);
    }
    if base.point() == generator().point() {
        count(|counts| &mut counts.mul);
        return point.add_exp_tweak(secp(), &in_range).map_err(|_| CurveError::SumIsZero);
    }
    add_points(point, &multiply_point(base.point(), scalar)?)
}

/// The sum of points: one inversion, however many they are.
///
/// # Errors
/// [`CurveError::SumIsZero`] when it is the point at infinity, as the sum of none is.
pub(super) fn sum(points: &[PublicKey]) -> Result<PublicKey, CurveError> {
    let points: Vec<&PublicKey> = points.iter().collect();
    PublicKey::combine_keys(&points).map_err(|_| CurveError::SumIsZero)
}

/// `-point`.
pub(super) fn negate(point: &PublicKey) -> PublicKey {
    point.negate(secp())
}

/// `a + b`.
///
/// # Errors
/// [`CurveError::SumIsZero`] when the points are each other's negative.
pub fn add_points(a: &PublicKey, b: &PublicKey) -> Result<PublicKey, CurveError> {
    count(|counts| &mut counts.add);
    a.combine(b).map_err(|_| CurveError::SumIsZero)
}

/// `scalar * key` modulo the order.
///
/// # Errors
/// [`CurveError::ScalarOutOfRange`] for zero and for scalars not below the order.
pub fn multiply_key(key: &SecretKey, scalar: &[u8; 32]) -> Result<SecretKey, CurveError> {
    key.mul_tweak(&to_scalar(scalar)?).map_err(|_| CurveError::ScalarOutOfRange)
}

/// `key + scalar` modulo the order.
///
/// # Errors
/// [`CurveError`] when the scalar is not below the order or the sum is zero.
pub fn add_scalar_to_key(key: &SecretKey, scalar: &[u8; 32]) -> Result<SecretKey, CurveError> {
    key.add_tweak(&to_scalar(scalar)?).map_err(|_| CurveError::SumIsZero)
}

fn to_scalar(bytes: &[u8; 32]) -> Result<Scalar, CurveError> {
    Scalar::from_be_bytes(*bytes).map_err(|_| CurveError::ScalarOutOfRange)
}

/// How many curve operations were made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpCounts {
    /// Signatures made.
    pub sign: u64,
    /// Signatures checked.
    pub verify: u64,
    /// Shared secrets.
    pub ecdh: u64,
    /// Public keys made from secret keys (one multiplication of G).
    pub create: u64,
    /// Other point multiplications.
    pub mul: u64,
    /// Additions of two points.
    pub add: u64,
}

impl OpCounts {
    /// What was counted since an earlier reading.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self {
            sign: self.sign.saturating_sub(earlier.sign),
            verify: self.verify.saturating_sub(earlier.verify),
            ecdh: self.ecdh.saturating_sub(earlier.ecdh),
            create: self.create.saturating_sub(earlier.create),
            mul: self.mul.saturating_sub(earlier.mul),
            add: self.add.saturating_sub(earlier.add),
        }
    }
}

#[cfg(any(test, feature = "count-ops"))]
std::thread_local! {
    static COUNTS: std::cell::Cell<OpCounts> = const {
        std::cell::Cell::new(OpCounts { sign: 0, verify: 0, ecdh: 0, create: 0, mul: 0, add: 0 })
    };
}

/// What this thread has counted so far (feature `count-ops`).
#[cfg(any(test, feature = "count-ops"))]
pub fn op_counts() -> OpCounts {
    COUNTS.get()
}

#[cfg(any(test, feature = "count-ops"))]
fn count(which: impl FnOnce(&mut OpCounts) -> &mut u64) {
    let mut counts = COUNTS.get();
    *which(&mut counts) += 1;
    COUNTS.set(counts);
}

#[cfg(not(any(test, feature = "count-ops")))]
#[inline(always)]
fn count(_: impl FnOnce(&mut OpCounts) -> &mut u64) {}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> SecretKey {
        SecretKey::from_slice(&[byte; 32]).unwrap()
    }

    /// n - s for the order n: the other, high S that is valid for plain ECDSA.
    fn with_high_s(signature: &Signature) -> Signature {
        let compact = signature.serialize_compact();
        let s = SecretKey::from_slice(&compact[32..]).unwrap().negate();
        let mut other = compact;
        other[32..].copy_from_slice(&s.secret_bytes());
        Signature::from_compact(&other).unwrap()
    }

    #[test]
    fn a_signature_verifies_for_its_key_and_digest_only() {
        let signature = sign_ecdsa(&[7; 32], &key(1));
        assert_eq!(verify_ecdsa(&[7; 32], &signature, &public_key(&key(1))), Ok(()));
        assert!(verify_ecdsa(&[8; 32], &signature, &public_key(&key(1))).is_err());
        let wrong = public_key(&key(2));
        assert_eq!(verify_ecdsa(&[7; 32], &signature, &wrong), Err(SignatureError { public_key: wrong }));
    }

    #[test]
    fn signing_is_deterministic_and_high_s_is_refused() {
        for byte in 1..=20 {
            let digest = [byte; 32];
            let signature = sign_ecdsa(&digest, &key(3));
            assert_eq!(signature, sign_ecdsa(&digest, &key(3)));
            let high = with_high_s(&signature);
            assert_ne!(high, signature);
            assert!(verify_ecdsa(&digest, &high, &public_key(&key(3))).is_err());
        }
    }

    #[test]
    fn a_key_is_recovered_from_its_signature() {
        let signature = sign_ecdsa_recoverable(&[7; 32], &key(1));
        assert_eq!(signature.to_standard(), sign_ecdsa(&[7; 32], &key(1)));
        assert_eq!(recover_ecdsa(&[7; 32], &signature), Ok(public_key(&key(1))));
        assert_ne!(recover_ecdsa(&[8; 32], &signature), Ok(public_key(&key(1))));
        let (id, mut compact) = signature.serialize_compact();
        compact[..32].fill(0);
        let impossible = RecoverableSignature::from_compact(&compact, id).unwrap();
        assert_eq!(recover_ecdsa(&[7; 32], &impossible), Err(CurveError::NotRecoverable));
    }

    #[test]
    fn ecdh_is_symmetric() {
        let (a, b) = (key(1), key(2));
        assert_eq!(ecdh(&public_key(&a), &b), ecdh(&public_key(&b), &a));
    }

    #[test]
    fn scalars_and_sums_out_of_range_are_errors() {
        let k = key(5);
        let point = public_key(&k);
        assert_eq!(multiply_point(&point, &[0; 32]), Err(CurveError::ScalarOutOfRange));
        assert_eq!(multiply_point(&point, &[0xff; 32]), Err(CurveError::ScalarOutOfRange));
        assert_eq!(add_scalar_to_key(&k, &[0xff; 32]), Err(CurveError::ScalarOutOfRange));
        let minus = k.negate().secret_bytes();
        assert_eq!(add_scalar_to_point(&point, &minus), Err(CurveError::SumIsZero));
        assert_eq!(add_scalar_to_key(&k, &minus), Err(CurveError::SumIsZero));
        assert_eq!(add_points(&point, &public_key(&k.negate())), Err(CurveError::SumIsZero));
    }

    #[test]
    fn points_follow_keys() {
        let (k, scalar) = (key(5), [9; 32]);
        assert_eq!(
            public_key(&multiply_key(&k, &scalar).unwrap()),
            multiply_point(&public_key(&k), &scalar).unwrap()
        );
        assert_eq!(
            public_key(&add_scalar_to_key(&k, &scalar).unwrap()),
            add_scalar_to_point(&public_key(&k), &scalar).unwrap()
        );
    }

    #[test]
    fn a_revealed_secret_is_that_of_its_point_alone() {
        let check = || {
            for byte in 1..=20 {
                let (secret, point) = (key(byte).secret_bytes(), public_key(&key(byte)));
                assert!(is_secret_of(&secret, &point));
                assert_eq!(public_key_of_revealed(&secret), Ok(point));
                let others =
                    [key(byte).negate(), key(byte + 1), key(byte + 100)].map(|key| key.secret_bytes());
                for other in others.into_iter().chain([[0; 32], [0xff; 32]]) {
                    assert!(!is_secret_of(&other, &point));
                }
            }
        };
        check();
        while generator().terms(&[1; 32]).is_none() {
            generator().prepare();
        }
        check();
    }

    #[cfg(any(test, feature = "count-ops"))]
    #[test]
    fn every_operation_is_counted_once() {
        let before = op_counts();
        let point = public_key(&key(1));
        let signature = sign_ecdsa(&[1; 32], &key(1));
        verify_ecdsa(&[1; 32], &signature, &point).unwrap();
        ecdh(&point, &key(2));
        multiply_point(&point, &[2; 32]).unwrap();
        add_scalar_to_point(&point, &[2; 32]).unwrap();
        add_points(&point, &point).unwrap();
        let expected = OpCounts { sign: 1, verify: 1, ecdh: 1, create: 1, mul: 2, add: 1 };
        assert_eq!(op_counts().since(before), expected);
    }
}
