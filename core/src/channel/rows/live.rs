//! The row of what changes with every step: numbers, updates on their way, and what both commitments say.

use super::fields::{
    FieldError, new_row_of, open_versions, read_list, read_msat, read_number, read_u32, write_count,
    write_msat, write_number,
};
use super::{RowError, RowName, Rows};
use crate::channel::changes::{HtlcKey, LocalChanges, RemoteChanges, Spec, Update};
use crate::channel::commitments::{Commitments, LastSent};
use crate::channel::params::Party;
use crate::channel::table::{HtlcSet, HtlcTable};
use crate::types::{CommitmentNumber, FeeratePerKw, HtlcId, MilliSatoshi};
use crate::wire::{Reader, Writer};

/// 2: of the peer's commitment only what differs from ours is written, ids of HTLCs are told from the newest, and a list of
/// updates has no count.
const VERSION: u8 = 2;

pub(super) struct Live {
    pub(super) local_number: CommitmentNumber,
    pub(super) remote_number: CommitmentNumber,
    pub(super) local_next_htlc_id: HtlcId,
    pub(super) remote_next_htlc_id: HtlcId,
    pub(super) has_remote_next: bool,
    pub(super) has_remote_next_point: bool,
    pub(super) last_sent: LastSent,
    pub(super) may_broadcast: bool,
    pub(super) local_changes: LocalChanges,
    pub(super) remote_changes: RemoteChanges,
    pub(super) local: Balance,
    /// Unset where both commitments say the same.
    pub(super) remote: Option<Balance>,
}

const HAS_REMOTE_NEXT: u8 = 1;
const HAS_REMOTE_NEXT_POINT: u8 = 2;
const SENT_COMMITMENT_LAST: u8 = 4;
const MAY_BROADCAST: u8 = 8;
const SAME_SPEC: u8 = 16;
/// Neither of these: the numbers are the same. Both: the peer's is written.
const REMOTE_IS_BEHIND: u8 = 32;
const REMOTE_IS_AHEAD: u8 = 64;
const REMOTE_IS_ELSEWHERE: u8 = REMOTE_IS_BEHIND | REMOTE_IS_AHEAD;
const FLAG_BITS: u32 = 7;

/// Behind the bits of the lists: what is the same in both commitments where not all is.
const LIST_BITS: u32 = 5;
const SAME_FEERATE: u8 = 32;
const SAME_BALANCE: u8 = 64;

pub(super) fn encode(commitments: &Commitments) -> Vec<u8> {
    let (local, remote) = (&commitments.local, &commitments.remote);
    let is_same = local.spec == remote.spec;
    let mut row = new_row_of(VERSION);
    write_number(&mut row, local.number.0);
    write_number(&mut row, commitments.local_next_htlc_id.0);
    write_number(&mut row, commitments.remote_next_htlc_id.0);
    let distance = match (local.number.0, remote.number.0) {
        (local, remote) if local == remote => 0,
        (local, remote) if remote.checked_add(1) == Some(local) => REMOTE_IS_BEHIND,
        (local, remote) if local.checked_add(1) == Some(remote) => REMOTE_IS_AHEAD,
        _ => REMOTE_IS_ELSEWHERE,
    };
    let flags = super::set_flags([
        (commitments.remote_next.is_some(), HAS_REMOTE_NEXT),
        (commitments.remote_next_point.is_some(), HAS_REMOTE_NEXT_POINT),
        (commitments.last_sent == LastSent::CommitmentSigned, SENT_COMMITMENT_LAST),
        (commitments.may_broadcast, MAY_BROADCAST),
        (is_same, SAME_SPEC),
    ]);
    row.write(&(flags | distance));
    if distance == REMOTE_IS_ELSEWHERE {
        write_number(&mut row, remote.number.0);
    }
    let LocalChanges { proposed, signed, acked } = &commitments.local_changes;
    // The peer's proposed updates are not stored: a lost connection makes them void.
    let RemoteChanges { acked: remote_acked, signed: remote_signed, .. } = &commitments.remote_changes;
    let lists = [proposed, signed, acked, remote_acked, remote_signed];
    let filled = (0u8..).zip(lists).filter(|(_, list)| !list.is_empty());
    let same = super::set_flags([
        (!is_same && local.spec.feerate == remote.spec.feerate, SAME_FEERATE),
        (!is_same && local.spec.local == remote.spec.local, SAME_BALANCE),
    ]);
    row.write(&filled.fold(same, |bits, (bit, _)| bits | 1 << bit));
    let ids = NextIds { local: commitments.local_next_htlc_id, remote: commitments.remote_next_htlc_id };
    for (list, by) in lists.into_iter().zip(PROPOSED_BY) {
        write_updates(&mut row, list, by, ids);
    }
    write_feerate(&mut row, &local.spec);
    write_msat(&mut row, local.spec.local);
    write_keys(&mut row, &local.spec.htlcs, ids);
    if !is_same {
        if same & SAME_FEERATE == 0 {
            write_feerate(&mut row, &remote.spec);
        }
        if same & SAME_BALANCE == 0 {
            write_msat(&mut row, remote.spec.local);
        }
        write_keys(&mut row, &local.spec.htlcs.symmetric_difference(&remote.spec.htlcs), ids);
    }
    row.into_bytes()
}

