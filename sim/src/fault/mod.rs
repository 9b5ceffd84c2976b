//! What is broken on purpose, to see that it is noticed: the tests of the tests.
//!
//! Nothing here is inside a node. A fault of a store is a store that breaks its promise; a wrong record is a store that
//! forgets it when the power goes; a wrong message is somebody on the wire who has the keys of both ends. To the rest of
//! the world they look as if the node had done it.

mod bids;
mod hears;

pub use hears::Onchain;

use crate::disk;
use crate::host::Host;
use crate::records::{channel_rows, read_channel};
use bitcoin::{Amount, ScriptBuf, WPubkeyHash, hashes::Hash};
use kite_core::channel::RowName;
use kite_core::crypto::{ChannelSigner, RevocationState};
use kite_core::store::{RecordKind, RecordName};
use kite_core::types::{ChannelId, CommitmentNumber, FeeratePerKw, MilliSatoshi, PaymentPreimage};
use kite_core::wire::{Message, RevokeAndAck};

/// Something that is not as it must be, in the world around a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// In the store, or in how the host waits for it.
    Disk(disk::Fault),
    /// When a device starts, its store has lost something.
    Forgets(Memory),
    /// What the first host says reaches the other one like this.
    Says(Said),
    /// Transactions of the first host are never published.
    KeepsTransactions,
    /// Whatever the first host waits for, no clock ever wakes it.
    NeverWakes,
    /// Between the first host and the chain.
    Onchain(Onchain),
}

/// What a store has lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// How far payments are: as before the last batch, while channels went on.
    Progress,
    /// Outgoing payments, names and all.
    Outgoing,
    /// The invoices that were shown.
    Invoices,
    /// Events that the app was not told of.
    Events,
    /// What channels say, as before the last batch, while payments went on.
    Channels,
    /// What was bid for outputs of channels that are closing, and at which rate.
    Bids,
    /// The HTLCs of revoked commitments, without which there is no penalty for them.
    Revoked,
}

/// What is wrong with messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// The reserve that is asked for is a satoshi less than the one that is checked.
    ReserveOffByOne,
    /// Another dust limit than the one that is used.
    DustLimit,
    /// The channel holds more than its funding output.
    FundingAmount,
    /// A new fee rate is used and not told.
    FeeNotTold,
    /// A fee rate is told and the one before is used.
    StaleFee,
    /// An HTLC of a millisatoshi more than the one that is signed.
    HtlcAmount,
    /// An HTLC is settled twice.
    SettlesTwice,
    /// Another preimage than the one that opens the hash.
    Preimage,
    /// `channel_reestablish` waits for the commitment after the next.
    AwaitsTooMuch,
    /// `channel_reestablish` waits for a commitment that it has.
    AwaitsTooLittle,
    /// The secret of a commitment is out before the next one is durable, or even known.
    SecretEarly,
    /// `revoke_and_ack` is left out.
    NoRevocation,
    /// The balance goes to another script than the one that is signed for.
    ClosingScript,
    /// The onion is damaged.
    Onion,
}

/// Where messages go instead: on, and back to who spoke.
pub(crate) type Instead = [Vec<Vec<u8>>; 2];

impl Memory {
    /// Whether a record is lost, and whether it is as it was before rather than gone.
    pub(crate) fn loses(self, name: &RecordName, is_incoming: bool) -> Option<bool> {
        let is_payment = matches!(name.kind, RecordKind::Payment | RecordKind::PaymentProgress);
        let (is_lost, is_as_before) = match self {
            Self::Progress => (name.kind == RecordKind::PaymentProgress, true),
            Self::Outgoing => (is_payment && !is_incoming, false),
            Self::Invoices => (is_payment && is_incoming, false),
            Self::Events => (name.kind == RecordKind::Event, false),
            Self::Channels => (name.kind == RecordKind::Channel, true),
            Self::Bids => (matches!(row(name), Some(RowName::Bids)), false),
            Self::Revoked => (matches!(row(name), Some(RowName::Revoked(_))), false),
        };
        is_lost.then_some(is_as_before)
    }
}

/// The row of a channel that a record is.
fn row(name: &RecordName) -> Option<RowName> {
    let (_, row) = name.number().filter(|_| name.kind == RecordKind::Channel)?;
    RowName::from_bytes(row).ok()
}

