//! Payments as state machines.
