//! One message: its type and its payload (BOLT 1, Lightning Message Format).

use super::{
    AcceptChannel, AnnouncementSignatures, ChannelAnnouncement, ChannelReady, ChannelReestablish,
    ChannelUpdate, ClosingSigned, CommitmentSigned, DecodeError, EncodeError, Error, FundingCreated,
    FundingSigned, GossipTimestampFilter, Init, NodeAnnouncement, OpenChannel, Payload, Ping, Pong,
    QueryChannelRange, QueryShortChannelIds, Reader, ReplyChannelRange, ReplyShortChannelIdsEnd,
    RevokeAndAck, Shutdown, UpdateAddHtlc, UpdateFailHtlc, UpdateFailMalformedHtlc, UpdateFee,
    UpdateFulfillHtlc, Warning, Writer,
};
use crate::types::ChannelId;

/// The longest message the transport carries, with its type (BOLT 8).
pub const MAX_MESSAGE_LEN: usize = 65535;

macro_rules! messages {
    ($($message_type:literal => $name:ident($payload:ty),)*) => {
        /// A message of the protocol.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Message {
            $(#[doc = concat!("Type ", stringify!($message_type), ".")] $name($payload),)*
            /// A message to be ignored: its type is unknown and odd, or [`Message::is_passed_over`].
            Unknown {
                /// Its type.
                message_type: u16,
            },
        }

        impl Message {
            /// The number of this kind of message.
            pub const fn message_type(&self) -> u16 {
                match self {
                    $(Self::$name(_) => $message_type,)*
                    Self::Unknown { message_type } => *message_type,
                }
            }

            /// Reads one message with its type, as the transport delivers it.
            ///
            /// # Errors
            /// When the connection must be closed ([`DecodeError`]), unless [`Message::is_passed_over`].
            pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
                if bytes.len() > MAX_MESSAGE_LEN {
                    return Err(DecodeError::TooLong { length: bytes.len() });
                }
                let mut reader = Reader::new(bytes);
                match reader.read::<u16>()? {
                    $($message_type => <$payload>::read_payload(&mut reader).map(Self::$name),)*
                    message_type if message_type % 2 == 0 => Err(DecodeError::UnknownEvenType { message_type }),
                    message_type => Ok(Self::Unknown { message_type }),
                }
            }

            /// The message with its type, as the transport takes it.
            ///
            /// # Errors
            /// Longer than [`MAX_MESSAGE_LEN`], or [`Message::Unknown`].
            pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
                let mut writer = Writer::new();
                writer.write(&self.message_type());
                match self {
                    $(Self::$name(payload) => payload.write_payload(&mut writer),)*
                    Self::Unknown { message_type } => {
                        return Err(EncodeError::UnknownType { message_type: *message_type });
                    }
                }
                let length = writer.len();
                if length > MAX_MESSAGE_LEN { Err(EncodeError::TooLong { length }) } else { Ok(writer.into_bytes()) }
            }
        }

        $(impl From<$payload> for Message {
            fn from(payload: $payload) -> Self {
                Self::$name(payload)
            }
        })*
    };
}

messages! {
    1 => Warning(Warning),
    16 => Init(Init),
    17 => Error(Error),
    18 => Ping(Ping),
    19 => Pong(Pong),
    32 => OpenChannel(Box<OpenChannel>),
    33 => AcceptChannel(Box<AcceptChannel>),
    34 => FundingCreated(FundingCreated),
    35 => FundingSigned(FundingSigned),
    36 => ChannelReady(ChannelReady),
    38 => Shutdown(Shutdown),
    39 => ClosingSigned(ClosingSigned),
    128 => UpdateAddHtlc(UpdateAddHtlc),
    130 => UpdateFulfillHtlc(UpdateFulfillHtlc),
    131 => UpdateFailHtlc(UpdateFailHtlc),
    132 => CommitmentSigned(CommitmentSigned),
    133 => RevokeAndAck(RevokeAndAck),
    134 => UpdateFee(UpdateFee),
    135 => UpdateFailMalformedHtlc(UpdateFailMalformedHtlc),
    136 => ChannelReestablish(ChannelReestablish),
    256 => ChannelAnnouncement(Box<ChannelAnnouncement>),
    257 => NodeAnnouncement(Box<NodeAnnouncement>),
    258 => ChannelUpdate(ChannelUpdate),
    259 => AnnouncementSignatures(AnnouncementSignatures),
    261 => QueryShortChannelIds(QueryShortChannelIds),
    262 => ReplyShortChannelIdsEnd(ReplyShortChannelIdsEnd),
    263 => QueryChannelRange(QueryChannelRange),
    264 => ReplyChannelRange(ReplyChannelRange),
    265 => GossipTimestampFilter(GossipTimestampFilter),
}

impl Message {
    /// Whether a message of this type that could not be read is ignored (ADR 0033). Announcements and updates are the
    /// words of strangers: whoever relays them may have other rules, and says the same again over the next connection. In
    /// questions and answers the peer speaks for itself; there it is what BOLT 7 leaves open, and not what BOLT 1 forbids.
    pub const fn is_passed_over(message_type: u16, error: DecodeError) -> bool {
        match message_type {
            256..=258 => true,
            259..=265 => matches!(
                error,
                DecodeError::InvalidSignature
                    | DecodeError::UnknownEncoding { .. }
                    | DecodeError::CountMismatch { .. }
            ),
            _ => false,
        }
    }

    /// The channel it is about: the temporary name while the channel is being opened, [`ChannelId::ALL`] in an `error` or
    /// `warning` about all of them. Unset where it is about no channel of ours.
    pub const fn channel_id(&self) -> Option<ChannelId> {
        match self {
            Self::Warning(message) => Some(message.channel_id),
            Self::Error(message) => Some(message.channel_id),
            Self::OpenChannel(message) => Some(message.temporary_channel_id),
            Self::AcceptChannel(message) => Some(message.temporary_channel_id),
            Self::FundingCreated(message) => Some(message.temporary_channel_id),
            Self::FundingSigned(message) => Some(message.channel_id),
            Self::ChannelReady(message) => Some(message.channel_id),
            Self::Shutdown(message) => Some(message.channel_id),
            Self::ClosingSigned(message) => Some(message.channel_id),
            Self::UpdateAddHtlc(message) => Some(message.channel_id),
            Self::UpdateFulfillHtlc(message) => Some(message.channel_id),
            Self::UpdateFailHtlc(message) => Some(message.channel_id),
            Self::UpdateFailMalformedHtlc(message) => Some(message.channel_id),
            Self::UpdateFee(message) => Some(message.channel_id),
            Self::CommitmentSigned(message) => Some(message.channel_id),
            Self::RevokeAndAck(message) => Some(message.channel_id),
            Self::ChannelReestablish(message) => Some(message.channel_id),
            Self::AnnouncementSignatures(message) => Some(message.channel_id),
            Self::Init(_)
            | Self::Ping(_)
            | Self::Pong(_)
            | Self::ChannelAnnouncement(_)
            | Self::NodeAnnouncement(_)
            | Self::ChannelUpdate(_)
            | Self::QueryShortChannelIds(_)
            | Self::ReplyShortChannelIdsEnd(_)
            | Self::QueryChannelRange(_)
            | Self::ReplyChannelRange(_)
            | Self::GossipTimestampFilter(_)
            | Self::Unknown { .. } => None,
        }
    }
}
