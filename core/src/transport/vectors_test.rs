//! The official vectors of BOLT 8, Appendix A.

use super::{Act, Connection, Handshake, Progress, Transport, TransportError};
use crate::crypto::ec;
use bitcoin::secp256k1::{PublicKey, SecretKey};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct HandshakeFile {
    source: String,
    cases: Vec<HandshakeCase>,
}

#[derive(Deserialize)]
struct HandshakeCase {
    name: String,
    role: String,
    local_static: SecretKey,
    local_static_public: PublicKey,
    ephemeral: SecretKey,
    ephemeral_public: PublicKey,
    remote_static: Option<PublicKey>,
    sk: Option<String>,
    rk: Option<String>,
    error: Option<String>,
    steps: Vec<BTreeMap<String, String>>,
}

fn cases() -> Vec<HandshakeCase> {
    let file: HandshakeFile =
        serde_json::from_str(include_str!("../../tests/vectors/bolt08/handshake.json")).unwrap();
    assert!(file.source.contains("a377265"));
    file.cases
}

fn expected_error(name: &str) -> TransportError {
    match name {
        "ACT1_BAD_VERSION" => TransportError::BadVersion { act: Act::One, version: 1 },
        "ACT1_BAD_PUBKEY" => TransportError::BadPublicKey { act: Act::One },
        "ACT1_BAD_TAG" => TransportError::BadTag { act: Act::One },
        "ACT2_BAD_VERSION" => TransportError::BadVersion { act: Act::Two, version: 1 },
        "ACT2_BAD_PUBKEY" => TransportError::BadPublicKey { act: Act::Two },
        "ACT2_BAD_TAG" => TransportError::BadTag { act: Act::Two },
        "ACT3_BAD_VERSION" => TransportError::BadVersion { act: Act::Three, version: 1 },
        "ACT3_BAD_CIPHERTEXT" => TransportError::BadStaticKey,
        "ACT3_BAD_PUBKEY" => TransportError::BadPublicKey { act: Act::Three },
        "ACT3_BAD_TAG" => TransportError::BadTag { act: Act::Three },
        other => panic!("unknown error {other}"),
    }
}

/// Feeds a case in pieces of that size and checks every output.
fn run(case: &HandshakeCase, piece: usize) {
    assert_eq!(ec::public_key(&case.local_static), case.local_static_public);
    assert_eq!(ec::public_key(&case.ephemeral), case.ephemeral_public);
    let (mut handshake, mut sent) = match case.remote_static {
        Some(remote) => Handshake::initiator(&case.local_static, remote, case.ephemeral),
        None => (Handshake::responder(&case.local_static, case.ephemeral), Vec::new()),
    };
    let mut last = Ok(Progress::NeedMore { missing: 50 });
    for step in &case.steps {
        if let Some(output) = step.get("output") {
            assert_eq!(hex::encode(std::mem::take(&mut sent)), *output, "{}", case.name);
        }
        if let Some(input) = step.get("input") {
            for bytes in hex::decode(input).unwrap().chunks(piece) {
                last = handshake.receive(bytes);
                match &last {
                    Ok(Progress::Reply(reply)) => sent.extend_from_slice(reply),
                    Ok(Progress::Established(done)) => sent.extend_from_slice(&done.reply),
                    Ok(Progress::NeedMore { .. }) | Err(_) => {}
                }
            }
        }
    }
    assert!(sent.is_empty(), "{}: more sent than the vector has", case.name);
    match case.error.as_deref() {
        None => {
            let Ok(Progress::Established(done)) = last else { panic!("{}: {last:?}", case.name) };
            let (sending, receiving) = done.transport.keys().unwrap();
            assert_eq!(Some(hex::encode(sending)), case.sk);
            assert_eq!(Some(hex::encode(receiving)), case.rk);
            assert!(done.unread.is_empty());
            if case.role == "responder" {
                assert_eq!(done.remote_node_id, cases()[0].local_static_public);
            }
            assert_eq!(handshake.receive(&[1]).unwrap_err(), TransportError::AlreadyEstablished);
        }
        Some("ACT1_READ_FAILED" | "ACT2_READ_FAILED" | "ACT3_READ_FAILED") => {
            assert!(matches!(last, Ok(Progress::NeedMore { missing: 1 })), "{}: {last:?}", case.name);
        }
        Some(error) => {
            assert_eq!(last.unwrap_err(), expected_error(error), "{}", case.name);
            // Neither waiting nor the right bytes bring it back.
            let right = hex::decode(cases()[0].steps[1].get("input").unwrap()).unwrap();
            assert_eq!(handshake.receive(&[]).unwrap_err(), expected_error(error));
            assert_eq!(handshake.receive(&right).unwrap_err(), expected_error(error));
        }
    }
}

#[test]
fn appendix_a_handshakes() {
    let cases = cases();
    assert_eq!(cases.iter().filter(|case| case.role == "initiator").count(), 5);
    assert_eq!(cases.iter().filter(|case| case.role == "responder").count(), 10);
    for case in &cases {
        for piece in [1, 7, 49, 1000] {
            run(case, piece);
        }
    }
}

#[derive(Deserialize)]
struct MessagesFile {
    chaining_key: String,
    sending_key: String,
    receiving_key: String,
    message: String,
    outputs: Vec<Output>,
}

#[derive(Deserialize)]
struct Output {
    number: usize,
    ciphertext: String,
}

#[test]
fn appendix_a_messages() {
    let file: MessagesFile =
        serde_json::from_str(include_str!("../../tests/vectors/bolt08/messages.json")).unwrap();
    let key = |text: &str| -> [u8; 32] { hex::decode(text).unwrap().try_into().unwrap() };
    let (ck, sk, rk) = (key(&file.chaining_key), key(&file.sending_key), key(&file.receiving_key));
    let mut sender = Transport::new(ck, sk, rk);
    let mut receiver = Transport::new(ck, rk, sk);
    let message = hex::decode(&file.message).unwrap();
    let numbers: Vec<_> = file.outputs.iter().map(|output| output.number).collect();
    assert_eq!(numbers, [0, 1, 500, 501, 1000, 1001]);
    for number in 0..=1001 {
        let ciphertext = sender.encrypt(&message).unwrap();
        if let Some(output) = file.outputs.iter().find(|output| output.number == number) {
            assert_eq!(hex::encode(&ciphertext), output.ciphertext, "message {number}");
        }
        receiver.receive(&ciphertext).unwrap();
        assert_eq!(receiver.next_message(), Ok(Some(message.clone())), "message {number}");
        assert_eq!(receiver.next_message(), Ok(None));
    }
}

#[test]
fn a_connection_answers_as_the_vectors_do() {
    let cases = cases();
    let responder = cases.iter().find(|case| case.role == "responder").unwrap();
    let mut connection = Connection::responder(&responder.local_static, responder.ephemeral);
    let mut replies = Vec::new();
    for step in &responder.steps {
        if let Some(input) = step.get("input") {
            replies.push(hex::encode(connection.receive(&hex::decode(input).unwrap()).unwrap()));
        }
    }
    assert_eq!(replies, [responder.steps[1]["output"].as_str(), ""]);
    assert!(connection.is_established());
    assert_eq!(connection.remote_node_id(), Some(cases[0].local_static_public));
}
