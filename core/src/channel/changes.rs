//! Updates on their way into both commitments, and what a commitment says once they are in (BOLT 2, Normal Operation).
//!
//! An update first enters the commitment of the side that did not make it, then, once that side has acknowledged it by
//! `revoke_and_ack`, the commitment of its maker. Each list below is one stretch of that way; an HTLC is named by who
//! offered it and its number, and stands once in the table of live HTLCs.

use super::params::Party;
use super::table::{HtlcSet, HtlcTable};
use crate::onion::Instruction;
use crate::tx::{self, CommitmentSpec, Direction};
use crate::types::{CltvExpiry, FeeratePerKw, HtlcId, MilliSatoshi, PaymentHash, PaymentId, PaymentPreimage};
use bitcoin::secp256k1::PublicKey;
use std::fmt;
use std::sync::Arc;

/// The name of an HTLC in a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HtlcKey {
    /// Who offered it.
    pub offered_by: Party,
    /// Its number among those of its offerer.
    pub id: HtlcId,
}

/// How the receiver of an HTLC removed it.
#[derive(Clone, PartialEq, Eq)]
pub enum Removal {
    /// It was paid.
    Fulfilled(PaymentPreimage),
    /// It was not; the onion-encrypted reason is for its origin.
    Failed(Vec<u8>),
    /// Its onion could not be read.
    Malformed {
        /// SHA-256 of the onion as it was received.
        sha256_of_onion: [u8; 32],
        /// A code with the BADONION bit.
        failure_code: u16,
    },
}

impl fmt::Debug for Removal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fulfilled(_) => f.write_str("Fulfilled"),
            Self::Failed(reason) => write!(f, "Failed({} bytes)", reason.len()),
            Self::Malformed { failure_code, .. } => write!(f, "Malformed({failure_code:#x})"),
        }
    }
}

/// An onion packet as it travels in `update_add_htlc`.
pub type Onion = Arc<[u8; 1366]>;

/// An HTLC that is on a commitment or on its way to or from one.
#[derive(Clone, PartialEq, Eq)]
pub struct LiveHtlc {
    /// What is paid.
    pub amount: MilliSatoshi,
    /// What the preimage must hash to.
    pub payment_hash: PaymentHash,
    /// When it times out.
    pub cltv_expiry: CltvExpiry,
    /// Whose payment it is, if we offered it.
    pub origin: Option<PaymentId>,
    /// The onion of ours, as long as it may have to be sent again. It is not stored: see [`Channel::attach_onion`].
    ///
    /// [`Channel::attach_onion`]: super::Channel::attach_onion
    pub onion: Option<Onion>,
    /// What the onion of the peer's said, as long as the HTLC is not answered.
    pub instruction: Option<Instruction>,
    /// The path key that came with it inside a blinded path (BOLT 4, Route Blinding).
    pub path_key: Option<PublicKey>,
    /// How it was removed, unset while it was not.
    pub removal: Option<Removal>,
}

impl fmt::Debug for LiveHtlc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveHtlc")
            .field("amount", &self.amount)
            .field("payment_hash", &self.payment_hash)
            .field("cltv_expiry", &self.cltv_expiry)
            .field("origin", &self.origin)
            .field("onion", &self.onion.is_some())
            .field("removal", &self.removal)
            .finish()
    }
}

/// One update; who made it is told by the list it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// Its maker offers an HTLC.
    Add(HtlcId),
    /// Its maker removes an HTLC that the other side offered; the table says how.
    Remove(HtlcId),
    /// Its maker, the opener, sets the fee rate.
    Fee(FeeratePerKw),
}

/// Our updates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalChanges {
    /// Told to the peer (or to be told), in no commitment yet.
    pub proposed: Vec<Update>,
    /// In the remote commitment we signed and that the peer has not acknowledged.
    pub signed: Vec<Update>,
    /// Acknowledged by the peer, and therefore due in the next local commitment.
    pub acked: Vec<Update>,
}

/// The peer's updates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemoteChanges {
    /// Told to us, in no commitment yet. Forgotten on disconnect.
    pub proposed: Vec<Update>,
    /// In our commitment and acknowledged by us, and therefore due in the next remote commitment.
    pub acked: Vec<Update>,
    /// In the remote commitment we signed and that the peer has not acknowledged.
    pub signed: Vec<Update>,
}

