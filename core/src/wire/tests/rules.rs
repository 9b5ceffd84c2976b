//! Single rules of the codecs.

use super::draw::message;
use crate::types::{Features, MAX_MONEY_SAT, MilliSatoshi};
use crate::wire::{DecodeError, EncodeError, MAX_MESSAGE_LEN, Message, Reader, Writer};
use bitcoin::hashes::{Hash, sha256d};
use bitcoin::secp256k1::SecretKey;

/// A message with the bytes at `offset` replaced.
fn altered(message_type: u16, offset: usize, bytes: &[u8]) -> Result<Message, DecodeError> {
    let mut encoded = message(message_type, 1).encode().unwrap();
    encoded[offset..offset + bytes.len()].copy_from_slice(bytes);
    Message::decode(&encoded)
}

#[test]
fn unknown_types() {
    // peer_storage, peer_storage_retrieval, start_batch, and one of nobody's.
    for message_type in [7u16, 9, 127, 65535] {
        let bytes = [&message_type.to_be_bytes()[..], &[1, 2, 3]].concat();
        let message = Message::decode(&bytes).unwrap();
        assert_eq!(message, Message::Unknown { message_type });
        assert_eq!(message.encode(), Err(EncodeError::UnknownType { message_type }));
    }
    // stfu, open_channel2, tx_add_input, closing_complete, onion_message is odd.
    for message_type in [2u16, 40, 64, 66, 37914] {
        let bytes = message_type.to_be_bytes();
        assert_eq!(Message::decode(&bytes), Err(DecodeError::UnknownEvenType { message_type }));
    }
    assert!(matches!(Message::decode(&[0]), Err(DecodeError::Truncated { .. })));
}

#[test]
fn amounts_above_the_supply_are_refused() {
    let above_sat = (MAX_MONEY_SAT + 1).to_be_bytes();
    let above_msat = (MAX_MONEY_SAT * 1000 + 1).to_be_bytes();
    let cases: [(u16, usize, [u8; 8]); 8] = [
        (32, 66, above_sat),          // funding_satoshis
        (32, 74, above_msat),         // push_msat
        (32, 82, above_sat),          // dust_limit_satoshis
        (32, 98, above_sat),          // channel_reserve_satoshis
        (32, 106, above_msat),        // htlc_minimum_msat
        (33, 34, [0xff; 8]),          // dust_limit_satoshis
        (39, 34, above_sat),          // fee_satoshis
        (128, 2 + 32 + 8, [0xff; 8]), // amount_msat
    ];
    for (message_type, offset, amount) in cases {
        let result = altered(message_type, offset, &amount);
        assert!(matches!(result, Err(DecodeError::AmountAboveSupply { .. })), "{message_type} {offset}");
    }
    assert!(altered(32, 66, &MAX_MONEY_SAT.to_be_bytes()).is_ok());
}

#[test]
fn a_limit_above_the_supply_is_no_limit() {
    let Ok(Message::OpenChannel(open)) = altered(32, 90, &[0xff; 8]) else { panic!() };
    assert_eq!(open.max_htlc_value_in_flight_msat, MilliSatoshi::from_msat(MAX_MONEY_SAT * 1000));
}

#[test]
fn points_and_signatures_are_validated() {
    // second_per_commitment_point of channel_ready: not on the curve, uncompressed prefix, zeros.
    for first in [0x04, 0x00, 0x05] {
        assert_eq!(altered(36, 34, &[first]), Err(DecodeError::InvalidPoint));
    }
    assert_eq!(altered(36, 34, &[0; 33]), Err(DecodeError::InvalidPoint));
    let off_curve = [&[2][..], &[0; 31], &[5]].concat();
    assert_eq!(altered(36, 34, &off_curve), Err(DecodeError::InvalidPoint));
    // The signature of funding_signed: beyond the group order, then high-S.
    assert_eq!(altered(35, 34, &[0xff; 32]), Err(DecodeError::InvalidSignature));
    assert_eq!(altered(35, 66, &[0xff; 32]), Err(DecodeError::InvalidSignature));
    assert_eq!(altered(35, 66, &[0x90; 32]), Err(DecodeError::HighS));
}

/// Half the group order is the largest low S.
#[test]
fn the_low_s_rule_is_exact() {
    let half = hex::decode("7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0").unwrap();
    assert!(altered(35, 66, &half).is_ok());
    let mut above = half;
    above[31] += 1;
    assert_eq!(altered(35, 66, &above), Err(DecodeError::HighS));
}

