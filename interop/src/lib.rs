//! Kite against another implementation: an LDK node that lives in the test process, without sockets, threads or clock.

pub mod ldk;
pub mod meeting;
