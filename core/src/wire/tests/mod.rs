//! Tests of the codecs.

pub(crate) mod draw;
mod round_trip;
mod rules;
mod vectors;
