//! The signer of one channel: sole holder of its secrets, and keeper of the rules that no bug elsewhere may break.
//!
//! 1. The secret of a commitment is released only after a newer one has been validated, and never again once one of
//!    ours may be on the network. Otherwise the peer could take all of the channel.
//! 2. For one commitment number only one commitment of the peer is ever signed, and numbers come one after the other.
//! 3. Of our own commitments only the newest is signed, and only after the channel is marked as possibly published,
//!    so that rule 1 holds from then on.
//!
//! The signer itself does not change: what it must remember ([`RevocationState`], [`RemoteSigned`]) is part of the
//! channel's stored state, so that a step that is thrown away, or a crash, leaves no trace in memory.

use super::{
    derive::{self, DeriveError},
    ec,
    keys::{ChannelBasepoints, ChannelKeys},
    multiples::Multiples,
    sha_chain::{NearbySecrets, index_of},
};
use crate::types::CommitmentNumber;
use bitcoin::{
    Amount, EcdsaSighashType, Script, Transaction, Txid,
    hashes::Hash,
    secp256k1::{PublicKey, SecretKey, ecdsa::Signature},
    sighash::SighashCache,
};
use std::fmt;
use thiserror::Error;

/// How far our own commitments have come. Part of the channel's stored state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevocationState {
    /// The newest of our commitments for which all of the peer's signatures have been checked and stored.
    pub newest_validated: CommitmentNumber,
    /// Whether a commitment of ours may be on the network. Once set it is never cleared.
    pub may_broadcast: bool,
}

/// The newest of the peer's commitments that we have signed. Part of the channel's stored state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteSigned {
    /// Its number.
    pub number: CommitmentNumber,
    /// Its txid.
    pub txid: Txid,
}

/// An HTLC transaction of the peer, to be signed for `commitment_signed`.
#[derive(Clone, Copy, Debug)]
pub struct HtlcToSign<'a> {
    /// The transaction; its first input is the HTLC.
    pub tx: &'a Transaction,
    /// The witness script of the output it spends.
    pub witness_script: &'a Script,
    /// What that output holds.
    pub amount: Amount,
}

/// The input of a transaction that claims something on chain; it spends a pay-to-witness-script-hash output.
#[derive(Clone, Copy, Debug)]
pub struct ClaimInput<'a> {
    /// The transaction.
    pub tx: &'a Transaction,
    /// The index of the input.
    pub input_index: usize,
    /// The witness script of the output it spends.
    pub witness_script: &'a Script,
    /// What that output holds.
    pub amount: Amount,
}

/// Which key opens what is claimed (BOLT 5).
#[derive(Clone, Copy)]
pub enum ClaimKey {
    /// Our anchor, on either side's commitment: the funding key.
    Anchor,
    /// `to_remote` on the peer's commitment.
    Payment,
    /// `to_local` and second-stage outputs of our commitment.
    Delayed(CommitmentNumber),
    /// The HTLC transactions of our commitment.
    LocalHtlc(CommitmentNumber),
    /// An HTLC output of the peer's commitment with that per-commitment point.
    RemoteHtlc(PublicKey),
    /// Everything but `to_remote` and anchors on a revoked commitment of the peer, whose secret this is.
    Revocation([u8; 32]),
}

/// Why the signer refused. The first five mean that something else has gone wrong: freeze the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SignerError {
    /// Its commitment is the newest, or is not known to the signer's owner at all.
    #[error("the secret of commitment {} is not to be released: the newest validated is {}", number.0, newest_validated.0)]
    NotRevoked {
        /// Whose secret was asked for.
        number: CommitmentNumber,
        /// The newest validated.
        newest_validated: CommitmentNumber,
    },
    /// A commitment of ours may be on the network.
    #[error("the secret of commitment {} is not to be released: a commitment may have been published", number.0)]
    MayBeBroadcast {
        /// Whose secret was asked for.
        number: CommitmentNumber,
    },
    /// Another commitment with the same number has been signed.
    #[error("commitment {} of the peer is signed as {signed}, will not be as {asked}", number.0)]
    RemoteConflict {
        /// The number.
        number: CommitmentNumber,
        /// What was signed.
        signed: Txid,
        /// What should have been signed now.
        asked: Txid,
    },
    /// Neither the last signed number nor the one after it.
    #[error("commitment {} of the peer is out of turn, the last signed is {last:?}", number.0)]
    RemoteOutOfTurn {
        /// The number.
        number: CommitmentNumber,
        /// The last signed; unset before the first.
        last: Option<CommitmentNumber>,
    },
    /// Only the newest commitment is published, and only by a channel marked so.
    #[error("commitment {} is not to be published: {state:?}", number.0)]
    NotToBePublished {
        /// The number.
        number: CommitmentNumber,
        /// The state of the channel.
        state: RevocationState,
    },
    /// There is no commitment 2^48.
    #[error("there is no commitment {}", number.0)]
    NumberOutOfRange {
        /// The number.
        number: CommitmentNumber,
    },
    /// The transaction has no such input, or not the only input that it should have.
    #[error("the transaction has {inputs} inputs, which does not fit input {input_index}")]
    NoSuchInput {
        /// The input.
        input_index: usize,
        /// How many there are.
        inputs: usize,
    },
    /// A secret that is not a key.
    #[error("the per-commitment secret is not a key")]
    NotAKey,
    /// A key cannot be derived.
    #[error(transparent)]
    Derive(#[from] DeriveError),
}

