mod close;
#[cfg(feature = "count-ops")]
mod cost;
mod fee;
mod harness;
mod htlc;
mod loss;
mod onchain;
mod open;
mod penalty;
mod random;
mod reestablish;
mod rows;
mod skyline;
mod table;
mod unsigned;
