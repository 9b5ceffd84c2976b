//! Channels that two announcements give to different nodes.

use crate::types::{Instant, ShortChannelId};
use std::collections::{BTreeSet, VecDeque};

/// As many are disputed at once. Where that is not enough, what was heard first stays: whoever disputes everything takes
/// this many out of the graph and no more.
pub(super) const MAX_DISPUTED: usize = 4096;
/// For so long nobody's word is taken.
pub(super) const DISPUTE_SECS: u64 = 24 * 3600;

/// Their names. Which announcement lies only the chain could tell, and nobody looks there.
#[derive(Clone, Debug)]
pub(super) struct Disputed {
    names: BTreeSet<ShortChannelId>,
    /// The same, and since when.
    in_order: VecDeque<(Instant, ShortChannelId)>,
}

impl Disputed {
    pub(super) const fn new() -> Self {
        Self { names: BTreeSet::new(), in_order: VecDeque::new() }
    }

    pub(super) fn contains(&mut self, short_channel_id: ShortChannelId, now: Instant) -> bool {
        self.forget_old(now);
        self.names.contains(&short_channel_id)
    }

    /// Whether one more may be disputed.
    pub(super) fn has_room(&mut self, now: Instant) -> bool {
        self.forget_old(now);
        self.names.len() < MAX_DISPUTED
    }

    /// To be asked [`Disputed::has_room`] before.
    pub(super) fn insert(&mut self, short_channel_id: ShortChannelId, now: Instant) {
        if self.names.insert(short_channel_id) {
            self.in_order.push_back((now, short_channel_id));
        }
    }

    fn forget_old(&mut self, now: Instant) {
        while let Some((since, short_channel_id)) = self.in_order.front()
            && since.plus_secs(DISPUTE_SECS) <= now
        {
            self.names.remove(short_channel_id);
            self.in_order.pop_front();
        }
    }
}
