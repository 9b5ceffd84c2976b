//! Onion packets: built for 1 to 20 hops, and peeled by the payee.

use super::{Case, Floor, Row};
use crate::kite::AMOUNT_MSAT;
use crate::meter::Meter;
use bitcoin::hashes::{Hash, sha256};
use bitcoin::secp256k1::{All, PublicKey, Secp256k1, SecretKey};
use kite_core::onion::{HopPayload, build_packet, peel};
use kite_core::types::{CltvExpiry, MilliSatoshi, PaymentHash, PaymentSecret, ShortChannelId};
use kite_core::{crypto, onion};
use lightning::ln::channelmanager::RecipientOnionFields;
use lightning::ln::msgs::UpdateAddHTLC;
use lightning::ln::onion_payment::peel_payment_onion;
use lightning::ln::types::ChannelId;
use lightning::routing::router::{Path, RouteHop};
use lightning::sign::{KeysManager, NodeSigner, Recipient};
use lightning::types::features::{ChannelFeatures, NodeFeatures};
use lightning::util::logger::{Logger, Record};
use std::hint::black_box;

const HOPS: [usize; 5] = [1, 3, 5, 10, 20];
const HEIGHT: u32 = 800_000;
const DELTA: u32 = 40;
const HASH: [u8; 32] = [0x66; 32];
const SECRET: [u8; 32] = [0x42; 32];

const fn build(name: &'static str, hops: u32) -> Row {
    // One point for the first hop, and one each for the others but the last.
    let create = if hops > 1 { hops - 1 } else { 1 };
    let floor = Floor { sign: 0, verify: 0, recover: 0, ecdh: hops, create, mul: 0, table: 0, parse: 0 };
    Row { name, against: None, goal: Some(0.80), floor: Some(floor) }
}

pub(super) const CASE: Case = Case {
    name: "onion",
    about: "packets for 1, 3, 5, 10 and 20 hops, and the payee's look into one",
    run,
    rows: &[
        build("onion build, 1 hop", 1),
        build("onion build, 3 hops", 3),
        build("onion build, 5 hops", 5),
        build("onion build, 10 hops", 10),
        build("onion build, 20 hops", 20),
        Row {
            name: "onion peel",
            against: None,
            goal: None,
            floor: Some(Floor {
                sign: 0,
                verify: 0,
                recover: 0,
                ecdh: 1,
                create: 0,
                mul: 0,
                table: 0,
                parse: 0,
            }),
        },
    ],
};

fn run(meter: &mut Meter) {
    let secp = Secp256k1::new();
    let payee = KeysManager::new(&[7; 32], 7, 0, true);
    let session_key = SecretKey::from_slice(&[0x41; 32]).expect("a key");
    for (hops, row) in HOPS.into_iter().zip(CASE.rows) {
        let nodes = nodes(&secp, hops, &payee);
        let times = meter.pick(10, 2, 1);
        for _ in 0..meter.pick(10, 1, 1) {
            meter.measure(&format!("{}/kite", row.name), times, || {
                (0..times).for_each(|_| drop(black_box(kite_builds(&session_key, &nodes))));
            });
            let path = path(&nodes);
            meter.measure(&format!("{}/ldk", row.name), times, || {
                (0..times).for_each(|_| _ = black_box(ldk_builds(&secp, &session_key, &path)));
            });
        }
    }
    peels(meter, &secp, &payee, &session_key);
}

/// The nodes of a route that ends at the payee.
fn nodes(secp: &Secp256k1<All>, hops: usize, payee: &KeysManager) -> Vec<PublicKey> {
    let forwarding = (1..hops).map(|hop| {
        let secret = sha256::Hash::hash(&hop.to_be_bytes()).to_byte_array();
        PublicKey::from_secret_key(secp, &SecretKey::from_slice(&secret).expect("a key"))
    });
    forwarding.chain([payee.get_node_id(Recipient::Node).expect("every node has an id")]).collect()
}

