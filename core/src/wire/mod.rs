//! Messages and their codecs (BOLT 1, 2, 7).
//!
//! Bytes become checked values here or nowhere: points are on the curve, signatures are low-S (those of gossip are made so),
//! amounts are at most the supply, counts are bounded by the bytes that are there. What is unknown and odd is skipped, what
//! is unknown and even is an error (BOLT 1, "it's ok to be odd").

#[macro_use]
mod declare;

pub mod bigsize;
mod close;
mod codec;
mod error;
mod establish;
mod field;
mod gossip;
mod message;
mod operation;
mod query;
mod setup;
pub mod text;
pub mod tlv;

#[cfg(test)]
pub(crate) mod tests;

pub use close::{ClosingSigned, FeeRange, Shutdown};
pub use codec::{Reader, Writer};
pub use error::{DecodeError, EncodeError};
pub use establish::{AcceptChannel, ChannelReady, FundingCreated, FundingSigned, OpenChannel};
pub use field::{Field, Payload, TlvValue};
pub use gossip::{
    AnnouncementSignatures, ChannelAnnouncement, ChannelAnnouncementContents, ChannelUpdate,
    ChannelUpdateContents, NodeAnnouncement, NodeAnnouncementContents, Signed,
};
pub use message::{MAX_MESSAGE_LEN, Message};
pub use operation::{
    ChannelReestablish, CommitmentSigned, MyCurrentFundingLocked, NextFunding, RevokeAndAck, UpdateAddHtlc,
    UpdateFailHtlc, UpdateFailMalformedHtlc, UpdateFee, UpdateFulfillHtlc,
};
pub use query::{
    BigSize, ChannelUpdateChecksums, ChannelUpdateTimestamps, GossipTimestampFilter, QueryChannelRange,
    QueryShortChannelIds, ReplyChannelRange, ReplyShortChannelIdsEnd,
};
pub use setup::{Error, Init, Ping, Pong, Warning};
