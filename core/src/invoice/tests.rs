use super::raw::RawInvoice;
use super::*;
use crate::crypto::ec;
use bech32::{ByteIterExt, Fe32, Fe32IterExt, Hrp};
use bitcoin::secp256k1::SecretKey;
use lightning_invoice::Bolt11Bech32;
use proptest::prelude::*;

const NOW: UnixTime = UnixTime(1_700_000_000);

fn secret() -> SecretKey {
    SecretKey::from_slice(&[0x42; 32]).unwrap()
}

fn builder() -> InvoiceBuilder {
    let description = Description::Text("coffee".into());
    InvoiceBuilder::new(Network::Regtest, PaymentHash([1; 32]), PaymentSecret([2; 32]), description)
}

/// The groups of a field with this content.
fn field(tag: char, data: &[Fe32]) -> Vec<Fe32> {
    let group = |value: usize| Fe32::try_from(u8::try_from(value).unwrap()).unwrap();
    let mut groups = vec![Fe32::from_char(tag).unwrap(), group(data.len() / 32), group(data.len() % 32)];
    groups.extend_from_slice(data);
    groups
}

fn bytes_field(tag: char, bytes: &[u8]) -> Vec<Fe32> {
    field(tag, &bytes.iter().copied().bytes_to_fes().collect::<Vec<_>>())
}

fn groups(text: &str) -> Vec<Fe32> {
    text.chars().map(|c| Fe32::from_char(c).unwrap()).collect()
}

/// The text of an invoice with these parts, signed as BOLT 11 says or, for `signature`, as the caller wants.
fn write(hrp: &str, fields: &[Vec<Fe32>], sign: impl FnOnce([u8; 32]) -> [u8; 65]) -> String {
    let text = |signature: [u8; 65]| {
        let mut data = groups("pvjluez");
        data.extend(fields.concat());
        data.extend(signature.into_iter().bytes_to_fes());
        let hrp = Hrp::parse(hrp).unwrap();
        data.into_iter().with_checksum::<Bolt11Bech32>(&hrp).chars().collect::<String>()
    };
    // The digest does not cover the signature, so any signature gives it.
    match RawInvoice::parse(&text([0; 65])) {
        Ok(raw) => text(sign(raw.digest)),
        Err(_) => text([0; 65]),
    }
}

fn signed(digest: [u8; 32]) -> [u8; 65] {
    let (id, compact) = ec::sign_ecdsa_recoverable(&digest, &secret()).serialize_compact();
    let mut signature = [0; 65];
    signature[..64].copy_from_slice(&compact);
    signature[64] = u8::try_from(id.to_i32()).unwrap();
    signature
}

fn required() -> Vec<Vec<Fe32>> {
    vec![bytes_field('p', &[1; 32]), bytes_field('s', &[2; 32]), bytes_field('d', b"coffee")]
}

fn decode_with(extra: Vec<Fe32>) -> Result<Invoice, InvoiceError> {
    let mut fields = required();
    fields.push(extra);
    Invoice::decode(&write("lnbcrt", &fields, signed))
}

fn decode_without(index: usize) -> Result<Invoice, InvoiceError> {
    let mut fields = required();
    fields.remove(index);
    Invoice::decode(&write("lnbcrt", &fields, signed))
}

#[test]
fn what_is_written_reads_back() {
    let hop = RouteHintHop {
        node_id: ec::public_key(&SecretKey::from_slice(&[7; 32]).unwrap()),
        short_channel_id: crate::types::ShortChannelId::new(1, 2, 3).unwrap(),
        fee_base_msat: 1_000,
        fee_proportional_millionths: 100,
        cltv_expiry_delta: CltvExpiryDelta(80),
    };
    let hint = RouteHint { hops: vec![hop] };
    let invoice = builder()
        .amount(MilliSatoshi::from_msat(123_456_789))
        .expiry_secs(600)
        .route_hint(hint.clone())
        .sign(&secret(), NOW)
        .unwrap();
    assert_eq!(invoice.payee, ec::public_key(&secret()));
    assert_eq!(invoice.amount, Some(MilliSatoshi::from_msat(123_456_789)));
    assert_eq!(invoice.expires_at(), UnixTime(NOW.0 + 600));
    assert_eq!(invoice.min_final_cltv_expiry_delta, CltvExpiryDelta(42));
    assert_eq!(invoice.features.bits().collect::<Vec<_>>(), [8, 14, 17]);
    assert_eq!(invoice.route_hints, [hint]);
    assert_eq!(invoice.description, Description::Text("coffee".into()));
    assert!(invoice.allows_multi_part() && invoice.text.starts_with("lnbcrt1234567890p1"));
    assert_eq!(Invoice::parse(&invoice.to_qr_text(), Network::Regtest, NOW), Ok(invoice.clone()));
    assert!(!format!("{invoice:?}").contains(&invoice.text[..30]), "the text carries the payment secret");
}

