//! The stored form.

use super::graph::{POLICY, node_id};
use crate::gossip::{ForwardingPolicy, Graph, GraphDecodeError};
use crate::types::{ShortChannelId, UnixTime};
use proptest::prelude::*;

fn graph() -> Graph {
    let mut graph = Graph::default();
    for (name, nodes) in [(7, [3, 5]), (2, [1, 3]), (9, [1, 5]), (4, [2, 4])] {
        assert!(graph.add_channel(ShortChannelId(name), nodes.map(node_id), name == 4, 50));
    }
    graph.set_policy(ShortChannelId(7), 0, POLICY);
    graph.set_policy(ShortChannelId(7), 1, ForwardingPolicy { disabled: true, ..POLICY });
    graph.set_policy(ShortChannelId(2), 1, POLICY);
    graph.set_avoid(1, true, 60);
    graph.set_synced_at(UnixTime(70));
    graph
}

#[test]
fn nothing_is_lost() {
    let graph = graph();
    let read = Graph::from_bytes(&graph.to_bytes()).unwrap();
    assert_eq!(read, graph);
    assert_eq!(read.synced_at(), Some(UnixTime(70)));
    for name in [2, 4, 7, 9] {
        let (ours, theirs) =
            (graph.channel(ShortChannelId(name)).unwrap(), read.channel(ShortChannelId(name)).unwrap());
        assert_eq!((ours.policies, ours.avoid), (theirs.policies, theirs.avoid));
        let names = |graph: &Graph, nodes: [u32; 2]| nodes.map(|node| *graph.node_id(node).unwrap());
        assert_eq!(names(&graph, ours.nodes), names(&read, theirs.nodes));
    }
    let avoided = |graph: &Graph| graph.avoids(graph.node(&node_id(5)).unwrap());
    assert!(avoided(&graph) && avoided(&read));
    assert_eq!(Graph::from_bytes(&Graph::default().to_bytes()), Ok(Graph::default()));
}

#[test]
fn damage_is_found() {
    let bytes = graph().to_bytes();
    for length in 0..bytes.len() {
        assert!(Graph::from_bytes(&bytes[..length]).is_err(), "{length} bytes");
    }
    let long = [&bytes[..], &[0]].concat();
    assert_eq!(Graph::from_bytes(&long), Err(GraphDecodeError::Trailing { bytes: 1 }));
    let mut version = bytes.clone();
    version[0] = 2;
    assert_eq!(Graph::from_bytes(&version), Err(GraphDecodeError::UnknownVersion { version: 2 }));
    // A count that nothing could hold allocates nothing.
    let mut count = bytes.clone();
    count[9..13].copy_from_slice(&[0xff; 4]);
    assert_eq!(Graph::from_bytes(&count), Err(GraphDecodeError::Count { what: "nodes", count: u32::MAX }));
    // The first node twice.
    let mut order = bytes;
    order.copy_within(13..51, 51);
    assert_eq!(Graph::from_bytes(&order), Err(GraphDecodeError::Misplaced { what: "node", index: 1 }));
}

proptest! {
    #[test]
    fn any_bytes_are_a_graph_or_an_error(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let _ = Graph::from_bytes(&bytes);
        let mut changed = graph().to_bytes();
        for (place, byte) in changes {
            let length = changed.len();
            changed[place.index(length)] = byte;
        }
        if let Ok(graph) = Graph::from_bytes(&changed) {
            // What was read can be used.
            for node in 0..6 {
                prop_assert!(graph.channels_of(node).count() <= 4);
            }
            prop_assert_eq!(Graph::from_bytes(&graph.to_bytes()), Ok(graph));
        }
    }
}
