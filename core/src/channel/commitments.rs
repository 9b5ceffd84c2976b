//! The two commitments of a channel and everything that is on its way into them.

use super::changes::{HtlcKey, LiveHtlc, LocalChanges, RemoteChanges, Removal, Spec, Update};
use super::effects::IncomingHtlc;
use super::keys::KeyCache;
use super::params::{ChannelParams, FORMAT, Party};
use super::table::HtlcTable;
use crate::crypto::{RemoteSigned, RevocationState, SecretStore};
use crate::onion::Instruction;
use crate::tx;
use crate::types::{ChannelId, CommitmentNumber, HtlcId, MilliSatoshi, PaymentId, ShortChannelId};
use bitcoin::secp256k1::{PublicKey, ecdsa::Signature};
use bitcoin::{Transaction, Txid};
use std::sync::Arc;

/// Our latest commitment, with what it takes to publish it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalCommitment {
    /// Its number.
    pub number: CommitmentNumber,
    /// What it says.
    pub spec: Spec,
    /// The peer's signature of it.
    pub remote_signature: Signature,
    /// The peer's signatures of its HTLC transactions, in the order of the outputs.
    pub htlc_signatures: Vec<Signature>,
}

/// A commitment of the peer that we have signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteCommitment {
    /// Its number.
    pub number: CommitmentNumber,
    /// The transaction.
    pub txid: Txid,
    /// What it says.
    pub spec: Spec,
}

/// Which of the two we sent last: they must be sent again in the same order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastSent {
    /// `commitment_signed`.
    CommitmentSigned,
    /// `revoke_and_ack`.
    RevokeAndAck,
}

/// What is known of the funding transaction and of `channel_ready`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Funding {
    /// Our signed funding transaction, until it is confirmed.
    pub tx: Option<Transaction>,
    /// Where it stands in the chain; unset while it is not deep enough.
    pub short_channel_id: Option<ShortChannelId>,
    /// The alias by which the peer forwards to us.
    pub remote_alias: Option<ShortChannelId>,
    /// Whether we have ever sent `channel_ready`.
    pub sent_channel_ready: bool,
}

/// The commitments, the updates between them, and what else the peers have agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commitments {
    /// What was agreed at the start.
    pub params: Arc<ChannelParams>,
    /// What is known of the funding transaction.
    pub funding: Funding,
    /// Every HTLC that something here speaks of.
    pub htlcs: HtlcTable,
    /// Our updates.
    pub local_changes: LocalChanges,
    /// The peer's updates.
    pub remote_changes: RemoteChanges,
    /// The number of our next HTLC.
    pub local_next_htlc_id: HtlcId,
    /// The number of the peer's next HTLC.
    pub remote_next_htlc_id: HtlcId,
    /// Our commitment.
    pub local: LocalCommitment,
    /// The peer's commitment.
    pub remote: RemoteCommitment,
    /// The peer's next commitment, if we have signed it and the present one is not revoked.
    pub remote_next: Option<RemoteCommitment>,
    /// The per-commitment point of the peer's commitment.
    pub remote_point: PublicKey,
    /// The per-commitment point of the peer's next commitment; unset before `channel_ready`.
    pub remote_next_point: Option<PublicKey>,
    /// The secrets of the peer's revoked commitments.
    pub remote_secrets: SecretStore,
    /// What we sent last.
    pub last_sent: LastSent,
    /// Our commitment may be on the network: its secret must never leave.
    pub may_broadcast: bool,
    /// Derived keys, kept in memory only.
    pub(super) cache: KeyCache,
}

impl Commitments {
    /// The name of the channel on the wire.
    pub fn channel_id(&self) -> ChannelId {
        ChannelId::from_funding(self.params.funding_outpoint)
    }

    /// The peer's newest commitment that we signed.
    pub const fn remote_newest(&self) -> &RemoteCommitment {
        match &self.remote_next {
            Some(next) => next,
            None => &self.remote,
        }
    }

    pub(super) const fn remote_signed(&self) -> RemoteSigned {
        let newest = self.remote_newest();
        RemoteSigned { number: newest.number, txid: newest.txid }
    }

    pub(super) const fn revocation_state(&self) -> RevocationState {
        RevocationState { newest_validated: self.local.number, may_broadcast: self.may_broadcast }
    }

