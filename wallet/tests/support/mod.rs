//! What the wallet's tests run on: a clock, and a chain server that can misbehave.
#![allow(dead_code, reason = "every test binary uses a part of it")]

pub mod clock;
pub mod config;
pub mod device;
pub mod esplora;
pub mod world;
