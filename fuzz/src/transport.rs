//! BOLT 8: handshakes with somebody who says anything, and sessions with somebody who has the keys.

use crate::Pieces;
use bitcoin::secp256k1::{PublicKey, Secp256k1, SecretKey};
use kite_core::transport::Connection;

fn secret(byte: u8) -> SecretKey {
    SecretKey::from_slice(&[byte; 32]).expect("far below the order of the curve")
}

fn public(byte: u8) -> PublicKey {
    PublicKey::from_secret_key(&Secp256k1::new(), &secret(byte))
}

/// The first byte says which end we are and whether the handshake is done; then come pieces, as they arrive.
pub fn transport(bytes: &[u8]) {
    let mut pieces = Pieces(bytes);
    let mode = pieces.byte();
    let mut ours = if mode & 1 == 0 {
        Connection::responder(&secret(1), secret(2))
    } else {
        Connection::initiator(&secret(1), public(3), secret(2)).0
    };
    let mut peer = None;
    if mode & 2 != 0 {
        (ours, peer) = shaken_hands();
    }
    while !pieces.is_empty() {
        let piece = pieces.piece();
        let sent = match &mut peer {
            // Somebody with the keys says something, in one piece or damaged.
            Some(peer) if mode & 4 == 0 => match peer.encrypt(piece) {
                Ok(sent) => sent,
                Err(_) => return,
            },
            _ => piece.to_vec(),
        };
        if ours.receive(&sent).is_err() {
            return;
        }
        loop {
            match ours.next_message() {
                Ok(Some(message)) if peer.is_some() && mode & 4 == 0 => assert_eq!(message, piece),
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
}

fn shaken_hands() -> (Connection, Option<Connection>) {
    let (mut peer, act_one) = Connection::initiator(&secret(3), public(1), secret(4));
    let mut ours = Connection::responder(&secret(1), secret(2));
    let act_two = ours.receive(&act_one).expect("act one of BOLT 8");
    let act_three = peer.receive(&act_two).expect("act two of BOLT 8");
    ours.receive(&act_three).expect("act three of BOLT 8");
    (ours, Some(peer))
}
