//! Setup and control messages (BOLT 1, Setup Messages, Control Messages).

use super::{DecodeError, Payload, Reader, Writer, text};
use crate::types::{ChannelId, Features};
use bitcoin::blockdata::constants::ChainHash;

payload! {
    /// The first message of each side (BOLT 1, The `init` Message).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Init {
        /// Feature bits of old; to be read together with `features`.
        globalfeatures: Features,
        /// Feature bits.
        features: Features,
    }
    tlvs {
        /// The chains the sender cares about; unset: it does not say.
        1 => networks: Vec<ChainHash>,
        /// The receiver's address as the sender sees it (an address descriptor of BOLT 7), not validated.
        3 => remote_addr: Vec<u8>,
    }
}

impl Init {
    /// Both feature fields as one.
    pub fn all_features(&self) -> Features {
        self.globalfeatures.union(&self.features)
    }
}

/// A failure of one channel, or of all of them (BOLT 1, The `error` and `warning` Messages).
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    /// The failed channel, or [`ChannelId::ALL`].
    pub channel_id: ChannelId,
    /// What went wrong, from the peer: untrusted, see [`Error::text`].
    pub data: Vec<u8>,
}

/// Like [`Error`], but no channel is failed by it.
#[derive(Clone, PartialEq, Eq)]
pub struct Warning {
    /// The channel it is about, or [`ChannelId::ALL`].
    pub channel_id: ChannelId,
    /// What went wrong, from the peer: untrusted, see [`Warning::text`].
    pub data: Vec<u8>,
}

macro_rules! complaint {
    ($name:ident) => {
        impl $name {
            /// With this text for the peer.
            pub fn new(channel_id: ChannelId, text: &str) -> Self {
                Self { channel_id, data: text.as_bytes().to_vec() }
            }

            /// The data, bounded and safe to show.
            pub fn text(&self) -> String {
                text::printable(&self.data)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("channel_id", &self.channel_id)
                    .field("text", &self.text())
                    .finish()
            }
        }

        /// The extension is ignored (BOLT 1 allows it): a complaint is heard whatever follows it.
        impl Payload for $name {
            fn read_payload(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                let complaint = Self { channel_id: reader.read()?, data: reader.read()? };
                reader.rest();
                Ok(complaint)
            }

            fn write_payload(&self, writer: &mut Writer) {
                writer.write(&self.channel_id);
                writer.write(&self.data);
            }
        }
    };
}

complaint!(Error);
complaint!(Warning);

/// A request for a [`Pong`] (BOLT 1, The `ping` and `pong` Messages). The ignored bytes are dropped when read and
/// zeros when sent, so that nothing can leak in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ping {
    /// How many bytes the pong shall carry; from 65532 on there is no pong.
    pub num_pong_bytes: u16,
    /// How many ignored bytes this message carries.
    pub byteslen: u16,
}

/// The answer to a [`Ping`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pong {
    /// How many ignored bytes this message carries.
    pub byteslen: u16,
}

impl Payload for Ping {
    fn read_payload(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let num_pong_bytes = reader.read()?;
        let Pong { byteslen } = Pong::read_payload(reader)?;
        Ok(Self { num_pong_bytes, byteslen })
    }

    fn write_payload(&self, writer: &mut Writer) {
        writer.write(&self.num_pong_bytes);
        Pong { byteslen: self.byteslen }.write_payload(writer);
    }
}

impl Payload for Pong {
    fn read_payload(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let byteslen: u16 = reader.read()?;
        reader.take(usize::from(byteslen))?;
        super::tlv::read_stream(reader.rest(), |_| Ok(false))?;
        Ok(Self { byteslen })
    }

    fn write_payload(&self, writer: &mut Writer) {
        writer.write(&self.byteslen);
        writer.put_zeros(usize::from(self.byteslen));
    }
}
