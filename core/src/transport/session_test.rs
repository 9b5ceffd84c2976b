//! Fragmentation, tampering and bounds of whole connections.

use super::handshake::Handshake;
use super::stream::Transport;
use super::{Act, Connection, MAX_MESSAGE, MAX_RECEIVE, MAX_UNREAD, TransportError};
use crate::crypto::ec;
use bitcoin::secp256k1::SecretKey;
use proptest::prelude::{ProptestConfig, any, prop, proptest};

fn key(byte: u8) -> SecretKey {
    SecretKey::from_slice(&[byte; 32]).unwrap()
}

fn start() -> (Connection, Connection, Vec<u8>) {
    let (initiator, act_one) = Connection::initiator(&key(1), ec::public_key(&key(2)), key(3));
    (initiator, Connection::responder(&key(2), key(4)), act_one)
}

fn connected() -> (Connection, Connection) {
    let (mut initiator, mut responder, act_one) = start();
    let act_two = responder.receive(&act_one).unwrap();
    let act_three = initiator.receive(&act_two).unwrap();
    assert!(responder.receive(&act_three).unwrap().is_empty());
    (initiator, responder)
}

fn drain(connection: &mut Connection) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| connection.next_message().unwrap()).collect()
}

#[test]
fn both_sides_learn_each_other_and_speak() {
    let (mut initiator, mut responder) = connected();
    assert_eq!(initiator.remote_node_id(), Some(ec::public_key(&key(2))));
    assert_eq!(responder.remote_node_id(), Some(ec::public_key(&key(1))));
    for round in 0..1200u32 {
        let message = round.to_be_bytes().repeat(1 + round as usize % 5);
        responder.receive(&initiator.encrypt(&message).unwrap()).unwrap();
        assert_eq!(drain(&mut responder), std::slice::from_ref(&message));
        // The directions rotate their keys each on its own: one speaks twice as often as the other.
        let both = [responder.encrypt(&message).unwrap(), responder.encrypt(b"").unwrap()].concat();
        initiator.receive(&both).unwrap();
        assert_eq!(drain(&mut initiator), [message, Vec::new()]);
    }
}

#[test]
fn nothing_can_be_sent_before_the_handshake_is_complete() {
    let (mut initiator, mut responder, act_one) = start();
    assert_eq!(initiator.encrypt(b"init"), Err(TransportError::NotEstablished));
    assert_eq!(responder.encrypt(b"init"), Err(TransportError::NotEstablished));
    assert_eq!(responder.next_message(), Ok(None));
    responder.receive(&act_one).unwrap();
    assert!(!responder.is_established() && responder.remote_node_id().is_none());
    assert_eq!(responder.encrypt(b"init"), Err(TransportError::NotEstablished));
}

#[test]
fn messages_may_follow_act_three_in_the_same_bytes() {
    let (mut initiator, mut responder, act_one) = start();
    let act_two = responder.receive(&act_one).unwrap();
    let mut bytes = initiator.receive(&act_two).unwrap();
    bytes.extend(initiator.encrypt(b"init").unwrap());
    bytes.extend(initiator.encrypt(b"ping").unwrap());
    assert!(responder.receive(&bytes).unwrap().is_empty());
    assert_eq!(drain(&mut responder), [b"init", b"ping"]);
}

#[test]
fn one_byte_at_a_time() {
    let (mut initiator, mut responder, act_one) = start();
    let feed = |to: &mut Connection, bytes: &[u8]| -> Vec<u8> {
        bytes.iter().flat_map(|byte| to.receive(&[*byte]).unwrap()).collect()
    };
    let act_two = feed(&mut responder, &act_one);
    assert_eq!(act_two.len(), 50);
    let act_three = feed(&mut initiator, &act_two);
    assert_eq!(act_three.len(), 66);
    assert!(feed(&mut responder, &act_three).is_empty());
    let mut got = Vec::new();
    let bytes = [&b"init"[..], b"", &[9; 300]].map(|message| initiator.encrypt(message).unwrap()).concat();
    for byte in bytes {
        responder.receive(&[byte]).unwrap();
        got.extend(drain(&mut responder));
    }
    assert_eq!(got, [b"init".to_vec(), Vec::new(), vec![9; 300]]);
}