#[test]
fn a_builder_refuses_what_no_invoice_can_say() {
    let sign = |builder: InvoiceBuilder| builder.sign(&secret(), NOW).map(|invoice| invoice.text);
    assert_eq!(sign(builder().amount(MilliSatoshi::ZERO)), Err(InvoiceBuildError::InvalidAmount { msat: 0 }));
    assert_eq!(
        sign(builder().amount(MilliSatoshi::from_msat(u64::MAX))),
        Err(InvoiceBuildError::InvalidAmount { msat: u64::MAX })
    );
    assert_eq!(
        sign(builder().min_final_cltv_expiry_delta(CltvExpiryDelta(17))),
        Err(InvoiceBuildError::MinFinalCltvExpiryDeltaTooLow { blocks: 17, minimum: 18 })
    );
    assert_eq!(
        sign(builder().route_hint(RouteHint { hops: vec![] })),
        Err(InvoiceBuildError::InvalidRouteHint { hops: 0 })
    );
    let secs = 1 << 35;
    assert_eq!(
        builder().sign(&secret(), UnixTime(secs)).map(drop),
        Err(InvoiceBuildError::TimestampOverflow { secs })
    );
    let long = |bytes| {
        let description = Description::Text("x".repeat(bytes));
        sign(InvoiceBuilder::new(Network::Bitcoin, PaymentHash([1; 32]), PaymentSecret([2; 32]), description))
    };
    assert!(long(639).is_ok());
    assert_eq!(long(640), Err(InvoiceBuildError::DescriptionTooLong { bytes: 640, maximum: 639 }));
    assert!(sign(builder().expiry_secs(u64::MAX)).is_ok());
}

#[test]
fn policy_says_what_keeps_from_paying() {
    let invoice = builder().sign(&secret(), NOW).unwrap();
    let until = UnixTime(NOW.0 + 3600);
    assert_eq!(invoice.check_payable(Network::Regtest, until), Ok(()));
    let late = UnixTime(until.0 + 1);
    assert_eq!(invoice.check_payable(Network::Regtest, late), Err(InvoiceError::Expired { at: until }));
    assert_eq!(
        invoice.check_payable(Network::Bitcoin, NOW),
        Err(InvoiceError::WrongNetwork { invoice: Network::Regtest, expected: Network::Bitcoin })
    );
    let with_features = |bits: &[u16]| {
        let features = Features::from_bits(bits.iter().copied());
        Invoice { features, ..invoice.clone() }.check_payable(Network::Regtest, NOW)
    };
    assert_eq!(with_features(&[8, 14, 49, 101]), Ok(()));
    assert_eq!(with_features(&[15, 17]), Ok(()), "var_onion_optin is assumed");
    assert_eq!(with_features(&[8, 14, 100]), Err(InvoiceError::UnknownRequiredFeature { bit: 100 }));
    assert_eq!(
        with_features(&[9, 17]),
        Err(InvoiceError::MissingFeature { feature: Feature::BasicMpp, missing: Feature::PaymentSecret })
    );
    let testnet = Invoice { network: Network::Testnet, ..invoice.clone() };
    assert_eq!(testnet.check_payable(Network::Testnet4, NOW), Ok(()), "both write lntb");
    let endless = Invoice { expiry_secs: u64::MAX, ..invoice };
    assert_eq!(endless.expires_at(), UnixTime(u64::MAX));
}

#[test]
fn required_fields_are_required() {
    assert_eq!(decode_without(0), Err(InvoiceError::MissingPaymentHash));
    assert_eq!(decode_without(1), Err(InvoiceError::MissingPaymentSecret));
    assert_eq!(decode_without(2), Err(InvoiceError::MissingDescription));
    assert_eq!(decode_with(bytes_field('h', &[3; 32])), Err(InvoiceError::DescriptionAndHash));
    assert!(decode_with(bytes_field('m', &[1])).is_ok());
}

