//! Whose the outputs of a commitment are, by what the disk of an honest host says and by the scripts of BOLT 3 alone.

use super::Life;
use super::trace::{End, Trace};
use bitcoin::secp256k1::PublicKey;
use bitcoin::{ScriptBuf, Transaction};
use kite_core::channel::{Channel, Commitments, FORMAT, HtlcKey, Party, Removal};
use kite_core::crypto::ChannelSigner;
use kite_core::tx::{CommitmentKeys, obscured::commitment_number, scripts};
use kite_core::types::{ChannelId, CommitmentNumber};
use std::collections::BTreeSet;

/// A commitment that is not revoked, as the side that counts has it.
struct Newest<'a> {
    broadcaster: Party,
    htlcs: Vec<HtlcKey>,
    point: PublicKey,
    commitments: &'a Commitments,
}

impl Life {
    /// The number of a commitment, by the terms that a host has of its channel.
    pub(super) fn number_of(&self, host: usize, id: &ChannelId, tx: &Transaction) -> Option<u64> {
        let commitments = self.stored[host].last.get(id)?.commitments()?;
        Some(commitment_number(tx, commitments.params.obscuring_factor)?.0)
    }

    /// Who may take everything of a commitment: its publisher's peer, on whose disk is that it was revoked.
    pub(super) fn punisher(&self, id: &ChannelId, trace: &Trace<'_>) -> Option<usize> {
        let peer = 1 - self.world.first_to_publish(trace.commitment)?;
        let known = self.stored[peer].last.get(id)?.commitments()?;
        let number = self.number_of(peer, id, trace.commitment)?;
        (!self.is_lost[peer] && number < known.remote.number.0).then_some(peer)
    }

    /// Whether a host must take this output: it is its own, or an HTLC that it offered, or one that it has settled.
    pub(super) fn is_owed(&self, host: usize, id: &ChannelId, trace: &Trace<'_>, end: &End<'_>) -> bool {
        if let Some(first_stage) = end.settled_by {
            return self.world.first_to_publish(first_stage) == Some(host);
        }
        let Some(channel) = self.stored[host].last.get(id) else { return false };
        let newest = self.newest(host, channel, trace.commitment);
        newest.is_some_and(|newest| newest.scripts_of_ours().contains(end.script))
    }

    fn newest<'a>(&self, host: usize, channel: &'a Channel, tx: &Transaction) -> Option<Newest<'a>> {
        let commitments = channel.commitments()?;
        let number = commitment_number(tx, commitments.params.obscuring_factor)?;
        if self.world.first_to_publish(tx) == Some(host) {
            let is_newest = number == commitments.local.number;
            let htlcs = commitments.local.spec.htlcs.iter().copied().collect();
            let point = self.own_point(host, channel, number);
            return is_newest.then_some(Newest { broadcaster: Party::Local, htlcs, point, commitments });
        }
        let next = commitments.remote_next.as_ref().zip(commitments.remote_next_point);
        let mut known = [Some((&commitments.remote, commitments.remote_point)), next].into_iter().flatten();
        let (remote, point) = known.find(|(remote, _)| remote.number == number)?;
        let htlcs = remote.spec.htlcs.iter().copied().collect();
        Some(Newest { broadcaster: Party::Remote, htlcs, point, commitments })
    }

    fn own_point(&self, host: usize, channel: &Channel, number: CommitmentNumber) -> PublicKey {
        let signer = ChannelSigner::new(self.world.hosts[host].keys().channel_keys(channel.key_index));
        signer.per_commitment_point(number).expect("a number that was signed")
    }
}

impl Newest<'_> {
    fn scripts_of_ours(&self) -> BTreeSet<ScriptBuf> {
        let params = &self.commitments.params;
        let basepoints = |party| &params.of(party).basepoints;
        let other = self.broadcaster.other();
        let keys = CommitmentKeys::derive(basepoints(self.broadcaster), basepoints(other), &self.point)
            .expect("keys that were used");
        let main = match self.broadcaster {
            Party::Local => {
                let delay = params.commitment_params(Party::Local).to_self_delay;
                scripts::to_local(&keys.revocation_pubkey, delay, &keys.broadcaster_delayed_pubkey).to_p2wsh()
            }
            Party::Remote => scripts::to_remote_output(&basepoints(Party::Local).payment_basepoint, FORMAT),
        };
        let htlc_keys = keys.htlc_keys().expect("keys that were used");
        let htlcs = self.htlcs.iter().filter_map(|key| {
            let htlc = self.commitments.htlcs.get(key)?;
            let is_ours =
                key.offered_by == Party::Local || matches!(htlc.removal, Some(Removal::Fulfilled(_)));
            let script = match key.offered_by == self.broadcaster {
                true => scripts::offered_htlc(&htlc.payment_hash, htlc_keys, FORMAT),
                false => scripts::received_htlc(&htlc.payment_hash, htlc.cltv_expiry, htlc_keys, FORMAT),
            };
            is_ours.then(|| script.to_p2wsh())
        });
        htlcs.chain([main]).collect()
    }
}
