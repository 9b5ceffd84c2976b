//! The rows of a channel that is closing: what the commitment pays that is in the chain, the confirmed spends of that, what
//! was published to claim it, and how long a close together waits for the peer or for a block.

use super::fields::{
    FieldError, new_row, new_row_of, open, open_bytes, open_versions, read_list, read_number, read_option,
    read_script, read_tx, read_u32, write_count, write_number, write_option, write_script, write_tx,
};
use super::{RowError, RowName, Rows};
use crate::channel::params::Party;
use crate::channel::states::State;
use crate::onchain::bids::Course;
use crate::onchain::{Bid, Bids, Close, HtlcOutput, Output, OutputKind, Spends};
use crate::types::{BlockHeight, CltvExpiry, FeeratePerKw, HtlcId};
use crate::wire::{Reader, Writer};
use bitcoin::OutPoint;
use std::collections::BTreeMap;

/// The second form of the row of bids also says since when an output is bid for.
const BIDS_VERSION: u8 = 2;

pub(super) fn write(state: &State, rows: &mut Rows) {
    match state {
        State::Failed(failed) => write_bids(&failed.bids, rows),
        State::ShuttingDown(state) if state.unanswered > 0 => {
            let mut row = new_row();
            write_number(&mut row, u64::from(state.unanswered));
            rows.insert(RowName::Unanswered, row.into_bytes());
        }
        State::Negotiating(state) => {
            write_waits_since(state.waits_since, rows);
            write_bids(&state.bids, rows);
        }
        State::Closing(closing) => {
            let mut row = new_row();
            write_option(&mut row, closing.height.as_ref(), |row, height| {
                write_number(row, u64::from(*height))
            });
            write_option(&mut row, closing.close.as_ref(), write_close);
            rows.insert(RowName::Close, row.into_bytes());
            write_waits_since(closing.waits_since, rows);
            for (txid, tx, height) in closing.spends.iter() {
                let mut row = new_row();
                write_number(&mut row, u64::from(height));
                write_tx(&mut row, tx);
                rows.insert(RowName::Spend(*txid), row.into_bytes());
            }
            write_bids(&closing.bids, rows);
        }
        _ => {}
    }
}

/// The state with what these rows add to it. A channel that an earlier Kite saw closing has none of them: what it lacks is
/// found again when the transaction is seen next.
pub(super) fn read(rows: &Rows, state: State) -> Result<State, RowError> {
    Ok(match state {
        State::Failed(failed) => State::Failed(crate::channel::Failed { bids: read_bids(rows)?, ..failed }),
        State::ShuttingDown(state) if rows.contains_key(&RowName::Unanswered) => {
            let unanswered = open(rows, RowName::Unanswered, read_u32)?;
            State::ShuttingDown(crate::channel::ShuttingDown { unanswered, ..state })
        }
        State::Negotiating(state) => {
            let (waits_since, bids) = (read_waits_since(rows)?, read_bids(rows)?);
            State::Negotiating(crate::channel::Negotiating { waits_since, bids, ..state })
        }
        State::Closing(closing) => {
            let known = rows.contains_key(&RowName::Close);
            let (height, close) = match known {
                true => open(rows, RowName::Close, |row| {
                    Ok((read_option(row, read_u32)?, read_option(row, |row| read_close(row, closing.txid))?))
                })?,
                false => (None, None),
            };
            let (spends, bids) = (read_spends(rows)?, read_bids(rows)?);
            let waits_since = read_waits_since(rows)?;
            State::Closing(crate::channel::Closing { height, waits_since, close, spends, bids, ..closing })
        }
        state => state,
    })
}

fn write_waits_since(waits_since: Option<BlockHeight>, rows: &mut Rows) {
    if let Some(height) = waits_since {
        let mut row = new_row();
        write_number(&mut row, u64::from(height));
        rows.insert(RowName::WaitsSince, row.into_bytes());
    }
}

fn read_waits_since(rows: &Rows) -> Result<Option<BlockHeight>, RowError> {
    let is_known = rows.contains_key(&RowName::WaitsSince);
    is_known.then(|| open(rows, RowName::WaitsSince, read_u32)).transpose()
}

fn read_spends(rows: &Rows) -> Result<Spends, RowError> {
    let mut spends = Spends::default();
    for (name, bytes) in rows {
        let RowName::Spend(txid) = name else { continue };
        let (height, tx) = open_bytes(bytes, *name, |row| {
            let (height, tx) = (read_u32(row)?, read_tx(row)?);
            match tx.compute_txid() == *txid {
                true => Ok((height, tx)),
                false => Err(FieldError::Value("a transaction with another id")),
            }
        })?;
        spends.confirmed(&tx, height);
    }
    Ok(spends)
}

