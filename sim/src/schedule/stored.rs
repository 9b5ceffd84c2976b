//! What is on a disk, read as a node would read it after a loss of power.

use crate::host::Host;
use crate::records::{Rows, channel_rows, read_channel};
use kite_core::channel::{Channel, Commitments, HtlcKey, LiveHtlc, Party, Removal};
use kite_core::payment::{IncomingState, PaymentRecord};
use kite_core::store::{RecordKind, RecordName, Records};
use kite_core::types::{ChannelId, PaymentHash, PaymentId};
use std::collections::{BTreeMap, BTreeSet};

/// How far a channel is, as one side would have it after a loss of power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChannelNumbers {
    /// Our newest commitment. Those before it are, or may be, revoked.
    pub(super) local: u64,
    /// The peer's newest that we signed.
    pub(super) signed: u64,
    /// The peer's newest that it has not revoked.
    pub(super) unrevoked: u64,
    /// Our next HTLC, and the peer's.
    pub(super) next_htlc: [u64; 2],
    /// What the protocol is doing: a `shutdown` that was said changes no number.
    pub(super) state: &'static str,
    /// From this height on the chain must settle an HTLC (BOLT 2, `cltv_expiry_delta` Selection).
    pub(super) demanded_from: Option<u32>,
    /// From this height on the peer can take back what was received.
    pub(super) lost_from: Option<u32>,
    /// What all HTLCs together carry.
    pub(super) in_htlcs_msat: u64,
    /// Whether nothing of the channel moves any more.
    pub(super) is_over: bool,
}

/// A channel that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    rows: Rows,
    id: ChannelId,
    numbers: Option<ChannelNumbers>,
    htlcs: Vec<PaymentHash>,
}

/// What matters of a disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct StoredState {
    /// What had been written, to know whether it must be read again.
    writes: u64,
    pub(super) channels: BTreeMap<ChannelId, ChannelNumbers>,
    /// Outgoing payments and whether each was sent.
    pub(super) outgoing: BTreeMap<PaymentId, bool>,
    /// Incoming payments and whether each was received.
    pub(super) incoming: BTreeMap<PaymentId, bool>,
    /// The HTLCs of channels, by their hashes.
    pub(super) htlcs: BTreeSet<(PaymentHash, ChannelId)>,
    /// Channels as they were read last.
    rows: BTreeMap<u64, Known>,
    /// Each channel as it was when its commitments were last on the disk: once all is over they are gone.
    pub(super) last: BTreeMap<ChannelId, Channel>,
    /// What cannot be read.
    pub(super) damage: Option<String>,
}

impl StoredState {
    pub(super) fn read(host: &Host) -> Self {
        let mut state = Self::default();
        state.read_again(host);
        state
    }

    /// Reads again if something was written.
    pub(super) fn refresh(&mut self, host: &Host) {
        if self.writes != host.disk.writes() {
            self.read_again(host);
        }
    }

    pub(super) fn read_again(&mut self, host: &Host) {
        let known = std::mem::take(&mut self.rows);
        let last = std::mem::take(&mut self.last);
        *self = Self { writes: host.disk.writes(), last, ..Self::default() };
        self.damage = self.take(host, known).err();
    }

    fn take(&mut self, host: &Host, mut known: BTreeMap<u64, Known>) -> Result<(), String> {
        let records = host.stored_records().map_err(|error| error.to_string())?;
        for (index, rows) in channel_rows(&records)? {
            // To read a channel takes curve operations: one that is as it was is not read again.
            let known = match known.remove(&index).filter(|known| known.rows == rows) {
                Some(known) => known,
                None => {
                    let channel = read_channel(rows.clone())?;
                    let (id, numbers, htlcs) = (channel.id, numbers(&channel), hashes(&channel));
                    if numbers.is_some() {
                        self.last.insert(id, channel);
                    }
                    Known { rows, id, numbers, htlcs }
                }
            };
            self.channels.extend(known.numbers.map(|numbers| (known.id, numbers)));
            self.htlcs.extend(known.htlcs.iter().map(|hash| (*hash, known.id)));
            self.rows.insert(index, known);
        }
        let payments = records.iter().filter(|(name, _)| name.kind == RecordKind::Payment);
        payments.into_iter().try_for_each(|(name, terms)| self.take_payment(&records, name, terms))
    }

