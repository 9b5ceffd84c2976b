use super::*;
use crate::crypto::ec;
use crate::types::{CltvExpiry, MilliSatoshi, PaymentHash, PaymentSecret, ShortChannelId};
use bitcoin::secp256k1::{PublicKey, SecretKey};
use proptest::prelude::*;

const HASH: PaymentHash = PaymentHash([0x42; 32]);

fn key(byte: u8) -> SecretKey {
    SecretKey::from_slice(&[byte; 32]).unwrap()
}

/// A route with payloads of these lengths; hop i has the key i + 1.
fn route(lengths: &[usize]) -> Vec<(PublicKey, Vec<u8>)> {
    (1..).zip(lengths).map(|(byte, length)| (ec::public_key(&key(byte)), vec![byte; *length])).collect()
}

fn intermediate() -> HopPayload {
    HopPayload::Intermediate {
        amt_to_forward: MilliSatoshi::from_msat(1_000),
        outgoing_cltv_value: CltvExpiry::new(800_000).unwrap(),
        short_channel_id: ShortChannelId::new(1, 2, 3).unwrap(),
    }
}

fn final_payload() -> HopPayload {
    HopPayload::Final {
        amt_to_forward: MilliSatoshi::from_msat(1_000),
        outgoing_cltv_value: CltvExpiry::new(800_000).unwrap(),
        payment_secret: Some(PaymentSecret([7; 32])),
        total_msat: MilliSatoshi::from_msat(3_000),
        payment_metadata: Some(vec![1, 2, 3]),
    }
}

