//! Updates that came before the announcement of their channel.

use crate::types::ShortChannelId;
use crate::wire::ChannelUpdate;
use std::collections::VecDeque;

/// As many are kept, the oldest go first.
pub(super) const MAX_EARLY: usize = 256;
/// A longer one is not kept.
const MAX_BYTES: usize = 512;

/// The last few of them, one for each direction of a channel. None is verified yet.
#[derive(Clone, Debug)]
pub(super) struct EarlyUpdates(VecDeque<ChannelUpdate>);

impl EarlyUpdates {
    pub(super) const fn new() -> Self {
        Self(VecDeque::new())
    }

    /// Keeps an update, in place of an older one for the same direction.
    pub(super) fn keep(&mut self, update: ChannelUpdate) {
        if update.contents.bytes().len() > MAX_BYTES {
            return;
        }
        let is_same = |other: &ChannelUpdate| {
            other.contents.short_channel_id == update.contents.short_channel_id
                && other.contents.direction() == update.contents.direction()
        };
        match self.0.iter().position(is_same) {
            Some(place) if self.0[place].contents.timestamp >= update.contents.timestamp => return,
            Some(place) => {
                self.0.remove(place);
            }
            None if self.0.len() >= MAX_EARLY => {
                self.0.pop_front();
            }
            None => {}
        }
        self.0.push_back(update);
    }

    /// Those of a channel, which is now known.
    pub(super) fn take(&mut self, short_channel_id: ShortChannelId) -> Vec<ChannelUpdate> {
        let is_of = |update: &ChannelUpdate| update.contents.short_channel_id == short_channel_id;
        let (taken, kept): (Vec<_>, Vec<_>) = self.0.drain(..).partition(is_of);
        self.0 = kept.into();
        taken
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
