use super::{HEADER, Row, csv, drawn};
use kite_wallet::api::{Direction, Payment, PaymentFailure, PaymentKind, PaymentStatus};

fn payment() -> Payment {
    Payment {
        id: "00ff".into(),
        kind: PaymentKind::Lightning,
        direction: Direction::Outgoing,
        status: PaymentStatus::Succeeded,
        amount_msat: 20_000_500,
        fee_msat: Some(1_000),
        payment_hash: Some("aa".into()),
        preimage: Some("bb".into()),
        invoice: Some("lnbcrt1".into()),
        description: Some("tea, \"green\"".into()),
        note: None,
        created_at_secs: 0,
        settled_at_secs: Some(60),
        hops: Some(2),
        failure: None,
        txid: None,
        confirmations: None,
        close: None,
        took_millis: None,
    }
}

#[test]
fn csv_is_rfc_4180() {
    let text = String::from_utf8(csv(&[payment()]).expect("written")).expect("text");
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert_eq!(
        lines[1],
        "1970-01-01T00:00:00Z,1970-01-01T00:01:00Z,lightning,outgoing,succeeded,20000500,1000,\
         \"tea, \"\"green\"\"\",,aa,bb,,,,,00ff"
    );
    assert_eq!(lines[2], "");
}

#[test]
fn csv_without_payments_has_its_header() {
    let text = String::from_utf8(csv(&[]).expect("written")).expect("text");
    assert_eq!(text, format!("{}\r\n", HEADER.join(",")));
}

#[test]
fn the_header_names_the_fields_of_a_row() {
    let payment = payment();
    let row = serde_json::to_string(&Row::of(&payment)).expect("json");
    let names: Vec<String> = HEADER.iter().map(|name| format!("\"{name}\":")).collect();
    let places: Vec<Option<usize>> = names.iter().map(|name| row.find(name)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{row}");
    assert_eq!(row.matches("\":").count(), HEADER.len(), "{row}");
}

#[test]
fn no_text_of_a_stranger_is_a_formula() {
    for text in ["=1+1", "+1", "-1", "@sum"] {
        let payment = Payment { description: Some(text.into()), ..payment() };
        let text = format!(",'{text},");
        assert!(String::from_utf8(csv(&[payment]).expect("written")).expect("text").contains(&text));
    }
}

#[test]
fn a_table_tells_what_happened() {
    let failed = Payment {
        status: PaymentStatus::Failed,
        fee_msat: None,
        failure: Some(PaymentFailure { code: "no_route".into(), reason: "no".into() }),
        ..payment()
    };
    let text = drawn(&[payment(), failed]);
    assert!(
        text.contains("paid") && text.contains("-20 000.5 sat") && text.contains("tea, \"green\""),
        "{text}"
    );
    assert!(text.contains("failed no_route"), "{text}");
}
