//! Properties of every message.

use super::draw::{MESSAGE_TYPES, message};
use crate::wire::{DecodeError, Message};
use proptest::collection::vec;
use proptest::prelude::{any, prop_assert_eq, proptest};
use proptest::sample::select;

proptest! {
    #[test]
    fn what_is_encoded_decodes_to_itself(message_type in select(&MESSAGE_TYPES), seed in any::<u64>()) {
        let message = message(message_type, seed);
        let bytes = message.encode().unwrap();
        prop_assert_eq!(&bytes[..2], message_type.to_be_bytes());
        prop_assert_eq!(message.message_type(), message_type);
        prop_assert_eq!(Message::decode(&bytes), Ok(message));
    }

    #[test]
    fn a_damaged_message_never_panics(
        message_type in select(&MESSAGE_TYPES),
        seed in any::<u64>(),
        damage in vec((any::<usize>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = message(message_type, seed).encode().unwrap();
        for (position, byte) in damage {
            let position = position % bytes.len();
            bytes[position] = byte;
        }
        if let Ok(message) = Message::decode(&bytes) {
            let is_unknown = matches!(message, Message::Unknown { .. });
            prop_assert_eq!(message.encode().is_err(), is_unknown);
        }
    }

    #[test]
    fn random_bytes_never_panic(message_type in select(&MESSAGE_TYPES), random in vec(any::<u8>(), 0..600)) {
        let _ = Message::decode(&random);
        let _ = Message::decode(&[&message_type.to_be_bytes()[..], &random].concat());
    }
}

/// Every message, cut off at every byte: an error, or (where the cut falls between records of the extension, or inside
/// unread bytes that a gossip signature covers) a message whose bytes are exactly those that remain.
#[test]
fn truncated_messages_are_errors_or_shorter_messages() {
    let (mut refused, mut shorter) = (0, 0);
    for message_type in MESSAGE_TYPES {
        for seed in 0..8 {
            let bytes = message(message_type, seed).encode().unwrap();
            for length in 0..bytes.len() {
                match Message::decode(&bytes[..length]) {
                    Err(_) => refused += 1,
                    Ok(message) => {
                        assert_eq!(message.encode().unwrap(), bytes[..length], "{message:?}");
                        shorter += 1;
                    }
                }
            }
        }
    }
    assert!(refused > 20_000 && shorter < 200, "{refused} refused, {shorter} shorter");
}

/// The extension of an announcement is third-party data under a signature, that of a complaint does not matter.
fn ignores_extension(message_type: u16) -> bool {
    [1, 17, 256, 257, 258].contains(&message_type)
}

#[test]
fn unknown_odd_records_are_skipped_and_unknown_even_ones_refused() {
    const ODD: [u8; 8] = [0xfe, 0, 1, 0, 1, 2, 0xab, 0xcd];
    const EVEN: [u8; 8] = [0xfe, 0, 1, 0, 2, 2, 0xab, 0xcd];
    for message_type in MESSAGE_TYPES {
        for seed in 0..4 {
            let message = message(message_type, seed);
            let bytes = message.encode().unwrap();
            let with_odd = Message::decode(&[&bytes[..], &ODD].concat()).unwrap();
            let with_even = Message::decode(&[&bytes[..], &EVEN].concat());
            if ignores_extension(message_type) {
                assert!(with_even.is_ok());
            } else {
                assert_eq!(with_odd, message);
                assert_eq!(with_even, Err(DecodeError::UnknownEvenTlv { tlv_type: 65538 }));
            }
        }
    }
}

#[test]
fn a_message_names_its_channel() {
    for message_type in MESSAGE_TYPES {
        let message = message(message_type, 7);
        let bytes = message.encode().unwrap();
        let expected: Option<[u8; 32]> = match message_type {
            16 | 18 | 19 | 256..=258 | 261..=265 => None,
            // After the chain hash.
            32 => Some(bytes[34..66].try_into().unwrap()),
            _ => Some(bytes[2..34].try_into().unwrap()),
        };
        assert_eq!(message.channel_id().map(|id| id.0), expected, "{message:?}");
    }
}