impl Said {
    /// What becomes of a message between the first host and the other one.
    pub(crate) fn alter(self, hosts: &[Host], from: usize, bytes: Vec<u8>) -> Instead {
        let Ok(mut message) = Message::decode(&bytes) else { return [vec![bytes], vec![]] };
        if let (Self::SecretEarly, Message::CommitmentSigned(signed)) = (self, &message)
            && from == 1
            && let Some(revocation) = early_revocation(&hosts[0], signed.channel_id)
        {
            return [vec![], encoded([revocation])];
        }
        if from != 0 {
            return [vec![bytes], vec![]];
        }
        let mut copies = 1;
        match (self, &mut message) {
            (Self::ReserveOffByOne, Message::OpenChannel(open)) => {
                open.channel_reserve_satoshis -= Amount::ONE_SAT;
            }
            (Self::ReserveOffByOne, Message::AcceptChannel(accept)) => {
                accept.channel_reserve_satoshis -= Amount::ONE_SAT;
            }
            (Self::DustLimit, Message::OpenChannel(open)) => {
                open.dust_limit_satoshis += Amount::from_sat(600)
            }
            (Self::DustLimit, Message::AcceptChannel(accept)) => {
                accept.dust_limit_satoshis += Amount::from_sat(600);
            }
            (Self::FundingAmount, Message::OpenChannel(open)) => open.funding_satoshis += Amount::ONE_SAT,
            (Self::FeeNotTold, Message::UpdateFee(_)) | (Self::NoRevocation, Message::RevokeAndAck(_)) => {
                copies = 0;
            }
            (Self::StaleFee, Message::UpdateFee(fee)) => {
                fee.feerate_per_kw = FeeratePerKw::from_sat_per_kw(fee.feerate_per_kw.to_sat_per_kw() + 1);
            }
            (Self::HtlcAmount, Message::UpdateAddHtlc(add)) => {
                add.amount_msat = MilliSatoshi::from_msat(add.amount_msat.to_msat() + 1);
            }
            (Self::SettlesTwice, Message::UpdateFulfillHtlc(_)) => copies = 2,
            (Self::Preimage, Message::UpdateFulfillHtlc(fulfill)) => {
                fulfill.payment_preimage = PaymentPreimage([7; 32]);
            }
            (Self::AwaitsTooMuch, Message::ChannelReestablish(reestablish)) => {
                reestablish.next_commitment_number += 1;
            }
            (Self::AwaitsTooLittle, Message::ChannelReestablish(reestablish)) => {
                reestablish.next_commitment_number = reestablish.next_commitment_number.saturating_sub(1);
            }
            (Self::ClosingScript, Message::Shutdown(shutdown)) => {
                shutdown.scriptpubkey = ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array([8; 20]));
            }
            (Self::Onion, Message::UpdateAddHtlc(add)) => add.onion_routing_packet[700] ^= 1,
            _ => return [vec![bytes], vec![]],
        }
        [encoded(std::iter::repeat_n(message, copies)), vec![]]
    }
}

fn encoded(messages: impl IntoIterator<Item = Message>) -> Vec<Vec<u8>> {
    messages.into_iter().filter_map(|message| message.encode().ok()).collect()
}

/// What a host would say if it took the next commitment for durable that it has not even heard of.
fn early_revocation(host: &Host, channel_id: ChannelId) -> Option<Message> {
    let channels = channel_rows(&host.stored_records().ok()?).ok()?;
    let mut channels = channels.into_values().filter_map(|rows| read_channel(rows).ok());
    let channel = channels.find(|channel| channel.id == channel_id)?;
    let number = channel.commitments()?.local.number.0;
    let signer = ChannelSigner::new(host.keys().channel_keys(channel.key_index));
    let pretended = RevocationState { newest_validated: CommitmentNumber(number + 1), may_broadcast: false };
    let per_commitment_secret = signer.release_secret(CommitmentNumber(number), &pretended).ok()?;
    let next_per_commitment_point = signer.per_commitment_point(CommitmentNumber(number + 2)).ok()?;
    Some(RevokeAndAck { channel_id, per_commitment_secret, next_per_commitment_point }.into())
}
