//! Small graphs drawn at random, compared with a search through every way.

use super::{HEIGHT, add, ask, first_hop, id, msat};
use crate::gossip::{ForwardingPolicy, Graph};
use crate::route::{FirstHop, Route, RouteError};
use crate::types::{CltvExpiryDelta, ShortChannelId};
use proptest::prelude::*;

const NODES: u8 = 6;
const PAYEE: u8 = NODES;

#[derive(Clone, Debug)]
struct DrawnChannel {
    nodes: [u8; 2],
    policies: [Option<ForwardingPolicy>; 2],
}

prop_compose! {
    fn drawn_policy(max_minimum: u64)(
        base in 0u32..3_000,
        millionths in prop_oneof![0u32..5_000, 0u32..500_000],
        delta in 0u16..200,
        minimum in 0..=max_minimum,
        maximum in 500_000u64..4_000_000,
        disabled in prop::bool::weighted(0.1),
    ) -> ForwardingPolicy {
        ForwardingPolicy {
            timestamp: 1,
            disabled,
            fee_base_msat: base,
            fee_proportional_millionths: millionths,
            cltv_expiry_delta: CltvExpiryDelta(delta),
            htlc_minimum: msat(minimum),
            htlc_maximum: msat(maximum),
        }
    }
}

fn drawn_channel(max_minimum: u64) -> impl Strategy<Value = DrawnChannel> {
    let policies = [(); 2].map(|()| prop::option::weighted(0.9, drawn_policy(max_minimum)));
    (1..=NODES, 1..NODES, policies)
        .prop_map(|(a, step, policies)| DrawnChannel { nodes: [a, (a - 1 + step) % NODES + 1], policies })
}

fn graph(channels: &[DrawnChannel]) -> Graph {
    let mut graph = Graph::default();
    for (name, channel) in (0..).zip(channels) {
        add(&mut graph, name, channel.nodes, channel.policies);
    }
    graph
}

/// What must arrive at `node` so that `amount` arrives at the payee, over the cheapest way; blocks and hops are no matter.
fn cheapest_first_amount(channels: &[DrawnChannel], peers: &[FirstHop], amount: u64) -> Option<u64> {
    fn walk(
        channels: &[DrawnChannel],
        peers: &[FirstHop],
        node: u8,
        amount: u64,
        visited: &mut Vec<u8>,
        best: &mut Option<u64>,
    ) {
        if peers.iter().any(|hop| hop.peer == id(node) && amount <= hop.max_htlc.to_msat()) {
            *best = Some(best.map_or(amount, |best: u64| best.min(amount)));
        }
        visited.push(node);
        for channel in channels {
            for (place, policy) in channel.policies.iter().enumerate() {
                let (from, to) = (channel.nodes[place], channel.nodes[1 - place]);
                let Some(policy) = policy.filter(|policy| !policy.disabled) else { continue };
                if to != node || visited.contains(&from) || amount > policy.htlc_maximum.to_msat() {
                    continue;
                }
                let fee = u64::from(policy.fee_base_msat)
                    + amount * u64::from(policy.fee_proportional_millionths) / 1_000_000;
                walk(channels, peers, from, amount + fee, visited, best);
            }
        }
        visited.pop();
    }
    let mut best = None;
    walk(channels, peers, PAYEE, amount, &mut Vec::new(), &mut best);
    best
}

