//! One test a rule of BOLT 1.

use super::liveness::{PING_AFTER_SECS, PONG_TIMEOUT_SECS};
use super::{
    HANDSHAKE_TIMEOUT_SECS, INIT_TIMEOUT_SECS, Peer, PeerConfig, PeerError, PeerEvent, RemoteInit, Scope,
};
use crate::types::{ChannelId, Feature, Features, FeaturesError, Instant, ShortChannelId};
use crate::wire::{
    ChannelReady, Error, GossipTimestampFilter, Init, Message, Ping, Pong, QueryChannelRange,
    QueryShortChannelIds, Warning, text::MAX_TEXT_LEN,
};
use bitcoin::blockdata::constants::ChainHash;

const START: Instant = Instant(7_000);
const CHAIN: ChainHash = ChainHash::REGTEST;

fn init(bits: &[u16]) -> Init {
    Init {
        globalfeatures: Features::empty(),
        features: Features::from_bits(bits.iter().copied()),
        networks: None,
        remote_addr: None,
    }
}

fn connected() -> Peer {
    let mut peer = Peer::new(START, PeerConfig::new(CHAIN));
    peer.on_connected(START);
    peer
}

fn ready() -> Peer {
    let mut peer = connected();
    assert!(matches!(peer.on_message(START, init(&[]).into()), Ok(PeerEvent::Ready(_))));
    peer
}

fn ping(num_pong_bytes: u16) -> Message {
    Ping { num_pong_bytes, byteslen: 3 }.into()
}

fn channel_message() -> Message {
    let bytes = [&[0, 36][..], &[4; 32], &hex::decode(POINT).unwrap()].concat();
    let message = Message::decode(&bytes).unwrap();
    assert!(matches!(message, Message::ChannelReady(ChannelReady { .. })));
    message
}

const POINT: &str = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";

#[test]
fn our_init_says_what_we_can() {
    let mut peer = Peer::new(START, PeerConfig::new(CHAIN));
    let bytes = peer.on_connected(START).encode().unwrap();
    let expected = format!("0010{}{}{}{}", "0000", "0006100008825181", "0120", hex::encode(CHAIN.as_bytes()));
    assert_eq!(hex::encode(bytes), expected);
}

#[test]
fn our_own_init_passes_our_own_check() {
    let Message::Init(ours) = connected().on_connected(START) else { panic!() };
    assert!(connected().on_message(START, ours.into()).is_ok());
}

#[test]
fn the_features_of_the_remote_are_checked() {
    let unknown = |bit| Err(FeaturesError::UnknownRequired { bit });
    let missing = |feature, missing| Err(FeaturesError::MissingDependency { feature, missing });
    let cases: [(&[u16], Result<(), FeaturesError>); 14] = [
        (&[], Ok(())),
        (&[0, 8, 12, 14, 16, 22, 26, 44], Ok(())),
        (&[1, 9, 13, 15, 17, 23, 27, 45], Ok(())),
        // What LDK, CLN, lnd and eclair offer besides.
        (&[0, 5, 7, 8, 11, 12, 14, 17, 19, 23, 25, 27, 29, 31, 35, 39, 43, 44, 47, 51, 61, 63, 2023], Ok(())),
        // Dependencies among features unknown here are not ours to judge.
        (&[51], Ok(())),
        (&[28], unknown(28)),
        (&[62], unknown(62)),
        (&[6], Ok(())),
        (&[100], unknown(100)),
        (&[65534], unknown(65534)),
        (&[17], missing(Feature::BasicMpp, Feature::PaymentSecret)),
        (&[15], missing(Feature::PaymentSecret, Feature::VarOnionOptin)),
        (&[17, 15], missing(Feature::PaymentSecret, Feature::VarOnionOptin)),
        (&[23], missing(Feature::Anchors, Feature::StaticRemotekey)),
    ];
    for (bits, expected) in cases {
        for split in 0..=bits.len() {
            // The same bits, wherever they stand.
            let (globalfeatures, features) = bits.split_at(split);
            let init = Init {
                globalfeatures: Features::from_bits(globalfeatures.iter().copied()),
                ..init(features)
            };
            let event = connected().on_message(START, init.into());
            let expected_event = expected
                .map(|()| {
                    PeerEvent::Ready(RemoteInit { features: Features::from_bits(bits.iter().copied()) })
                })
                .map_err(PeerError::Features);
            assert_eq!(event, expected_event, "{bits:?}");
        }
    }
}

#[test]
fn a_common_chain_is_needed() {
    let other = ChainHash::BITCOIN;
    let cases: [(Option<Vec<ChainHash>>, bool); 5] = [
        (None, true),
        (Some(vec![CHAIN]), true),
        (Some(vec![other, CHAIN]), true),
        (Some(vec![other]), false),
        (Some(vec![]), false),
    ];
    for (networks, accepted) in cases {
        let event = connected().on_message(START, Init { networks: networks.clone(), ..init(&[]) }.into());
        assert_eq!(event.is_ok(), accepted, "{networks:?}");
        if !accepted {
            assert_eq!(event, Err(PeerError::NoCommonChain));
        }
    }
}