fn peel_error(packet: &Packet) -> (BadOnion, u16) {
    match peel(packet, &key(1), &HASH) {
        Err(PeelError::BadOnion { reason, sha256_of_onion }) => {
            assert_eq!(sha256_of_onion, crate::crypto::hash::sha256(&[&packet[..]]));
            (reason, reason.failure_code())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_room_of_a_packet_is_used_to_the_last_byte() {
    // 3 bytes of length and 32 of HMAC beside each payload.
    let full = [615, 615];
    let (packet, _) = build_packet(&key(0x77), &route(&full), &HASH).unwrap();
    let first = peel(&packet, &key(1), &HASH).unwrap();
    let second = peel(first.next.as_ref().unwrap(), &key(2), &HASH).unwrap();
    assert_eq!((first.payload, second.payload), (vec![1; 615], vec![2; 615]));
    assert_eq!(second.next, None);
    let build = |lengths: &[usize]| build_packet(&key(0x77), &route(lengths), &HASH).map(drop);
    assert_eq!(build(&[615, 616]), Err(OnionError::PayloadsTooLong { needed: 1301 }));
    assert_eq!(build(&[1265]), Ok(()));
    assert_eq!(build(&[1266]), Err(OnionError::PayloadsTooLong { needed: 1301 }));
    assert_eq!(build(&[252, 1]), Err(OnionError::EmptyPayload { hop_index: 1 }));
    assert_eq!(build(&[]), Err(OnionError::HopCount { hops: 0 }));
    assert_eq!(build(&[2; 27]), Ok(()));
    assert_eq!(build(&[2; 28]), Err(OnionError::HopCount { hops: 28 }));
}

#[test]
fn bad_packets_name_their_fault() {
    let (packet, _) = build_packet(&key(0x77), &route(&[20, 20]), &HASH).unwrap();
    let changed = |position: usize, byte: u8| {
        let mut changed = packet.clone();
        changed[position] = byte;
        changed
    };
    assert_eq!(peel_error(&changed(0, 1)), (BadOnion::Version, 0xc004));
    assert_eq!(peel_error(&changed(1, 4)), (BadOnion::Key, 0xc006));
    for position in [2, 34, 700, 1333, 1334, 1365] {
        let (reason, _) = peel_error(&changed(position, packet[position] ^ 1));
        assert!(reason == BadOnion::Hmac || position == 2, "{position}");
    }
    assert_eq!(BadOnion::Hmac.failure_code(), 0xc005);
    let other = PaymentHash([0x43; 32]);
    assert!(matches!(
        peel(&packet, &key(1), &other),
        Err(PeelError::BadOnion { reason: BadOnion::Hmac, .. })
    ));
}

/// A packet for the node with key 1 whose decrypted payloads begin so.
fn packet_with(start: &[u8]) -> Packet {
    let session_key = key(0x77);
    let shared_secret = SharedSecret::from_bytes(ec::ecdh(&ec::public_key(&key(1)), &session_key));
    let mut hop_payloads = [0x11; HOP_PAYLOADS_BYTES];
    hop_payloads[..start.len()].copy_from_slice(start);
    keys::apply_stream(&shared_secret.key(keys::KeyType::Rho), 0, &mut hop_payloads);
    let mu = shared_secret.key(keys::KeyType::Mu);
    let hmac = crate::crypto::hash::hmac_sha256(&mu, &[&hop_payloads, &HASH.0]);
    build::assemble(&ec::public_key(&session_key), &hop_payloads, &hmac)
}

#[test]
fn lengths_beyond_the_packet_are_refused_before_anything_is_copied() {
    let bombs: [&[u8]; 9] = [
        &[0],
        &[1],
        &[0xfd, 0x00, 0x20],
        &[0xfd, 0x05, 0x11],
        &[0xfd, 0x04, 0xf2],
        &[0xfd, 0xff, 0xff],
        &[0xfe, 0xff, 0xff, 0xff, 0xff],
        &[0xff, 0x80, 0, 0, 0, 0, 0, 0, 0],
        &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    ];
    for bomb in bombs {
        let peeled = peel(&packet_with(bomb), &key(1), &HASH);
        assert!(matches!(peeled, Err(PeelError::InvalidPayload { .. })), "{bomb:?}");
    }
    // 1265 bytes and their length and HMAC fill the packet.
    assert_eq!(peel(&packet_with(&[0xfd, 0x04, 0xf1]), &key(1), &HASH).unwrap().payload.len(), 1265);
}

#[test]
fn payloads_read_back() {
    assert_eq!(HopPayload::decode(&intermediate().encode(), false), Ok(intermediate()));
    assert_eq!(HopPayload::decode(&final_payload().encode(), true), Ok(final_payload()));
    let HopPayload::Final { amt_to_forward, outgoing_cltv_value, .. } = final_payload() else { panic!() };
    let bare = HopPayload::Final {
        amt_to_forward,
        outgoing_cltv_value,
        payment_secret: None,
        total_msat: amt_to_forward,
        payment_metadata: None,
    };
    assert_eq!(HopPayload::decode(&bare.encode(), true), Ok(bare), "total_msat is amt_to_forward");
}

#[test]
fn payloads_that_are_not_valid() {
    let decode = |hex: &str, is_final| {
        HopPayload::decode(&hex::decode(hex.replace(' ', "")).unwrap(), is_final).map(drop)
    };
    let error = |tlv_type, offset| Err(PayloadError { tlv_type, offset });
    assert_eq!(decode("020203e8 04030c3500", true), Ok(()));
    assert_eq!(decode("020203e8 04030c3500", false), error(6, 0));
    assert_eq!(decode("020203e8", true), error(4, 0));
    assert_eq!(decode("04030c3500", true), error(2, 0));
    assert_eq!(decode("020203e8 04030c3500 0901ff", true), Ok(()), "odd types may stay unknown");
    assert_eq!(decode("020203e8 04030c3500 0a01ff", true), error(10, 9), "even types may not");
    assert_eq!(decode("020203e8 04030c3500 04030c3500", true), error(0, 9), "twice");
    assert_eq!(decode("020203e8 0402", true), error(0, 4), "cut");
    assert_eq!(decode("02020001 04030c3500", true), error(2, 0), "leading zero");
    assert_eq!(decode("02081d24b2dfac520001 04030c3500", true), error(2, 0), "above the supply");
    assert_eq!(decode("020203e8 04041dcd6500", true), error(4, 4), "seconds");
    assert_eq!(decode("020203e8 04030c3500 0602ffff", false), error(6, 9));
    assert_eq!(decode("020203e8 04030c3500 0802ffff", true), error(8, 9));
    let failure = FailureMessage::from(PayloadError { tlv_type: 10, offset: 9 });
    assert_eq!(failure, FailureMessage::InvalidOnionPayload { tlv_type: 10, offset: 9 });
}

fn every_failure() -> Vec<FailureMessage> {
    let (sha256_of_onion, htlc_msat) = ([9; 32], MilliSatoshi::from_msat(5_000));
    let channel_update = vec![1, 2, 3];
    vec![
        FailureMessage::TemporaryNodeFailure,
        FailureMessage::PermanentNodeFailure,
        FailureMessage::RequiredNodeFeatureMissing,
        FailureMessage::InvalidOnionVersion { sha256_of_onion },
        FailureMessage::InvalidOnionHmac { sha256_of_onion },
        FailureMessage::InvalidOnionKey { sha256_of_onion },
        FailureMessage::TemporaryChannelFailure { channel_update: channel_update.clone() },
        FailureMessage::PermanentChannelFailure,
        FailureMessage::RequiredChannelFeatureMissing,
        FailureMessage::UnknownNextPeer,
        FailureMessage::AmountBelowMinimum { htlc_msat, channel_update: vec![] },
        FailureMessage::FeeInsufficient { htlc_msat, channel_update: channel_update.clone() },
        FailureMessage::IncorrectCltvExpiry { cltv_expiry: 800_000, channel_update: channel_update.clone() },
        FailureMessage::ExpiryTooSoon { channel_update: channel_update.clone() },
        FailureMessage::IncorrectOrUnknownPaymentDetails { htlc_msat, height: 800_000 },
        FailureMessage::FinalIncorrectCltvExpiry { cltv_expiry: 800_000 },
        FailureMessage::FinalIncorrectHtlcAmount { incoming_htlc_amt: htlc_msat },
        FailureMessage::ChannelDisabled { disabled_flags: 0, channel_update },
        FailureMessage::ExpiryTooFar,
        FailureMessage::InvalidOnionPayload { tlv_type: 300, offset: 7 },
        FailureMessage::MppTimeout,
        FailureMessage::InvalidOnionBlinding { sha256_of_onion },
        FailureMessage::Unknown { failure_code: 0x4abc, data: vec![1] },
    ]
}

#[test]
fn every_failure_message_reads_back_and_ignores_what_follows() {
    for failure in every_failure() {
        let mut message = failure.encode();
        assert_eq!(FailureMessage::decode(&message), failure);
        if !matches!(failure, FailureMessage::Unknown { .. }) {
            message.extend([0xfd, 0xff]);
            assert_eq!(FailureMessage::decode(&message), failure);
        }
    }
    let codes: Vec<u16> = every_failure().iter().map(FailureMessage::failure_code).collect();
    let expected = [
        0x2002, 0x6002, 0x6003, 0xc004, 0xc005, 0xc006, 0x1007, 0x4008, 0x4009, 0x400a, 0x100b, 0x100c,
        0x100d, 0x100e, 0x400f, 18, 19, 0x1014, 21, 0x4016, 23, 0xc018, 0x4abc,
    ];
    assert_eq!(codes, expected);
}

#[test]
fn messages_that_are_cut_keep_their_code() {
    let cut = FailureMessage::decode(&[0x40, 0x0f, 0, 0]);
    assert_eq!(cut, FailureMessage::Unknown { failure_code: 0x400f, data: vec![0, 0] });
    assert!(cut.is_permanent() && !cut.is_node_failure() && !cut.is_update() && !cut.is_bad_onion());
    assert_eq!(FailureMessage::decode(&[7]), FailureMessage::Unknown { failure_code: 0, data: vec![7] });
}

#[test]
fn a_failure_is_attributed_to_its_hop_whatever_its_size() {
    let secrets: Vec<SharedSecret> = (1..=27).map(|byte| SharedSecret::from_bytes([byte; 32])).collect();
    let long = FailureMessage::TemporaryChannelFailure { channel_update: vec![5; 2_000] };
    for hop_index in [0, 1, 19, 26] {
        for message in [FailureMessage::MppTimeout, long.clone()] {
            let packet = secrets[..hop_index]
                .iter()
                .rev()
                .fold(build_failure(&secrets[hop_index], &message), |packet, secret| {
                    wrap_failure(secret, packet)
                });
            assert_eq!(decrypt_failure(&secrets, &packet), Decrypted::Failure { hop_index, message });
            assert_eq!(decrypt_failure(&secrets[..hop_index], &packet), Decrypted::Unreadable);
        }
    }
}

#[test]
fn what_no_hop_made_is_unreadable() {
    let secrets: Vec<SharedSecret> = (1..=3).map(|byte| SharedSecret::from_bytes([byte; 32])).collect();
    let mut packet = build_failure(&secrets[0], &FailureMessage::MppTimeout);
    assert_eq!(packet.len(), 292);
    packet[291] ^= 1;
    assert_eq!(decrypt_failure(&secrets, &packet), Decrypted::Unreadable);
    for length in [0, 31, 32, 36, 255, 256, 291, 293, MAX_FAILURE_PACKET_BYTES, MAX_FAILURE_PACKET_BYTES + 1]
    {
        assert_eq!(decrypt_failure(&secrets, &vec![0; length]), Decrypted::Unreadable);
    }
    // The keys of the dummy rounds are known to all: they attribute nothing.
    let dummy = build_failure(&SharedSecret::from_bytes([0; 32]), &FailureMessage::MppTimeout);
    let packet = secrets.iter().rev().fold(dummy, |packet, secret| wrap_failure(secret, packet));
    assert_eq!(decrypt_failure(&secrets, &packet), Decrypted::Unreadable);
}

#[test]
fn a_message_too_long_for_a_packet_is_sent_as_its_code() {
    let secret = SharedSecret::from_bytes([1; 32]);
    let message = FailureMessage::Unknown { failure_code: 0x2002, data: vec![0; 70_000] };
    let packet = build_failure(&secret, &message);
    let message = FailureMessage::TemporaryNodeFailure;
    assert_eq!(decrypt_failure(&[secret], &packet), Decrypted::Failure { hop_index: 0, message });
}

#[test]
fn nothing_secret_is_printed() {
    let (packet, secrets) =
        build_packet(&key(0x77), &[(ec::public_key(&key(1)), final_payload().encode())], &HASH).unwrap();
    let peeled = peel(&packet, &key(1), &HASH).unwrap();
    let shown = format!("{peeled:?} {:?} {secrets:?}", peeled.hop_payload());
    assert!(!shown.contains("7, 7") && !shown.contains("0707"), "{shown}");
}

#[test]
fn curve_operations_are_as_few_as_can_be() {
    use crate::crypto::ec::{OpCounts, op_counts};
    for hops in 1..=20 {
        let route = route(&vec![20; hops]);
        let before = op_counts();
        let (packet, _) = build_packet(&key(0x77), &route, &HASH).unwrap();
        let hops = u64::try_from(hops).unwrap();
        let create = hops.saturating_sub(1).max(1);
        assert_eq!(op_counts().since(before), OpCounts { ecdh: hops, create, ..OpCounts::default() });

        let before = op_counts();
        let peeled = peel(&packet, &key(1), &HASH).unwrap();
        let mul = u64::from(!peeled.is_final());
        assert_eq!(op_counts().since(before), OpCounts { ecdh: 1, mul, ..OpCounts::default() });
    }
}

proptest! {
    #[test]
    fn any_route_that_fits_is_peeled_by_its_hops(lengths in prop::collection::vec(2usize..400, 1..12)) {
        let route = route(&lengths);
        let Ok((packet, secrets)) = build_packet(&key(0x77), &route, &HASH) else { return Ok(()) };
        let mut next = Some(packet);
        for ((byte, (_, payload)), secret) in (1..).zip(route).zip(secrets) {
            let peeled = peel(&next.unwrap(), &key(byte), &HASH).unwrap();
            prop_assert_eq!(peeled.payload, payload);
            prop_assert_eq!(peeled.shared_secret, secret);
            next = peeled.next;
        }
        prop_assert_eq!(next, None);
    }

    #[test]
    fn any_start_of_the_payloads_is_read_without_panic(start in prop::collection::vec(any::<u8>(), 0..1300)) {
        if let Ok(peeled) = peel(&packet_with(&start), &key(1), &HASH) {
            let _ = peeled.hop_payload();
        }
    }

    #[test]
    fn any_payload_is_read_without_panic(payload in prop::collection::vec(any::<u8>(), 0..100), is_final: bool) {
        if let Ok(payload) = HopPayload::decode(&payload, is_final) {
            prop_assert_eq!(HopPayload::decode(&payload.encode(), is_final).map(drop), Ok(()));
        }
    }

    #[test]
    fn any_failure_message_is_read_without_panic(message in prop::collection::vec(any::<u8>(), 0..100)) {
        let failure = FailureMessage::decode(&message);
        prop_assert_eq!(FailureMessage::decode(&failure.encode()).failure_code(), failure.failure_code());
    }
}