/// Plays every node of the way: what arrives must be enough for what it passes on.
fn check(route: &Route, channels: &[DrawnChannel], amount: u64) -> Result<(), TestCaseError> {
    let last = route.hops.last().unwrap();
    prop_assert_eq!((last.node_id, last.amount), (id(PAYEE), msat(amount)));
    prop_assert_eq!(last.cltv_expiry.blocks_from(HEIGHT), 60);
    for pair in route.hops.windows(2) {
        let (incoming, outgoing) = (&pair[0], &pair[1]);
        let ShortChannelId(name) = outgoing.short_channel_id;
        let channel = &channels[usize::try_from(name).unwrap()];
        let place = usize::from(id(channel.nodes[0]) != incoming.node_id);
        prop_assert_eq!(id(channel.nodes[place]), incoming.node_id);
        prop_assert_eq!(id(channel.nodes[1 - place]), outgoing.node_id);
        let policy = channel.policies[place].unwrap();
        prop_assert!(!policy.disabled);
        prop_assert!(policy.htlc_minimum <= outgoing.amount && outgoing.amount <= policy.htlc_maximum);
        let forwarded = outgoing.amount.to_msat();
        let fee = u64::from(policy.fee_base_msat)
            + forwarded * u64::from(policy.fee_proportional_millionths) / 1_000_000;
        prop_assert_eq!(incoming.amount.to_msat(), forwarded + fee);
        let blocks = incoming.cltv_expiry.height() - outgoing.cltv_expiry.height();
        prop_assert_eq!(blocks, u32::from(policy.cltv_expiry_delta.0));
    }
    let mut seen: Vec<_> = route.hops.iter().map(|hop| hop.node_id).collect();
    seen.sort();
    seen.dedup();
    prop_assert_eq!(seen.len(), route.hops.len(), "no node twice");
    prop_assert_eq!(route.hops[0].amount.to_msat(), amount + route.fee.to_msat());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_way_is_found_where_there_is_one_and_the_cheapest_where_it_must_be(
        channels in prop::collection::vec(drawn_channel(0), 0..14),
        amount in 1_000u64..1_500_000,
        balances in [400_000u64..4_000_000, 400_000u64..4_000_000],
    ) {
        let graph = graph(&channels);
        let peers = [first_hop(0, 1, balances[0]), first_hop(1, 2, balances[1])];
        let best = cheapest_first_amount(&channels, &peers, amount);
        let mut asked = ask(PAYEE, amount);
        match (asked.find(&graph, &peers), best) {
            (Ok(route), Some(best)) => {
                check(&route, &channels, amount)?;
                let hop = &peers[usize::try_from(route.first_hop).unwrap()];
                prop_assert!(route.hops[0].amount <= hop.max_htlc);
                prop_assert!(route.fee.to_msat() >= best - amount);
                // The same again, and within the limit that only the cheapest way keeps.
                prop_assert_eq!(asked.find(&graph, &peers), Ok(route));
                asked.max_fee = best - amount;
                let cheapest = asked.find(&graph, &peers).unwrap();
                check(&cheapest, &channels, amount)?;
                prop_assert_eq!(cheapest.fee.to_msat(), best - amount);
                if let Some(limit) = (best - amount).checked_sub(1) {
                    asked.max_fee = limit;
                    let expected = RouteError::FeeTooHigh { cheapest: cheapest.fee, limit: msat(limit) };
                    prop_assert_eq!(asked.find(&graph, &peers), Err(expected));
                }
            }
            (Err(_), None) => {}
            (found, expected) => prop_assert!(false, "{:?} where {:?} is best", found, expected),
        }
    }

    #[test]
    fn every_route_can_be_forwarded(
        channels in prop::collection::vec(drawn_channel(1_000_000), 0..14),
        amount in 1_000u64..1_500_000,
        max_fee in 0u64..200_000,
        max_cltv in 60u32..700,
        max_hops in 1usize..6,
    ) {
        let mut asked = ask(PAYEE, amount);
        (asked.max_fee, asked.max_cltv, asked.max_hops) = (max_fee, max_cltv, max_hops);
        let peers = [first_hop(0, 1, 2_000_000), first_hop(1, 2, 3_000_000)];
        if let Ok(route) = asked.find(&graph(&channels), &peers) {
            check(&route, &channels, amount)?;
            prop_assert!(route.fee.to_msat() <= max_fee);
            prop_assert!(route.hops[0].cltv_expiry.blocks_from(HEIGHT) <= max_cltv);
            prop_assert!(route.hops.len() <= max_hops);
        }
    }
}
