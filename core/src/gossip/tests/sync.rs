//! Who is asked for what, and when.

use super::{CHAIN, DATE, PEER, SCID, Synced, announcement, id, now, ordered, update_as, update_contents};
use crate::gossip::early::{EarlyUpdates, MAX_EARLY};
use crate::gossip::peer::{ANSWER_SECS, PAUSE_SECS, SILENCE_SECS};
use crate::gossip::{GossipSync, Graph};
use crate::types::{Now, ShortChannelId, UnixTime};
use crate::wire::{GossipTimestampFilter, Message, ReplyChannelRange, ReplyShortChannelIdsEnd};

fn later(secs: u64) -> Now {
    Now { mono: now().mono.plus_secs(secs), unix: UnixTime(now().unix.0 + secs) }
}

fn filter(message: &Message) -> &GossipTimestampFilter {
    match message {
        Message::GossipTimestampFilter(filter) => filter,
        other => panic!("{other:?}"),
    }
}

fn listed(scids: &[u64], sync_complete: u8) -> Message {
    ReplyChannelRange {
        chain_hash: CHAIN,
        first_blocknum: 0,
        number_of_blocks: 100,
        sync_complete,
        short_channel_ids: scids.iter().copied().map(ShortChannelId).collect(),
        timestamps: None,
        checksums: None,
    }
    .into()
}

#[test]
fn the_first_peer_is_asked_for_all_and_the_second_for_what_is_new() {
    let (mut sync, graph) = (GossipSync::new(CHAIN), Graph::default());
    let first = sync.peer_ready(id(1), &graph, now());
    assert_eq!((filter(&first[0]).first_timestamp, filter(&first[0]).timestamp_range), (0, u32::MAX));
    let second = sync.peer_ready(id(2), &graph, now());
    assert_eq!(filter(&second[0]).first_timestamp, DATE - 3600);
    // The third waits for a place.
    assert_eq!(sync.peer_ready(id(3), &graph, now()), []);
    assert_eq!(sync.deadline(), Some(now().mono.plus_secs(SILENCE_SECS)));
    sync.peer_lost(&id(2));
    assert_eq!(sync.deadline(), Some(now().mono));
    let third = sync.on_deadline(later(5).mono);
    assert_eq!(third[0].0, id(3));
    assert_eq!(filter(&third[0].1).first_timestamp, DATE + 5 - 3600);
}

#[test]
fn when_the_one_that_tells_all_is_lost_another_takes_over() {
    let (mut sync, graph) = (GossipSync::new(CHAIN), Graph::default());
    sync.peer_ready(id(1), &graph, now());
    sync.peer_ready(id(2), &graph, now());
    sync.peer_lost(&id(1));
    let messages = sync.on_deadline(later(1).mono);
    assert_eq!(messages.len(), 1);
    assert_eq!((messages[0].0, filter(&messages[0].1).first_timestamp), (id(2), 0));
}

#[test]
fn a_stream_that_pauses_is_complete_and_need_not_be_had_again() {
    let mut synced = Synced::with_channel();
    assert_eq!(synced.graph.synced_at(), None);
    assert_eq!(synced.sync.deadline(), Some(now().mono.plus_secs(PAUSE_SECS)));
    assert_eq!(synced.sync.on_deadline(later(PAUSE_SECS).mono), []);
    assert_eq!(synced.sync.deadline(), None);
    synced.hear(announcement(ShortChannelId(8), 2, 3));
    assert_eq!(synced.graph.synced_at(), Some(later(PAUSE_SECS).unix));

    let stored = Graph::from_bytes(&synced.graph.to_bytes()).unwrap();
    let messages = GossipSync::new(CHAIN).peer_ready(id(PEER), &stored, later(9_999));
    let expected = DATE + u32::try_from(PAUSE_SECS).unwrap() - 3600;
    assert_eq!(filter(&messages[0]).first_timestamp, expected);
}

