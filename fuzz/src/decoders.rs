//! Decoders of what peers, payees and servers say.

use crate::Pieces;
use bitcoin::secp256k1::SecretKey;
use kite_core::gossip::Graph;
use kite_core::invoice::Invoice;
use kite_core::onion::{FailureMessage, HopPayload, Instruction, SharedSecret, decrypt_failure, peel};
use kite_core::types::{PaymentHash, UnixTime};
use kite_core::wire::Message;

/// BOLT 1, 2, 7: a message that is understood is written as it means, and read again as the same.
pub fn wire(bytes: &[u8]) {
    let Ok(message) = Message::decode(bytes) else { return };
    let _ = (message.channel_id(), format!("{message:?}"));
    let Ok(written) = message.encode() else { return };
    assert_eq!(Message::decode(&written).as_ref(), Ok(&message), "{message:?} reads back as another");
}

/// BOLT 4: packets, payloads and failures.
pub fn onion(bytes: &[u8]) {
    let mut pieces = Pieces(bytes);
    match pieces.byte() % 4 {
        0 => packet(pieces.0),
        which @ (1 | 2) => {
            if let Ok(payload) = HopPayload::decode(pieces.0, which == 1) {
                let written = payload.encode();
                let _ = format!("{written:?}");
            }
        }
        _ => failures(pieces.0),
    }
}

fn node_secret() -> SecretKey {
    SecretKey::from_slice(&[0x42; 32]).expect("far below the order of the curve")
}

fn packet(bytes: &[u8]) {
    let mut packet = [0; 1366];
    let length = bytes.len().min(packet.len());
    packet[..length].copy_from_slice(&bytes[..length]);
    let hash = PaymentHash([0x42; 32]);
    let _ = Instruction::read(&packet, &node_secret(), &hash);
    if let Ok(peeled) = peel(&packet, &node_secret(), &hash) {
        let _ = peeled.hop_payload();
    }
}

fn failures(bytes: &[u8]) {
    let message = FailureMessage::decode(bytes);
    let _ = (message.failure_code(), message.encode());
    let secrets = [1, 2, 3].map(|byte| SharedSecret::from_bytes([byte; 32]));
    let _ = decrypt_failure(&secrets, bytes);
}

/// BOLT 11: what is read is written the same way again, character by character.
pub fn invoice(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(invoice) = Invoice::decode(text) else { return };
    assert_eq!(Invoice::decode(&invoice.text).as_ref(), Ok(&invoice), "{text} reads back as another");
}

/// BOLT 7: the stored graph.
pub fn gossip(bytes: &[u8]) {
    let Ok(mut graph) = Graph::from_bytes(bytes) else { return };
    let written = graph.to_bytes();
    let again = Graph::from_bytes(&written).expect("what was written is read");
    assert_eq!(again.to_bytes(), written);
    assert_eq!((again.channel_count(), again.node_count()), (graph.channel_count(), graph.node_count()));
    let ends: usize = (0..).take(graph.node_count()).map(|node| graph.channels_of(node).count()).sum();
    assert_eq!(ends, 2 * graph.channel_count(), "each channel is found at both of its nodes");
    graph.prune(UnixTime(1_900_000_000));
    assert!(graph.channel_count() <= again.channel_count());
}
