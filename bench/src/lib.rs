//! What Kite costs, side by side with LDK: one process, the same inputs, the same minute.
//!
//! A case runs the same work on both sides and gives it to a [`meter::Meter`], which takes its time, or lets callgrind
//! count its instructions, or just runs it. `docs/performance.md` says what is measured and how.

pub mod callgrind;
pub mod cases;
pub mod kite;
pub mod ldk;
pub mod meter;
pub mod table;