/// BOLT 7 has no low-S rule: what others sign otherwise is read as its twin, and means the same.
#[test]
fn gossip_signatures_are_read_with_either_s() {
    for (message_type, first) in [(256, 2), (257, 2), (258, 2), (259, 42)] {
        let message = message(message_type, 3);
        let count = if message_type == 256 { 4 } else { 1 };
        let mut bytes = message.encode().unwrap();
        for signature in bytes[first..first + 64 * count].chunks_exact_mut(64) {
            let s = SecretKey::from_slice(&signature[32..]).unwrap();
            signature[32..].copy_from_slice(&s.negate().secret_bytes());
        }
        assert_ne!(bytes, message.encode().unwrap());
        assert_eq!(Message::decode(&bytes), Ok(message));
    }
}

#[test]
fn counts_are_bounded_by_the_bytes_that_are_there() {
    let mut bytes = message(132, 1).encode().unwrap();
    bytes.truncate(98);
    bytes.extend_from_slice(&[0xff, 0xff, 1, 2, 3]);
    assert_eq!(Message::decode(&bytes), Err(DecodeError::Truncated { needed: 65535 * 64, remaining: 3 }));
    // A TLV length of 2^64 - 1.
    let record = [&[0, 16, 0, 0, 0, 0, 1, 0xff][..], &[0xff; 8]].concat();
    assert!(matches!(Message::decode(&record), Err(DecodeError::Truncated { remaining: 0, .. })));
}

#[test]
fn known_records_of_wrong_length_are_errors() {
    let reestablish = &message(136, 1).encode().unwrap()[..115];
    let cases: [(&[u8], usize, DecodeError); 4] = [
        (&[1, 32], 32, DecodeError::Truncated { needed: 1, remaining: 0 }),
        (&[1, 34], 34, DecodeError::TrailingBytes { count: 1 }),
        (&[5, 34], 34, DecodeError::TrailingBytes { count: 1 }),
        (&[5, 0], 0, DecodeError::Truncated { needed: 32, remaining: 0 }),
    ];
    for (head, length, error) in cases {
        let bytes = [reestablish, head, &vec![1; length]].concat();
        assert_eq!(Message::decode(&bytes), Err(error), "{head:?}");
    }
    let networks = [&[0, 16, 0, 0, 0, 0, 1, 33][..], &[6; 33]].concat();
    assert_eq!(Message::decode(&networks), Err(DecodeError::Truncated { needed: 32, remaining: 1 }));
}

#[test]
fn attribution_data_is_ignored() {
    for message_type in [130, 131] {
        let message = message(message_type, 3);
        let attribution_data = [&[1, 0xfd, 3, 0x98][..], &[7; 920]].concat();
        let bytes = [message.encode().unwrap(), attribution_data].concat();
        assert_eq!(Message::decode(&bytes), Ok(message));
    }
}

#[test]
fn every_entry_needs_its_channel() {
    let chain = [9; 32];
    let bytes = [&[1, 5][..], &chain, &[0, 9, 0], &[0; 8], &[1, 3, 0, 1, 2]].concat();
    assert_eq!(Message::decode(&bytes), Err(DecodeError::CountMismatch { short_channel_ids: 1, found: 2 }));
    let partial = [&[1, 5][..], &chain, &[0, 8, 0], &[0; 7]].concat();
    assert_eq!(Message::decode(&partial), Err(DecodeError::Truncated { needed: 8, remaining: 7 }));
    let no_encoding = [&[1, 5][..], &chain, &[0, 0]].concat();
    assert!(matches!(Message::decode(&no_encoding), Err(DecodeError::Truncated { .. })));
}

#[test]
fn signatures_cover_unknown_bytes_and_features_as_sent() {
    // node_announcement whose features have a leading zero byte, with bytes nobody knows behind the addresses.
    let known = message(257, 5).encode().unwrap();
    let flen = usize::from(u16::from_be_bytes([known[66], known[67]]));
    let after_features = &known[68 + flen..];
    let bytes = [&known[..66], &[0, 2, 0, 0x80], after_features, b"\x02not a stream"].concat();
    let decoded = Message::decode(&bytes).unwrap();
    assert_eq!(decoded.encode().unwrap(), bytes);
    let Message::NodeAnnouncement(announcement) = decoded else { panic!() };
    assert_eq!(announcement.contents.features, Features::from_bits([7]));
    assert_eq!(announcement.contents.digest(), sha256d::Hash::hash(&bytes[66..]).to_byte_array());

    // channel_announcement: the four signatures are skipped (offset 256 behind the type).
    let bytes = [message(256, 5).encode().unwrap(), vec![1, 2, 3]].concat();
    let Ok(Message::ChannelAnnouncement(announcement)) = Message::decode(&bytes) else { panic!() };
    assert_eq!(announcement.contents.bytes(), &bytes[2 + 256..]);
}

