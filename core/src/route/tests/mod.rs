//! Graphs drawn by hand, and many drawn at random.

mod find;
mod lessons;
mod properties;

use crate::crypto::ec;
use crate::gossip::{ForwardingPolicy, Graph};
use crate::invoice::{RouteHint, RouteHintHop};
use crate::route::{
    DEFAULT_MAX_CLTV, DEFAULT_MAX_HOPS, FirstHop, Lessons, Route, RouteError, RouteRequest, find_route,
};
use crate::types::{CltvExpiryDelta, MilliSatoshi, ShortChannelId};
use bitcoin::secp256k1::{PublicKey, SecretKey};
use std::sync::OnceLock;

const HEIGHT: u32 = 800_000;

fn key(number: u8) -> SecretKey {
    SecretKey::from_slice(&[number; 32]).unwrap()
}

/// The public key of a key whose bytes are all this number; each is made once.
fn id(number: u8) -> PublicKey {
    static IDS: OnceLock<Vec<PublicKey>> = OnceLock::new();
    let make = |number| ec::public_key(&key(number));
    IDS.get_or_init(|| (1..100).map(make).collect())[usize::from(number) - 1]
}

const fn msat(msat: u64) -> MilliSatoshi {
    MilliSatoshi::from_msat(msat)
}

fn policy(fee_base_msat: u32, fee_proportional_millionths: u32, delta: u16) -> ForwardingPolicy {
    ForwardingPolicy {
        timestamp: 1,
        disabled: false,
        fee_base_msat,
        fee_proportional_millionths,
        cltv_expiry_delta: CltvExpiryDelta(delta),
        htlc_minimum: msat(0),
        htlc_maximum: msat(1_000_000_000_000),
    }
}

/// A channel with the policies of both its nodes, in the order they are named here.
fn add(graph: &mut Graph, name: u64, nodes: [u8; 2], policies: [Option<ForwardingPolicy>; 2]) {
    let ids = nodes.map(|node| id(node).serialize());
    let is_ordered = ids[0] < ids[1];
    let ids = if is_ordered { ids } else { [ids[1], ids[0]] };
    assert!(graph.add_channel(ShortChannelId(name), ids, false, 0));
    for (place, policy) in policies.into_iter().enumerate() {
        let direction = if is_ordered { place } else { 1 - place };
        if let Some(policy) = policy {
            graph.set_policy(ShortChannelId(name), direction, policy);
        }
    }
}

fn first_hop(channel: u32, peer: u8, max_htlc: u64) -> FirstHop {
    FirstHop {
        channel,
        short_channel_id: ShortChannelId(900 + u64::from(channel)),
        peer: id(peer),
        max_htlc: msat(max_htlc),
        min_htlc: msat(1),
    }
}

/// A hint of `(node, channel, base fee, delta)`, each node with the channel it forwards into.
fn hint(hops: &[(u8, u64, u32, u16)]) -> RouteHint {
    let hops = hops.iter().map(|(node, name, fee_base_msat, delta)| RouteHintHop {
        node_id: id(*node),
        short_channel_id: ShortChannelId(*name),
        fee_base_msat: *fee_base_msat,
        fee_proportional_millionths: 0,
        cltv_expiry_delta: CltvExpiryDelta(*delta),
    });
    RouteHint { hops: hops.collect() }
}

/// What is asked for in most tests; the fields are changed where they matter.
struct Asked {
    payee: u8,
    amount: u64,
    max_fee: u64,
    max_cltv: u32,
    max_hops: usize,
    hints: Vec<RouteHint>,
    lessons: Lessons,
}

fn ask(payee: u8, amount: u64) -> Asked {
    Asked {
        payee,
        amount,
        max_fee: u64::MAX,
        max_cltv: DEFAULT_MAX_CLTV,
        max_hops: DEFAULT_MAX_HOPS,
        hints: Vec::new(),
        lessons: Lessons::default(),
    }
}

impl Asked {
    fn find(&self, graph: &Graph, first_hops: &[FirstHop]) -> Result<Route, RouteError> {
        find_route(
            graph,
            first_hops,
            &RouteRequest {
                payee: id(self.payee),
                amount: msat(self.amount),
                max_fee: msat(self.max_fee),
                final_cltv_expiry_delta: 18,
                height: HEIGHT,
                shadow_cltv_offset: 42,
                route_hints: &self.hints,
                lessons: &self.lessons,
                max_cltv: self.max_cltv,
                max_hops: self.max_hops,
            },
        )
    }
}

/// `(channel, amount, blocks from now)` of each hop.
fn steps(route: &Route) -> Vec<(u64, u64, u32)> {
    let step = |hop: &crate::route::RouteHop| {
        (hop.short_channel_id.0, hop.amount.to_msat(), hop.cltv_expiry.blocks_from(HEIGHT))
    };
    route.hops.iter().map(step).collect()
}

fn nodes(route: &Route) -> Vec<PublicKey> {
    route.hops.iter().map(|hop| hop.node_id).collect()
}
