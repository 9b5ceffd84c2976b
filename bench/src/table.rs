//! The result, for a person.

use crate::cases::{Case, Row};
use crate::meter::Reading;

/// What the values of a table are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds of CPU time.
    Nanos,
    /// Instructions.
    Instructions,
}

/// One table, a line a row. The goals are for instructions.
pub fn table(unit: Unit, cases: &[&Case], readings: &[Reading]) -> String {
    let mut lines = vec![line(["", "Kite", "LDK", "ratio", "goal", "floor"].map(str::to_owned))];
    for row in cases.iter().flat_map(|case| case.rows) {
        lines.extend(row_line(unit, row, readings));
    }
    lines.join("\n")
}

/// The primitives.
pub fn curve(unit: Unit, readings: &[Reading]) -> String {
    let of_curve = readings.iter().filter_map(|reading| {
        let name = reading.name.strip_prefix("curve/")?;
        Some(format!("{name} {}", shown(unit, reading.value)))
    });
    of_curve.collect::<Vec<_>>().join(", ")
}

fn row_line(unit: Unit, row: &Row, readings: &[Reading]) -> Option<String> {
    let value = |name: &str, side: &str| {
        readings.iter().find(|reading| reading.name == format!("{name}/{side}")).map(|reading| reading.value)
    };
    let kite = value(row.name, "kite")?;
    let ldk = value(row.against.unwrap_or(row.name), "ldk");
    let floor = row.floor.and_then(|floor| floor.cost(readings));
    let goal = row.goal.filter(|_| unit == Unit::Instructions);
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    Some(line([
        row.name.to_owned(),
        shown(unit, kite),
        or_none(ldk.map(|ldk| shown(unit, ldk))),
        or_none(ldk.map(|ldk| format!("{:.3}", kite / ldk))),
        or_none(goal.map(|goal| format!("{goal:.2}"))),
        or_none(floor.map(|floor| shown(unit, floor))),
    ]))
}

fn line([name, values @ ..]: [String; 6]) -> String {
    let values: Vec<String> = values.iter().map(|value| format!("{value:>11}")).collect();
    format!("{name:<31}{}", values.join(" "))
}

fn shown(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Nanos if value >= 1e6 => format!("{:.3} ms", value / 1e6),
        Unit::Nanos => format!("{:.1} us", value / 1e3),
        Unit::Instructions if value >= 1e6 => format!("{:.2} M", value / 1e6),
        Unit::Instructions => format!("{:.1} k", value / 1e3),
    }
}