#[test]
fn every_altered_byte_of_every_act_ends_the_handshake() {
    let (mut initiator, mut responder, act_one) = start();
    let act_two = responder.receive(&act_one).unwrap();
    let act_three = initiator.receive(&act_two).unwrap();
    let dead = |mut connection: Connection, altered: &[u8], right: &[u8], act: Act, at: usize| {
        let error = connection.receive(altered).unwrap_err();
        match (error, at) {
            (TransportError::BadVersion { act: found, version }, 0) => {
                assert_eq!((found, version), (act, altered[0]));
            }
            (TransportError::BadStaticKey, 1..50) => assert_eq!(act, Act::Three),
            (TransportError::BadPublicKey { act: found } | TransportError::BadTag { act: found }, 1..) => {
                assert_eq!(found, act);
            }
            other => panic!("{act} byte {at}: {other:?}"),
        }
        assert!(error.is_fatal() && !connection.is_established());
        assert_eq!(connection.receive(right), Err(error));
        assert_eq!(connection.receive(&[]), Err(error));
        assert_eq!(connection.next_message(), Err(error));
        assert_eq!(connection.encrypt(b"init"), Err(error));
    };
    let alter = |act: &[u8], at: usize, bit: u8| {
        let mut altered = act.to_vec();
        altered[at] ^= 1 << bit;
        altered
    };
    let mut altered_bytes = 0;
    for bit in [0, 7] {
        for at in 0..50 {
            dead(start().1, &alter(&act_one, at, bit), &act_one, Act::One, at);
            dead(start().0, &alter(&act_two, at, bit), &act_two, Act::Two, at);
            altered_bytes += 2;
        }
        for at in 0..66 {
            let (_, mut responder, act_one) = start();
            assert_eq!(responder.receive(&act_one).unwrap(), act_two);
            dead(responder, &alter(&act_three, at, bit), &act_three, Act::Three, at);
            altered_bytes += 1;
        }
    }
    assert_eq!(altered_bytes, 2 * (50 + 50 + 66));
}

#[test]
fn a_handshake_meant_for_another_node_fails() {
    let (_, act_one) = Connection::initiator(&key(1), ec::public_key(&key(9)), key(3));
    let mut responder = Connection::responder(&key(2), key(4));
    assert_eq!(responder.receive(&act_one), Err(TransportError::BadTag { act: Act::One }));
}

#[test]
fn every_altered_byte_of_a_message_ends_the_session() {
    let message = b"commitment_signed";
    for at in 0..(18 + message.len() + 16) {
        let (mut initiator, mut responder) = connected();
        let first = initiator.encrypt(b"first").unwrap();
        let right = initiator.encrypt(message).unwrap();
        let mut altered = right.clone();
        altered[at] ^= 0x80;
        responder.receive(&[first, altered].concat()).unwrap();
        // What came before is not lost.
        assert_eq!(responder.next_message(), Ok(Some(b"first".to_vec())));
        let error = responder.next_message().unwrap_err();
        let length = u16::try_from(message.len()).unwrap();
        match at {
            0..18 => assert_eq!(error, TransportError::BadLengthTag),
            _ => assert_eq!(error, TransportError::BadMessageTag { length }),
        }
        assert_eq!(responder.receive(&right), Err(error));
        assert_eq!(responder.next_message(), Err(error));
        assert_eq!(responder.encrypt(b"error"), Err(error));
    }
}

#[test]
fn replayed_reordered_and_reflected_messages_are_refused() {
    let (mut initiator, mut responder) = connected();
    let bytes = initiator.encrypt(b"pay once").unwrap();
    responder.receive(&[bytes.clone(), bytes].concat()).unwrap();
    assert_eq!(responder.next_message(), Ok(Some(b"pay once".to_vec())));
    assert_eq!(responder.next_message(), Err(TransportError::BadLengthTag));

    let (mut initiator, mut responder) = connected();
    initiator.encrypt(b"lost").unwrap();
    responder.receive(&initiator.encrypt(b"later").unwrap()).unwrap();
    assert_eq!(responder.next_message(), Err(TransportError::BadLengthTag));

    let (mut initiator, _) = connected();
    let own = initiator.encrypt(b"echo").unwrap();
    initiator.receive(&own).unwrap();
    assert_eq!(initiator.next_message(), Err(TransportError::BadLengthTag));
}

#[test]
fn the_longest_message_passes_and_a_longer_one_does_no_harm() {
    let (mut initiator, mut responder) = connected();
    let longest = vec![0x5a; MAX_MESSAGE];
    let too_long = TransportError::MessageTooLong { length: MAX_MESSAGE + 1 };
    assert_eq!(initiator.encrypt(&vec![0; MAX_MESSAGE + 1]), Err(too_long));
    assert!(!too_long.is_fatal());
    let bytes = initiator.encrypt(&longest).unwrap();
    assert_eq!(bytes.len(), 65_569);
    responder.receive(&bytes).unwrap();
    assert_eq!(drain(&mut responder), [longest]);
}