/// What one commitment says, whoever owns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// The fee rate.
    pub feerate: FeeratePerKw,
    /// Our balance beside the HTLCs, before fee and anchors.
    pub local: MilliSatoshi,
    /// The peer's.
    pub remote: MilliSatoshi,
    /// The HTLCs in flight.
    pub htlcs: HtlcSet,
}

/// Updates that cannot be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReduceError {
    /// A balance would be negative or overflow.
    #[error("the balance of the {0:?} side does not cover its HTLCs")]
    Balance(Party),
    /// An update speaks of an HTLC that is not there, or adds one that is.
    #[error("an update speaks of HTLC {0:?} out of turn")]
    Htlc(HtlcKey),
}

impl Spec {
    /// This specification with some of our and of the peer's updates.
    ///
    /// # Errors
    /// [`ReduceError`] where the updates do not fit.
    pub fn reduce<'a>(
        &self,
        table: &HtlcTable,
        local: impl IntoIterator<Item = &'a Update> + Clone,
        remote: impl IntoIterator<Item = &'a Update> + Clone,
    ) -> Result<Self, ReduceError> {
        let mut next = self.clone();
        let all = || {
            let local = local.clone().into_iter().map(|update| (Party::Local, update));
            local.chain(remote.clone().into_iter().map(|update| (Party::Remote, update)))
        };
        // What removals give back may be what additions in the same commitment spend.
        for (maker, update) in all() {
            match update {
                Update::Add(_) => {}
                Update::Remove(id) => next.remove(table, HtlcKey { offered_by: maker.other(), id: *id })?,
                Update::Fee(feerate) => next.feerate = *feerate,
            }
        }
        for (maker, update) in all() {
            if let Update::Add(id) = update {
                next.add(table, HtlcKey { offered_by: maker, id: *id })?;
            }
        }
        Ok(next)
    }

    fn add(&mut self, table: &HtlcTable, key: HtlcKey) -> Result<(), ReduceError> {
        let amount = table.get(&key).ok_or(ReduceError::Htlc(key))?.amount;
        let balance = self.balance_mut(key.offered_by);
        *balance = balance.checked_sub(amount).ok_or(ReduceError::Balance(key.offered_by))?;
        if self.htlcs.insert(key) { Ok(()) } else { Err(ReduceError::Htlc(key)) }
    }

    fn remove(&mut self, table: &HtlcTable, key: HtlcKey) -> Result<(), ReduceError> {
        let htlc = table.get(&key).ok_or(ReduceError::Htlc(key))?;
        let paid_to = match htlc.removal.as_ref().ok_or(ReduceError::Htlc(key))? {
            Removal::Fulfilled(_) => key.offered_by.other(),
            Removal::Failed(_) | Removal::Malformed { .. } => key.offered_by,
        };
        if !self.htlcs.remove(&key) {
            return Err(ReduceError::Htlc(key));
        }
        let balance = self.balance_mut(paid_to);
        *balance = balance.checked_add(htlc.amount).ok_or(ReduceError::Balance(paid_to))?;
        Ok(())
    }

    const fn balance_mut(&mut self, party: Party) -> &mut MilliSatoshi {
        match party {
            Party::Local => &mut self.local,
            Party::Remote => &mut self.remote,
        }
    }

    /// The balance of one side.
    pub const fn balance(&self, party: Party) -> MilliSatoshi {
        match party {
            Party::Local => self.local,
            Party::Remote => self.remote,
        }
    }

    /// The same as the owner of a commitment sees it.
    ///
    /// # Errors
    /// [`ReduceError::Htlc`] if the table lacks one of the HTLCs.
    pub fn seen_by(&self, broadcaster: Party, table: &HtlcTable) -> Result<CommitmentSpec, ReduceError> {
        // Both are in the same order.
        let mut known = table.iter();
        let htlcs = self.htlcs.iter().map(|key| {
            let (_, htlc) = known.find(|(its, _)| *its == key).ok_or(ReduceError::Htlc(*key))?;
            let direction =
                if key.offered_by == broadcaster { Direction::Offered } else { Direction::Received };
            let content = tx::Htlc {
                id: key.id,
                amount_msat: htlc.amount,
                payment_hash: htlc.payment_hash,
                cltv_expiry: htlc.cltv_expiry,
            };
            Ok((direction, content))
        });
        Ok(CommitmentSpec {
            htlcs: htlcs.collect::<Result<_, _>>()?,
            feerate_per_kw: self.feerate,
            to_local: self.balance(broadcaster),
            to_remote: self.balance(broadcaster.other()),
        })
    }
}
