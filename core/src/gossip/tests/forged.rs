//! What the graph does not take in.

use super::{
    DATE, PEER, SCID, Synced, announce_as, announcement, announcement_contents, id, node_announcement, now,
    ordered, update_as, update_contents,
};
use crate::gossip::disputed::{DISPUTE_SECS, Disputed, MAX_DISPUTED};
use crate::types::{Features, MilliSatoshi, Now, ShortChannelId};
use crate::wire::{ChannelAnnouncementContents, ChannelUpdateContents, Message};
use bitcoin::blockdata::constants::ChainHash;

#[test]
fn each_of_the_four_signatures_counts() {
    let nodes = ordered(1, 2);
    let keys = [nodes[0], nodes[1], 101, 102];
    for wrong in 0..4 {
        let mut synced = Synced::new();
        let mut keys = keys;
        keys[wrong] = 9;
        synced.hear(announce_as(announcement_contents(SCID, nodes), keys));
        assert_eq!(synced.graph.channel_count(), 0, "signature {wrong}");
    }
    let mut synced = Synced::new();
    synced.hear(announce_as(announcement_contents(SCID, nodes), keys));
    assert_eq!((synced.graph.channel_count(), synced.graph.node_count()), (1, 2));
}

#[test]
fn announcements_of_another_chain_or_out_of_order_are_ignored() {
    let nodes = ordered(1, 2);
    let other_chain =
        ChannelAnnouncementContents { chain_hash: ChainHash::BITCOIN, ..announcement_contents(SCID, nodes) };
    let swapped = [nodes[1], nodes[0]];
    for (contents, nodes) in [
        (other_chain, nodes),
        (announcement_contents(SCID, swapped), swapped),
        (announcement_contents(SCID, [1, 1]), [1, 1]),
    ] {
        // One graph for each: two that differ would dispute the channel, and neither would count.
        let mut synced = Synced::new();
        synced.hear(announce_as(contents, [nodes[0], nodes[1], 101, 102]));
        assert_eq!(synced.graph.channel_count(), 0, "{nodes:?}");
    }
}

/// The same again, or one that is nobody's word.
#[test]
fn a_second_announcement_changes_nothing() {
    let mut synced = Synced::with_channel();
    let before = synced.graph.to_bytes();
    synced.hear(announcement(SCID, 1, 2));
    let nodes = ordered(3, 4);
    synced.hear(announce_as(announcement_contents(SCID, nodes), [nodes[0], nodes[1], 101, 9]));
    assert_eq!(synced.graph.to_bytes(), before);
}

