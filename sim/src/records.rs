//! Reading channels out of the records of a store.

use kite_core::channel::{Channel, RowName};
use kite_core::store::{RecordKind, Records};
use std::collections::BTreeMap;

/// The rows of one channel.
pub(crate) type Rows = Vec<(RowName, Vec<u8>)>;

/// The rows of every channel, by its number.
pub(crate) fn channel_rows(records: &Records) -> Result<BTreeMap<u64, Rows>, String> {
    let mut channels: BTreeMap<u64, Rows> = BTreeMap::new();
    for (name, content) in records.iter().filter(|(name, _)| name.kind == RecordKind::Channel) {
        let (index, row) = name.number().ok_or("a channel without a number")?;
        // The node keeps rows of its own beside those of the channel.
        if let Ok(row) = RowName::from_bytes(row) {
            channels.entry(index).or_default().push((row, content.clone()));
        }
    }
    Ok(channels)
}

/// The channel that rows are.
pub(crate) fn read_channel(rows: Rows) -> Result<Channel, String> {
    Channel::from_rows(rows).map_err(|error| error.to_string())
}