fn write_bids(bids: &Bids, rows: &mut Rows) {
    if *bids == Bids::default() {
        return;
    }
    let mut row = new_row_of(BIDS_VERSION);
    write_count(&mut row, bids.live().len());
    for bid in bids.live() {
        write_tx(&mut row, &bid.tx);
        write_count(&mut row, bid.claims);
        row.write(&bid.fee);
    }
    write_count(&mut row, bids.courses().len());
    for (outpoint, course) in bids.courses() {
        write_outpoint(&mut row, *outpoint);
        write_number(&mut row, u64::from(course.highest.to_sat_per_kw()));
        write_number(&mut row, u64::from(course.since));
    }
    rows.insert(RowName::Bids, row.into_bytes());
}

fn read_bids(rows: &Rows) -> Result<Bids, RowError> {
    let Some(bytes) = rows.get(&RowName::Bids) else { return Ok(Bids::default()) };
    open_versions(bytes, RowName::Bids, BIDS_VERSION, |version, row| {
        let live = read_list(row, |row| {
            let tx = read_tx(row)?;
            let claims = usize::try_from(read_number(row)?).unwrap_or(usize::MAX);
            match claims <= tx.input.len() {
                true => Ok(Bid { tx, claims, fee: row.read()? }),
                false => Err(FieldError::Value("more claims than inputs")),
            }
        })?;
        let courses = read_list(row, |row| {
            let (outpoint, highest) = (read_outpoint(row)?, FeeratePerKw::from_sat_per_kw(read_u32(row)?));
            // Bids of the first form have missed blocks for as long as matters.
            let since = if version < BIDS_VERSION { 0 } else { read_u32(row)? };
            Ok((outpoint, Course { highest, since }))
        })?;
        Ok(Bids::new(live, courses.into_iter().collect::<BTreeMap<_, _>>()))
    })
}

fn write_outpoint(row: &mut Writer, outpoint: OutPoint) {
    row.write(&outpoint.txid);
    write_number(row, u64::from(outpoint.vout));
}

fn read_outpoint(row: &mut Reader<'_>) -> Result<OutPoint, FieldError> {
    Ok(OutPoint { txid: row.read()?, vout: read_u32(row)? })
}

fn write_close(row: &mut Writer, close: &Close) {
    write_script(row, &close.delayed_script);
    write_count(row, close.outputs.len());
    for output in &close.outputs {
        write_number(row, u64::from(output.vout));
        row.write(&output.amount);
        write_script(row, &output.witness_script);
        write_kind(row, &output.kind);
    }
}

fn read_close(row: &mut Reader<'_>, txid: bitcoin::Txid) -> Result<Close, FieldError> {
    let delayed_script = read_script(row)?;
    let outputs = read_list(row, |row| {
        Ok(Output {
            vout: read_u32(row)?,
            amount: row.read()?,
            witness_script: read_script(row)?,
            kind: read_kind(row)?,
        })
    })?;
    Ok(Close { txid, outputs, delayed_script })
}

const TO_LOCAL: u8 = 0;
const TO_REMOTE: u8 = 1;
const OUR_ANCHOR: u8 = 2;
const HTLC: u8 = 3;

fn write_kind(row: &mut Writer, kind: &OutputKind) {
    match kind {
        OutputKind::ToLocal => row.write(&TO_LOCAL),
        OutputKind::ToRemote => row.write(&TO_REMOTE),
        OutputKind::OurAnchor => row.write(&OUR_ANCHOR),
        OutputKind::Htlc(htlc) => {
            row.write(&HTLC);
            let offered_by = u64::from(htlc.offered_by == Party::Remote);
            write_number(row, u64::from(htlc.cltv_expiry.height()) << 1 | offered_by);
            row.write(&htlc.payment_hash);
            write_option(row, htlc.id.as_ref(), |row, id| write_number(row, id.0));
        }
    }
}

fn read_kind(row: &mut Reader<'_>) -> Result<OutputKind, FieldError> {
    Ok(match row.read::<u8>()? {
        TO_LOCAL => OutputKind::ToLocal,
        TO_REMOTE => OutputKind::ToRemote,
        OUR_ANCHOR => OutputKind::OurAnchor,
        HTLC => {
            let number = read_number(row)?;
            let expiry: Option<BlockHeight> = u32::try_from(number >> 1).ok();
            OutputKind::Htlc(HtlcOutput {
                offered_by: if number & 1 == 1 { Party::Remote } else { Party::Local },
                cltv_expiry: expiry
                    .and_then(CltvExpiry::new)
                    .ok_or(FieldError::Value("an expiry that is no height"))?,
                payment_hash: row.read()?,
                id: read_option(row, |row| Ok(HtlcId(read_number(row)?)))?,
            })
        }
        _ => return Err(FieldError::Value("an unknown kind of output")),
    })
}