pub(super) fn read(rows: &Rows) -> Result<Live, RowError> {
    let name = RowName::Live;
    let bytes = rows.get(&name).ok_or(RowError::Missing { name })?;
    open_versions(bytes, name, VERSION, read_fields)
}

fn read_fields(version: u8, row: &mut Reader<'_>) -> Result<Live, FieldError> {
    let local_number = read_commitment_number(row)?;
    let written = if version == 1 { Some(read_commitment_number(row)?) } else { None };
    let (local_next_htlc_id, remote_next_htlc_id) = (HtlcId(read_number(row)?), HtlcId(read_number(row)?));
    let flags: u8 = row.read()?;
    let has = |flag| flags & flag != 0;
    let remote_number = match (written, flags & REMOTE_IS_ELSEWHERE) {
        (Some(number), 0) => number,
        (None, 0) => local_number,
        (None, REMOTE_IS_BEHIND) => CommitmentNumber(
            local_number.0.checked_sub(1).ok_or(FieldError::Value("a commitment before the first"))?,
        ),
        (None, REMOTE_IS_AHEAD) => local_number.next(),
        (None, _) => read_commitment_number(row)?,
        (Some(_), _) => return Err(FieldError::Value("an unknown flag")),
    };
    if flags >> FLAG_BITS != 0 {
        return Err(FieldError::Value("an unknown flag"));
    }
    let bits: u8 = row.read()?;
    let is_known = if version == 1 { bits >> LIST_BITS == 0 } else { bits & 0x80 == 0 };
    if !is_known || has(SAME_SPEC) && bits >> LIST_BITS != 0 {
        return Err(FieldError::Value("an unknown list of updates"));
    }
    // Version 1 told ids from the first.
    let ids = (version > 1).then_some(NextIds { local: local_next_htlc_id, remote: remote_next_htlc_id });
    let mut lists: [Vec<Update>; 5] = Default::default();
    for ((bit, list), by) in (0u8..).zip(&mut lists).zip(PROPOSED_BY) {
        if bits >> bit & 1 == 1 {
            *list = match ids {
                None => read_list(row, read_counted_update)?,
                Some(ids) => read_updates(row, by, ids)?,
            };
        }
    }
    let [proposed, signed, acked, remote_acked, remote_signed] = lists;
    let local = Balance::read(row, ids)?;
    let remote = match ids {
        _ if has(SAME_SPEC) => None,
        None => Some(Balance::read(row, None)?),
        Some(_) => Some(Balance::read_beside(row, &local, bits, ids)?),
    };
    let last_sent = match has(SENT_COMMITMENT_LAST) {
        true => LastSent::CommitmentSigned,
        false => LastSent::RevokeAndAck,
    };
    Ok(Live {
        local_number,
        remote_number,
        local_next_htlc_id,
        remote_next_htlc_id,
        has_remote_next: has(HAS_REMOTE_NEXT),
        has_remote_next_point: has(HAS_REMOTE_NEXT_POINT),
        last_sent,
        may_broadcast: has(MAY_BROADCAST),
        local_changes: LocalChanges { proposed, signed, acked },
        remote_changes: RemoteChanges { proposed: Vec::new(), acked: remote_acked, signed: remote_signed },
        local,
        remote,
    })
}

fn read_commitment_number(row: &mut Reader<'_>) -> Result<CommitmentNumber, FieldError> {
    let number = read_number(row)?;
    if number >> 48 != 0 {
        return Err(FieldError::Value("a commitment number above 48 bits"));
    }
    Ok(CommitmentNumber(number))
}

const ADD: u64 = 0;
const REMOVE: u64 = 1;
const FEE: u64 = 2;
const KIND: u64 = 3;
const MORE: u64 = 4;

/// Whose updates are in which of the lists.
const PROPOSED_BY: [Party; 5] = [Party::Local, Party::Local, Party::Local, Party::Remote, Party::Remote];

