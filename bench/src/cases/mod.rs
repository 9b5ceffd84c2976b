//! What is measured.

mod cold_start;
mod curve;
mod invoice;
mod onion;
mod payment;
mod transport;

pub use curve::Floor;

use crate::meter::Meter;

/// A piece of work that both sides do.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// What `--case` calls it.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Does it, through the meter.
    pub run: fn(&mut Meter),
    /// The rows that its sections make.
    pub rows: &'static [Row],
}

/// Two sections that are compared: `NAME/kite` and `NAME/ldk`.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The name of the sections, and of the row.
    pub name: &'static str,
    /// Whose `ldk` section it is compared with, where LDK does not tell the two apart.
    pub against: Option<&'static str>,
    /// How much of LDK's instructions it may cost.
    pub goal: Option<f64>,
    /// The curve operations without which it cannot be done.
    pub floor: Option<Floor>,
}

const fn row(name: &'static str) -> Row {
    Row { name, against: None, goal: None, floor: None }
}

/// The primitives, which every run needs for the floors.
pub const CURVE: Case =
    Case { name: "curve", about: "libsecp256k1 itself: the floor", run: curve::run, rows: &[] };

/// All others.
pub const CASES: &[Case] = &[payment::CASE, onion::CASE, invoice::CASE, transport::CASE, cold_start::CASE];
