//! The rows of the commitments, their updates and their HTLCs.

use super::fields::{
    FieldError, new_row, open, open_bytes, read_flag, read_list, read_msat, read_number, read_option,
    read_tx, read_u32, write_bytes, write_count, write_flag, write_msat, write_number, write_option,
    write_tx,
};
use super::part::Part;
use super::{Parity, RowError, RowName, Rows};
use crate::channel::changes::{HtlcKey, LiveHtlc, LocalChanges, RemoteChanges, Removal, Spec, Update};
use crate::channel::commitments::{Commitments, Funding, LastSent, LocalCommitment, RemoteCommitment};
use crate::channel::keys::KeyCache;
use crate::channel::params::{ChannelParams, Party};
use crate::channel::table::{HtlcSet, HtlcTable};
use crate::crypto::{SecretStore, sha_chain};
use crate::onion::{FailureMessage, Instruction, SharedSecret};
use crate::types::{
    CltvExpiry, CommitmentNumber, FeeratePerKw, HtlcId, MilliSatoshi, PaymentId, PaymentSecret,
};
use crate::wire::{Reader, Writer};
use bitcoin::Txid;
use bitcoin::hashes::Hash;
use bitcoin::secp256k1::{PublicKey, ecdsa::Signature};
use std::sync::Arc;

pub(super) fn push_parts<'a>(commitments: &'a Commitments, parts: &mut Vec<(RowName, Part<'a>)>) {
    parts.push((RowName::Funding, Part::Bytes(encode_funding(&commitments.funding))));
    parts.push((RowName::Live, Part::Bytes(encode_live(commitments))));
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
    let htlcs = read_htlcs(rows)?;
    let live = open(rows, RowName::Live, read_live)?;
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
    local: Balance,
    /// Unset where both commitments say the same.
    remote: Option<Balance>,
}

const HAS_REMOTE_NEXT: u8 = 1;
const HAS_REMOTE_NEXT_POINT: u8 = 2;
const SENT_COMMITMENT_LAST: u8 = 4;
const MAY_BROADCAST: u8 = 8;
const SAME_SPEC: u8 = 16;

fn encode_live(commitments: &Commitments) -> Vec<u8> {
    let is_same = commitments.local.spec == commitments.remote.spec;
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
        (is_same, SAME_SPEC),
    ];
    row.write(&set_flags(flags));
    let LocalChanges { proposed, signed, acked } = &commitments.local_changes;
    // The peer's proposed updates are not stored: a lost connection makes them void.
    let RemoteChanges { acked: remote_acked, signed: remote_signed, .. } = &commitments.remote_changes;
    write_lists(&mut row, [proposed, signed, acked, remote_acked, remote_signed]);
    write_spec(&mut row, &commitments.local.spec);
    if !is_same {
        write_spec(&mut row, &commitments.remote.spec);
    }
    row.into_bytes()
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
    let [proposed, signed, acked, remote_acked, remote_signed] = read_lists(row)?;
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
        local_changes: LocalChanges { proposed, signed, acked },
        remote_changes: RemoteChanges { proposed: Vec::new(), acked: remote_acked, signed: remote_signed },
        local: Balance::read(row)?,
        remote: if has(SAME_SPEC) { None } else { Some(Balance::read(row)?) },
    })
}

/// A bit for each list with updates, then those.
fn write_lists(row: &mut Writer, lists: [&Vec<Update>; 5]) {
    row.write(
        &(0u8..).zip(lists).filter(|(_, list)| !list.is_empty()).fold(0u8, |bits, (bit, _)| bits | 1 << bit),
    );
    for list in lists.into_iter().filter(|list| !list.is_empty()) {
        write_count(row, list.len());
        for update in list {
            match update {
                Update::Add(id) => write_number(row, id.0 << 2),
                Update::Remove(id) => write_number(row, id.0 << 2 | 1),
                Update::Fee(feerate) => write_number(row, u64::from(feerate.to_sat_per_kw()) << 2 | 2),
            }
        }
    }
}

fn read_lists(row: &mut Reader<'_>) -> Result<[Vec<Update>; 5], FieldError> {
    let bits: u8 = row.read()?;
    if bits >> 5 != 0 {
        return Err(FieldError::Value("an unknown list of updates"));
    }
    let mut lists: [Vec<Update>; 5] = Default::default();
    for (bit, list) in (0u8..).zip(&mut lists) {
        if bits >> bit & 1 == 1 {
            *list = read_list(row, read_update)?;
        }
    }
    Ok(lists)
}

fn read_update(row: &mut Reader<'_>) -> Result<Update, FieldError> {
    let number = read_number(row)?;
    Ok(match number & 3 {
        0 => Update::Add(HtlcId(number >> 2)),
        1 => Update::Remove(HtlcId(number >> 2)),
        2 => Update::Fee(FeeratePerKw::from_sat_per_kw(
            u32::try_from(number >> 2).map_err(|_| FieldError::Value("a fee rate above 32 bits"))?,
        )),
        _ => return Err(FieldError::Value("an unknown kind of update")),
    })
}

/// The peer's balance is what is left of the channel.
fn write_spec(row: &mut Writer, spec: &Spec) {
    write_number(row, u64::from(spec.feerate.to_sat_per_kw()));
    write_msat(row, spec.local);
    write_count(row, spec.htlcs.len());
    for key in spec.htlcs.iter() {
        write_number(row, key.id.0 << 1 | u64::from(key.offered_by == Party::Remote));
    }
}