/// What each side will call the next HTLC that it offers. How far an id is from there stays small while ids grow.
#[derive(Clone, Copy)]
struct NextIds {
    local: HtlcId,
    remote: HtlcId,
}

impl NextIds {
    /// From the newest, which has 0. The same step leads back.
    const fn distance(self, offered_by: Party, id: u64) -> u64 {
        let next = match offered_by {
            Party::Local => self.local,
            Party::Remote => self.remote,
        };
        next.0.wrapping_sub(1).wrapping_sub(id)
    }
}

/// All but the last say that there are more. Nothing where there are none.
fn write_updates(row: &mut Writer, updates: &[Update], by: Party, ids: NextIds) {
    for (place, update) in updates.iter().enumerate() {
        let (kind, value) = match update {
            Update::Add(id) => (ADD, ids.distance(by, id.0)),
            Update::Remove(id) => (REMOVE, ids.distance(by.other(), id.0)),
            Update::Fee(feerate) => (FEE, u64::from(feerate.to_sat_per_kw())),
        };
        let more = if place + 1 < updates.len() { MORE } else { 0 };
        write_number(row, value << 3 | more | kind);
    }
}

fn read_updates(row: &mut Reader<'_>, by: Party, ids: NextIds) -> Result<Vec<Update>, FieldError> {
    let mut updates = Vec::new();
    loop {
        let number = read_number(row)?;
        let (kind, value) = (number & KIND, without_low_bits(number, 3));
        updates.push(match kind {
            ADD => update(kind, ids.distance(by, value))?,
            REMOVE => update(kind, ids.distance(by.other(), value))?,
            _ => update(kind, value)?,
        });
        if number & MORE == 0 {
            return Ok(updates);
        }
    }
}

/// A distance that is negative, for an id beyond the next, stays so.
const fn without_low_bits(number: u64, bits: u32) -> u64 {
    (number.cast_signed() >> bits).cast_unsigned()
}

/// Version 1 had a count in front of them.
fn read_counted_update(row: &mut Reader<'_>) -> Result<Update, FieldError> {
    let number = read_number(row)?;
    update(number & KIND, number >> 2)
}

fn update(kind: u64, value: u64) -> Result<Update, FieldError> {
    Ok(match kind {
        ADD => Update::Add(HtlcId(value)),
        REMOVE => Update::Remove(HtlcId(value)),
        FEE => Update::Fee(FeeratePerKw::from_sat_per_kw(
            u32::try_from(value).map_err(|_| FieldError::Value("a fee rate above 32 bits"))?,
        )),
        _ => return Err(FieldError::Value("an unknown kind of update")),
    })
}

fn write_feerate(row: &mut Writer, spec: &Spec) {
    write_number(row, u64::from(spec.feerate.to_sat_per_kw()));
}

fn write_keys(row: &mut Writer, keys: &HtlcSet, ids: NextIds) {
    write_count(row, keys.len());
    for key in keys.iter() {
        let distance = ids.distance(key.offered_by, key.id.0);
        write_number(row, distance << 1 | u64::from(key.offered_by == Party::Remote));
    }
}

/// With ids told from the next ones, or from the first.
fn read_keys(row: &mut Reader<'_>, ids: Option<NextIds>) -> Result<HtlcSet, FieldError> {
    let keys = read_list(row, |row| {
        let number = read_number(row)?;
        let offered_by = if number & 1 == 1 { Party::Remote } else { Party::Local };
        let id = match ids {
            None => number >> 1,
            Some(ids) => ids.distance(offered_by, without_low_bits(number, 1)),
        };
        Ok(HtlcKey { offered_by, id: HtlcId(id) })
    })?;
    Ok(keys.into_iter().collect())
}

/// A [`Spec`] as it is stored: the peer's balance is what is left of the channel.
pub(super) struct Balance {
    feerate: FeeratePerKw,
    local: MilliSatoshi,
    htlcs: HtlcSet,
}

impl Balance {
    fn read(row: &mut Reader<'_>, ids: Option<NextIds>) -> Result<Self, FieldError> {
        let feerate = FeeratePerKw::from_sat_per_kw(read_u32(row)?);
        Ok(Self { feerate, local: read_msat(row)?, htlcs: read_keys(row, ids)? })
    }