#[test]
fn lengths_of_fields() {
    for (tag, expected) in [('p', 52), ('h', 52), ('s', 52), ('n', 53)] {
        for groups in [0, expected - 1, expected + 1] {
            let wrong = InvoiceError::WrongFieldLength { field: tag, groups, expected };
            assert_eq!(decode_with(field(tag, &vec![Fe32::P; groups])), Err(wrong));
        }
    }
    for tag in ['c', 'x', '9'] {
        let zeros = InvoiceError::LeadingZeros { field: tag };
        assert_eq!(decode_with(field(tag, &groups("qp"))), Err(zeros.clone()));
        assert_eq!(decode_with(field(tag, &groups("q"))), Err(zeros));
        assert!(decode_with(field(tag, &[])).is_ok());
    }
    let mut cut = field('m', &groups("pp"));
    cut[2] = Fe32::L;
    assert_eq!(decode_with(cut), Err(InvoiceError::TruncatedField { field: 'm' }));
    assert_eq!(decode_with(groups("mq")), Err(InvoiceError::TruncatedField { field: 'm' }));
}

#[test]
fn contents_of_fields() {
    let invalid = |field| Err(InvoiceError::InvalidField { field });
    assert_eq!(decode_with(field('x', &groups("lllllllllllll"))), invalid('x'), "65 bits");
    assert_eq!(decode_with(field('c', &groups("zqqq"))), invalid('c'), "65536 blocks");
    assert_eq!(decode_with(field('c', &groups("plll"))).unwrap().min_final_cltv_expiry_delta.0, u16::MAX);
    assert_eq!(decode_with(bytes_field('n', &[0; 33])), invalid('n'));
    assert_eq!(decode_with(bytes_field('d', &[0xff])), invalid('d'), "not UTF-8");
    let first = decode_with(bytes_field('p', &[9; 32])).unwrap();
    assert_eq!(first.payment_hash, PaymentHash([1; 32]), "the first counts");
}

#[test]
fn offers_that_make_no_sense_are_not_taken() {
    let node_id = ec::public_key(&secret()).serialize();
    let hint = |delta: u8| [&node_id[..], &[0; 8], &[0; 8], &[delta, 1]].concat();
    let hints = |bytes: &[u8]| decode_with(bytes_field('r', bytes)).unwrap().route_hints.len();
    assert_eq!(hints(&hint(0)), 1);
    assert_eq!(hints(&hint(0xff)), 0, "65281 blocks");
    assert_eq!(hints(&hint(0)[..50]), 0, "cut");
    assert_eq!(hints(&[0; 51]), 0, "no point");
    assert_eq!(hints(&[]), 0);
    let fallbacks = |tag: char, bytes: &[u8]| {
        let data: Vec<Fe32> = std::iter::once(Fe32::from_char(tag).unwrap())
            .chain(bytes.iter().copied().bytes_to_fes())
            .collect();
        decode_with(field('f', &data)).unwrap().fallbacks.len()
    };
    assert_eq!(fallbacks('3', &[1; 20]), 1);
    assert_eq!(fallbacks('3', &[1; 19]), 0);
    assert_eq!(fallbacks('q', &[1; 21]), 0, "version 0 has 20 or 32 bytes");
    assert_eq!(fallbacks('n', &[1; 20]), 0, "version 19");

    let mut fields = required();
    fields.extend(vec![bytes_field('r', &hint(0)); MAX_ROUTE_HINTS + 5]);
    let invoice = Invoice::decode(&write("lnbcrt", &fields, signed)).unwrap();
    assert_eq!(invoice.route_hints.len(), MAX_ROUTE_HINTS);
}