#[test]
fn a_remote_is_told_why_its_init_was_refused() {
    let mut peer = connected();
    let error = peer.on_message(START, init(&[100]).into()).unwrap_err();
    let Some(Message::Warning(warning)) = error.farewell() else { panic!() };
    assert_eq!(warning.channel_id, ChannelId::ALL);
    assert!(warning.text().contains("feature bit 100"), "{}", warning.text());
    assert_eq!(PeerError::MessageBeforeInit { message_type: 18 }.farewell(), None);
    assert_eq!(peer.remote(), None);
}

#[test]
fn nothing_may_come_before_init() {
    let refused = |text: &str| PeerError::Refused { text: text.into() };
    let before = |message_type| PeerError::MessageBeforeInit { message_type };
    let cases: [(Message, PeerError); 6] = [
        (ping(1), before(18)),
        (Pong { byteslen: 16 }.into(), before(19)),
        (channel_message(), before(36)),
        (Message::Unknown { message_type: 7 }, before(7)),
        (Error::new(ChannelId::ALL, "go\x07away").into(), refused("go?away")),
        (Warning::new(ChannelId::ALL, "").into(), refused("")),
    ];
    for (message, error) in cases {
        assert_eq!(connected().on_message(START, message), Err(error));
    }
    // Not even init before the handshake is complete.
    let mut peer = Peer::new(START, PeerConfig::new(CHAIN));
    assert_eq!(peer.on_message(START, init(&[]).into()), Err(before(16)));
}

#[test]
fn what_we_require_counts_as_negotiated() {
    let mut peer = connected();
    peer.on_message(START, init(&[13, 23, 39]).into()).unwrap();
    let remote = peer.remote().unwrap();
    let cases = [
        (Feature::ChannelType, true),
        (Feature::Anchors, true),
        (Feature::BasicMpp, false),
        (Feature::OnionMessages, false),
    ];
    for (feature, negotiated) in cases {
        assert_eq!(remote.negotiated(feature), negotiated, "{feature:?}");
    }
}

#[test]
fn a_second_init_changes_nothing() {
    let mut peer = ready();
    let features = peer.remote().unwrap().features.clone();
    for repeated in [init(&[9, 15, 17]), init(&[100])] {
        assert_eq!(peer.on_message(START, repeated.into()), Ok(PeerEvent::Ignored));
        assert_eq!(peer.remote().unwrap().features, features);
    }
}

#[test]
fn pings_are_answered_with_the_bytes_they_ask_for() {
    for num_pong_bytes in [0, 1, 65531] {
        let reply = PeerEvent::Reply(Pong { byteslen: num_pong_bytes }.into());
        assert_eq!(ready().on_message(START, ping(num_pong_bytes)), Ok(reply));
    }
    for num_pong_bytes in [65532, 65533, 65535] {
        assert_eq!(ready().on_message(START, ping(num_pong_bytes)), Ok(PeerEvent::Ignored));
    }
}

#[test]
fn a_flood_of_pings_is_not_answered() {
    let mut peer = ready();
    let mut answered = |from: Instant, count: u64, step_millis: u64| {
        (0..count)
            .filter(|i| {
                let now = from.plus_millis(i * step_millis);
                matches!(peer.on_message(now, ping(65531)), Ok(PeerEvent::Reply(_)))
            })
            .count()
    };
    assert_eq!(answered(START, 1000, 0), 20);
    assert_eq!(answered(START.plus_secs(1), 1000, 0), 1);
    // Ten a second for ten seconds.
    assert_eq!(answered(START.plus_secs(2), 100, 100), 10);
    // After a long silence again no more than the burst; and a clock that goes back grants nothing.
    assert_eq!(answered(START.plus_secs(1_000_000), 1000, 0), 20);
    assert_eq!(answered(START, 10, 0), 0);
    assert_eq!(answered(Instant(u64::MAX), 1000, 0), 20);
}

#[test]
fn questions_about_gossip_get_an_empty_answer() {
    let range = QueryChannelRange {
        chain_hash: CHAIN,
        first_blocknum: 100,
        number_of_blocks: 50,
        query_option_flags: None,
    };
    let Ok(PeerEvent::Reply(Message::ReplyChannelRange(reply))) = ready().on_message(START, range.into())
    else {
        panic!()
    };
    assert_eq!((reply.first_blocknum, reply.number_of_blocks, reply.sync_complete), (100, 50, 1));
    assert!(reply.short_channel_ids.is_empty());
    let ids = QueryShortChannelIds {
        chain_hash: CHAIN,
        short_channel_ids: vec![ShortChannelId(1)],
        query_flags: None,
    };
    let Ok(PeerEvent::Reply(Message::ReplyShortChannelIdsEnd(reply))) = ready().on_message(START, ids.into())
    else {
        panic!()
    };
    assert_eq!((reply.chain_hash, reply.full_information), (CHAIN, 0));
    let filter = GossipTimestampFilter { chain_hash: CHAIN, first_timestamp: 0, timestamp_range: u32::MAX };
    assert_eq!(ready().on_message(START, filter.into()), Ok(PeerEvent::Ignored));
}