#[test]
fn a_silent_peer_is_asked_for_the_list_and_then_for_what_is_missing() {
    let mut synced = Synced::new();
    let asked = synced.sync.on_deadline(later(SILENCE_SECS).mono);
    assert!(matches!(asked[..], [(_, Message::QueryChannelRange(_))]));
    assert_eq!(synced.hear(listed(&[3, 1], 0)), []);
    let query = synced.hear(listed(&[2, 3], 1));
    let [Message::QueryShortChannelIds(query)] = &query[..] else { panic!("{query:?}") };
    assert_eq!(query.short_channel_ids, [1, 2, 3].map(ShortChannelId));
    // A list that nobody asked for is no list.
    assert_eq!(synced.hear(listed(&[4], 1)), []);
    synced.hear(announcement(ShortChannelId(1), 1, 2));
    let end = ReplyShortChannelIdsEnd { chain_hash: CHAIN, full_information: 1 };
    assert_eq!(synced.hear(end.clone()), []);
    assert_eq!(synced.sync.deadline(), None);
    assert_eq!(synced.hear(end), []);
    assert_eq!(synced.graph.synced_at(), Some(now().unix));
}

#[test]
fn many_channels_are_asked_about_in_turn() {
    let mut synced = Synced::new();
    synced.sync.on_deadline(later(SILENCE_SECS).mono);
    let all: Vec<u64> = (0..4_500).collect();
    let mut asked = 0;
    let mut answer = synced.hear(listed(&all, 1));
    while let Some(message) = answer.pop() {
        assert!(message.encode().is_ok());
        let Message::QueryShortChannelIds(query) = message else { panic!() };
        asked += query.short_channel_ids.len();
        answer = synced.hear(ReplyShortChannelIdsEnd { chain_hash: CHAIN, full_information: 1 });
    }
    assert_eq!(asked, all.len());
}

#[test]
fn an_answer_that_never_comes_is_given_up() {
    let mut synced = Synced::new();
    synced.sync.on_deadline(later(SILENCE_SECS).mono);
    assert_eq!(synced.sync.deadline(), Some(later(SILENCE_SECS + ANSWER_SECS).mono));
    assert_eq!(synced.sync.on_deadline(later(SILENCE_SECS + ANSWER_SECS).mono), []);
    assert_eq!(synced.sync.deadline(), None);
    synced.hear(announcement(SCID, 1, 2));
    assert_eq!((synced.graph.channel_count(), synced.graph.synced_at()), (1, None));
}

#[test]
fn nobody_is_heard_who_was_not_asked() {
    let mut synced = Synced::new();
    synced.sync.peer_ready(id(2), &synced.graph, now());
    synced.sync.peer_ready(id(3), &synced.graph, now());
    for stranger in [id(3), id(4)] {
        let message = announcement(SCID, 1, 2).into();
        assert_eq!(synced.sync.on_message(&stranger, message, &mut synced.graph, now()), []);
        assert_eq!(synced.graph.channel_count(), 0);
    }
}

#[test]
fn an_update_may_come_before_its_announcement() {
    let nodes = ordered(1, 2);
    let mut synced = Synced::new();
    synced.hear(update_as(update_contents(SCID, 0, DATE - 5), nodes[0]));
    synced.hear(update_as(update_contents(SCID, 0, DATE), nodes[0]));
    synced.hear(update_as(update_contents(SCID, 1, DATE), 9));
    synced.hear(announcement(SCID, 1, 2));
    assert_eq!((synced.timestamp(0), synced.timestamp(1)), (Some(DATE), None));
}

#[test]
fn early_updates_are_bounded() {
    let mut early = EarlyUpdates::new();
    let update = update_as(update_contents(SCID, 0, DATE), 1);
    for n in 0..MAX_EARLY + 50 {
        let mut contents = (*update.contents).clone();
        contents.short_channel_id = ShortChannelId(u64::try_from(n).unwrap());
        early.keep(crate::wire::ChannelUpdate {
            contents: crate::wire::Signed::new(contents),
            ..update.clone()
        });
        assert!(early.len() <= MAX_EARLY);
    }
    assert_eq!(early.take(ShortChannelId(0)), []);
    assert_eq!(early.take(ShortChannelId(60)).len(), 1);
    assert_eq!(early.take(ShortChannelId(60)), []);
}

#[test]
fn the_work_a_peer_can_cause_is_bounded() {
    let mut synced = Synced::with_channel();
    let old = update_as(update_contents(SCID, 0, 1), 1);
    for _ in 0..600_000 {
        synced.hear(old.clone());
    }
    let nodes = ordered(1, 2);
    let new = update_as(update_contents(SCID, 0, DATE), nodes[0]);
    synced.hear(new.clone());
    assert_eq!(synced.timestamp(0), None);
    synced.sync.on_message(&id(PEER), new.into(), &mut synced.graph, later(1));
    assert_eq!(synced.timestamp(0), Some(DATE));
}
