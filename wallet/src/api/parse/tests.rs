use super::*;
use bitcoin::bech32::{self, Bech32, Hrp};
use bitcoin::secp256k1::SecretKey;
use kite_core::invoice::{Description, InvoiceBuilder};
use kite_core::types::{PaymentHash, PaymentSecret, UnixTime};

const ADDRESS: &str = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080";
const NODE: &str = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";

fn regtest(text: &str) -> Result<Parsed, WalletError> {
    parse(text, Network::Regtest)
}

fn address(text: &str) -> (String, Option<u64>, Option<String>, Option<String>) {
    match regtest(text) {
        Ok(Parsed::BitcoinAddress { address, amount_sat, label, link_message }) => {
            (address, amount_sat, label, link_message)
        }
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn addresses_are_read_alone_and_in_links() {
    let plain = (ADDRESS.to_owned(), None, None, None);
    for text in [
        ADDRESS.into(),
        format!("  {ADDRESS}\n"),
        ADDRESS.to_uppercase(),
        format!("bitcoin:{ADDRESS}"),
        format!("BITCOIN:{}", ADDRESS.to_uppercase()),
        format!("bitcoin://{ADDRESS}?unknown=1"),
    ] {
        assert_eq!(address(&text), plain, "{text}");
    }
    let full = format!("bitcoin:{ADDRESS}?amount=0.00021&label=Caf%C3%A9+1&message=two%20teas%0Anow");
    let expected =
        (ADDRESS.to_owned(), Some(21_000), Some("Caf\u{e9} 1".into()), Some("two teas now".into()));
    assert_eq!(address(&full), expected);
}

#[test]
fn links_that_ask_for_the_impossible_are_refused() {
    for query in
        ["amount=1e3", "amount=-1", "amount=0", "amount=21000001", "amount=1,5", "amount=", "req-x=1"]
    {
        let result = regtest(&format!("bitcoin:{ADDRESS}?{query}"));
        assert!(matches!(result, Err(WalletError::InvalidInput { .. })), "{query}: {result:?}");
    }
    assert!(regtest("bitcoin:?amount=1").is_err());
}

#[test]
fn another_network_is_named() {
    let error = regtest("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4").unwrap_err();
    assert_eq!(error, WalletError::WrongNetwork { expected: "regtest".into(), found: "bitcoin".into() });
    assert_eq!(error.code(), "wrong_network");
}

#[test]
fn nodes_are_read_with_and_without_an_address() {
    let node = |text: &str| match regtest(text) {
        Ok(Parsed::NodeAddress { node_id, address }) => {
            assert_eq!(node_id, NODE);
            address
        }
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(node(NODE), None);
    assert_eq!(
        node(&format!("{}@example.org:9736", NODE.to_uppercase())).as_deref(),
        Some("example.org:9736")
    );
    assert_eq!(node(&format!("{NODE}@example.org")).as_deref(), Some("example.org:9735"));
    assert_eq!(node(&format!("{NODE}@[::1]")).as_deref(), Some("[::1]:9735"));
    for bad in ["@", "@:1", "@a b:1", "@host:0", "@host:99999", "@[::x]:1", "@host/path:1"] {
        assert!(regtest(&format!("{NODE}{bad}")).is_err(), "{bad}");
    }
    assert!(regtest(&format!("05{}", &NODE[2..])).is_err(), "not a point");
}

fn invoice(network: Network) -> String {
    let secret = SecretKey::from_slice(&[7; 32]).unwrap();
    let description = Description::Text("tea".into());
    InvoiceBuilder::new(network, PaymentHash([1; 32]), PaymentSecret([2; 32]), description)
        .sign(&secret, UnixTime(1_700_000_000))
        .unwrap()
        .text
}

#[test]
fn invoices_are_read_with_every_decoration() {
    let text = invoice(Network::Regtest);
    for decorated in [
        text.clone(),
        text.to_uppercase(),
        format!("lightning:{text}"),
        format!("LIGHTNING:{}", text.to_uppercase()),
        format!(" lightning://{text} "),
        format!("bitcoin:?lightning={text}"),
    ] {
        match regtest(&decorated) {
            Ok(Parsed::Bolt11 { invoice, fallback_address: None }) => assert_eq!(invoice.invoice, text),
            other => panic!("{decorated}: {other:?}"),
        }
    }
    match regtest(&format!("BITCOIN:{ADDRESS}?amount=0.001&LIGHTNING={}", text.to_uppercase())) {
        Ok(Parsed::Bolt11 { fallback_address, .. }) => assert_eq!(fallback_address.as_deref(), Some(ADDRESS)),
        other => panic!("{other:?}"),
    }
    let broken = format!("bitcoin:{ADDRESS}?lightning={}x", text);
    assert_eq!(address(&broken).0, ADDRESS, "a broken invoice leaves the address");
    let reason = "the checksum is wrong: the invoice was changed or is not complete".to_owned();
    assert_eq!(regtest(&format!("{text}x")), Err(WalletError::InvalidInvoice { reason }));
    let (expected, found) = ("regtest".to_owned(), "bitcoin".to_owned());
    assert_eq!(regtest(&invoice(Network::Bitcoin)), Err(WalletError::WrongNetwork { expected, found }));
}

/// The examples of BOLT 11 that are wrong, by the beginning of their titles, and what the owner is told.
const WRONG: [(&str, &str); 10] = [
    (
        "Same, but adding invalid unknown feature 100",
        "feature bit 100 is required to pay this invoice and not known here",
    ),
    ("Bech32 checksum", "the checksum is wrong: the invoice was changed or is not complete"),
    ("Malformed bech32 string (no 1)", "this is not a Lightning invoice"),
    ("Malformed bech32 string (mixed case)", "the invoice mixes upper and lower case"),
    ("Signature is not recoverable", "the signature of the invoice is wrong"),
    ("String is too short", "the invoice is too short"),
    ("Invalid multiplier", "\"x\" is not a multiplier of an amount"),
    ("Invalid sub-millisatoshi", "the amount is not a whole number of millisatoshi"),
    ("Missing required `s`", "the invoice has no payment secret"),
    ("Non canonical signature", "the signature of the invoice is not in its low-S form"),
];

#[test]
fn every_wrong_example_of_bolt_11_says_what_is_wrong() {
    let file = include_str!("../../../../core/tests/vectors/bolt11/examples.json");
    let examples: serde_json::Value = serde_json::from_str(file).unwrap();
    let examples = examples["invalid"].as_array().unwrap();
    assert_eq!(examples.len(), WRONG.len());
    for (title, reason) in WRONG {
        let example = examples.iter().find(|example| example["title"].as_str().unwrap().starts_with(title));
        let invoice = example.unwrap()["invoice"].as_str().unwrap();
        // Without its prefix only a link says that a text is to be an invoice.
        let found = parse(&format!("lightning:{invoice}"), Network::Bitcoin);
        assert_eq!(found, Err(WalletError::InvalidInvoice { reason: reason.into() }), "{title}");
    }
}

#[test]
fn an_impossible_amount_says_why() {
    // The amount is read before the signature, and after the checksum.
    for (amount, reason) in [
        ("99999999999999999999", "the amount is too large to count"),
        ("21000001", "2100000100000000000 msat is more than all bitcoin that can exist"),
        ("0m", "the invoice asks for an amount of zero"),
    ] {
        let prefix = Hrp::parse(&format!("lnbcrt{amount}")).unwrap();
        let text = bech32::encode::<Bech32>(prefix, &[0; 200]).unwrap();
        assert_eq!(regtest(&text), Err(WalletError::InvalidInvoice { reason: reason.into() }), "{amount}");
    }
}

#[test]
fn what_cannot_be_paid_says_so() {
    for text in ["", "   ", "hello", "lno1qcp4256ypq", "LNURL1DP68GURN8", "alice@example.org", "1", "ln"] {
        assert!(matches!(regtest(text), Err(WalletError::InvalidInput { .. })), "{text}");
    }
    assert!(regtest(&"a".repeat(1 << 20)).is_err());
    assert!(regtest("lightning:").is_err());
    // Not at a character boundary of the scheme.
    assert!(regtest("bitcoi\u{e9}\u{e9}\u{e9}").is_err());
}