/// Holds the secrets of one channel and signs with them.
pub struct ChannelSigner {
    keys: ChannelKeys,
    basepoints: ChannelBasepoints,
    nearby: NearbySecrets,
}

impl ChannelSigner {
    /// Takes over the secrets.
    pub fn new(keys: ChannelKeys) -> Self {
        let basepoints = keys.basepoints();
        Self { keys, basepoints, nearby: NearbySecrets::default() }
    }

    /// The public keys of our side.
    pub const fn basepoints(&self) -> &ChannelBasepoints {
        &self.basepoints
    }

    /// The point of one of our commitments. Costs one point multiplication and a few hashes.
    ///
    /// # Errors
    /// [`SignerError::NumberOutOfRange`].
    pub fn per_commitment_point(&self, number: CommitmentNumber) -> Result<PublicKey, SignerError> {
        let secret = self.commitment_secret(number)?;
        Ok(ec::public_key(&SecretKey::from_slice(&secret).map_err(|_| SignerError::NotAKey)?))
    }

    /// The revocation key of one of our commitments, whose point this is. The basepoint is the peer's.
    ///
    /// # Errors
    /// [`SignerError::NumberOutOfRange`].
    pub fn revocation_pubkey(
        &self,
        number: CommitmentNumber,
        per_commitment_point: &PublicKey,
        remote_revocation_basepoint: &Multiples,
    ) -> Result<PublicKey, SignerError> {
        let mut secret =
            SecretKey::from_slice(&self.commitment_secret(number)?).map_err(|_| SignerError::NotAKey)?;
        let pubkey = derive::derive_revocation_public_key_with(
            remote_revocation_basepoint,
            &secret,
            per_commitment_point,
        );
        secret.non_secure_erase();
        Ok(pubkey?)
    }

    /// The secret of a revoked commitment of ours, for `revoke_and_ack`.
    ///
    /// # Errors
    /// [`SignerError::MayBeBroadcast`], or [`SignerError::NotRevoked`] unless a newer commitment has been validated.
    pub fn release_secret(
        &self,
        number: CommitmentNumber,
        state: &RevocationState,
    ) -> Result<[u8; 32], SignerError> {
        let newest_validated = state.newest_validated;
        if number >= newest_validated {
            return Err(SignerError::NotRevoked { number, newest_validated });
        }
        if state.may_broadcast {
            return Err(SignerError::MayBeBroadcast { number });
        }
        self.commitment_secret(number)
    }

    /// Signs a commitment of the peer. What comes back besides the signature takes the place of `last` in the state.
    ///
    /// # Errors
    /// [`SignerError::RemoteConflict`] or [`SignerError::RemoteOutOfTurn`]; [`SignerError::NoSuchInput`].
    pub fn sign_remote_commitment(
        &self,
        number: CommitmentNumber,
        tx: &Transaction,
        funding_amount: Amount,
        funding_script: &Script,
        last: Option<&RemoteSigned>,
    ) -> Result<(Signature, RemoteSigned), SignerError> {
        index_of(number).ok_or(SignerError::NumberOutOfRange { number })?;
        let asked = RemoteSigned { number, txid: tx.compute_txid() };
        match last {
            None if number.0 == 0 => {}
            Some(last) if last.number == number && last.txid == asked.txid => {}
            Some(last) if last.number == number => {
                return Err(SignerError::RemoteConflict { number, signed: last.txid, asked: asked.txid });
            }
            // `number` is below 2^48, so the difference cannot overflow.
            Some(last) if number.0.checked_sub(1) == Some(last.number.0) => {}
            last => {
                return Err(SignerError::RemoteOutOfTurn { number, last: last.map(|last| last.number) });
            }
        }
        Ok((self.sign_funding(tx, funding_amount, funding_script)?, asked))
    }