#[test]
fn unread_bytes_are_bounded_and_refused_bytes_can_be_offered_again() {
    let (mut initiator, mut responder) = connected();
    let bytes = initiator.encrypt(&vec![1; MAX_MESSAGE]).unwrap();
    let mut waiting = 0;
    while responder.capacity() >= bytes.len() {
        responder.receive(if waiting == 0 { &bytes } else { &[0; 65_569] }).unwrap();
        waiting += bytes.len();
    }
    assert!(waiting <= MAX_UNREAD && waiting + bytes.len() > MAX_UNREAD);
    let full = TransportError::BufferFull { offered: bytes.len(), unread: waiting, limit: MAX_UNREAD };
    assert_eq!(responder.receive(&bytes), Err(full));
    assert!(!full.is_fatal());
    assert_eq!(responder.next_message(), Ok(Some(vec![1; MAX_MESSAGE])));
    assert_eq!(responder.receive(&bytes), Ok(Vec::new()));
}

#[test]
fn a_drained_connection_always_takes_a_full_receive() {
    let (mut initiator, mut responder) = connected();
    // The worst that can be left: the longest message but for its last byte.
    let bytes = initiator.encrypt(&vec![1; MAX_MESSAGE]).unwrap();
    responder.receive(&bytes[..bytes.len() - 1]).unwrap();
    assert!(drain(&mut responder).is_empty());
    assert!(responder.capacity() >= MAX_RECEIVE);

    let mut stream = vec![bytes[bytes.len() - 1]];
    for size in [65_535, 1, 40_000, 0, 65_535, 65_535, 20_000, 65_535] {
        stream.extend(initiator.encrypt(&vec![2; size]).unwrap());
    }
    let mut got = Vec::new();
    for piece in stream.chunks(MAX_RECEIVE) {
        responder.receive(piece).unwrap();
        got.extend(drain(&mut responder).into_iter().map(|message| message.len()));
        assert!(responder.capacity() >= MAX_RECEIVE);
    }
    assert_eq!(got, [65_535, 65_535, 1, 40_000, 0, 65_535, 65_535, 20_000, 65_535]);
}

#[test]
fn a_flood_before_the_handshake_is_refused_or_fails() {
    let (_, mut responder, _) = start();
    let full = TransportError::BufferFull { offered: MAX_RECEIVE + 1, unread: 0, limit: MAX_RECEIVE };
    assert_eq!(responder.receive(&vec![0; MAX_RECEIVE + 1]), Err(full));
    let error = responder.receive(&vec![0; MAX_RECEIVE]).unwrap_err();
    assert_eq!(error, TransportError::BadPublicKey { act: Act::One });
}

#[test]
fn no_key_is_printed() {
    let (initiator, responder, _) = start();
    let transport = Transport::new([1; 32], [2; 32], [3; 32]);
    let (handshake, _) = Handshake::initiator(&key(1), ec::public_key(&key(2)), key(3));
    let shown = format!("{initiator:?} {responder:?} {:?} {transport:?} {handshake:?}", connected());
    for byte in ["01", "02", "03", "04"] {
        assert!(!shown.contains(&byte.repeat(8)), "{shown}");
    }
    assert!(!shown.contains('['), "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_cut_gives_the_same_messages(
        messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..8),
        cuts in prop::collection::vec(1usize..200, 1..40),
    ) {
        let (mut initiator, mut responder, act_one) = start();
        let act_two = responder.receive(&act_one).unwrap();
        let mut stream = initiator.receive(&act_two).unwrap();
        for message in &messages {
            stream.extend(initiator.encrypt(message).unwrap());
        }
        let mut got = Vec::new();
        let (mut rest, mut sizes) = (&stream[..], cuts.iter().cycle());
        while !rest.is_empty() {
            let (piece, later) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
            assert!(responder.receive(piece).unwrap().is_empty());
            got.extend(drain(&mut responder));
            rest = later;
        }
        assert_eq!(got, messages);
    }

    #[test]
    fn no_bytes_make_a_connection_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), established: bool) {
        let mut connection = if established { connected().1 } else { start().1 };
        let received = connection.receive(&bytes);
        let next = connection.next_message();
        assert!(received.is_err() || !matches!(next, Ok(Some(_))));
    }
}
