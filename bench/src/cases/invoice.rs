//! Real invoices, parsed and their signatures checked.

use super::{Case, Floor, Row};
use crate::meter::Meter;
use kite_core::invoice::Invoice;
use lightning_invoice::Bolt11Invoice;
use std::hint::black_box;
use std::path::PathBuf;
use std::str::FromStr;

pub(super) const CASE: Case = Case {
    name: "invoice",
    about: "BOLT 11 text to a checked invoice, over all of ../shared/data/bolt11-valid.txt",
    run,
    rows: &[Row {
        name: "invoice parse",
        against: None,
        goal: Some(0.80),
        floor: Some(Floor { sign: 0, verify: 0, recover: 1, ecdh: 0, create: 0, mul: 0, table: 0, parse: 0 }),
    }],
};

fn file() -> PathBuf {
    // `cargo run` sets it at run time; the build-time value would name another clone when a target folder is shared.
    let room = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    PathBuf::from(room).join("../../shared/data/bolt11-valid.txt")
}

fn run(meter: &mut Meter) {
    let path = file();
    let Ok(text) = std::fs::read_to_string(&path) else {
        meter.note(format!("left out: `invoice parse`, because {} is not there", path.display()));
        return;
    };
    let all: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let both = |text: &&str| Invoice::decode(text).is_ok() && Bolt11Invoice::from_str(text).is_ok();
    let taken: Vec<&str> =
        all.iter().copied().filter(both).take(meter.pick(all.len(), all.len(), 5)).collect();
    meter.note(format!("invoices: {} of {} in the file, which both sides accept", taken.len(), all.len()));
    for _ in 0..meter.pick(5, 1, 1) {
        meter.measure("invoice parse/kite", taken.len(), || {
            taken.iter().for_each(|text| drop(black_box(Invoice::decode(text))));
        });
        meter.measure("invoice parse/ldk", taken.len(), || {
            taken.iter().for_each(|text| drop(black_box(Bolt11Invoice::from_str(text))));
        });
    }
}
