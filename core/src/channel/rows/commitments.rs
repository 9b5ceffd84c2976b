//! The rows of the commitments, their updates and their HTLCs.

use super::fields::{
    FieldError, new_row, open, open_bytes, read_flag, read_list, read_msat, read_number, read_option,
    read_tx, read_u32, write_bytes, write_count, write_flag, write_msat, write_number, write_option,
    write_tx,
};
use super::{Parity, RowError, RowName, Rows};
use crate::channel::changes::{
    HtlcKey, HtlcTable, LiveHtlc, LocalChanges, RemoteChanges, Removal, Spec, Update,
};
use crate::channel::commitments::{Commitments, Funding, LastSent, LocalCommitment, RemoteCommitment};
use crate::channel::keys::KeyCache;
use crate::channel::params::{ChannelParams, Party};
use crate::crypto::{SecretStore, sha_chain};
use crate::onion::{FailureMessage, Instruction, SharedSecret};
use crate::types::{
    CltvExpiry, CommitmentNumber, FeeratePerKw, HtlcId, MilliSatoshi, PaymentId, PaymentSecret,
};
use crate::wire::{Reader, Writer};
use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) fn write(commitments: &Commitments, rows: &mut Rows) {
    write_funding(&commitments.funding, rows);
    write_live(commitments, rows);
    let mut row = new_row();
    write_spec(&mut row, &commitments.local.spec);
    row.write(&commitments.local.remote_signature);
    row.write(&commitments.local.htlc_signatures);
    rows.insert(RowName::Local, row.into_bytes());
    for remote in [Some(&commitments.remote), commitments.remote_next.as_ref()].into_iter().flatten() {
        let mut row = new_row();
        row.write(&remote.txid);
        write_spec(&mut row, &remote.spec);
        rows.insert(RowName::Remote(Parity::of(remote.number)), row.into_bytes());
    }
    let number = commitments.remote.number;
    let points = [(number, Some(commitments.remote_point)), (number.next(), commitments.remote_next_point)];
    for (number, point) in points {
        if let Some(point) = point {
            let mut row = new_row();
            row.write(&point);
            rows.insert(RowName::RemotePoint(Parity::of(number)), row.into_bytes());
        }
    }
    for (slot, (index, secret)) in (0..).zip(commitments.remote_secrets.slots()) {
        let mut row = new_row();
        // The number of the commitment takes fewer bytes than its index.
        write_number(&mut row, sha_chain::FIRST_INDEX.saturating_sub(index));
        row.put(secret);
        rows.insert(RowName::Secret(slot), row.into_bytes());
    }
    commitments.htlcs.iter().for_each(|(key, htlc)| write_htlc(*key, htlc, rows));
}

pub(super) fn read(rows: &Rows, params: ChannelParams) -> Result<Commitments, RowError> {
    let htlcs = read_htlcs(rows)?;
    let live = open(rows, RowName::Live, read_live)?;
    let funding_msat = MilliSatoshi::from_amount(params.funding_amount);
    let spec = |row: &mut Reader<'_>| read_spec(row, funding_msat, &htlcs);
    let local = open(rows, RowName::Local, |row| {
        Ok(LocalCommitment {
            number: live.local_number,
            spec: spec(row)?,
            remote_signature: row.read()?,
            htlc_signatures: row.read()?,
        })
    })?;
    let remote = |number| {
        open(rows, RowName::Remote(Parity::of(number)), |row| {
            Ok(RemoteCommitment { number, txid: row.read()?, spec: spec(row)? })
        })
    };
    let point = |number| open(rows, RowName::RemotePoint(Parity::of(number)), |row| Ok(row.read()?));
    let (number, next) = (live.remote_number, live.remote_number.next());
    let (remote, remote_next) =
        (remote(number)?, if live.has_remote_next { Some(remote(next)?) } else { None });
    let remote_next_point = if live.has_remote_next_point { Some(point(next)?) } else { None };
    Ok(Commitments {
        params: Arc::new(params),
        funding: open(rows, RowName::Funding, read_funding)?,
        local_changes: live.local_changes,
        remote_changes: live.remote_changes,
        local_next_htlc_id: live.local_next_htlc_id,
        remote_next_htlc_id: live.remote_next_htlc_id,
        local,
        remote,
        remote_next,
        remote_point: point(number)?,
        remote_next_point,
        remote_secrets: read_secrets(rows)?,
        last_sent: live.last_sent,
        may_broadcast: live.may_broadcast,
        cache: KeyCache::default(),
        htlcs,
    })
}

