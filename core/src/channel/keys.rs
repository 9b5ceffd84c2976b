//! Keys of commitments, derived once each and, where the node finds the time, before they are needed; and what no key
//! changes, made once.

use super::changes::Spec;
use super::commitments::Commitments;
use super::params::{ChannelParams, Party};
use crate::crypto::{ChannelSigner, DeriveError, Multiples, SignerError, ec};
use crate::tx::{CommitmentKeys, CommitmentParams};
use crate::types::CommitmentNumber;
use bitcoin::secp256k1::PublicKey;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Derived keys. Says nothing about the state of a channel: two caches are always equal, and none is stored.
#[derive(Clone, Default)]
pub(super) struct KeyCache {
    /// Our per-commitment points, the newest last.
    local_points: Vec<(CommitmentNumber, PublicKey)>,
    /// The keys of our next commitment.
    local: Option<Arc<CommitmentKeys>>,
    /// The keys of the peer's next commitment.
    remote: Option<Arc<CommitmentKeys>>,
    /// Our revocation basepoint, and the peer's.
    revocation_basepoints: Option<Arc<[Multiples; 2]>>,
    /// What our commitments are built from, and the peer's.
    commitment_params: Option<Arc<[CommitmentParams; 2]>>,
}

impl PartialEq for KeyCache {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for KeyCache {}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyCache")
    }
}

impl KeyCache {
    /// Our per-commitment point with that number, remembered if it is new.
    pub(super) fn local_point(
        &mut self,
        signer: &ChannelSigner,
        number: CommitmentNumber,
    ) -> Result<PublicKey, SignerError> {
        if let Some((_, point)) = self.local_points.iter().find(|(its, _)| *its == number) {
            return Ok(*point);
        }
        let point = signer.per_commitment_point(number)?;
        if self.local_points.len() >= 3 {
            self.local_points.remove(0);
        }
        self.local_points.push((number, point));
        Ok(point)
    }

    fn cached(&self, broadcaster: Party, point: &PublicKey) -> Option<Arc<CommitmentKeys>> {
        let cached = match broadcaster {
            Party::Local => &self.local,
            Party::Remote => &self.remote,
        };
        cached.as_ref().filter(|keys| keys.per_commitment_point() == point).map(Arc::clone)
    }

    /// The keys of our commitment with that number and point.
    fn local_keys(
        &self,
        params: &ChannelParams,
        signer: &ChannelSigner,
        number: CommitmentNumber,
        point: &PublicKey,
    ) -> Result<Arc<CommitmentKeys>, SignerError> {
        if let Some(keys) = self.cached(Party::Local, point) {
            return Ok(keys);
        }
        let Some([_, basepoint]) = self.revocation_basepoints.as_deref() else {
            return Ok(self.keys_for(params, Party::Local, point)?);
        };
        let revocation_pubkey = signer.revocation_pubkey(number, point, basepoint)?;
        let (local, remote) = (&params.local.basepoints, &params.remote.basepoints);
        Ok(Arc::new(CommitmentKeys::with_revocation_pubkey(revocation_pubkey, local, remote, point)?))
    }

    /// The keys of the commitment of `broadcaster` with that point.
    pub(super) fn keys_for(
        &self,
        params: &ChannelParams,
        broadcaster: Party,
        point: &PublicKey,
    ) -> Result<Arc<CommitmentKeys>, DeriveError> {
        if let Some(keys) = self.cached(broadcaster, point) {
            return Ok(keys);
        }
        let (broadcaster, countersignatory) = (broadcaster, broadcaster.other());
        let of = |party| &params.of(party).basepoints;
        let keys = match (self.revocation_basepoints.as_deref(), countersignatory) {
            (None, _) => CommitmentKeys::derive(of(broadcaster), of(countersignatory), point),
            (Some([own, _]), Party::Local) => {
                CommitmentKeys::derive_from(of(broadcaster), of(countersignatory), own, point)
            }
            (Some([_, remote]), Party::Remote) => {
                CommitmentKeys::derive_from(of(broadcaster), of(countersignatory), remote, point)
            }
        };
        keys.map(Arc::new)
    }

    /// What the commitments of `broadcaster` are built from.
    pub(super) fn commitment_params(
        &self,
        params: &ChannelParams,
        broadcaster: Party,
    ) -> Cow<'_, CommitmentParams> {
        match (self.commitment_params.as_deref(), broadcaster) {
            (Some([local, _]), Party::Local) => Cow::Borrowed(local),
            (Some([_, remote]), Party::Remote) => Cow::Borrowed(remote),
            (None, _) => Cow::Owned(params.commitment_params(broadcaster)),
        }
    }

    /// Makes the tables from which the keys of further commitments are derived at less cost, if they pay.
    fn prepare_tables(&mut self, params: &ChannelParams) {
        ec::generator().prepare();
        let of = |party| Multiples::new(params.of(party).basepoints.revocation_basepoint);
        let both = || Arc::new([of(Party::Local), of(Party::Remote)]);
        self.revocation_basepoints.get_or_insert_with(both).iter().for_each(Multiples::prepare);
    }
}

impl Commitments {
    /// Derives what the next commitments will need. To be called while there is nothing else to do.
    ///
    /// # Errors
    /// [`SignerError`]: a key does not exist, with probability 2^-128.
    pub fn derive_ahead(&mut self, signer: &ChannelSigner) -> Result<(), SignerError> {
        self.cache.prepare_tables(&self.params);
        let params_of = |party| self.params.commitment_params(party);
        self.cache
            .commitment_params
            .get_or_insert_with(|| Arc::new([params_of(Party::Local), params_of(Party::Remote)]));
        let next = self.local.number.next();
        let point = self.cache.local_point(signer, next)?;
        self.cache.local_point(signer, next.next())?;
        let keys = self.cache.local_keys(&self.params, signer, next, &point)?;
        if next_has_htlcs(&self.local.spec) {
            keys.htlc_keys()?;
        }
        self.cache.local = Some(keys);
        // The point of a commitment that is signed already is not needed again.
        if let (Some(point), None) = (self.remote_next_point, &self.remote_next) {
            let keys = self.cache.keys_for(&self.params, Party::Remote, &point)?;
            if next_has_htlcs(&self.remote.spec) {
                keys.htlc_keys()?;
            }
            self.cache.remote = Some(keys);
        }
        Ok(())
    }
}

/// Whether the commitment after this one will most likely have HTLCs: after one without comes an HTLC, and one that
/// stands alone is removed next. Keys that turn out to be missing are derived when they are needed.
fn next_has_htlcs(spec: &Spec) -> bool {
    spec.htlcs.len() != 1
}
