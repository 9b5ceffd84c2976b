//! The rows of what a channel is and what its protocol is doing.

use super::fields::{
    FieldError, new_row, open, read_flag, read_msat, read_option, read_script, read_text, read_tx, read_u32,
    write_flag, write_msat, write_number, write_option, write_script, write_text, write_tx,
};
use super::{RowError, RowName, Rows};
use crate::channel::Channel;
use crate::channel::commitments::Commitments;
use crate::channel::effects::{CloseReason, Closer};
use crate::channel::params::{ChannelParams, Party, PartyParams};
use crate::channel::states::{
    Closing, Failed, FreezeCause, Frozen, Negotiating, Normal, ShuttingDown, State, WaitForChannelReady,
    WaitForFundingConfirmed,
};
use crate::crypto::ChannelBasepoints;
use crate::onchain::{Bids, Spends};
use crate::tx::obscured::obscuring_factor;
use crate::wire::{Reader, Writer};
use bitcoin::OutPoint;
use bitcoin::secp256k1::PublicKey;

/// Whose channel it is.
pub(super) struct Identity {
    pub(super) peer: PublicKey,
    pub(super) key_index: u32,
}

pub(super) fn encode_params(channel: &Channel, commitments: &Commitments) -> Vec<u8> {
    let params = &commitments.params;
    let mut row = new_row();
    row.write(&channel.peer);
    write_number(&mut row, u64::from(channel.key_index));
    write_flag(&mut row, params.opener == Party::Remote);
    row.write(&params.funding_outpoint.txid);
    write_number(&mut row, u64::from(params.funding_outpoint.vout));
    row.write(&params.funding_amount);
    write_number(&mut row, u64::from(params.minimum_depth));
    write_number(&mut row, u64::from(params.opened_at));
    write_party(&mut row, &params.local);
    write_party(&mut row, &params.remote);
    row.into_bytes()
}

pub(super) fn read_params(rows: &Rows) -> Result<(Identity, ChannelParams), RowError> {
    open(rows, RowName::Params, |row| {
        let identity = Identity { peer: row.read()?, key_index: read_u32(row)? };
        let opener = if read_flag(row)? { Party::Remote } else { Party::Local };
        let funding_outpoint = OutPoint { txid: row.read()?, vout: read_u32(row)? };
        let funding_amount = row.read()?;
        let (minimum_depth, opened_at) = (read_u32(row)?, read_u32(row)?);
        let (local, remote) = (read_party(row)?, read_party(row)?);
        let payment = [&local, &remote].map(|party| party.basepoints.payment_basepoint);
        let obscuring_factor = match opener {
            Party::Local => obscuring_factor(&payment[0], &payment[1]),
            Party::Remote => obscuring_factor(&payment[1], &payment[0]),
        };
        let params = ChannelParams {
            opener,
            local,
            remote,
            funding_outpoint,
            funding_amount,
            minimum_depth,
            opened_at,
            obscuring_factor,
        };
        Ok((identity, params))
    })
}

fn write_party(row: &mut Writer, party: &PartyParams) {
    let keys = &party.basepoints;
    row.write(&keys.funding_pubkey);
    row.write(&keys.revocation_basepoint);
    row.write(&keys.payment_basepoint);
    row.write(&keys.delayed_payment_basepoint);
    row.write(&keys.htlc_basepoint);
    row.write(&party.dust_limit);
    write_msat(row, party.max_htlc_value_in_flight);
    row.write(&party.channel_reserve);
    write_msat(row, party.htlc_minimum);
    row.write(&party.to_self_delay);
    row.write(&party.max_accepted_htlcs);
    write_option(row, party.upfront_shutdown_script.as_ref(), write_script);
}

fn read_party(row: &mut Reader<'_>) -> Result<PartyParams, FieldError> {
    Ok(PartyParams {
        basepoints: ChannelBasepoints {
            funding_pubkey: row.read()?,
            revocation_basepoint: row.read()?,
            payment_basepoint: row.read()?,
            delayed_payment_basepoint: row.read()?,
            htlc_basepoint: row.read()?,
        },
        dust_limit: row.read()?,
        max_htlc_value_in_flight: read_msat(row)?,
        channel_reserve: row.read()?,
        htlc_minimum: read_msat(row)?,
        to_self_delay: row.read()?,
        max_accepted_htlcs: row.read()?,
        upfront_shutdown_script: read_option(row, read_script)?,
    })
}

const WAIT_FOR_FUNDING_CONFIRMED: u8 = 0x10;
const WAIT_FOR_CHANNEL_READY: u8 = 0x20;
const NORMAL: u8 = 0x30;
const SHUTTING_DOWN: u8 = 0x40;
const NEGOTIATING: u8 = 0x50;
const FAILED: u8 = 0x60;
const FROZEN: u8 = 0x70;
const CLOSING: u8 = 0x80;