    /// Whether a `commitment_signed` of ours would bring anything new.
    pub const fn local_has_changes(&self) -> bool {
        !self.local_changes.proposed.is_empty() || !self.remote_changes.acked.is_empty()
    }

    /// Whether a `commitment_signed` can be sent: something to sign, and the last one acknowledged.
    pub const fn can_sign(&self) -> bool {
        self.local_has_changes() && self.remote_next.is_none() && self.remote_next_point.is_some()
    }

    /// Whether no HTLC and no update is left anywhere: what closing together needs (BOLT 2, Legacy Closing
    /// Negotiation).
    pub fn is_clean(&self) -> bool {
        let LocalChanges { proposed, signed, acked } = &self.local_changes;
        let local = proposed.is_empty() && signed.is_empty() && acked.is_empty();
        let RemoteChanges { proposed, acked, signed } = &self.remote_changes;
        let remote = proposed.is_empty() && signed.is_empty() && acked.is_empty();
        local
            && remote
            && self.remote_next.is_none()
            && self.local.spec.htlcs.is_empty()
            && self.remote.spec.htlcs.is_empty()
    }

    /// Whether the HTLC stands in both commitments and all earlier ones are revoked.
    pub fn is_irrevocable(&self, key: HtlcKey) -> bool {
        let pending = match key.offered_by {
            Party::Local => {
                let LocalChanges { proposed, signed, acked } = &self.local_changes;
                [proposed, signed, acked]
            }
            Party::Remote => {
                let RemoteChanges { proposed, acked, signed } = &self.remote_changes;
                [proposed, acked, signed]
            }
        };
        self.local.spec.htlcs.contains(&key)
            && self.remote.spec.htlcs.contains(&key)
            && !pending.iter().any(|list| list.contains(&Update::Add(key.id)))
    }

    /// What of ours is on its way out and not decided: in HTLCs of our commitment, and in those that are due to enter it.
    /// `is_paid` tells of whose payment the preimage is known; that much is the peer's.
    pub fn outgoing_in_flight(&self, is_paid: impl Fn(PaymentId) -> bool) -> MilliSatoshi {
        let undecided = self.committed(Party::Local).filter(|htlc| !htlc.origin.is_some_and(&is_paid));
        undecided.map(|htlc| htlc.amount).fold(self.outgoing_pending(), MilliSatoshi::saturating_add)
    }

    /// Our balance without what is on its way out, and with what came in by a preimage that we gave away. With
    /// [`Commitments::outgoing_in_flight`] it is all we own.
    pub fn local_balance(&self) -> MilliSatoshi {
        let fulfilled = self
            .committed(Party::Remote)
            .filter(|htlc| matches!(htlc.removal, Some(Removal::Fulfilled(_))))
            .map(|htlc| htlc.amount);
        fulfilled
            .fold(self.local.spec.local, MilliSatoshi::saturating_add)
            .saturating_sub(self.outgoing_pending())
    }

    /// The HTLCs of one side that stand in our commitment.
    fn committed(&self, offered_by: Party) -> impl Iterator<Item = &LiveHtlc> {
        let keys = self.local.spec.htlcs.iter().filter(move |key| key.offered_by == offered_by);
        keys.filter_map(|key| self.htlcs.get(key))
    }

    /// What of ours is in HTLCs that are offered and not in our commitment yet.
    fn outgoing_pending(&self) -> MilliSatoshi {
        let LocalChanges { proposed, signed, acked } = &self.local_changes;
        let added = [proposed, signed, acked].into_iter().flatten().filter_map(|update| match update {
            Update::Add(id) => self.htlcs.get(&HtlcKey::outgoing(*id)),
            Update::Remove(_) | Update::Fee(_) => None,
        });
        added.map(|htlc| htlc.amount).fold(MilliSatoshi::ZERO, MilliSatoshi::saturating_add)
    }