fn write_funding(funding: &Funding, rows: &mut Rows) {
    let mut row = new_row();
    write_option(&mut row, funding.tx.as_ref(), write_tx);
    write_option(&mut row, funding.short_channel_id.as_ref(), |row, id| row.write(id));
    write_option(&mut row, funding.remote_alias.as_ref(), |row, id| row.write(id));
    write_flag(&mut row, funding.sent_channel_ready);
    rows.insert(RowName::Funding, row.into_bytes());
}

fn read_funding(row: &mut Reader<'_>) -> Result<Funding, FieldError> {
    Ok(Funding {
        tx: read_option(row, read_tx)?,
        short_channel_id: read_option(row, |row| Ok(row.read()?))?,
        remote_alias: read_option(row, |row| Ok(row.read()?))?,
        sent_channel_ready: read_flag(row)?,
    })
}

/// What changes with every step.
struct Live {
    local_number: CommitmentNumber,
    remote_number: CommitmentNumber,
    local_next_htlc_id: HtlcId,
    remote_next_htlc_id: HtlcId,
    has_remote_next: bool,
    has_remote_next_point: bool,
    last_sent: LastSent,
    may_broadcast: bool,
    local_changes: LocalChanges,
    remote_changes: RemoteChanges,
}

const HAS_REMOTE_NEXT: u8 = 1;
const HAS_REMOTE_NEXT_POINT: u8 = 2;
const SENT_COMMITMENT_LAST: u8 = 4;
const MAY_BROADCAST: u8 = 8;

fn write_live(commitments: &Commitments, rows: &mut Rows) {
    let mut row = new_row();
    write_number(&mut row, commitments.local.number.0);
    write_number(&mut row, commitments.remote.number.0);
    write_number(&mut row, commitments.local_next_htlc_id.0);
    write_number(&mut row, commitments.remote_next_htlc_id.0);
    let flags = [
        (commitments.remote_next.is_some(), HAS_REMOTE_NEXT),
        (commitments.remote_next_point.is_some(), HAS_REMOTE_NEXT_POINT),
        (commitments.last_sent == LastSent::CommitmentSigned, SENT_COMMITMENT_LAST),
        (commitments.may_broadcast, MAY_BROADCAST),
    ];
    row.write(&flags.iter().filter(|(set, _)| *set).fold(0u8, |byte, (_, flag)| byte | flag));
    let LocalChanges { proposed, signed, acked } = &commitments.local_changes;
    [proposed, signed, acked].into_iter().for_each(|list| write_updates(&mut row, list));
    // The peer's proposed updates are not stored: a lost connection makes them void.
    let RemoteChanges { acked, signed, .. } = &commitments.remote_changes;
    [acked, signed].into_iter().for_each(|list| write_updates(&mut row, list));
    rows.insert(RowName::Live, row.into_bytes());
}

fn read_live(row: &mut Reader<'_>) -> Result<Live, FieldError> {
    let (local_number, remote_number) =
        (CommitmentNumber(read_number(row)?), CommitmentNumber(read_number(row)?));
    if local_number.0 >> 48 != 0 || remote_number.0 >> 48 != 0 {
        return Err(FieldError::Value("a commitment number above 48 bits"));
    }
    let (local_next_htlc_id, remote_next_htlc_id) = (HtlcId(read_number(row)?), HtlcId(read_number(row)?));
    let flags: u8 = row.read()?;
    let has = |flag| flags & flag != 0;
    Ok(Live {
        local_number,
        remote_number,
        local_next_htlc_id,
        remote_next_htlc_id,
        has_remote_next: has(HAS_REMOTE_NEXT),
        has_remote_next_point: has(HAS_REMOTE_NEXT_POINT),
        last_sent: if has(SENT_COMMITMENT_LAST) {
            LastSent::CommitmentSigned
        } else {
            LastSent::RevokeAndAck
        },
        may_broadcast: has(MAY_BROADCAST),
        local_changes: LocalChanges {
            proposed: read_updates(row)?,
            signed: read_updates(row)?,
            acked: read_updates(row)?,
        },
        remote_changes: RemoteChanges {
            proposed: Vec::new(),
            acked: read_updates(row)?,
            signed: read_updates(row)?,
        },
    })
}