    fn take_payment(&mut self, records: &Records, name: &RecordName, terms: &[u8]) -> Result<(), String> {
        let progress = records.get(&RecordName::of(RecordKind::PaymentProgress, name.which.clone()));
        let progress = progress.ok_or("a payment without its progress")?;
        match PaymentRecord::from_bytes(terms, progress).map_err(|error| error.to_string())? {
            PaymentRecord::Outgoing(payment) => {
                self.outgoing.insert(payment.id, super::ledger::is_sent(&payment.state));
            }
            PaymentRecord::Incoming(payment) => {
                let is_received = matches!(payment.state, IncomingState::Received { .. });
                self.incoming.insert(payment.id, is_received);
            }
        }
        Ok(())
    }
}

fn numbers(channel: &Channel) -> Option<ChannelNumbers> {
    let commitments = channel.commitments()?;
    Some(ChannelNumbers {
        local: commitments.local.number.0,
        signed: commitments.remote_newest().number.0,
        unrevoked: commitments.remote.number.0,
        next_htlc: [commitments.local_next_htlc_id.0, commitments.remote_next_htlc_id.0],
        state: channel.state.name(),
        demanded_from: committed(commitments).filter_map(|(key, htlc)| demanded_from(key, htlc)).min(),
        lost_from: committed(commitments).filter_map(|(key, htlc)| lost_from(key, htlc)).min(),
        in_htlcs_msat: commitments.htlcs.iter().map(|(_, htlc)| htlc.amount.to_msat()).sum(),
        is_over: matches!(channel.state.name(), "failed" | "frozen" | "closing" | "closed"),
    })
}

fn hashes(channel: &Channel) -> Vec<PaymentHash> {
    let htlcs = channel.commitments().map(|commitments| commitments.htlcs.iter());
    htlcs.into_iter().flatten().map(|(_, htlc)| htlc.payment_hash).collect()
}

/// The HTLCs of every commitment that may come into the chain.
fn committed(commitments: &Commitments) -> impl Iterator<Item = (HtlcKey, &LiveHtlc)> {
    let next = commitments.remote_next.as_ref().map(|next| &next.spec);
    let specs = [Some(&commitments.local.spec), Some(&commitments.remote.spec), next];
    let is_in_one = move |key: &HtlcKey| specs.iter().flatten().any(|spec| spec.htlcs.contains(key));
    commitments.htlcs.iter().filter(move |(key, _)| is_in_one(key)).map(|(key, htlc)| (*key, htlc))
}

/// Two blocks after its expiry whoever offered an HTLC closes; eighteen before it, whoever has its preimage.
fn demanded_from(key: HtlcKey, htlc: &LiveHtlc) -> Option<u32> {
    match key.offered_by {
        Party::Local => Some(htlc.cltv_expiry.height() + 2),
        Party::Remote => lost_from(key, htlc).map(|expiry| expiry.saturating_sub(18)),
    }
}

/// When an HTLC times out whose preimage we gave away.
fn lost_from(key: HtlcKey, htlc: &LiveHtlc) -> Option<u32> {
    let is_received = key.offered_by == Party::Remote && matches!(htlc.removal, Some(Removal::Fulfilled(_)));
    is_received.then_some(htlc.cltv_expiry.height())
}

impl ChannelNumbers {
    /// What of the peer's view this side does not know any more, if anything.
    pub(super) fn lacks(&self, peer: &Self) -> Option<&'static str> {
        let [_, seen_by_peer] = peer.next_htlc;
        let [ours, _] = self.next_htlc;
        if peer.local > self.signed {
            Some("a signature that the peer holds")
        } else if peer.unrevoked > self.local {
            Some("a revocation that the peer holds")
        } else if seen_by_peer > ours {
            Some("an HTLC that the peer holds")
        } else {
            None
        }
    }
}
