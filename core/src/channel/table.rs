//! The HTLCs of a channel by name. There are few, and every step of a channel copies them: sorted lists, whose HTLCs are
//! shared by the steps that do not change them.

use super::changes::{HtlcKey, LiveHtlc};
use std::sync::Arc;

/// Every HTLC that a commitment or a pending update speaks of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HtlcTable {
    /// In the order of the names.
    htlcs: Vec<(HtlcKey, Arc<LiveHtlc>)>,
}

impl HtlcTable {
    /// A table of none.
    pub const fn new() -> Self {
        Self { htlcs: Vec::new() }
    }

    fn place(&self, key: &HtlcKey) -> Result<usize, usize> {
        self.htlcs.binary_search_by(|(its, _)| its.cmp(key))
    }

    /// The HTLC with this name.
    pub fn get(&self, key: &HtlcKey) -> Option<&LiveHtlc> {
        self.place(key).ok().map(|place| &*self.htlcs[place].1)
    }

    /// The HTLC with this name, to be changed in this table alone.
    pub fn get_mut(&mut self, key: &HtlcKey) -> Option<&mut LiveHtlc> {
        self.place(key).ok().map(|place| Arc::make_mut(&mut self.htlcs[place].1))
    }

    /// Puts an HTLC in, in the place of the one that has its name already.
    pub fn insert(&mut self, key: HtlcKey, htlc: LiveHtlc) {
        match self.place(&key) {
            Ok(place) => self.htlcs[place].1 = Arc::new(htlc),
            Err(place) => self.htlcs.insert(place, (key, Arc::new(htlc))),
        }
    }

    /// Takes an HTLC out, if it is there.
    pub fn remove(&mut self, key: &HtlcKey) {
        if let Ok(place) = self.place(key) {
            self.htlcs.remove(place);
        }
    }

    /// Keeps those of which this is so.
    pub fn retain(&mut self, mut is_kept: impl FnMut(&HtlcKey) -> bool) {
        self.htlcs.retain(|(key, _)| is_kept(key));
    }

    /// All of them, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&HtlcKey, &LiveHtlc)> {
        self.shared().map(|(key, htlc)| (key, &**htlc))
    }

    /// As [`HtlcTable::iter`]; what two tables share is equal without a look at it.
    pub(super) fn shared(&self) -> impl Iterator<Item = (&HtlcKey, &Arc<LiveHtlc>)> {
        self.htlcs.iter().map(|(key, htlc)| (key, htlc))
    }

    /// Leaves out the onions, which are not stored.
    pub(super) fn forget_onions(&mut self) {
        let with_onion = self.htlcs.iter_mut().filter(|(_, htlc)| htlc.onion.is_some());
        with_onion.for_each(|(_, htlc)| Arc::make_mut(htlc).onion = None);
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.htlcs.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.htlcs.is_empty()
    }
}

impl FromIterator<(HtlcKey, LiveHtlc)> for HtlcTable {
    fn from_iter<I: IntoIterator<Item = (HtlcKey, LiveHtlc)>>(htlcs: I) -> Self {
        let mut table = Self::new();
        htlcs.into_iter().for_each(|(key, htlc)| table.insert(key, htlc));
        table
    }
}

/// The names of the HTLCs of one commitment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HtlcSet {
    /// In their order.
    keys: Vec<HtlcKey>,
}

impl HtlcSet {
    /// Whether this name is among them.
    pub fn contains(&self, key: &HtlcKey) -> bool {
        self.keys.binary_search(key).is_ok()
    }

    /// Puts a name in. Tells whether it was not there before.
    pub fn insert(&mut self, key: HtlcKey) -> bool {
        self.keys.binary_search(&key).map_err(|place| self.keys.insert(place, key)).is_err()
    }

    /// Takes a name out. Tells whether it was there.
    pub fn remove(&mut self, key: &HtlcKey) -> bool {
        self.keys.binary_search(key).map(|place| self.keys.remove(place)).is_ok()
    }

    /// Those that only one of the two has.
    pub fn symmetric_difference(&self, other: &Self) -> Self {
        let only_in = |one: &Self, other: &Self| -> Vec<HtlcKey> {
            one.iter().filter(|key| !other.contains(key)).copied().collect()
        };
        only_in(self, other).into_iter().chain(only_in(other, self)).collect()
    }

    /// All of them, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &HtlcKey> {
        self.keys.iter()
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

impl FromIterator<HtlcKey> for HtlcSet {
    fn from_iter<I: IntoIterator<Item = HtlcKey>>(keys: I) -> Self {
        let mut set = Self::default();
        keys.into_iter().for_each(|key| _ = set.insert(key));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{CltvExpiry, HtlcId, MilliSatoshi, PaymentHash};
    use proptest::prelude::{any, proptest};
    use std::collections::{BTreeMap, BTreeSet};

    fn key(number: u8) -> HtlcKey {
        let id = HtlcId(u64::from(number / 2));
        if number.is_multiple_of(2) { HtlcKey::outgoing(id) } else { HtlcKey::incoming(id) }
    }

    fn htlc(amount: u8) -> LiveHtlc {
        LiveHtlc {
            amount: MilliSatoshi::from_msat(u64::from(amount)),
            payment_hash: PaymentHash([amount; 32]),
            cltv_expiry: CltvExpiry::new(500).unwrap(),
            origin: None,
            onion: None,
            instruction: None,
            path_key: None,
            removal: None,
        }
    }

    #[test]
    fn they_are_maps_and_sets() {
        proptest!(|(steps in any::<Vec<(bool, u8, u8)>>())| {
            let (mut table, mut map) = (HtlcTable::new(), BTreeMap::new());
            let (mut keys, mut set) = (HtlcSet::default(), BTreeSet::new());
            for (puts, number, amount) in steps {
                let key = key(number % 16);
                if puts {
                    table.insert(key, htlc(amount));
                    map.insert(key, htlc(amount));
                    assert_eq!(keys.insert(key), set.insert(key));
                } else {
                    table.remove(&key);
                    map.remove(&key);
                    assert_eq!(keys.remove(&key), set.remove(&key));
                }
                assert!(table.iter().eq(&map));
                assert_eq!(table.get(&key), map.get(&key));
                assert!(keys.iter().eq(&set));
                let (others, other_set) = (HtlcSet::from_iter([key]), BTreeSet::from([key]));
                assert!(keys.symmetric_difference(&others).iter().eq(set.symmetric_difference(&other_set)));
                assert_eq!(keys.contains(&key), set.contains(&key));
            }
        });
    }

    #[test]
    fn a_copy_is_changed_alone() {
        let before: HtlcTable = [(key(1), htlc(1)), (key(2), htlc(2))].into_iter().collect();
        let mut after = before.clone();
        after.get_mut(&key(2)).unwrap().amount = MilliSatoshi::from_msat(9);
        assert_eq!(before.get(&key(2)), Some(&htlc(2)));
        assert_ne!(after, before);
        let shares = |key| {
            let of = |table: &HtlcTable| {
                table.shared().find(|(its, _)| **its == key).map(|(_, it)| Arc::clone(it))
            };
            Arc::ptr_eq(&of(&before).unwrap(), &of(&after).unwrap())
        };
        assert!(shares(key(1)) && !shares(key(2)));
    }
}
