//! The same names in JSON as in JavaScript.

use kite_api_tests::{Parsed, Payment, SampleError, Status};
use serde_json::json;

#[test]
fn a_record_is_an_object_with_camel_case_names() {
    let payment = Payment {
        payment_hash: "00".to_owned(),
        amount_msat: u64::MAX,
        note: None,
        fee_msat: Some(1),
        status: Status::InFlight,
        channels: Vec::new(),
    };
    let expected = json!({
        "paymentHash": "00", "amountMsat": u64::MAX, "note": null, "feeMsat": 1, "status": "inFlight", "channels": [],
    });
    assert_eq!(serde_json::to_value(&payment).expect("json"), expected);
    assert_eq!(serde_json::from_value::<Payment>(expected).expect("payment"), payment);
}

#[test]
fn an_enumeration_with_fields_names_its_type() {
    let parsed = Parsed::BitcoinAddress { address: "bc1".to_owned(), amount_sat: Some(2) };
    let expected = json!({ "type": "bitcoinAddress", "address": "bc1", "amountSat": 2 });
    assert_eq!(serde_json::to_value(&parsed).expect("json"), expected);
}

#[test]
fn an_error_names_its_kind() {
    let error = SampleError::InvoiceExpired { expired_at_secs: 3 };
    assert_eq!(
        serde_json::to_value(&error).expect("json"),
        json!({ "kind": "invoiceExpired", "expiredAtSecs": 3 })
    );
}