/// Nobody looks at the output, so that either may be the squatter.
#[test]
fn a_channel_that_two_announcements_give_to_different_nodes_is_used_by_neither() {
    let nodes = ordered(1, 2);
    let mut synced = Synced::with_channel();
    synced.hear(announcement(ShortChannelId(8), 1, 3));
    synced.hear(announcement(SCID, 3, 4));
    assert_eq!((synced.graph.channel(SCID), synced.graph.channel_count()), (None, 1));
    let scids: Vec<_> = [1, 3]
        .iter()
        .map(|node| {
            let node = synced.graph.node(&id(*node).serialize()).unwrap();
            synced.graph.channels_of(node).map(|channel| channel.short_channel_id).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(scids, [[ShortChannelId(8)], [ShortChannelId(8)]]);
    let again = |synced: &mut Synced, secs| {
        for message in [
            Message::from(announcement(SCID, 1, 2)),
            update_as(update_contents(SCID, 0, DATE + 5), nodes[0]).into(),
        ] {
            let now = Now { mono: now().mono.plus_secs(secs), ..now() };
            synced.sync.on_message(&id(PEER), message, &mut synced.graph, now);
        }
        synced.timestamp(0)
    };
    assert_eq!(again(&mut synced, DISPUTE_SECS - 1), None);
    assert_eq!(again(&mut synced, DISPUTE_SECS), Some(DATE + 5));
}

/// Whoever disputes everything does not empty the graph.
#[test]
fn disputes_are_bounded() {
    let mut disputed = Disputed::new();
    let at = now().mono;
    for name in 0..MAX_DISPUTED {
        assert!(disputed.has_room(at));
        disputed.insert(ShortChannelId(u64::try_from(name).unwrap()), at);
    }
    assert!(!disputed.has_room(at) && disputed.contains(ShortChannelId(0), at));
    assert!(disputed.has_room(at.plus_secs(DISPUTE_SECS)));
    assert!(!disputed.contains(ShortChannelId(0), at.plus_secs(DISPUTE_SECS)));

    let mut synced = Synced::with_channel();
    for name in 0..MAX_DISPUTED {
        synced.sync.dispute(ShortChannelId(u64::try_from(name).unwrap()), at);
    }
    synced.hear(announcement(SCID, 3, 4));
    assert!(synced.graph.channel(SCID).is_some());
}

/// Whose word it is we know from an announcement that nobody checked: perhaps the first peer gave it a false owner.
#[test]
fn updates_that_do_not_fit_are_no_forgeries_of_who_relays_them() {
    let nodes = ordered(1, 2);
    let mut synced = Synced::with_channel();
    for number in 0..100 {
        assert_eq!(synced.hear(update_as(update_contents(SCID, 0, DATE + number), 9)), []);
    }
    synced.hear(update_as(update_contents(SCID, 0, DATE), nodes[0]));
    assert_eq!(synced.timestamp(0), Some(DATE));
}

/// Each costs a signature, and no ban ends it.
#[test]
fn updates_that_do_not_fit_use_up_the_work_of_who_relays_them() {
    let nodes = ordered(1, 2);
    let mut synced = Synced::with_channel();
    let wrong = update_as(update_contents(SCID, 0, DATE), 9);
    for _ in 0..=600_000 / 7 {
        synced.hear(wrong.clone());
    }
    synced.hear(update_as(update_contents(SCID, 0, DATE), nodes[0]));
    assert_eq!(synced.timestamp(0), None);
}

#[test]
fn unknown_required_features_of_a_channel_keep_it_from_routes() {
    let nodes = ordered(1, 2);
    for (bit, avoid) in [(100, true), (101, false)] {
        let mut synced = Synced::new();
        let mut contents = announcement_contents(SCID, nodes);
        contents.features = Features::from_bits([bit]);
        synced.hear(announce_as(contents, [nodes[0], nodes[1], 101, 102]));
        assert_eq!(synced.graph.channel(SCID).unwrap().avoid, avoid);
    }
}

#[test]
fn updates_are_checked() {
    let nodes = ordered(1, 2);
    type Change = fn(&mut ChannelUpdateContents);
    let refused: [(&str, Change); 8] = [
        ("chain", |u| u.chain_hash = ChainHash::BITCOIN),
        ("no timestamp", |u| u.timestamp = 0),
        ("future", |u| u.timestamp = DATE + 86_401),
        ("stale", |u| u.timestamp = DATE - 14 * 86_400 - 1),
        ("private", |u| u.message_flags = 3),
        ("limits", |u| u.htlc_minimum_msat = MilliSatoshi::from_msat(1_000_000_001)),
        ("nothing fits", |u| {
            u.htlc_minimum_msat = MilliSatoshi::ZERO;
            u.htlc_maximum_msat = MilliSatoshi::ZERO;
        }),
        ("no such channel", |u| u.short_channel_id = ShortChannelId(5)),
    ];
    for (what, change) in refused {
        let mut synced = Synced::with_channel();
        let mut contents = update_contents(SCID, 0, DATE);
        change(&mut contents);
        synced.hear(update_as(contents, nodes[0]));
        assert_eq!(synced.timestamp(0), None, "{what}");
    }
    let accepted: [Change; 3] =
        [|_| (), |u| u.timestamp = DATE + 86_400, |u| u.timestamp = DATE - 14 * 86_400];
    for change in accepted {
        let mut synced = Synced::with_channel();
        let mut contents = update_contents(SCID, 0, DATE);
        change(&mut contents);
        synced.hear(update_as(contents.clone(), nodes[0]));
        assert_eq!(synced.timestamp(0), Some(contents.timestamp));
    }
}

#[test]
fn only_the_node_of_the_direction_may_speak() {
    let nodes = ordered(1, 2);
    for direction in [0, 1] {
        let mut synced = Synced::with_channel();
        synced.hear(update_as(update_contents(SCID, direction, DATE), nodes[usize::from(1 - direction)]));
        assert_eq!((synced.timestamp(0), synced.timestamp(1)), (None, None));
        synced.hear(update_as(update_contents(SCID, direction, DATE), nodes[usize::from(direction)]));
        assert_eq!(synced.timestamp(usize::from(direction)), Some(DATE));
        assert_eq!(synced.timestamp(usize::from(1 - direction)), None);
    }
}

#[test]
fn only_newer_updates_count() {
    let nodes = ordered(1, 2);
    let mut synced = Synced::with_channel();
    for (timestamp, fee_base_msat, expected) in
        [(DATE, 1, 1), (DATE, 2, 1), (DATE - 1, 3, 1), (DATE + 1, 4, 4)]
    {
        let mut contents = update_contents(SCID, 0, timestamp);
        contents.fee_base_msat = fee_base_msat;
        synced.hear(update_as(contents, nodes[0]));
        let policy = synced.graph.channel(SCID).unwrap().policies[0].unwrap();
        assert_eq!(policy.fee_base_msat, expected);
    }
    let mut disable = update_contents(SCID, 0, DATE + 2);
    disable.channel_flags |= 2;
    synced.hear(update_as(disable, nodes[0]));
    assert!(synced.graph.channel(SCID).unwrap().policies[0].unwrap().disabled);
}

#[test]
fn nodes_that_require_the_unknown_are_avoided_until_they_say_otherwise() {
    let mut synced = Synced::with_channel();
    let node = synced.graph.node(&id(1).serialize()).unwrap();
    let avoids = |synced: &mut Synced, message| {
        synced.hear(message);
        synced.graph.avoids(node)
    };
    assert!(!avoids(&mut synced, node_announcement(1, 1, DATE, &[8, 14, 101])));
    assert!(!avoids(&mut synced, node_announcement(1, 2, DATE, &[100])), "signed by another");
    assert!(avoids(&mut synced, node_announcement(1, 1, DATE, &[100])));
    assert!(avoids(&mut synced, node_announcement(1, 1, DATE, &[8])), "not newer");
    assert!(!avoids(&mut synced, node_announcement(1, 1, DATE + 1, &[8])));
    assert!(!avoids(&mut synced, node_announcement(1, 1, DATE + 86_401, &[100])), "in the future");
    synced.hear(node_announcement(3, 3, DATE, &[100]));
    assert_eq!(synced.graph.node_count(), 2);
}

#[test]
fn a_forger_is_heard_no_more() {
    let mut synced = Synced::new();
    let nodes = ordered(1, 2);
    let forged = |n| announce_as(announcement_contents(ShortChannelId(n), nodes), [9, 9, 9, 9]);
    for n in 1..5 {
        assert_eq!(synced.hear(forged(n)), []);
    }
    assert!(matches!(synced.hear(forged(5))[..], [Message::Warning(_)]));
    assert_eq!(synced.hear(announcement(SCID, 1, 2)), []);
    assert_eq!(synced.graph.channel_count(), 0);
    // Another connection starts anew.
    synced.sync.peer_lost(&id(PEER));
    assert_eq!(synced.sync.peer_ready(id(PEER), &synced.graph, now()).len(), 1);
    synced.hear(announcement(SCID, 1, 2));
    assert_eq!(synced.graph.channel_count(), 1);
    assert_eq!(synced.graph.channel(SCID).unwrap().policies, [None, None]);
}