/// Unset for a state without rows.
pub(super) fn encode(state: &State) -> Option<Vec<u8>> {
    let mut row = new_row();
    match state {
        State::WaitForAcceptChannel(_)
        | State::WaitForFundingTx(_)
        | State::WaitForFundingCreated(_)
        | State::WaitForFundingSigned(_)
        | State::Closed(_) => return None,
        State::WaitForFundingConfirmed(_) => row.write(&WAIT_FOR_FUNDING_CONFIRMED),
        State::WaitForChannelReady(_) => row.write(&WAIT_FOR_CHANNEL_READY),
        State::Normal(_) => row.write(&NORMAL),
        State::ShuttingDown(state) => {
            row.write(&SHUTTING_DOWN);
            write_script(&mut row, &state.local_script);
            write_flag(&mut row, state.sent);
            // What the peer said over a connection is not stored.
            write_flag(&mut row, state.is_final);
        }
        State::Negotiating(state) => {
            row.write(&NEGOTIATING);
            write_script(&mut row, &state.local_script);
            write_script(&mut row, &state.remote_script);
            write_option(&mut row, state.agreed.as_ref(), write_tx);
        }
        State::Failed(state) => {
            row.write(&FAILED);
            write_reason(&mut row, &state.reason);
        }
        State::Frozen(state) => {
            row.write(&FROZEN);
            match &state.cause {
                FreezeCause::FellBehind => row.write(&0u8),
                FreezeCause::Fault { fault } => {
                    row.write(&1u8);
                    write_text(&mut row, fault);
                }
            }
        }
        State::Closing(state) => {
            row.write(&CLOSING);
            write_closer(&mut row, state.closer);
            write_tx(&mut row, &state.tx);
            row.write(&state.to_us);
            write_option(&mut row, state.closing_script.as_ref(), write_script);
            write_reason(&mut row, &state.reason);
        }
    }
    Some(row.into_bytes())
}

pub(super) fn read(rows: &Rows, commitments: Commitments) -> Result<State, RowError> {
    open(rows, RowName::State, |row| {
        Ok(match row.read::<u8>()? {
            WAIT_FOR_FUNDING_CONFIRMED => {
                State::WaitForFundingConfirmed(WaitForFundingConfirmed { commitments })
            }
            WAIT_FOR_CHANNEL_READY => State::WaitForChannelReady(WaitForChannelReady { commitments }),
            NORMAL => State::Normal(Normal { commitments }),
            SHUTTING_DOWN => State::ShuttingDown(ShuttingDown {
                commitments,
                local_script: read_script(row)?,
                sent: read_flag(row)?,
                remote_script: None,
                is_final: read_flag(row)?,
                unanswered: 0,
            }),
            NEGOTIATING => State::Negotiating(Negotiating {
                commitments,
                local_script: read_script(row)?,
                remote_script: read_script(row)?,
                agreed: read_option(row, read_tx)?,
                waits_since: None,
                bids: Bids::default(),
                offered: None,
                settled: None,
                unanswered: 0,
            }),
            FAILED => State::Failed(Failed { commitments, reason: read_reason(row)?, bids: Bids::default() }),
            FROZEN => {
                let cause = match row.read::<u8>()? {
                    0 => FreezeCause::FellBehind,
                    1 => FreezeCause::Fault { fault: read_text(row)? },
                    _ => return Err(FieldError::Value("an unknown cause of freezing")),
                };
                State::Frozen(Frozen { commitments, cause })
            }
            CLOSING => {
                let closer = read_closer(row)?;
                let tx = read_tx(row)?;
                State::Closing(Closing {
                    commitments,
                    closer,
                    txid: tx.compute_txid(),
                    tx,
                    height: None,
                    waits_since: None,
                    close: None,
                    spends: Spends::default(),
                    bids: Bids::default(),
                    to_us: row.read()?,
                    closing_script: read_option(row, read_script)?,
                    reason: read_reason(row)?,
                })
            }
            _ => return Err(FieldError::Value("an unknown state")),
        })
    })
}

fn write_closer(row: &mut Writer, closer: Closer) {
    match closer {
        Closer::Mutual => row.write(&0u8),
        Closer::Local => row.write(&1u8),
        Closer::RemoteCurrent => row.write(&2u8),
        Closer::RemoteNext => row.write(&3u8),
        Closer::RemoteRevoked { number } => {
            row.write(&4u8);
            row.write(&number);
        }
        Closer::RemoteUnknown { number } => {
            row.write(&5u8);
            row.write(&number);
        }
        Closer::Unexplained => row.write(&6u8),
        Closer::LocalUnknown { number } => {
            row.write(&7u8);
            row.write(&number);
        }
    }
}

fn read_closer(row: &mut Reader<'_>) -> Result<Closer, FieldError> {
    Ok(match row.read::<u8>()? {
        0 => Closer::Mutual,
        1 => Closer::Local,
        2 => Closer::RemoteCurrent,
        3 => Closer::RemoteNext,
        4 => Closer::RemoteRevoked { number: row.read()? },
        5 => Closer::RemoteUnknown { number: row.read()? },
        6 => Closer::Unexplained,
        7 => Closer::LocalUnknown { number: row.read()? },
        _ => return Err(FieldError::Value("an unknown closer")),
    })
}

fn write_reason(row: &mut Writer, reason: &CloseReason) {
    match reason {
        CloseReason::Mutual => row.write(&0u8),
        CloseReason::ForceClosed => row.write(&1u8),
        CloseReason::RemoteForceClosed => row.write(&2u8),
        CloseReason::Failed { detail } => {
            row.write(&3u8);
            write_text(row, detail);
        }
    }
}

fn read_reason(row: &mut Reader<'_>) -> Result<CloseReason, FieldError> {
    Ok(match row.read::<u8>()? {
        0 => CloseReason::Mutual,
        1 => CloseReason::ForceClosed,
        2 => CloseReason::RemoteForceClosed,
        3 => CloseReason::Failed { detail: read_text(row)? },
        _ => return Err(FieldError::Value("an unknown reason")),
    })
}