    /// The other commitment's: what is not the same, and the HTLCs that only one of the two has.
    fn read_beside(
        row: &mut Reader<'_>,
        other: &Self,
        same: u8,
        ids: Option<NextIds>,
    ) -> Result<Self, FieldError> {
        let feerate = match same & SAME_FEERATE {
            0 => FeeratePerKw::from_sat_per_kw(read_u32(row)?),
            _ => other.feerate,
        };
        let local = if same & SAME_BALANCE == 0 { read_msat(row)? } else { other.local };
        let htlcs = read_keys(row, ids)?.symmetric_difference(&other.htlcs);
        Ok(Self { feerate, local, htlcs })
    }

    pub(super) fn into_spec(self, funding: MilliSatoshi, table: &HtlcTable) -> Result<Spec, &'static str> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn updates_read_back() {
        let all = [
            Update::Add(HtlcId(700)),
            Update::Remove(HtlcId(3)),
            Update::Fee(FeeratePerKw::FLOOR),
            Update::Remove(HtlcId(9)),
        ];
        // The last is of an HTLC that nobody offered yet: it reads back all the same.
        let ids = NextIds { local: HtlcId(701), remote: HtlcId(8) };
        for updates in [&all[..], &all[1..], &all[2..], &all[3..]] {
            let mut row = Writer::new();
            write_updates(&mut row, updates, Party::Local, ids);
            let bytes = row.into_bytes();
            let read = read_updates(&mut Reader::new(&bytes), Party::Local, ids);
            assert_eq!(read.ok().as_deref(), Some(updates));
            assert!(read_updates(&mut Reader::new(&bytes[..bytes.len() - 1]), Party::Local, ids).is_err());
        }
        let mut row = Writer::new();
        write_updates(&mut row, &all[..1], Party::Local, ids);
        assert_eq!(row.into_bytes(), [0], "the newest");
    }

    #[test]
    fn htlcs_read_back() {
        let keys =
            [HtlcKey::outgoing(HtlcId(5)), HtlcKey::incoming(HtlcId(900)), HtlcKey::incoming(HtlcId(902))];
        let ids = NextIds { local: HtlcId(6), remote: HtlcId(901) };
        let mut row = Writer::new();
        write_keys(&mut row, &HtlcSet::from_iter(keys), ids);
        let bytes = row.into_bytes();
        assert_eq!(bytes[..3], [3, 0, 1]);
        let read = read_keys(&mut Reader::new(&bytes), Some(ids)).ok();
        assert_eq!(read, Some(HtlcSet::from_iter(keys)));
    }

    /// The payer's third batch, as it was written before version 2.
    #[test]
    fn a_row_of_version_1_reads() {
        let bytes = hex::decode("010605030007100109fd01808dc4ce0300fd01808dc4ce030104").unwrap();
        let live = read(&Rows::from([(RowName::Live, bytes)])).unwrap();
        assert_eq!((live.local_number, live.remote_number), (CommitmentNumber(6), CommitmentNumber(5)));
        assert_eq!((live.local_next_htlc_id, live.remote_next_htlc_id), (HtlcId(3), HtlcId(0)));
        assert!(live.has_remote_next && live.has_remote_next_point && !live.may_broadcast);
        assert_eq!(live.last_sent, LastSent::CommitmentSigned);
        assert_eq!(live.remote_changes.signed, [Update::Remove(HtlcId(2))]);
        let remote = live.remote.unwrap();
        assert_eq!(live.local.feerate, remote.feerate);
        assert_eq!(live.local.local, remote.local);
        assert!(live.local.htlcs.is_empty());
        assert_eq!(remote.htlcs, HtlcSet::from_iter([HtlcKey::outgoing(HtlcId(2))]));
    }

    #[test]
    fn flags_of_later_forms_are_errors() {
        let open = |hex: &str| read(&Rows::from([(RowName::Live, hex::decode(hex).unwrap())]));
        // Version, three numbers, flags, lists, fee rate, balance, HTLCs; then what differs.
        assert!(open("0206030012001000fd018000").is_err(), "too many bytes");
        assert!(open("02060300120004808002").is_err(), "cut");
        assert_eq!(open("020603001200fd010500").unwrap().remote_number, CommitmentNumber(6));
        assert_eq!(open("020603003200fd010500").unwrap().remote_number, CommitmentNumber(5));
        assert_eq!(open("020603005200fd010500").unwrap().remote_number, CommitmentNumber(7));
        assert_eq!(open("02060300720900fd010500").unwrap().remote_number, CommitmentNumber(9));
        for wrong in
            ["020003003200fd010500", "020603009200fd010500", "020603001220fd010500", "020603000280fd01050000"]
        {
            assert!(open(wrong).is_err(), "{wrong}");
        }
    }
}