fn write_updates(row: &mut Writer, updates: &[Update]) {
    write_count(row, updates.len());
    for update in updates {
        match update {
            Update::Add(id) => {
                row.write(&0u8);
                write_number(row, id.0);
            }
            Update::Remove(id) => {
                row.write(&1u8);
                write_number(row, id.0);
            }
            Update::Fee(feerate) => {
                row.write(&2u8);
                row.write(feerate);
            }
        }
    }
}

fn read_updates(row: &mut Reader<'_>) -> Result<Vec<Update>, FieldError> {
    read_list(row, |row| {
        Ok(match row.read::<u8>()? {
            0 => Update::Add(HtlcId(read_number(row)?)),
            1 => Update::Remove(HtlcId(read_number(row)?)),
            2 => Update::Fee(row.read()?),
            _ => return Err(FieldError::Value("an unknown kind of update")),
        })
    })
}

/// The peer's balance is what is left of the channel.
fn write_spec(row: &mut Writer, spec: &Spec) {
    write_number(row, u64::from(spec.feerate.to_sat_per_kw()));
    write_msat(row, spec.local);
    write_count(row, spec.htlcs.len());
    for key in &spec.htlcs {
        write_flag(row, key.offered_by == Party::Remote);
        write_number(row, key.id.0);
    }
}

fn read_spec(row: &mut Reader<'_>, funding: MilliSatoshi, table: &HtlcTable) -> Result<Spec, FieldError> {
    let feerate = FeeratePerKw::from_sat_per_kw(read_u32(row)?);
    let local = read_msat(row)?;
    let keys = read_list(row, |row| {
        let offered_by = if read_flag(row)? { Party::Remote } else { Party::Local };
        Ok(HtlcKey { offered_by, id: HtlcId(read_number(row)?) })
    })?;
    let htlcs: BTreeSet<HtlcKey> = keys.into_iter().collect();
    let mut remote = funding.checked_sub(local).ok_or(FieldError::Value("more than the channel holds"))?;
    for key in &htlcs {
        let amount = table.get(key).ok_or(FieldError::Value("an HTLC without its row"))?.amount;
        remote = remote.checked_sub(amount).ok_or(FieldError::Value("more than the channel holds"))?;
    }
    Ok(Spec { feerate, local, remote, htlcs })
}

fn write_htlc(key: HtlcKey, htlc: &LiveHtlc, rows: &mut Rows) {
    let mut row = new_row();
    write_msat(&mut row, htlc.amount);
    row.write(&htlc.payment_hash);
    write_number(&mut row, u64::from(htlc.cltv_expiry.height()));
    write_option(&mut row, htlc.origin.as_ref(), |row, origin| row.put(&origin.0));
    write_option(&mut row, htlc.path_key.as_ref(), |row, key| row.write(key));
    rows.insert(RowName::Htlc(key), row.into_bytes());
    if let Some(instruction) = &htlc.instruction {
        let mut row = new_row();
        write_instruction(&mut row, instruction, htlc);
        rows.insert(RowName::Instruction(key), row.into_bytes());
    }
    if let Some(removal) = &htlc.removal {
        let mut row = new_row();
        match removal {
            Removal::Fulfilled(preimage) => {
                row.write(&0u8);
                row.write(preimage);
            }
            Removal::Failed(reason) => {
                row.write(&1u8);
                write_bytes(&mut row, reason);
            }
            Removal::Malformed { sha256_of_onion, failure_code } => {
                row.write(&2u8);
                row.write(sha256_of_onion);
                row.write(failure_code);
            }
        }
        rows.insert(RowName::Removal(key), row.into_bytes());
    }
}

fn read_htlcs(rows: &Rows) -> Result<HtlcTable, RowError> {
    let mut table = HtlcTable::new();
    for (name, bytes) in rows {
        if let RowName::Htlc(key) = name {
            let mut htlc = open_bytes(bytes, *name, read_htlc)?;
            if let Some(bytes) = rows.get(&RowName::Instruction(*key)) {
                let instruction =
                    open_bytes(bytes, RowName::Instruction(*key), |row| read_instruction(row, &htlc))?;
                htlc.instruction = Some(instruction);
            }
            if let Some(bytes) = rows.get(&RowName::Removal(*key)) {
                htlc.removal = Some(open_bytes(bytes, RowName::Removal(*key), read_removal)?);
            }
            table.insert(*key, htlc);
        }
    }
    Ok(table)
}

