//! Tests of the codecs.

mod draw;
mod round_trip;
mod rules;
mod vectors;