    /// The peer's HTLCs that are irrevocably committed and not yet removed, in order.
    pub fn unresolved_incoming(&self) -> impl Iterator<Item = HtlcId> + '_ {
        self.htlcs.iter().filter_map(|(key, htlc)| {
            let open = key.offered_by == Party::Remote && htlc.removal.is_none() && self.is_irrevocable(*key);
            open.then_some(key.id)
        })
    }

    /// What the node needs to know of one of the peer's HTLCs.
    pub fn incoming_htlc(&self, id: HtlcId, max_dust_exposure: MilliSatoshi) -> Option<IncomingHtlc> {
        let htlc = self.htlcs.get(&HtlcKey::incoming(id))?;
        let over_dust_exposure = [(Party::Local, &self.local.spec), (Party::Remote, &self.remote.spec)]
            .into_iter()
            .any(|(owner, spec)| {
                let dust_limit = self.params.of(owner).dust_limit;
                let exposure = || {
                    spec.seen_by(owner, &self.htlcs)
                        .map_or(MilliSatoshi::ZERO, |seen| tx::dust_exposure(&seen, dust_limit, FORMAT))
                };
                htlc.amount.to_amount_floor() < dust_limit && exposure() > max_dust_exposure
            });
        Some(IncomingHtlc {
            id,
            amount: htlc.amount,
            payment_hash: htlc.payment_hash,
            cltv_expiry: htlc.cltv_expiry,
            instruction: htlc.instruction.clone(),
            path_key: htlc.path_key,
            over_dust_exposure,
            is_funded: self.funding.short_channel_id.is_some(),
        })
    }

    /// Forgets what the peer told and did not commit (BOLT 2, Message Retransmission). A preimage among it was
    /// passed on when it came.
    pub(super) fn forget_uncommitted(&mut self) {
        for update in std::mem::take(&mut self.remote_changes.proposed) {
            match update {
                Update::Add(id) => {
                    self.htlcs.remove(&HtlcKey::incoming(id));
                    self.remote_next_htlc_id = self.remote_next_htlc_id.min(id);
                }
                Update::Remove(id) => {
                    if let Some(htlc) = self.htlcs.get_mut(&HtlcKey::outgoing(id)) {
                        htlc.removal = None;
                    }
                }
                Update::Fee(_) => {}
            }
        }
    }

    /// Takes our HTLCs back that no `commitment_signed` of ours covers. The peer has forgotten them with the connection (BOLT 2,
    /// Message Retransmission), so that their numbers are free again.
    pub(super) fn forget_unsigned_adds(&mut self) {
        for id in self.unsigned_adds().collect::<Vec<_>>() {
            self.htlcs.remove(&HtlcKey::outgoing(id));
            self.local_next_htlc_id = self.local_next_htlc_id.min(id);
        }
        self.local_changes.proposed.retain(|update| !matches!(update, Update::Add(_)));
    }

    /// Our HTLCs that no `commitment_signed` of ours covers.
    pub(super) fn unsigned_adds(&self) -> impl Iterator<Item = HtlcId> + '_ {
        self.local_changes.proposed.iter().filter_map(|update| match update {
            Update::Add(id) => Some(*id),
            Update::Remove(_) | Update::Fee(_) => None,
        })
    }

    /// Drops HTLCs that nothing speaks of any more.
    pub(super) fn forget_settled(&mut self) {
        let in_specs = [
            Some(&self.local.spec),
            Some(&self.remote.spec),
            self.remote_next.as_ref().map(|next| &next.spec),
        ];
        let local = [&self.local_changes.proposed, &self.local_changes.signed, &self.local_changes.acked];
        let remote = [&self.remote_changes.proposed, &self.remote_changes.acked, &self.remote_changes.signed];
        let named_by = |lists: [&Vec<Update>; 3], maker: Party, key: &HtlcKey| {
            let update = if key.offered_by == maker { Update::Add(key.id) } else { Update::Remove(key.id) };
            lists.iter().any(|list| list.contains(&update))
        };
        self.htlcs.retain(|key| {
            in_specs.iter().flatten().any(|spec| spec.htlcs.contains(key))
                || named_by(local, Party::Local, key)
                || named_by(remote, Party::Remote, key)
        });
    }

    /// What the onion of a peer's HTLC said was acted upon.
    pub(super) fn forget_instruction(&mut self, key: HtlcKey) -> Option<Instruction> {
        self.htlcs.get_mut(&key).and_then(|htlc| htlc.instruction.take())
    }

    /// Whether this HTLC of ours may have to be offered again, onion and all.
    pub(super) fn is_undelivered(&self, id: HtlcId) -> bool {
        self.local_changes.signed.contains(&Update::Add(id))
    }
}
