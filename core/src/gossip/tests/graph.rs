//! The graph itself.

use crate::gossip::graph::{ForwardingPolicy, Graph};
use crate::types::{CltvExpiryDelta, MilliSatoshi, ShortChannelId, UnixTime};
use proptest::prelude::*;
use std::collections::BTreeMap;

pub(super) const POLICY: ForwardingPolicy = ForwardingPolicy {
    timestamp: 1_000_000,
    disabled: false,
    fee_base_msat: 1,
    fee_proportional_millionths: 2,
    cltv_expiry_delta: CltvExpiryDelta(3),
    htlc_minimum: MilliSatoshi::from_msat(4),
    htlc_maximum: MilliSatoshi::from_msat(5),
};

/// An id that is ordered like its number.
pub(super) fn node_id(number: u8) -> [u8; 33] {
    let mut id = [number; 33];
    id[0] = 2;
    id
}

proptest! {
    #[test]
    fn it_is_a_map_whatever_the_order_of_announcements(
        channels in prop::collection::vec((0u64..60, 0u8..12, 0u8..12), 0..80),
    ) {
        let mut graph = Graph::default();
        let mut model = BTreeMap::new();
        for (name, a, b) in channels {
            if a == b {
                continue;
            }
            let nodes = [a.min(b), a.max(b)];
            let is_new = graph.add_channel(ShortChannelId(name), nodes.map(node_id), false, 0);
            prop_assert_eq!(is_new, !model.contains_key(&name));
            model.entry(name).or_insert(nodes);
        }
        prop_assert_eq!(graph.channel_count(), model.len());
        for (name, nodes) in &model {
            let channel = graph.channel(ShortChannelId(*name)).unwrap();
            let found = channel.nodes.map(|node| *graph.node_id(node).unwrap());
            prop_assert_eq!(found, nodes.map(node_id));
        }
        for number in 0..12 {
            let mut expected: Vec<u64> =
                model.iter().filter(|(_, nodes)| nodes.contains(&number)).map(|(name, _)| *name).collect();
            expected.sort_unstable();
            let node = graph.node(&node_id(number));
            prop_assert_eq!(node.is_some(), !expected.is_empty());
            let mut found: Vec<u64> = node
                .map(|node| graph.channels_of(node).map(|channel| channel.short_channel_id.0).collect())
                .unwrap_or_default();
            found.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}

#[test]
fn what_is_two_weeks_old_is_forgotten() {
    const WEEKS: u32 = 14 * 24 * 3600;
    let mut graph = Graph::default();
    let new = |timestamp| ForwardingPolicy { timestamp, ..POLICY };
    // Announced long ago; its terms are of now, half old, all old, and there are none.
    for (name, nodes) in [(1, [1, 2]), (2, [2, 3]), (3, [3, 4]), (4, [4, 5])] {
        assert!(graph.add_channel(ShortChannelId(name), nodes.map(node_id), false, 10));
    }
    graph.set_policy(ShortChannelId(1), 0, new(20 + WEEKS));
    graph.set_policy(ShortChannelId(2), 0, new(20 + WEEKS));
    graph.set_policy(ShortChannelId(2), 1, new(19));
    graph.set_policy(ShortChannelId(3), 0, new(19));
    // Announced just now.
    assert!(graph.add_channel(ShortChannelId(5), [6, 7].map(node_id), false, 20 + WEEKS));
    let before = graph.changes();
    graph.prune(UnixTime(u64::from(20 + WEEKS)));
    assert_ne!(graph.changes(), before);
    let left = [1, 2, 3, 4, 5].map(|name| graph.channel(ShortChannelId(name)).is_some());
    assert_eq!(left, [true, true, false, false, true]);
    assert_eq!(graph.channel(ShortChannelId(2)).unwrap().policies[1], None);
    assert_eq!(graph.node_count(), 5);
    let unchanged = graph.changes();
    graph.prune(UnixTime(u64::from(20 + WEEKS)));
    assert_eq!(graph.changes(), unchanged);
}

#[test]
fn a_channel_is_forgotten_alone_and_its_nodes_with_the_next_pruning() {
    let all = [1, 2, 3, 4];
    for forgotten in all {
        let mut graph = Graph::default();
        for name in [3, 1, 4, 2] {
            graph.add_channel(ShortChannelId(name), [5, 6].map(node_id), false, 0);
        }
        graph.add_channel(ShortChannelId(9), [7, 8].map(node_id), false, 0);
        let before = graph.changes();
        graph.forget_channel(ShortChannelId(forgotten));
        graph.forget_channel(ShortChannelId(9));
        graph.forget_channel(ShortChannelId(10));
        assert_eq!(graph.changes(), before + 2);
        for name in all {
            let found = graph.channel(ShortChannelId(name)).map(|channel| channel.short_channel_id.0);
            assert_eq!(found, (name != forgotten).then_some(name));
        }
        assert_eq!(graph.channels_of(graph.node(&node_id(5)).unwrap()).count(), 3);
        assert_eq!(Graph::from_bytes(&graph.to_bytes()).as_ref(), Ok(&graph));
        graph.prune(UnixTime(0));
        assert_eq!((graph.channel_count(), graph.node_count()), (3, 2));
    }
}

#[test]
fn debug_does_not_list_the_graph() {
    let mut graph = Graph::default();
    for name in 0..100 {
        graph.add_channel(ShortChannelId(name), [1, 2].map(node_id), false, 0);
    }
    assert!(format!("{graph:?}").len() < 100);
}
