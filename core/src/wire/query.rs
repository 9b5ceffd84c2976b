//! Questions about gossip (BOLT 7, Query Messages). Arrays are uncompressed; the other encoding is gone from BOLT 7.

use super::field::read_all;
use super::{DecodeError, Field, Payload, Reader, TlvValue, Writer, tlv};
use crate::types::ShortChannelId;
use bitcoin::blockdata::constants::ChainHash;

/// The encoding byte of an uncompressed array.
const UNCOMPRESSED: u8 = 0;

/// Asks for all that is known of some channels (BOLT 7, `query_short_channel_ids`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryShortChannelIds {
    /// The chain.
    pub chain_hash: ChainHash,
    /// The channels.
    pub short_channel_ids: Vec<ShortChannelId>,
    /// For each channel, which messages are wanted; unset: all.
    pub query_flags: Option<Vec<u64>>,
}

payload! {
    /// All that was asked for has been sent (BOLT 7, `reply_short_channel_ids_end`).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ReplyShortChannelIdsEnd {
        /// The chain.
        chain_hash: ChainHash,
        /// 0: the sender does not keep up with this chain.
        full_information: u8,
    }
    tlvs {}
}

payload! {
    /// Asks for the channels of a range of blocks (BOLT 7, `query_channel_range`).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct QueryChannelRange {
        /// The chain.
        chain_hash: ChainHash,
        /// The first block.
        first_blocknum: u32,
        /// How many blocks.
        number_of_blocks: u32,
    }
    tlvs {
        /// Bit 0: timestamps are wanted; bit 1: checksums are wanted.
        1 => query_option_flags: BigSize,
    }
}

/// Some of the channels of a range of blocks (BOLT 7, `reply_channel_range`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyChannelRange {
    /// The chain.
    pub chain_hash: ChainHash,
    /// The first block of this part.
    pub first_blocknum: u32,
    /// How many blocks this part covers.
    pub number_of_blocks: u32,
    /// Not 0: this is the last part.
    pub sync_complete: u8,
    /// The channels.
    pub short_channel_ids: Vec<ShortChannelId>,
    /// For each channel, when its updates were made.
    pub timestamps: Option<Vec<ChannelUpdateTimestamps>>,
    /// For each channel, the checksums of its updates.
    pub checksums: Option<Vec<ChannelUpdateChecksums>>,
}

fields! {
    /// When the two updates of a channel were made; 0: there is none.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct ChannelUpdateTimestamps {
        /// Of `node_id_1`.
        timestamp_node_id_1: u32,
        /// Of `node_id_2`.
        timestamp_node_id_2: u32,
    }
}

fields! {
    /// CRC32C of the two updates of a channel without signature and timestamp; 0: there is none.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct ChannelUpdateChecksums {
        /// Of `node_id_1`.
        checksum_node_id_1: u32,
        /// Of `node_id_2`.
        checksum_node_id_2: u32,
    }
}

payload! {
    /// Which gossip the sender wants from now on (BOLT 7, `gossip_timestamp_filter`).
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct GossipTimestampFilter {
        /// The chain.
        chain_hash: ChainHash,
        /// The oldest timestamp.
        first_timestamp: u32,
        /// How many seconds from there.
        timestamp_range: u32,
    }
    tlvs {}
}

/// A number that stands on the wire as a `bigsize`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BigSize(pub u64);

impl Field for BigSize {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.bigsize().map(Self)
    }

    fn write(&self, writer: &mut Writer) {
        writer.bigsize(self.0);
    }
}

impl TlvValue for BigSize {
    fn read_value(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.read()
    }

    fn write_value(&self, writer: &mut Writer) {
        writer.write(self);
    }
}

impl Payload for QueryShortChannelIds {
    fn read_payload(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let chain_hash = reader.read()?;
        let short_channel_ids: Vec<ShortChannelId> = read_encoded(reader.prefixed()?)?;
        let mut query_flags = None;
        tlv::read_stream(reader.rest(), |record| {
            if record.tlv_type != 1 {
                return Ok(false);
            }
            let flags: Vec<BigSize> = read_encoded(record.value)?;
            query_flags = Some(flags.into_iter().map(|flag| flag.0).collect());
            Ok(true)
        })?;
        check_count(&short_channel_ids, query_flags.as_deref())?;
        Ok(Self { chain_hash, short_channel_ids, query_flags })
    }

    fn write_payload(&self, writer: &mut Writer) {
        writer.write(&self.chain_hash);
        writer.prefixed(&encoded(&self.short_channel_ids));
        if let Some(flags) = &self.query_flags {
            let flags: Vec<BigSize> = flags.iter().copied().map(BigSize).collect();
            tlv::write_bytes(writer, 1, &encoded(&flags));
        }
    }
}

impl Payload for ReplyChannelRange {
    fn read_payload(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let chain_hash = reader.read()?;
        let first_blocknum = reader.read()?;
        let number_of_blocks = reader.read()?;
        let sync_complete = reader.read()?;
        let short_channel_ids: Vec<ShortChannelId> = read_encoded(reader.prefixed()?)?;
        let mut timestamps: Option<Vec<ChannelUpdateTimestamps>> = None;
        let mut checksums: Option<Vec<ChannelUpdateChecksums>> = None;
        tlv::read_stream(reader.rest(), |record| {
            match record.tlv_type {
                1 => timestamps = Some(read_encoded(record.value)?),
                3 => checksums = Some(read_all(&mut Reader::new(record.value))?),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        check_count(&short_channel_ids, timestamps.as_deref())?;
        check_count(&short_channel_ids, checksums.as_deref())?;
        Ok(Self {
            chain_hash,
            first_blocknum,
            number_of_blocks,
            sync_complete,
            short_channel_ids,
            timestamps,
            checksums,
        })
    }

    fn write_payload(&self, writer: &mut Writer) {
        writer.write(&self.chain_hash);
        writer.write(&self.first_blocknum);
        writer.write(&self.number_of_blocks);
        writer.write(&self.sync_complete);
        writer.prefixed(&encoded(&self.short_channel_ids));
        if let Some(timestamps) = &self.timestamps {
            tlv::write_bytes(writer, 1, &encoded(timestamps));
        }
        if let Some(checksums) = &self.checksums {
            let mut value = Writer::new();
            checksums.iter().for_each(|checksum| value.write(checksum));
            tlv::write_bytes(writer, 3, &value.into_bytes());
        }
    }
}

/// An encoding byte, then values until the bytes end.
fn read_encoded<T: Field>(bytes: &[u8]) -> Result<Vec<T>, DecodeError> {
    let mut reader = Reader::new(bytes);
    match reader.read()? {
        UNCOMPRESSED => read_all(&mut reader),
        encoding => Err(DecodeError::UnknownEncoding { encoding }),
    }
}

fn encoded<T: Field>(values: &[T]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.write(&UNCOMPRESSED);
    values.iter().for_each(|value| writer.write(value));
    writer.into_bytes()
}

fn check_count<T>(short_channel_ids: &[ShortChannelId], entries: Option<&[T]>) -> Result<(), DecodeError> {
    match entries {
        Some(entries) if entries.len() != short_channel_ids.len() => Err(DecodeError::CountMismatch {
            short_channel_ids: short_channel_ids.len(),
            found: entries.len(),
        }),
        _ => Ok(()),
    }
}