/// A [`Spec`] as it is stored.
struct Balance {
    feerate: FeeratePerKw,
    local: MilliSatoshi,
    htlcs: HtlcSet,
}

impl Balance {
    fn read(row: &mut Reader<'_>) -> Result<Self, FieldError> {
        let feerate = FeeratePerKw::from_sat_per_kw(read_u32(row)?);
        let local = read_msat(row)?;
        let keys = read_list(row, |row| {
            let number = read_number(row)?;
            let offered_by = if number & 1 == 1 { Party::Remote } else { Party::Local };
            Ok(HtlcKey { offered_by, id: HtlcId(number >> 1) })
        })?;
        Ok(Self { feerate, local, htlcs: keys.into_iter().collect() })
    }

    fn into_spec(self, funding: MilliSatoshi, table: &HtlcTable) -> Result<Spec, &'static str> {
        let Self { feerate, local, htlcs } = self;
        let too_much = "more than the channel holds";
        let mut remote = funding.checked_sub(local).ok_or(too_much)?;
        for key in htlcs.iter() {
            let amount = table.get(key).ok_or("an HTLC without its row")?.amount;
            remote = remote.checked_sub(amount).ok_or(too_much)?;
        }
        Ok(Spec { feerate, local, remote, htlcs })
    }
}

const HAS_ORIGIN: u8 = 1;
const HAS_PATH_KEY: u8 = 2;
const HAS_INSTRUCTION: u8 = 4;
const HAS_REMOVAL: u8 = 8;

fn set_flags<const N: usize>(flags: [(bool, u8); N]) -> u8 {
    flags.into_iter().filter(|(is_set, _)| *is_set).fold(0, |byte, (_, flag)| byte | flag)
}

pub(super) fn encode_htlc(htlc: &LiveHtlc) -> Vec<u8> {
    let mut row = new_row();
    write_msat(&mut row, htlc.amount);
    row.write(&htlc.payment_hash);
    write_number(&mut row, u64::from(htlc.cltv_expiry.height()));
    let flags = [
        (htlc.origin.is_some(), HAS_ORIGIN),
        (htlc.path_key.is_some(), HAS_PATH_KEY),
        (htlc.instruction.is_some(), HAS_INSTRUCTION),
        (htlc.removal.is_some(), HAS_REMOVAL),
    ];
    row.write(&set_flags(flags));
    htlc.origin.iter().for_each(|origin| row.put(&origin.0));
    htlc.path_key.iter().for_each(|key| row.write(key));
    if let Some(instruction) = &htlc.instruction {
        write_instruction(&mut row, instruction, htlc);
    }
    htlc.removal.iter().for_each(|removal| write_removal(&mut row, removal));
    row.into_bytes()
}

fn read_htlcs(rows: &Rows) -> Result<HtlcTable, RowError> {
    let htlcs = rows.iter().filter_map(|(name, bytes)| match name {
        RowName::Htlc(key) => Some(open_bytes(bytes, *name, read_htlc).map(|htlc| (*key, htlc))),
        _ => None,
    });
    htlcs.collect()
}

fn read_htlc(row: &mut Reader<'_>) -> Result<LiveHtlc, FieldError> {
    let (amount, payment_hash) = (read_msat(row)?, row.read()?);
    let cltv_expiry =
        CltvExpiry::new(read_u32(row)?).ok_or(FieldError::Value("an expiry that is no height"))?;
    let flags: u8 = row.read()?;
    let has = |flag| flags & flag != 0;
    let origin = if has(HAS_ORIGIN) { Some(PaymentId(row.array()?)) } else { None };
    let path_key = if has(HAS_PATH_KEY) { Some(row.read()?) } else { None };
    let instruction = if has(HAS_INSTRUCTION) { Some(read_instruction(row, amount)?) } else { None };
    let removal = if has(HAS_REMOVAL) { Some(read_removal(row)?) } else { None };
    Ok(LiveHtlc { amount, payment_hash, cltv_expiry, origin, path_key, onion: None, instruction, removal })
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

fn read_instruction(row: &mut Reader<'_>, htlc_amount: MilliSatoshi) -> Result<Instruction, FieldError> {
    // What a sender writes into its onion may be any number.
    let amount = |row: &mut Reader<'_>| Ok(MilliSatoshi::from_msat(read_number(row)?));
    Ok(match row.read::<u8>()? {
        RECEIVE => {
            let shared_secret = SharedSecret::from_bytes(row.array()?);
            let payment_secret = read_option(row, |row| Ok(PaymentSecret(row.array()?)))?;
            let amt_to_forward = read_option(row, amount)?.unwrap_or(htlc_amount);
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

fn write_removal(row: &mut Writer, removal: &Removal) {
    match removal {
        Removal::Fulfilled(preimage) => {
            row.write(&0u8);
            row.write(preimage);
        }
        Removal::Failed(reason) => {
            row.write(&1u8);
            write_bytes(row, reason);
        }
        Removal::Malformed { sha256_of_onion, failure_code } => {
            row.write(&2u8);
            row.write(sha256_of_onion);
            row.write(failure_code);
        }
    }
}

fn read_removal(row: &mut Reader<'_>) -> Result<Removal, FieldError> {
    Ok(match row.read::<u8>()? {
        0 => Removal::Fulfilled(row.read()?),
        1 => Removal::Failed(super::fields::read_bytes(row)?.to_vec()),
        2 => Removal::Malformed { sha256_of_onion: row.read()?, failure_code: row.read()? },
        _ => return Err(FieldError::Value("an unknown kind of removal")),
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