#[test]
fn signatures() {
    let named = |sign: fn([u8; 32]) -> [u8; 65]| {
        let mut fields = required();
        fields.push(bytes_field('n', &ec::public_key(&secret()).serialize()));
        Invoice::decode(&write("lnbcrt", &fields, sign))
    };
    assert_eq!(named(signed).unwrap().payee, ec::public_key(&secret()));
    let other = |mut digest: [u8; 32]| {
        digest[0] ^= 1;
        signed(digest)
    };
    assert_eq!(named(other), Err(InvoiceError::InvalidSignature));
    let high_s = |digest| {
        let mut signature = signed(digest);
        let s = SecretKey::from_slice(&signature[32..64]).unwrap().negate();
        signature[32..64].copy_from_slice(&s.secret_bytes());
        signature[64] ^= 1;
        signature
    };
    assert_eq!(named(high_s), Err(InvoiceError::HighSSignature));
    let unnamed = Invoice::decode(&write("lnbcrt", &required(), high_s)).unwrap();
    assert_eq!(unnamed.payee, ec::public_key(&secret()), "high S is right where the key is recovered");
    for recovery_id in [4, 27, 255] {
        let sign = |digest| {
            let mut signature = signed(digest);
            signature[64] = recovery_id;
            signature
        };
        let found = Invoice::decode(&write("lnbcrt", &required(), sign));
        assert_eq!(found, Err(InvoiceError::InvalidRecoveryId { recovery_id }));
    }
    for byte in [0, 0xff] {
        let found = Invoice::decode(&write("lnbcrt", &required(), |_| {
            [&[byte; 64][..], &[0]].concat().try_into().unwrap()
        }));
        assert_eq!(found, Err(InvoiceError::InvalidSignature));
    }
}

#[test]
fn the_signature_covers_what_was_written_not_what_it_means() {
    // Zeros before the amount and a bit of padding that is set: reading and writing again would lose both.
    let mut fields = required();
    fields[2] = field('d', &groups("vdhkven9vp"));
    let invoice = Invoice::decode(&write("lnbcrt0010u", &fields, signed)).unwrap();
    assert_eq!(invoice.payee, ec::public_key(&secret()));
    assert_eq!(invoice.amount, Some(MilliSatoshi::from_msat(1_000_000)));
}

#[test]
fn texts_that_are_no_invoice() {
    let decode = |text: &str| Invoice::decode(text).unwrap_err();
    for text in ["", "ln", "lnbc", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "lightning:lnbc1", "1ln1"] {
        assert_eq!(decode(text), InvoiceError::NotAnInvoice, "{text}");
    }
    assert_eq!(decode("lnbc1é"), InvoiceError::InvalidCharacter { character: 'é' });
    assert_eq!(decode("lnbc1bbbbbbbb"), InvoiceError::InvalidCharacter { character: 'b' });
    assert_eq!(decode("LNbc1pp"), InvoiceError::MixedCase);
    assert_eq!(decode("lnbc1qqqqqq"), InvoiceError::WrongChecksum);
    assert_eq!(
        decode(&write("lnltc", &required(), signed)),
        InvoiceError::UnknownPrefix { prefix: "lnltc".into() }
    );
    assert_eq!(
        decode(&format!("lnbc1{}", "q".repeat(10_000))),
        InvoiceError::TooLong { length: 10_005, maximum: 7089 }
    );
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in "(ln(bc|tb|tbs|bcrt)[0-9]{0,22}[munp]?1?)?\\PC{0,300}") {
        let _ = Invoice::parse(&text, Network::Bitcoin, NOW);
    }

    #[test]
    fn any_fields_are_read_without_panic(data in prop::collection::vec(0u8..32, 0..400), hrp in "ln(bc|bcrt)[0-9]{0,22}[munp]?") {
        let data = data.into_iter().map(|group| Fe32::try_from(group).unwrap());
        let hrp = Hrp::parse(&hrp).unwrap();
        let text: String = data.with_checksum::<Bolt11Bech32>(&hrp).chars().collect();
        let _ = Invoice::parse(&text, Network::Bitcoin, NOW);
    }

    #[test]
    fn one_more_field_of_any_content_is_read_without_panic(
        tag in 0u8..32,
        data in prop::collection::vec(0u8..32, 0..120),
    ) {
        let data: Vec<Fe32> = data.into_iter().map(|group| Fe32::try_from(group).unwrap()).collect();
        if let Ok(invoice) = decode_with(field(Fe32::try_from(tag).unwrap().to_char(), &data)) {
            let _ = invoice.check_payable(Network::Regtest, NOW);
            let _ = invoice.description.to_display();
            prop_assert_eq!(Invoice::decode(&invoice.text), Ok(invoice));
        }
    }

    #[test]
    fn a_changed_character_is_noticed(position in 0usize..200, replacement in 0u8..32) {
        let invoice = builder().amount(MilliSatoshi::from_msat(1_000)).sign(&secret(), NOW).unwrap();
        let mut text: Vec<char> = invoice.text.chars().collect();
        let position = position % text.len();
        text[position] = Fe32::try_from(replacement).unwrap().to_char();
        let text: String = text.into_iter().collect();
        prop_assert_eq!(Invoice::decode(&text).is_ok(), text == invoice.text);
    }
}
