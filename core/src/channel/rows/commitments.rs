//! The rows of the commitments beside what changes with every step.

use super::fields::{
    FieldError, new_row, open, open_bytes, read_flag, read_list, read_option, read_tx, write_count,
    write_flag, write_option, write_tx,
};
use super::live::{self, Balance};
use super::part::Part;
use super::{Parity, RowError, RowName, Rows, htlc};
use crate::channel::commitments::{Commitments, Funding, LocalCommitment, RemoteCommitment};
use crate::channel::keys::KeyCache;
use crate::channel::params::{ChannelParams, Party};
use crate::crypto::{SecretStore, sha_chain};
use crate::types::{CommitmentNumber, MilliSatoshi};
use crate::wire::Reader;
use bitcoin::Txid;
use bitcoin::hashes::Hash;
use bitcoin::secp256k1::{PublicKey, ecdsa::Signature};
use std::sync::Arc;

pub(super) fn push_parts<'a>(commitments: &'a Commitments, parts: &mut Vec<(RowName, Part<'a>)>) {
    parts.push((RowName::Funding, Part::Bytes(encode_funding(&commitments.funding))));
    parts.push((RowName::Live, Part::Bytes(live::encode(commitments))));
    let LocalCommitment { remote_signature, htlc_signatures, .. } = &commitments.local;
    parts.push((RowName::Local, Part::Local(remote_signature, htlc_signatures)));
    let number = commitments.remote.number;
    let mut points =
        [(number, Some(commitments.remote_point)), (number.next(), commitments.remote_next_point)];
    points.sort_unstable_by_key(|(number, _)| Parity::of(*number));
    for (number, point) in points {
        if let Some(point) = point {
            let mut row = new_row();
            row.write(&point);
            parts.push((RowName::RemotePoint(Parity::of(number)), Part::Bytes(row.into_bytes())));
        }
    }
    parts.extend(commitments.htlcs.shared().map(|(key, htlc)| (RowName::Htlc(*key), Part::Htlc(htlc))));
    let secrets = (0..).zip(commitments.remote_secrets.slots());
    parts.extend(secrets.map(|(slot, (_, secret))| (RowName::Secret(slot), Part::Secret(secret))));
}

pub(super) fn encode_local(signature: &Signature, htlc_signatures: &[Signature]) -> Vec<u8> {
    let mut row = new_row();
    row.write(signature);
    write_count(&mut row, htlc_signatures.len());
    htlc_signatures.iter().for_each(|signature| row.write(signature));
    row.into_bytes()
}

pub(super) fn encode_secret(secret: &[u8; 32]) -> Vec<u8> {
    let mut row = new_row();
    row.put(secret);
    row.into_bytes()
}

pub(super) fn read(rows: &Rows, params: ChannelParams) -> Result<Commitments, RowError> {
    let htlcs = htlc::read_all(rows)?;
    let live = live::read(rows)?;
    let funding_msat = MilliSatoshi::from_amount(params.funding_amount);
    let spec = |balance: Balance| balance.into_spec(funding_msat, &htlcs).map_err(inconsistent);
    let (remote_signature, htlc_signatures) =
        open(rows, RowName::Local, |row| Ok((row.read()?, read_list(row, |row| Ok(row.read()?))?)))?;
    let number = live.remote_number;
    let point = |number| open(rows, RowName::RemotePoint(Parity::of(number)), |row| Ok(row.read()?));
    let remote_next_point = if live.has_remote_next_point { Some(point(number.next())?) } else { None };
    let local_spec = spec(live.local)?;
    let remote_spec = live.remote.map_or_else(|| Ok(local_spec.clone()), spec)?;
    let unknown_txid = Txid::from_byte_array([0; 32]);
    let mut commitments = Commitments {
        params: Arc::new(params),
        funding: open(rows, RowName::Funding, read_funding)?,
        local_changes: live.local_changes,
        remote_changes: live.remote_changes,
        local_next_htlc_id: live.local_next_htlc_id,
        remote_next_htlc_id: live.remote_next_htlc_id,
        local: LocalCommitment {
            number: live.local_number,
            spec: local_spec,
            remote_signature,
            htlc_signatures,
        },
        remote: RemoteCommitment { number, txid: unknown_txid, spec: remote_spec },
        remote_next: None,
        remote_point: point(number)?,
        remote_next_point,
        remote_secrets: read_secrets(rows, number)?,
        last_sent: live.last_sent,
        may_broadcast: live.may_broadcast,
        cache: KeyCache::default(),
        htlcs,
    };
    commitments.remote.txid = remote_txid(&commitments, &commitments.remote, &commitments.remote_point)?;
    if live.has_remote_next {
        let spec = commitments.remote_next_spec().map_err(|_| inconsistent("updates that do not fit"))?;
        let next = RemoteCommitment { number: number.next(), txid: unknown_txid, spec };
        let point = remote_next_point.ok_or_else(|| inconsistent("a next commitment without its point"))?;
        let txid = remote_txid(&commitments, &next, &point)?;
        commitments.remote_next = Some(RemoteCommitment { txid, ..next });
    }
    Ok(commitments)
}

/// A commitment transaction follows from what it says.
fn remote_txid(
    commitments: &Commitments,
    remote: &RemoteCommitment,
    point: &PublicKey,
) -> Result<Txid, RowError> {
    let draft = commitments.drafting().build(Party::Remote, remote.number, &remote.spec, point);
    Ok(draft.map_err(|_| inconsistent("no commitment of the peer"))?.commitment.tx.compute_txid())
}

fn inconsistent(what: &'static str) -> RowError {
    RowError::Inconsistent { name: RowName::Live, what }
}

fn encode_funding(funding: &Funding) -> Vec<u8> {
    let mut row = new_row();
    write_option(&mut row, funding.tx.as_ref(), write_tx);
    write_option(&mut row, funding.short_channel_id.as_ref(), |row, id| row.write(id));
    write_option(&mut row, funding.remote_alias.as_ref(), |row, id| row.write(id));
    write_flag(&mut row, funding.sent_channel_ready);
    row.into_bytes()
}

fn read_funding(row: &mut Reader<'_>) -> Result<Funding, FieldError> {
    Ok(Funding {
        tx: read_option(row, read_tx)?,
        short_channel_id: read_option(row, |row| Ok(row.read()?))?,
        remote_alias: read_option(row, |row| Ok(row.read()?))?,
        sent_channel_ready: read_flag(row)?,
    })
}

fn read_secrets(rows: &Rows, revoked_below: CommitmentNumber) -> Result<SecretStore, RowError> {
    let mut slots = Vec::new();
    for slot in 0u8..49 {
        let name = RowName::Secret(slot);
        let Some(bytes) = rows.get(&name) else { break };
        let index = sha_chain::index_in_slot(slot, revoked_below.0);
        slots.push(open_bytes(bytes, name, |row| {
            Ok((index.ok_or(FieldError::Value("a secret that was never given"))?, row.array()?))
        })?);
    }
    let secrets = SecretStore::from_slots(slots).map_err(RowError::Secrets)?;
    match secrets.next_index() == sha_chain::FIRST_INDEX.checked_sub(revoked_below.0) {
        true => Ok(secrets),
        false => Err(RowError::Missing { name: RowName::Secret(0) }),
    }
}