    /// Signs the HTLC transactions of a commitment of the peer, in their order, with `SIGHASH_SINGLE|ANYONECANPAY`
    /// (BOLT 3, `option_anchors`).
    ///
    /// # Errors
    /// [`SignerError::NoSuchInput`] when a transaction has not exactly one input.
    pub fn sign_remote_htlcs<'a>(
        &self,
        remote_per_commitment_point: &PublicKey,
        htlcs: impl IntoIterator<Item = HtlcToSign<'a>>,
    ) -> Result<Vec<Signature>, SignerError> {
        let mut htlcs = htlcs.into_iter().peekable();
        // Without HTLCs no key is derived.
        if htlcs.peek().is_none() {
            return Ok(Vec::new());
        }
        let key = self.htlc_key(remote_per_commitment_point)?;
        htlcs
            .map(|htlc| {
                only_input(htlc.tx)?;
                let input = ClaimInput {
                    tx: htlc.tx,
                    input_index: 0,
                    witness_script: htlc.witness_script,
                    amount: htlc.amount,
                };
                sign_input(&key, &input, EcdsaSighashType::SinglePlusAnyoneCanPay)
            })
            .collect()
    }

    /// Signs our newest commitment, to be published.
    ///
    /// # Errors
    /// [`SignerError::NotToBePublished`] unless it is the newest and the channel is marked; [`SignerError::NoSuchInput`].
    pub fn sign_local_commitment(
        &self,
        number: CommitmentNumber,
        tx: &Transaction,
        funding_amount: Amount,
        funding_script: &Script,
        state: &RevocationState,
    ) -> Result<Signature, SignerError> {
        if number != state.newest_validated || !state.may_broadcast {
            return Err(SignerError::NotToBePublished { number, state: *state });
        }
        self.sign_funding(tx, funding_amount, funding_script)
    }

    /// Signs a closing transaction.
    ///
    /// # Errors
    /// [`SignerError::NoSuchInput`] when it has not exactly one input.
    pub fn sign_closing(
        &self,
        tx: &Transaction,
        funding_amount: Amount,
        funding_script: &Script,
    ) -> Result<Signature, SignerError> {
        self.sign_funding(tx, funding_amount, funding_script)
    }

    /// Signs an input that claims an output of a published commitment, or of one of its HTLC transactions, with
    /// `SIGHASH_ALL`.
    ///
    /// # Errors
    /// [`SignerError::NoSuchInput`]; or the key does not exist.
    pub fn sign_claim(&self, key: &ClaimKey, input: &ClaimInput<'_>) -> Result<Signature, SignerError> {
        sign_input(&self.claim_key(key)?, input, EcdsaSighashType::All)
    }

    fn claim_key(&self, key: &ClaimKey) -> Result<SecretKey, SignerError> {
        Ok(match key {
            ClaimKey::Anchor => self.keys.funding,
            ClaimKey::Payment => self.keys.payment,
            ClaimKey::Delayed(number) => {
                let point = self.per_commitment_point(*number)?;
                let basepoint = &self.basepoints.delayed_payment_basepoint;
                derive::derive_private_key(&self.keys.delayed_payment_base, basepoint, &point)?
            }
            ClaimKey::LocalHtlc(number) => self.htlc_key(&self.per_commitment_point(*number)?)?,
            ClaimKey::RemoteHtlc(point) => self.htlc_key(point)?,
            ClaimKey::Revocation(secret) => {
                let secret = SecretKey::from_slice(secret).map_err(|_| SignerError::NotAKey)?;
                derive::derive_revocation_private_key(&self.keys.revocation_base, &secret)?
            }
        })
    }

    fn htlc_key(&self, per_commitment_point: &PublicKey) -> Result<SecretKey, SignerError> {
        let basepoint = &self.basepoints.htlc_basepoint;
        Ok(derive::derive_private_key(&self.keys.htlc_base, basepoint, per_commitment_point)?)
    }

    fn sign_funding(
        &self,
        tx: &Transaction,
        funding_amount: Amount,
        funding_script: &Script,
    ) -> Result<Signature, SignerError> {
        only_input(tx)?;
        let input = ClaimInput { tx, input_index: 0, witness_script: funding_script, amount: funding_amount };
        sign_input(&self.keys.funding, &input, EcdsaSighashType::All)
    }

    fn commitment_secret(&self, number: CommitmentNumber) -> Result<[u8; 32], SignerError> {
        let index = index_of(number).ok_or(SignerError::NumberOutOfRange { number })?;
        Ok(self.nearby.secret(&self.keys.commitment_seed, index))
    }
}

impl fmt::Debug for ChannelSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelSigner").field("basepoints", &self.basepoints).finish_non_exhaustive()
    }
}

impl fmt::Debug for ClaimKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anchor => f.write_str("Anchor"),
            Self::Payment => f.write_str("Payment"),
            Self::Delayed(number) => f.debug_tuple("Delayed").field(number).finish(),
            Self::LocalHtlc(number) => f.debug_tuple("LocalHtlc").field(number).finish(),
            Self::RemoteHtlc(point) => f.debug_tuple("RemoteHtlc").field(point).finish(),
            Self::Revocation(_) => f.write_str("Revocation(secret)"),
        }
    }
}

fn only_input(tx: &Transaction) -> Result<(), SignerError> {
    match tx.input.len() {
        1 => Ok(()),
        inputs => Err(SignerError::NoSuchInput { input_index: 0, inputs }),
    }
}

fn sign_input(
    key: &SecretKey,
    input: &ClaimInput<'_>,
    sighash_type: EcdsaSighashType,
) -> Result<Signature, SignerError> {
    let ClaimInput { tx, input_index, witness_script, amount } = *input;
    let digest = SighashCache::new(tx)
        .p2wsh_signature_hash(input_index, witness_script, amount, sighash_type)
        .map_err(|_| SignerError::NoSuchInput { input_index, inputs: tx.input.len() })?;
    Ok(ec::sign_ecdsa(&digest.to_byte_array(), key))
}
