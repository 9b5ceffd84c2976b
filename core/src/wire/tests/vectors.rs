//! The official vectors of BOLT 1 and BOLT 7.

use crate::types::{Features, ShortChannelId};
use crate::wire::{
    ChannelUpdateChecksums, ChannelUpdateTimestamps, DecodeError, Field, Init, Message, Reader, Writer,
    bigsize, tlv,
};
use bitcoin::secp256k1::PublicKey;
use serde::Deserialize;
use serde_json::Value;

fn unhex(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

#[derive(Deserialize)]
struct BigSizeCase {
    name: String,
    value: u64,
    bytes: String,
    exp_error: Option<String>,
}

#[derive(Deserialize)]
struct BigSizeCases {
    decode: Vec<BigSizeCase>,
    encode: Vec<BigSizeCase>,
}

#[test]
fn bigsize_vectors() {
    let cases: BigSizeCases =
        serde_json::from_str(include_str!("../../../tests/vectors/bolt01/bigsize.json")).unwrap();
    assert_eq!((cases.decode.len(), cases.encode.len()), (18, 8));
    for case in cases.decode {
        let bytes = unhex(&case.bytes);
        let mut reader = Reader::new(&bytes);
        let read = bigsize::read(&mut reader);
        match case.exp_error.as_deref() {
            None => assert_eq!((read, reader.remaining()), (Ok(case.value), 0), "{}", case.name),
            Some("decoded bigsize is not canonical") => {
                assert_eq!(read, Err(DecodeError::NotMinimal), "{}", case.name);
            }
            Some(_) => assert!(matches!(read, Err(DecodeError::Truncated { .. })), "{}", case.name),
        }
    }
    for case in cases.encode {
        let mut writer = Writer::new();
        bigsize::write(case.value, &mut writer);
        assert_eq!(writer.into_bytes(), unhex(&case.bytes), "{}", case.name);
    }
}

#[derive(Deserialize)]
struct SignedCase {
    value: i64,
    bytes: String,
}

#[derive(Deserialize)]
struct SignedCases {
    cases: Vec<SignedCase>,
}

fn check_signed<T: Field + Into<i64> + TryFrom<i64, Error: std::fmt::Debug>>(case: &SignedCase) {
    let bytes = unhex(&case.bytes);
    assert_eq!(Reader::new(&bytes).read::<T>().unwrap().into(), case.value);
    let mut writer = Writer::new();
    writer.write(&T::try_from(case.value).unwrap());
    assert_eq!(writer.into_bytes(), bytes);
}

#[test]
fn signed_integer_vectors() {
    let cases: SignedCases =
        serde_json::from_str(include_str!("../../../tests/vectors/bolt01/signed.json")).unwrap();
    assert_eq!(cases.cases.len(), 23);
    for case in &cases.cases {
        match case.bytes.len() {
            2 => check_signed::<i8>(case),
            4 => check_signed::<i16>(case),
            8 => check_signed::<i32>(case),
            16 => check_signed::<i64>(case),
            other => panic!("{other} hex digits"),
        }
    }
}

#[derive(Deserialize)]
struct TlvCase {
    namespace: String,
    valid: bool,
    stream: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    values: String,
}

#[derive(Deserialize)]
struct TlvCases {
    cases: Vec<TlvCase>,
}

/// The values of a stream as the vectors write them.
fn read_namespace(namespace: &str, bytes: &[u8]) -> Result<Vec<String>, DecodeError> {
    let mut values = Vec::new();
    tlv::read_stream(bytes, |record| {
        let mut reader = Reader::new(record.value);
        match (namespace, record.tlv_type) {
            ("n1", 1) | ("n2", 0) => values.push(format!("`tlv1` `amount_msat`={}", reader.tu64()?)),
            ("n1", 2) => values.push(format!("`tlv2` `scid`={}", reader.read::<ShortChannelId>()?)),
            ("n1", 3) => values.push(format!(
                "`tlv3` `node_id`={} `amount_msat_1`={} `amount_msat_2`={}",
                reader.read::<PublicKey>()?,
                reader.read::<u64>()?,
                reader.read::<u64>()?
            )),
            ("n1", 254) => values.push(format!("`tlv4` `cltv_delta`={}", reader.read::<u16>()?)),
            ("n2", 11) => values.push(format!("`tlv2` `cltv_expiry`={}", reader.tu32()?)),
            _ => return Ok(false),
        }
        reader.finish()?;
        Ok(true)
    })?;
    Ok(values)
}

fn tlv_cases() -> Vec<TlvCase> {
    let cases: TlvCases =
        serde_json::from_str(include_str!("../../../tests/vectors/bolt01/tlv.json")).unwrap();
    cases.cases
}

fn expected_error(reason: &str, error: DecodeError) -> bool {
    match reason {
        "type truncated" | "missing length" | "(length truncated)" | "missing value" | "value truncated" => {
            matches!(error, DecodeError::Truncated { .. })
        }
        "unknown even type." | "unknown even field for `n1`s namespace." => {
            matches!(error, DecodeError::UnknownEvenTlv { .. })
        }
        "`n1`s `node_id` is not a valid point." => error == DecodeError::InvalidPoint,
        reason if reason.contains("minimal") => error == DecodeError::NotMinimal,
        reason if reason.contains("ordering") || reason.contains("duplicate") => {
            matches!(error, DecodeError::TlvOrder { .. })
        }
        reason if reason.contains("less than") => matches!(error, DecodeError::Truncated { .. }),
        reason if reason.contains("greater than") => matches!(error, DecodeError::TrailingBytes { .. }),
        _ => false,
    }
}

#[test]
fn tlv_vectors() {
    let cases = tlv_cases();
    assert_eq!(cases.len(), 57);
    for case in &cases {
        let bytes = unhex(&case.stream);
        let namespaces = match case.namespace.as_str() {
            "any" => vec!["n1", "n2"],
            namespace => vec![namespace],
        };
        for namespace in namespaces {
            let read = read_namespace(namespace, &bytes);
            if case.valid {
                let expected = if case.values.is_empty() { vec![] } else { vec![case.values.clone()] };
                assert_eq!(read, Ok(expected), "{namespace} {}", case.stream);
            } else {
                let error = read.expect_err(&case.stream);
                assert!(expected_error(&case.reason, error), "{}: {} {error:?}", case.stream, case.reason);
            }
        }
    }
}

/// "Any appending of an invalid stream to a valid stream should trigger a decoding failure. Any appending of a
/// higher-numbered valid stream to a lower-numbered valid stream should not."
#[test]
fn tlv_vectors_appended_to_each_other() {
    let first_type = |bytes: &[u8]| tlv::Records::new(bytes).next().map(|record| record.unwrap().tlv_type);
    let cases = tlv_cases();
    let in_n1 = |case: &&TlvCase| case.namespace != "n2";
    let (mut accepted, mut refused) = (0, 0);
    for valid in cases.iter().filter(in_n1).filter(|case| case.valid) {
        for other in cases.iter().filter(in_n1) {
            let (first, second) = (unhex(&valid.stream), unhex(&other.stream));
            let read = read_namespace("n1", &[first.clone(), second.clone()].concat());
            if !other.valid {
                assert!(read.is_err(), "{} {}", valid.stream, other.stream);
                refused += 1;
            } else if first_type(&first) < first_type(&second) {
                assert!(read.is_ok(), "{} {}", valid.stream, other.stream);
                accepted += 1;
            }
        }
    }
    assert_eq!((accepted, refused), (135, 19 * 37));
}

#[derive(Deserialize)]
struct InitCase {
    message: String,
    explanation: String,
}

#[derive(Deserialize)]
struct InitCases {
    valid: Vec<InitCase>,
    invalid: Vec<InitCase>,
}

#[test]
fn message_extension_vectors() {
    let cases: InitCases =
        serde_json::from_str(include_str!("../../../tests/vectors/bolt01/init.json")).unwrap();
    assert_eq!((cases.valid.len(), cases.invalid.len()), (2, 3));
    let empty = Init {
        globalfeatures: Features::empty(),
        features: Features::empty(),
        networks: None,
        remote_addr: None,
    };
    for case in cases.valid {
        assert_eq!(Message::decode(&unhex(&case.message)), Ok(empty.clone().into()), "{}", case.explanation);
    }
    for case in cases.invalid {
        assert!(Message::decode(&unhex(&case.message)).is_err(), "{}", case.explanation);
    }
}

/// `1x2x3` as a number.
fn short_channel_id(text: &str) -> ShortChannelId {
    let parts: Vec<u32> = text.split('x').map(|part| part.parse().unwrap()).collect();
    // "0x0x15465" and the like; an output beyond 16 bits is the lower bits of a larger number.
    ShortChannelId(u64::from(parts[0]) << 40 | u64::from(parts[1]) << 16 | u64::from(parts[2]))
}

fn number(value: &Value) -> u32 {
    u32::try_from(value.as_u64().unwrap()).unwrap()
}

fn pairs<T>(array: &Value, keys: [&str; 2], pair: impl Fn(u32, u32) -> T) -> Option<Vec<T>> {
    let entries = array.as_array()?;
    Some(entries.iter().map(|entry| pair(number(&entry[keys[0]]), number(&entry[keys[1]]))).collect())
}

#[test]
fn extended_query_vectors() {
    let file: Value =
        serde_json::from_str(include_str!("../../../tests/vectors/bolt07/extended-queries.json")).unwrap();
    let (mut read, mut compressed) = (0, 0);
    for case in file["cases"].as_array().unwrap() {
        let bytes = unhex(case["hex"].as_str().unwrap());
        let expected = &case["msg"];
        if expected.to_string().contains("COMPRESSED_ZLIB") {
            assert_eq!(Message::decode(&bytes), Err(DecodeError::UnknownEncoding { encoding: 1 }));
            compressed += 1;
            continue;
        }
        let ids: Vec<ShortChannelId> = expected["shortChannelIds"]["array"]
            .as_array()
            .map(|ids| ids.iter().map(|id| short_channel_id(id.as_str().unwrap())).collect())
            .unwrap_or_default();
        let message = Message::decode(&bytes).unwrap();
        assert_eq!(message.encode().unwrap(), bytes);
        let chain_hash = match message {
            Message::QueryChannelRange(query) => {
                assert_eq!(expected["type"], "QueryChannelRange");
                assert_eq!(query.first_blocknum, number(&expected["firstBlockNum"]));
                assert_eq!(query.number_of_blocks, number(&expected["numberOfBlocks"]));
                let wants_all = !expected["tlvStream"]["records"].as_array().unwrap().is_empty();
                assert_eq!(query.query_option_flags.map(|flags| flags.0), wants_all.then_some(3));
                query.chain_hash
            }
            Message::ReplyChannelRange(reply) => {
                assert_eq!(expected["type"], "ReplyChannelRange");
                assert_eq!(reply.first_blocknum, number(&expected["firstBlockNum"]));
                assert_eq!(reply.number_of_blocks, number(&expected["numberOfBlocks"]));
                assert_eq!(u32::from(reply.sync_complete), number(&expected["complete"]));
                assert_eq!(reply.short_channel_ids, ids);
                assert_eq!(
                    reply.timestamps,
                    pairs(&expected["timestamps"]["timestamps"], ["timestamp1", "timestamp2"], |a, b| {
                        ChannelUpdateTimestamps { timestamp_node_id_1: a, timestamp_node_id_2: b }
                    })
                );
                assert_eq!(
                    reply.checksums,
                    pairs(&expected["checksums"]["checksums"], ["checksum1", "checksum2"], |a, b| {
                        ChannelUpdateChecksums { checksum_node_id_1: a, checksum_node_id_2: b }
                    })
                );
                reply.chain_hash
            }
            Message::QueryShortChannelIds(query) => {
                assert_eq!(expected["type"], "QueryShortChannelIds");
                assert_eq!(query.short_channel_ids, ids);
                assert_eq!(query.query_flags, None);
                query.chain_hash
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(hex::encode(chain_hash.as_bytes()), expected["chainHash"].as_str().unwrap());
        read += 1;
    }
    assert_eq!((read, compressed), (5, 5));
}
