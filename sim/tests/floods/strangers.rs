//! Those who open a connection and do not speak the protocol, or speak it slowly.

use crate::memory;
use bitcoin::secp256k1::SecretKey;
use kite_core::node::Input;
use kite_core::transport::Connection;
use kite_core::types::{ConnId, Instant, Now, UnixTime};
use kite_sim::host::{Act, Host};
use kite_sim::random::Random;

const ACCEPTED: u64 = 1 << 63;
/// What one byte stream may hold: a message that is not complete, and one full read.
const MAX_STREAM: isize = 400_000;

struct Stage {
    host: Host,
    now: Now,
    next: u64,
}

impl Stage {
    fn new() -> Self {
        let now = Now { mono: Instant(1_000), unix: UnixTime(1_800_000_000) };
        let mut host = Host::new(1, Host::config());
        host.start(now);
        host.acts.clear();
        Self { host, now, next: ACCEPTED }
    }

    fn accept(&mut self) -> ConnId {
        self.next += 1;
        self.host.input(self.now, Input::Accepted { conn: ConnId(self.next) });
        ConnId(self.next)
    }

    fn receive(&mut self, conn: ConnId, bytes: &[u8]) {
        self.host.input(self.now, Input::Received { conn, bytes: bytes.to_vec() });
    }

    /// The bytes for a connection, and whether it was closed.
    fn answers(&mut self, conn: ConnId) -> (Vec<u8>, bool) {
        let (mut sent, mut is_closed) = (Vec::new(), false);
        for act in self.host.acts.drain(..) {
            match act {
                Act::Send(to, bytes) if to == conn => sent.extend(bytes),
                Act::Disconnect(to) if to == conn => is_closed = true,
                _ => {}
            }
        }
        (sent, is_closed)
    }

    fn wait(&mut self, secs: u64) {
        self.now.mono = self.now.mono.plus_secs(secs);
        self.host.input(self.now, Input::Wake);
    }

    /// A stranger who knows BOLT 8.
    fn shake_hands(&mut self) -> (ConnId, Connection) {
        let conn = self.accept();
        let key = |byte| SecretKey::from_slice(&[byte; 32]).expect("a key");
        let (mut stranger, act_one) = Connection::initiator(&key(7), self.host.node_id(), key(8));
        self.receive(conn, &act_one);
        let act_two = self.answers(conn).0;
        let act_three = stranger.receive(&act_two).expect("a handshake");
        self.receive(conn, &act_three);
        stranger.receive(&self.answers(conn).0).expect("an init");
        (conn, stranger)
    }

    /// One who has sent `init`, too.
    fn befriend(&mut self) -> (ConnId, Connection) {
        let (conn, mut stranger) = self.shake_hands();
        let init = stranger.encrypt(&[0, 16, 0, 0, 0, 0]).expect("a session");
        self.receive(conn, &init);
        self.host.acts.clear();
        (conn, stranger)
    }
}

#[test]
fn garbage_closes_a_connection_at_every_stage() {
    let mut random = Random::new(1);
    for length in [1, 17, 50, 66, 80, 1_000, 131_072, 400_000] {
        let mut garbage: Vec<u8> = (0..length).map(|_| random.next().to_le_bytes()[0]).collect();
        // The version byte of an act is 0: what follows it counts.
        garbage[0] = 0;
        let mut stage = Stage::new();
        let conn = stage.accept();
        stage.receive(conn, &garbage);
        assert_eq!(stage.answers(conn).1, length >= 50, "{length} bytes as act one");

        let mut stage = Stage::new();
        let (conn, _) = stage.shake_hands();
        stage.receive(conn, &garbage);
        assert_eq!(stage.answers(conn).1, length >= 18, "{length} bytes as init");

        let mut stage = Stage::new();
        let (conn, _) = stage.befriend();
        stage.receive(conn, &garbage);
        assert_eq!(stage.answers(conn).1, length >= 18, "{length} bytes as message");
    }
}

#[test]
fn a_handshake_or_init_that_does_not_come_is_not_waited_for() {
    let mut stage = Stage::new();
    let silent = stage.accept();
    stage.wait(29);
    assert!(!stage.answers(silent).1);
    stage.wait(1);
    assert!(stage.answers(silent).1, "a handshake that never begins");

    // A byte every second does not help.
    let slow = stage.accept();
    for _ in 0..29 {
        stage.receive(slow, &[0]);
        stage.wait(1);
        assert!(!stage.answers(slow).1);
    }
    stage.wait(1);
    assert!(stage.answers(slow).1, "a handshake byte by byte");

    let (conn, _) = stage.shake_hands();
    stage.wait(29);
    assert!(!stage.answers(conn).1);
    stage.wait(1);
    assert!(stage.answers(conn).1, "an init that never comes");

    // Half a message, and no pong: the rest is not waited for.
    let (conn, mut stranger) = stage.befriend();
    let long = stranger.encrypt(&[0x9d; 65_535]).expect("a session");
    stage.receive(conn, &long[..40_000]);
    stage.wait(30);
    assert!(!stage.answers(conn).1, "it is pinged");
    stage.wait(30);
    assert!(stage.answers(conn).1, "a message that never ends");
}

#[test]
fn half_open_connections_are_few_and_small() {
    let mut stage = Stage::new();
    let before = memory::held();
    for _ in 0..5_000 {
        let conn = stage.accept();
        stage.receive(conn, &[0; 49]);
        stage.answers(conn);
    }
    assert!(memory::held() - before < MAX_STREAM, "{}", memory::held() - before);
    stage.wait(31);
    stage.host.acts.clear();
    stage.befriend();
}

#[test]
fn a_stream_holds_one_message_and_one_read() {
    let mut stage = Stage::new();
    let (conn, mut stranger) = stage.befriend();
    let before = memory::held();
    let whole = stranger.encrypt(&[0x9d; 65_535]).expect("a session");
    stage.receive(conn, &whole[..65_000]);
    assert!(memory::held() - before < MAX_STREAM);
    // Complete messages that nobody must answer leave nothing behind, however they are cut.
    stage.receive(conn, &whole[65_000..]);
    for piece in [1usize, 7, 1_000, 131_072] {
        let many: Vec<u8> = (0..20)
            .flat_map(|_| stranger.encrypt(&[[0x9c, 0x41], [7; 2]].concat()).expect("a session"))
            .collect();
        many.chunks(piece).for_each(|bytes| stage.receive(conn, bytes));
    }
    assert!(!stage.answers(conn).1);
    assert!(memory::held() - before < MAX_STREAM, "{}", memory::held() - before);
}

#[test]
fn messages_before_init_or_before_the_handshake_close() {
    let mut stage = Stage::new();
    let (conn, mut stranger) = stage.shake_hands();
    let ping = stranger.encrypt(&[0, 18, 0, 1, 0, 0]).expect("a session");
    stage.receive(conn, &ping);
    assert!(stage.answers(conn).1);

    // An init with a feature that must be understood and is not, and one for another chain.
    let other_chain = [&[0, 16, 0, 0, 0, 0, 1, 32][..], &[5; 32]].concat();
    for init in [&[0, 16, 0, 0, 0, 9, 1, 0, 0, 0, 0, 0, 0, 0, 0][..], &other_chain] {
        let (conn, mut stranger) = stage.shake_hands();
        let init = stranger.encrypt(init).expect("a session");
        stage.receive(conn, &init);
        let (told, is_closed) = stage.answers(conn);
        assert!(is_closed && !told.is_empty(), "it is told why");
    }
}