#[test]
fn a_limit_in_a_channel_update_is_read_without_breaking_its_signature() {
    let mut bytes = message(258, 1).encode().unwrap();
    let maximum = bytes.len() - 8;
    bytes[maximum..].copy_from_slice(&[0xff; 8]);
    let decoded = Message::decode(&bytes).unwrap();
    assert_eq!(decoded.encode().unwrap(), bytes);
    let Message::ChannelUpdate(update) = decoded else { panic!() };
    assert_eq!(update.contents.htlc_maximum_msat, MilliSatoshi::from_msat(MAX_MONEY_SAT * 1000));
}

#[test]
fn messages_longer_than_the_transport_are_refused() {
    let longest = Message::Pong(crate::wire::Pong { byteslen: 65531 });
    let bytes = longest.encode().unwrap();
    assert_eq!(bytes.len(), MAX_MESSAGE_LEN);
    assert_eq!(Message::decode(&bytes), Ok(longest));
    let too_long = Message::Pong(crate::wire::Pong { byteslen: 65532 });
    assert_eq!(too_long.encode(), Err(EncodeError::TooLong { length: 65536 }));
    assert_eq!(Message::decode(&[0; 65536]), Err(DecodeError::TooLong { length: 65536 }));
    // A field that does not fit its own length.
    let Message::UpdateFailHtlc(mut fail) = message(131, 1) else { panic!() };
    fail.reason = vec![0; 70_000];
    assert!(matches!(Message::from(fail).encode(), Err(EncodeError::TooLong { .. })));
}

/// Bit numbers are 16 bits wide; a vector that has more is refused before its bits are looked at.
#[test]
fn feature_vectors_are_bounded() {
    let init = |length: u16| {
        let bytes = [&[0, 16, 0, 0][..], &length.to_be_bytes(), &vec![0xff; usize::from(length)]].concat();
        Message::decode(&bytes)
    };
    let Ok(Message::Init(largest)) = init(8192) else { panic!() };
    assert_eq!(largest.all_features().bits().last(), Some(65535));
    assert_eq!(init(8193), Err(DecodeError::FeaturesTooLong { length: 8193 }));
}

#[test]
fn truncated_integers() {
    fn written(value: u64) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.truncated_integer(value);
        writer.into_bytes()
    }
    for value in [0, 1, 0xff, 0x100, 0xffff, 0x1_0000, 0xffff_ffff, 0x1_0000_0000, u64::MAX] {
        let bytes = written(value);
        assert_eq!(Reader::new(&bytes).tu64(), Ok(value));
        assert_eq!(Reader::new(&bytes).tu16().ok().map(u64::from), (value <= 0xffff).then_some(value));
        assert_eq!(Reader::new(&bytes).tu32().ok().map(u64::from), (value <= 0xffff_ffff).then_some(value));
    }
    assert!(written(0).is_empty());
    assert_eq!(Reader::new(&[0]).tu16(), Err(DecodeError::NotMinimal));
    assert_eq!(Reader::new(&[1, 2, 3]).tu16(), Err(DecodeError::TrailingBytes { count: 1 }));
}

#[test]
fn secrets_and_untrusted_bytes_do_not_print() {
    for message_type in [130, 133, 136] {
        let mut bytes = message(message_type, 1).encode().unwrap();
        let offset = match message_type {
            130 => 42,
            133 => 34,
            _ => 50,
        };
        bytes[offset..offset + 32].fill(0xab);
        let shown = format!("{:?}", Message::decode(&bytes).unwrap());
        assert!(!shown.contains("171, 171") && !shown.contains("abab"), "{shown}");
    }
    let error = crate::wire::Error { channel_id: crate::types::ChannelId::ALL, data: b"\x1b[2J".to_vec() };
    assert!(format!("{error:?}").contains("?[2J"));
}
