//! Every case does on both sides what it measures. Nothing is timed.

use kite_bench::cases::{CASES, CURVE};
use kite_bench::meter::{Meter, Mode};

#[test]
fn every_case_runs() {
    let mut meter = Meter::new(Mode::Once);
    for case in CASES.iter().chain([&CURVE]) {
        (case.run)(&mut meter);
    }
    let (readings, _) = meter.into_readings();
    let names: Vec<&str> = readings.iter().map(|reading| reading.name.as_str()).collect();
    // Where there are no invoices, their case says so and is left out.
    for row in CASES.iter().flat_map(|case| case.rows).filter(|row| row.name != "invoice parse") {
        for side in ["kite", "ldk"] {
            let is_measured = names.contains(&format!("{}/{side}", row.name).as_str());
            assert!(is_measured || (side == "ldk" && row.against.is_some()), "{}/{side}", row.name);
        }
    }
}
