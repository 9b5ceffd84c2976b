//! The vectors of BOLT 4.

use super::keys::KeyType;
use super::{
    Decrypted, FailureMessage, SharedSecret, build_failure, build_packet, decrypt_failure, peel, wrap_failure,
};
use crate::types::PaymentHash;
use crate::wire::Reader;
use bitcoin::secp256k1::{PublicKey, SecretKey};
use serde::Deserialize;

#[derive(Deserialize)]
struct OnionTest {
    generate: Generate,
    onion: String,
    decode: Vec<SecretKey>,
}

#[derive(Deserialize)]
struct Generate {
    session_key: SecretKey,
    associated_data: String,
    hops: Vec<Hop>,
}

#[derive(Deserialize)]
struct Hop {
    pubkey: PublicKey,
    payload: String,
}

#[derive(Deserialize)]
struct ErrorTest {
    generate: GenerateError,
    errorpacket: String,
}

#[derive(Deserialize)]
struct GenerateError {
    session_key: SecretKey,
    failure_message: String,
    hops: Vec<ErrorHop>,
}

#[derive(Deserialize)]
struct ErrorHop {
    pubkey: PublicKey,
    hop_shared_secret: String,
    ammag_key: String,
    um_key: Option<String>,
}

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    hex::decode(text).unwrap().try_into().unwrap()
}

/// The vector's payloads begin with their length.
fn without_length(payload: &str) -> Vec<u8> {
    let payload = hex::decode(payload).unwrap();
    let mut reader = Reader::new(&payload);
    assert_eq!(reader.bigsize().unwrap(), reader.remaining() as u64);
    reader.rest().to_vec()
}

#[test]
fn the_packet_of_the_vector_is_built_and_peeled() {
    let test: OnionTest =
        serde_json::from_str(include_str!("../../tests/vectors/bolt04/onion-test.json")).unwrap();
    let hops: Vec<_> =
        test.generate.hops.iter().map(|hop| (hop.pubkey, without_length(&hop.payload))).collect();
    assert_eq!((hops.len(), test.decode.len()), (5, 5));
    let associated_data = PaymentHash(bytes(&test.generate.associated_data));
    let (packet, shared_secrets) = build_packet(&test.generate.session_key, &hops, &associated_data).unwrap();
    assert_eq!(hex::encode(&packet[..]), test.onion);

    let mut next = Some(packet);
    for ((node_secret, (_, payload)), shared_secret) in test.decode.iter().zip(hops).zip(shared_secrets) {
        let peeled = peel(&next.unwrap(), node_secret, &associated_data).unwrap();
        assert_eq!(peeled.payload, payload);
        assert_eq!(peeled.shared_secret, shared_secret);
        next = peeled.next;
    }
    assert_eq!(next, None);
}

#[test]
fn the_failure_of_the_vector_is_built_wrapped_and_decrypted() {
    let test: ErrorTest =
        serde_json::from_str(include_str!("../../tests/vectors/bolt04/onion-error-test.json")).unwrap();
    let hops = test.generate.hops;
    assert_eq!(hops.len(), 5);
    let route: Vec<_> = hops.iter().map(|hop| (hop.pubkey, vec![0; 2])).collect();
    let (_, shared_secrets) =
        build_packet(&test.generate.session_key, &route, &PaymentHash([0; 32])).unwrap();
    for (hop, shared_secret) in hops.iter().zip(&shared_secrets) {
        assert_eq!(*shared_secret, SharedSecret::from_bytes(bytes(&hop.hop_shared_secret)));
        assert_eq!(hex::encode(shared_secret.key(KeyType::Ammag)), hop.ammag_key);
        if let Some(um_key) = &hop.um_key {
            assert_eq!(hex::encode(shared_secret.key(KeyType::Um)), *um_key);
        }
    }

    let message = FailureMessage::decode(&hex::decode(&test.generate.failure_message).unwrap());
    assert_eq!(message, FailureMessage::TemporaryNodeFailure);
    let (erring, forwarding) = shared_secrets.split_last().unwrap();
    let packet = forwarding
        .iter()
        .rev()
        .fold(build_failure(erring, &message), |packet, shared_secret| wrap_failure(shared_secret, packet));
    assert_eq!(hex::encode(&packet), test.errorpacket);
    assert_eq!(decrypt_failure(&shared_secrets, &packet), Decrypted::Failure { hop_index: 4, message });
}
