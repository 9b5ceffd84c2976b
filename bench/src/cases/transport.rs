//! BOLT 8 after the handshake: a message encrypted at one end and read at the other.

use super::{Case, row};
use crate::meter::Meter;
use bitcoin::secp256k1::{PublicKey, Secp256k1, SecretKey};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit, aead::AeadInPlace};
use kite_core::transport::Connection;

/// An `update_add_htlc`.
const SMALL: usize = 1_452;
/// The longest message.
const LARGE: usize = 65_535;

pub(super) const CASE: Case = Case {
    name: "transport",
    about: "BOLT 8: a message there, 1,452 bytes (update_add_htlc) and 65,535 bytes",
    run,
    rows: &[row("message of 1,452 bytes"), row("message of 65,535 bytes")],
};

fn run(meter: &mut Meter) {
    meter.note(
        "transport: LDK's cipher is not public; the column has ChaCha20-Poly1305 itself, over length and message, \
         encrypted and decrypted in place"
            .to_owned(),
    );
    for (row, size) in CASE.rows.iter().zip([SMALL, LARGE]) {
        let message = vec![0x5a; size];
        let times = meter.pick(2_000_000 / size, 200_000 / size, 1);
        let (mut here, mut there) = connected();
        for _ in 0..meter.pick(10, 1, 1) {
            meter.measure(&format!("{}/kite", row.name), times, || {
                for _ in 0..times {
                    let bytes = here.encrypt(&message).expect("it fits");
                    there.receive(&bytes).expect("it is whole");
                    let read = there.next_message().expect("it is authentic").expect("it is there");
                    assert_eq!(read.len(), size);
                }
            });
            meter.measure(&format!("{}/ldk", row.name), times, || {
                (0..times).for_each(|_| cipher_alone(&message));
            });
        }
    }
}

fn cipher_alone(message: &[u8]) {
    let key = [7; 32];
    for (nonce, part) in (0u8..).zip([&[0; 2][..], message]) {
        let nonce = [nonce; 12].into();
        let mut bytes = part.to_vec();
        let tag = ChaCha20Poly1305::new(&key.into())
            .encrypt_in_place_detached(&nonce, &[], &mut bytes)
            .expect("it is short");
        ChaCha20Poly1305::new(&key.into())
            .decrypt_in_place_detached(&nonce, &[], &mut bytes, &tag)
            .expect("it was just encrypted");
    }
}

fn connected() -> (Connection, Connection) {
    let key = |byte| SecretKey::from_slice(&[byte; 32]).expect("a key");
    let node_id = PublicKey::from_secret_key(&Secp256k1::new(), &key(2));
    let (mut here, act_one) = Connection::initiator(&key(1), node_id, key(3));
    let mut there = Connection::responder(&key(2), key(4));
    let act_two = there.receive(&act_one).expect("act one");
    let act_three = here.receive(&act_two).expect("act two");
    there.receive(&act_three).expect("act three");
    assert!(here.is_established() && there.is_established());
    (here, there)
}