fn kite_builds(session_key: &SecretKey, nodes: &[PublicKey]) -> (onion::Packet, Vec<onion::SharedSecret>) {
    let expiry = |blocks| CltvExpiry::new(HEIGHT + blocks).expect("a height");
    let amount = MilliSatoshi::from_msat(AMOUNT_MSAT);
    let last = nodes.len() - 1;
    let hops: Vec<_> = (0..)
        .zip(nodes)
        .map(|(index, node)| {
            let payload = if index == last {
                HopPayload::Final {
                    amt_to_forward: amount,
                    outgoing_cltv_value: expiry(DELTA),
                    payment_secret: Some(PaymentSecret(SECRET)),
                    total_msat: amount,
                    payment_metadata: None,
                }
            } else {
                HopPayload::Intermediate {
                    amt_to_forward: amount,
                    outgoing_cltv_value: expiry(DELTA),
                    short_channel_id: ShortChannelId(index as u64),
                }
            };
            (*node, payload.encode())
        })
        .collect();
    build_packet(session_key, &hops, &PaymentHash(HASH)).expect("a route that fits")
}

fn path(nodes: &[PublicKey]) -> Path {
    let last = nodes.len() - 1;
    let hops = (0..).zip(nodes).map(|(index, node)| RouteHop {
        pubkey: *node,
        node_features: NodeFeatures::empty(),
        short_channel_id: index as u64,
        channel_features: ChannelFeatures::empty(),
        fee_msat: if index == last { AMOUNT_MSAT } else { 1_000 },
        cltv_expiry_delta: DELTA,
        maybe_announced_channel: false,
    });
    Path { hops: hops.collect(), blinded_tail: None }
}

fn ldk_builds(
    secp: &Secp256k1<All>,
    session_key: &SecretKey,
    path: &Path,
) -> (lightning::ln::msgs::OnionPacket, u64, u32) {
    let onion = RecipientOnionFields::secret_only(lightning::types::payment::PaymentSecret(SECRET));
    let hash = lightning::types::payment::PaymentHash(HASH);
    lightning::ln::create_payment_onion(
        secp,
        path,
        session_key,
        AMOUNT_MSAT,
        &onion,
        HEIGHT,
        &hash,
        &None,
        None,
        [3; 32],
    )
    .expect("a route that fits")
}

fn peels(meter: &mut Meter, secp: &Secp256k1<All>, payee: &KeysManager, session_key: &SecretKey) {
    let nodes = nodes(secp, 1, payee);
    let packet = kite_builds(session_key, &nodes).0;
    let secret = payee.get_node_secret_key();
    let add = UpdateAddHTLC {
        channel_id: ChannelId([0; 32]),
        htlc_id: 0,
        amount_msat: AMOUNT_MSAT,
        payment_hash: lightning::types::payment::PaymentHash(HASH),
        cltv_expiry: HEIGHT + DELTA,
        skimmed_fee_msat: None,
        onion_routing_packet: ldk_builds(secp, session_key, &path(&nodes)).0,
        blinding_point: None,
        hold_htlc: None,
    };
    let times = meter.pick(20, 4, 1);
    for _ in 0..meter.pick(10, 1, 1) {
        meter.measure("onion peel/kite", times, || {
            for _ in 0..times {
                let peeled = peel(&packet, &secret, &PaymentHash(HASH)).expect("it is for this node");
                assert!(peeled.hop_payload().is_ok());
            }
        });
        meter.measure("onion peel/ldk", times, || {
            for _ in 0..times {
                let peeled = peel_payment_onion(&add, payee, Silence, secp, HEIGHT - 100, false);
                assert!(peeled.is_ok());
            }
        });
    }
    // The same secret, so that both peel the same.
    assert_eq!(crypto::ec::public_key(&secret), nodes[0]);
}

struct Silence;

impl std::ops::Deref for Silence {
    type Target = Self;

    fn deref(&self) -> &Self {
        self
    }
}

impl Logger for Silence {
    fn log(&self, _: Record<'_>) {}
}
