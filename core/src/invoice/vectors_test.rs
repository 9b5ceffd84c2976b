//! The examples of BOLT 11.

use super::{Description, Invoice, InvoiceError};
use crate::types::UnixTime;
use bitcoin::{Address, Network, address::NetworkUnchecked};
use serde::Deserialize;

#[derive(Deserialize)]
struct Examples {
    valid: Vec<Valid>,
    contradicted: Vec<Invalid>,
    invalid: Vec<Invalid>,
}

#[derive(Deserialize)]
struct Valid {
    title: String,
    invoice: String,
    expected: Expected,
}

#[derive(Deserialize)]
struct Invalid {
    title: String,
    invoice: String,
    error: String,
}

#[derive(Deserialize)]
struct Expected {
    network: Network,
    amount_msat: Option<u64>,
    timestamp: u64,
    payment_hash: String,
    payment_secret: String,
    payee: String,
    description: Option<String>,
    hashed_description: Option<String>,
    expiry_secs: u64,
    min_final_cltv_expiry_delta: u16,
    features: Vec<u16>,
    fallback: Option<Address<NetworkUnchecked>>,
    route_hints: Vec<Vec<Hop>>,
    metadata: Option<String>,
}

#[derive(Deserialize, Debug, PartialEq)]
struct Hop {
    node_id: String,
    short_channel_id: String,
    fee_base_msat: u32,
    fee_proportional_millionths: u32,
    cltv_expiry_delta: u16,
}

fn examples() -> Examples {
    serde_json::from_str(include_str!("../../tests/vectors/bolt11/examples.json")).unwrap()
}

fn parse(case_network: Network, text: &str) -> Result<Invoice, InvoiceError> {
    Invoice::parse(text, case_network, UnixTime(1_496_314_658))
}

#[test]
fn valid_examples_say_what_bolt_11_says() {
    let valid = examples().valid;
    assert_eq!(valid.len(), 15);
    for Valid { title, invoice: text, expected } in valid {
        let invoice = parse(expected.network, &text).unwrap_or_else(|error| panic!("{title}: {error}"));
        assert_eq!(invoice.network, expected.network, "{title}");
        assert_eq!(invoice.amount.map(|amount| amount.to_msat()), expected.amount_msat, "{title}");
        assert_eq!(invoice.timestamp.0, expected.timestamp, "{title}");
        assert_eq!(hex::encode(invoice.payment_hash.0), expected.payment_hash, "{title}");
        assert_eq!(hex::encode(invoice.payment_secret.0), expected.payment_secret, "{title}");
        assert_eq!(invoice.payee.to_string(), expected.payee, "{title}");
        match (expected.description, expected.hashed_description) {
            (Some(description), None) => assert_eq!(invoice.description, Description::Text(description)),
            (None, Some(hashed)) => assert_eq!(invoice.description, Description::hash_of(&hashed)),
            _ => panic!("{title}: one of two"),
        }
        assert_eq!(invoice.expiry_secs, expected.expiry_secs, "{title}");
        assert_eq!(invoice.min_final_cltv_expiry_delta.0, expected.min_final_cltv_expiry_delta, "{title}");
        assert_eq!(invoice.features.bits().collect::<Vec<_>>(), expected.features, "{title}");
        let fallback = expected.fallback.map(|address| address.assume_checked().script_pubkey());
        assert_eq!(invoice.fallbacks, Vec::from_iter(fallback), "{title}");
        let hints: Vec<Vec<Hop>> = invoice.route_hints.iter().map(hops).collect();
        assert_eq!(hints, expected.route_hints, "{title}");
        assert_eq!(invoice.metadata.as_deref().map(hex::encode), expected.metadata, "{title}");
        assert_eq!(invoice.text, text.to_lowercase());
    }
}

fn hops(hint: &super::RouteHint) -> Vec<Hop> {
    let hop = |hop: &super::RouteHintHop| Hop {
        node_id: hop.node_id.to_string(),
        short_channel_id: hop.short_channel_id.to_string(),
        fee_base_msat: hop.fee_base_msat,
        fee_proportional_millionths: hop.fee_proportional_millionths,
        cltv_expiry_delta: hop.cltv_expiry_delta.0,
    };
    hint.hops.iter().map(hop).collect()
}

#[test]
fn invalid_examples_fail_for_the_reason_of_their_title() {
    let examples = examples();
    assert_eq!((examples.invalid.len(), examples.contradicted.len()), (10, 1));
    for Invalid { title, invoice, error } in examples.invalid.into_iter().chain(examples.contradicted) {
        let found = parse(Network::Bitcoin, &invoice).expect_err(&title);
        assert_eq!(format!("{found:?}"), error, "{title}");
    }
}

#[test]
fn the_reader_of_lightning_invoice_agrees_on_the_valid_examples() {
    for Valid { title, invoice: text, .. } in examples().valid {
        let ours = Invoice::decode(&text).unwrap();
        let theirs: lightning_invoice::Bolt11Invoice =
            text.parse().unwrap_or_else(|e| panic!("{title}: {e}"));
        assert_eq!(ours.payee, theirs.get_payee_pub_key(), "{title}");
        assert_eq!(ours.amount.map(|amount| amount.to_msat()), theirs.amount_milli_satoshis(), "{title}");
        assert_eq!(ours.payment_secret.0, theirs.payment_secret().0, "{title}");
        assert_eq!(u64::from(ours.min_final_cltv_expiry_delta.0), theirs.min_final_cltv_expiry_delta());
    }
}