fn read_htlc(row: &mut Reader<'_>) -> Result<LiveHtlc, FieldError> {
    Ok(LiveHtlc {
        amount: read_msat(row)?,
        payment_hash: row.read()?,
        cltv_expiry: CltvExpiry::new(read_u32(row)?)
            .ok_or(FieldError::Value("an expiry that is no height"))?,
        origin: read_option(row, |row| Ok(PaymentId(row.array()?)))?,
        path_key: read_option(row, |row| Ok(row.read()?))?,
        onion: None,
        instruction: None,
        removal: None,
    })
}

const RECEIVE: u8 = 0;
const FAIL: u8 = 1;
const MALFORMED: u8 = 2;

/// Most HTLCs carry just what their onion says; amounts are written where they differ.
fn write_instruction(row: &mut Writer, instruction: &Instruction, htlc: &LiveHtlc) {
    match instruction {
        Instruction::Receive {
            shared_secret,
            amt_to_forward,
            outgoing_cltv_value,
            payment_secret,
            total_msat,
        } => {
            row.write(&RECEIVE);
            row.put(&shared_secret.to_bytes());
            write_option(row, payment_secret.as_ref(), |row, secret| row.put(&secret.0));
            let differs = |amount: &MilliSatoshi, from: MilliSatoshi| (*amount != from).then_some(*amount);
            let write = |row: &mut Writer, amount: &MilliSatoshi| write_number(row, amount.to_msat());
            write_option(row, differs(amt_to_forward, htlc.amount).as_ref(), write);
            write_option(row, differs(total_msat, *amt_to_forward).as_ref(), write);
            write_number(row, u64::from(*outgoing_cltv_value));
        }
        Instruction::Fail { shared_secret, failure } => {
            row.write(&FAIL);
            row.put(&shared_secret.to_bytes());
            write_bytes(row, &failure.encode());
        }
        Instruction::Malformed { failure_code, sha256_of_onion } => {
            row.write(&MALFORMED);
            row.write(failure_code);
            row.write(sha256_of_onion);
        }
    }
}

fn read_instruction(row: &mut Reader<'_>, htlc: &LiveHtlc) -> Result<Instruction, FieldError> {
    // What a sender writes into its onion may be any number.
    let amount = |row: &mut Reader<'_>| Ok(MilliSatoshi::from_msat(read_number(row)?));
    Ok(match row.read::<u8>()? {
        RECEIVE => {
            let shared_secret = SharedSecret::from_bytes(row.array()?);
            let payment_secret = read_option(row, |row| Ok(PaymentSecret(row.array()?)))?;
            let amt_to_forward = read_option(row, amount)?.unwrap_or(htlc.amount);
            let total_msat = read_option(row, amount)?.unwrap_or(amt_to_forward);
            Instruction::Receive {
                shared_secret,
                amt_to_forward,
                outgoing_cltv_value: read_u32(row)?,
                payment_secret,
                total_msat,
            }
        }
        FAIL => Instruction::Fail {
            shared_secret: SharedSecret::from_bytes(row.array()?),
            failure: FailureMessage::decode(super::fields::read_bytes(row)?),
        },
        MALFORMED => Instruction::Malformed { failure_code: row.read()?, sha256_of_onion: row.read()? },
        _ => return Err(FieldError::Value("an unknown kind of instruction")),
    })
}

fn read_removal(row: &mut Reader<'_>) -> Result<Removal, FieldError> {
    Ok(match row.read::<u8>()? {
        0 => Removal::Fulfilled(row.read()?),
        1 => Removal::Failed(super::fields::read_bytes(row)?.to_vec()),
        2 => Removal::Malformed { sha256_of_onion: row.read()?, failure_code: row.read()? },
        _ => return Err(FieldError::Value("an unknown kind of removal")),
    })
}

fn read_secrets(rows: &Rows) -> Result<SecretStore, RowError> {
    let mut slots = Vec::new();
    for name in (0u8..49).map(RowName::Secret) {
        let Some(bytes) = rows.get(&name) else { break };
        slots.push(open_bytes(bytes, name, |row| {
            let index = sha_chain::FIRST_INDEX.checked_sub(read_number(row)?);
            Ok((index.ok_or(FieldError::Value("a commitment number above 48 bits"))?, row.array()?))
        })?);
    }
    SecretStore::from_slots(slots).map_err(RowError::Secrets)
}
