mod close;
#[cfg(feature = "count-ops")]
mod cost;
mod fee;
mod harness;
mod htlc;
mod loss;
mod open;
mod random;
mod reestablish;
mod rows;
mod table;
