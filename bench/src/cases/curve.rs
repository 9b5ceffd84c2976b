//! libsecp256k1 by itself: what nobody gets below who calls it.

use crate::meter::{Meter, Reading};
use bitcoin::secp256k1::{All, Message, PublicKey, Scalar, Secp256k1, SecretKey, ecdh::SharedSecret};
use kite_core::crypto::ec;
use std::hint::black_box;

/// Curve operations that a piece of work needs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Floor {
    pub(super) sign: u32,
    pub(super) verify: u32,
    pub(super) recover: u32,
    pub(super) ecdh: u32,
    /// Points made from secrets.
    pub(super) create: u32,
    /// Products of a point.
    pub(super) mul: u32,
    /// A point and a product of the generator, from the table of its multiples.
    pub(super) table: u32,
    /// Points read from their bytes.
    pub(super) parse: u32,
}

impl Floor {
    /// What they cost, by the readings of this run; unset where one was not measured.
    pub fn cost(&self, readings: &[Reading]) -> Option<f64> {
        let parts = [
            ("sign", self.sign),
            ("verify", self.verify),
            ("recover", self.recover),
            ("ecdh", self.ecdh),
            ("create", self.create),
            ("mul", self.mul),
            ("table", self.table),
            ("parse", self.parse),
        ];
        parts
            .iter()
            .map(|(name, count)| {
                let cost = readings.iter().find(|reading| reading.name == format!("curve/{name}"))?;
                Some(f64::from(*count) * cost.value)
            })
            .sum()
    }
}

pub(super) fn run(meter: &mut Meter) {
    let secp: Secp256k1<All> = Secp256k1::new();
    let times = meter.pick(200, 20, 1);
    let rounds = meter.pick(10, 1, 1);
    let key = |byte| SecretKey::from_slice(&[byte; 32]).expect("a key");
    let (secret, other) = (key(0x5a), key(0x3c));
    let (point, scalar) = (PublicKey::from_secret_key(&secp, &other), Scalar::from_be_bytes([0x77; 32]));
    let scalar = scalar.expect("below the order");
    let message = Message::from_digest([0x42; 32]);
    let signature = secp.sign_ecdsa(&message, &secret);
    let recoverable = secp.sign_ecdsa_recoverable(&message, &secret);
    let public = PublicKey::from_secret_key(&secp, &secret);
    let bytes = public.serialize();
    let from_table = || black_box(ec::add_scalar_to_point(&point, &[0x77; 32]));
    // Until the table pays.
    (0..2_000).for_each(|_| _ = from_table());
    ec::generator().prepare();
    for _ in 0..rounds {
        let mut each = |name: &str, work: &dyn Fn()| {
            meter.measure(&format!("curve/{name}"), times, || (0..times).for_each(|_| work()));
        };
        each("sign", &|| _ = black_box(secp.sign_ecdsa(&message, &secret)));
        each("verify", &|| secp.verify_ecdsa(&message, &signature, &public).expect("it is valid"));
        each("recover", &|| _ = black_box(secp.recover_ecdsa(&message, &recoverable)));
        each("ecdh", &|| _ = black_box(SharedSecret::new(&point, &secret)));
        each("create", &|| _ = black_box(PublicKey::from_secret_key(&secp, &secret)));
        each("mul", &|| _ = black_box(point.mul_tweak(&secp, &scalar)));
        each("tweak", &|| _ = black_box(point.add_exp_tweak(&secp, &scalar)));
        each("table", &|| _ = from_table());
        each("combine", &|| _ = black_box(point.combine(&public)));
        each("parse", &|| _ = black_box(PublicKey::from_slice(&bytes)));
    }
}