#[test]
fn errors_and_warnings_name_what_they_are_about() {
    let channel_id = ChannelId([3; 32]);
    let cases = [(ChannelId::ALL, Scope::All), (channel_id, Scope::Channel(channel_id))];
    for (channel_id, scope) in cases {
        let data = [b"fee \x1b[2J".to_vec(), vec![0xff; 60_000]].concat();
        let mut peer = ready();
        match peer.on_message(START, Error { channel_id, data: data.clone() }.into()).unwrap() {
            PeerEvent::Error { scope: found, text } => {
                assert_eq!(found, scope);
                assert!(text.starts_with("fee ?[2J??") && text.len() == MAX_TEXT_LEN, "{text}");
            }
            other => panic!("{other:?}"),
        }
        let warning = peer.on_message(START, Warning { channel_id, data: vec![] }.into());
        assert_eq!(warning, Ok(PeerEvent::Warning { scope, text: String::new() }));
    }
}

#[test]
fn the_rest_is_handed_on_or_ignored() {
    let mut peer = ready();
    let message = channel_message();
    assert_eq!(peer.on_message(START, message.clone()), Ok(PeerEvent::Dispatch(message)));
    for unknown in [7, 9, 127, 32769] {
        let message = Message::Unknown { message_type: unknown };
        assert_eq!(peer.on_message(START, message), Ok(PeerEvent::Ignored));
    }
    assert_eq!(peer.on_message(START, Pong { byteslen: 5 }.into()), Ok(PeerEvent::Ignored));
}

#[test]
fn a_silent_remote_is_closed_at_each_stage() {
    let mut peer = Peer::new(START, PeerConfig::new(CHAIN));
    assert_eq!(peer.deadline(), START.plus_secs(HANDSHAKE_TIMEOUT_SECS));
    assert_eq!(peer.on_deadline(Instant(peer.deadline().0 - 1)), Ok(None));
    assert_eq!(peer.on_deadline(peer.deadline()), Err(PeerError::HandshakeTimeout));

    let shaken = START.plus_secs(9);
    peer.on_connected(shaken);
    assert_eq!(peer.deadline(), shaken.plus_secs(INIT_TIMEOUT_SECS));
    assert_eq!(peer.probe(shaken), None);
    assert_eq!(peer.on_deadline(peer.deadline()), Err(PeerError::InitTimeout));
}

#[test]
fn a_quiet_remote_is_pinged_and_must_answer() {
    let mut peer = ready();
    assert_eq!(peer.ready_since(), Some(START));
    assert_eq!(peer.deadline(), START.plus_secs(PING_AFTER_SECS));
    // A message in between moves the ping.
    let heard = START.plus_secs(20);
    peer.on_message(heard, channel_message()).unwrap();
    assert_eq!(peer.on_deadline(START.plus_secs(PING_AFTER_SECS)), Ok(None));
    let pinged = heard.plus_secs(PING_AFTER_SECS);
    let Ok(Some(Message::Ping(sent))) = peer.on_deadline(pinged) else { panic!() };
    assert_eq!(sent.byteslen, 0);
    assert_eq!(peer.deadline(), pinged.plus_secs(PONG_TIMEOUT_SECS));

    // Neither other messages nor a pong nobody asked for are an answer.
    peer.on_message(pinged.plus_secs(1), channel_message()).unwrap();
    peer.on_message(pinged.plus_secs(1), Pong { byteslen: sent.num_pong_bytes + 1 }.into()).unwrap();
    assert_eq!(peer.probe(pinged.plus_secs(2)), None);
    assert_eq!(peer.deadline(), pinged.plus_secs(PONG_TIMEOUT_SECS));

    let answered = pinged.plus_secs(3);
    let pong = Pong { byteslen: sent.num_pong_bytes };
    assert_eq!(peer.on_message(answered, pong.into()), Ok(PeerEvent::Ignored));
    assert_eq!(peer.deadline(), answered.plus_secs(PING_AFTER_SECS));

    // The next one stays unanswered.
    let pinged = peer.deadline();
    assert!(matches!(peer.on_deadline(pinged), Ok(Some(Message::Ping(_)))));
    assert_eq!(peer.on_deadline(pinged.plus_secs(PONG_TIMEOUT_SECS)), Err(PeerError::PongTimeout));
}

#[test]
fn a_probe_pings_at_once() {
    let mut peer = ready();
    let woken = START.plus_secs(5);
    assert!(matches!(peer.probe(woken), Some(Message::Ping(_))));
    assert_eq!(peer.deadline(), woken.plus_secs(PONG_TIMEOUT_SECS));
    assert_eq!(peer.probe(woken), None);
}
