//! One test a rule.

use super::{add, ask, first_hop, hint, id, msat, nodes, policy, steps};
use crate::gossip::{ForwardingPolicy, Graph};
use crate::route::RouteError;
use crate::types::ShortChannelId;

/// The example of BOLT 7, Recommendations for Routing: A (1) pays C (3), over B (2) or D (4).
fn bolt07() -> Graph {
    let [a, b, c, d] =
        [policy(100, 1000, 10), policy(200, 2000, 20), policy(300, 3000, 30), policy(400, 4000, 40)]
            .map(Some);
    let mut graph = Graph::default();
    add(&mut graph, 12, [1, 2], [a, b]);
    add(&mut graph, 14, [1, 4], [a, d]);
    add(&mut graph, 23, [2, 3], [b, c]);
    add(&mut graph, 43, [4, 3], [d, c]);
    graph
}

#[test]
fn the_example_of_bolt_7() {
    let graph = bolt07();
    let asked = ask(3, 4_999_999);
    let over_b = asked.find(&graph, &[first_hop(0, 2, 10_000_000), first_hop(1, 4, 10_000_000)]).unwrap();
    assert_eq!(steps(&over_b), [(900, 5_010_198, 20 + 18 + 42), (23, 4_999_999, 18 + 42)]);
    assert_eq!((over_b.first_hop, over_b.fee), (0, msat(10_199)));
    assert_eq!(nodes(&over_b), [id(2), id(3)]);
    let over_d = asked.find(&graph, &[first_hop(1, 4, 10_000_000)]).unwrap();
    assert_eq!(steps(&over_d), [(901, 5_020_398, 40 + 18 + 42), (43, 4_999_999, 18 + 42)]);
    // B pays C directly.
    let direct = asked.find(&graph, &[first_hop(5, 3, 5_000_000), first_hop(0, 2, 10_000_000)]).unwrap();
    assert_eq!(steps(&direct), [(905, 4_999_999, 18 + 42)]);
    assert_eq!((direct.first_hop, direct.fee), (5, msat(0)));
}

#[test]
fn the_smallest_of_our_channels_that_is_large_enough_is_used() {
    let hops = [first_hop(0, 3, 9_000), first_hop(1, 3, 5_000), first_hop(2, 3, 4_999)];
    assert_eq!(ask(3, 5_000).find(&Graph::default(), &hops).unwrap().first_hop, 1);
    assert_eq!(ask(3, 5_001).find(&Graph::default(), &hops).unwrap().first_hop, 0);
}

#[test]
fn a_channel_that_cannot_carry_it_is_not_used() {
    type Change = fn(&mut ForwardingPolicy);
    let cases: [(&str, Change); 3] = [
        ("disabled", |p| p.disabled = true),
        ("too small", |p| p.htlc_maximum = msat(999_999)),
        ("too large", |p| p.htlc_minimum = msat(1_000_001)),
    ];
    for (what, change) in cases {
        let mut graph = Graph::default();
        let mut cheap = policy(0, 0, 10);
        change(&mut cheap);
        add(&mut graph, 1, [2, 3], [Some(cheap), None]);
        let hops = [first_hop(0, 2, 10_000_000)];
        assert_eq!(ask(3, 1_000_000).find(&graph, &hops), Err(RouteError::NoPath), "{what}");
        add(&mut graph, 2, [2, 3], [Some(policy(5_000, 0, 10)), None]);
        assert_eq!(ask(3, 1_000_000).find(&graph, &hops).unwrap().fee, msat(5_000), "{what}");
    }
    // The policy of the other direction is of no use.
    let mut graph = Graph::default();
    add(&mut graph, 1, [2, 3], [None, Some(policy(0, 0, 10))]);
    assert_eq!(ask(3, 1_000).find(&graph, &[first_hop(0, 2, 10_000)]), Err(RouteError::NoPath));
}

#[test]
fn nothing_goes_through_what_requires_the_unknown() {
    let mut graph = bolt07();
    let b = graph.node(&id(2).serialize()).unwrap();
    graph.set_avoid(b, true, 1);
    let hops = [first_hop(0, 2, 10_000_000), first_hop(1, 4, 10_000_000)];
    assert_eq!(ask(3, 1_000).find(&graph, &hops).unwrap().first_hop, 1);
    // As a payee it may be paid.
    assert!(ask(2, 1_000).find(&graph, &[first_hop(1, 4, 10_000_000)]).is_ok());
    let mut graph = Graph::default();
    let ids = [id(2).serialize(), id(3).serialize()];
    let ids = if ids[0] < ids[1] { ids } else { [ids[1], ids[0]] };
    graph.add_channel(ShortChannelId(1), ids, true, 0);
    graph.set_policy(ShortChannelId(1), 0, policy(0, 0, 1));
    graph.set_policy(ShortChannelId(1), 1, policy(0, 0, 1));
    assert!(ask(3, 1_000).find(&graph, &hops).is_err());
}

#[test]
fn a_hint_that_starts_at_our_peer_needs_no_graph() {
    let mut asked = ask(9, 1_000_000);
    asked.hints = vec![hint(&[(2, 77, 1_500, 30)])];
    let route = asked.find(&Graph::default(), &[first_hop(0, 2, 2_000_000)]).unwrap();
    assert_eq!(steps(&route), [(900, 1_001_500, 30 + 60), (77, 1_000_000, 60)]);
    assert_eq!(nodes(&route), [id(2), id(9)]);
    assert_eq!(route.fee, msat(1_500));
}

#[test]
fn a_hint_of_several_hops_is_reached_over_the_graph() {
    let mut asked = ask(9, 1_000_000);
    asked.hints = vec![hint(&[(3, 77, 10, 5), (8, 78, 20, 6)]), hint(&[(50, 79, 0, 0)])];
    let route = asked.find(&bolt07(), &[first_hop(0, 2, 2_000_000)]).unwrap();
    // 1_000_000 + 20, + 10, + 200 + 2000 millionths of 1_000_030.
    assert_eq!(
        steps(&route),
        [
            (900, 1_002_230, 20 + 5 + 6 + 60),
            (23, 1_000_030, 5 + 6 + 60),
            (77, 1_000_020, 6 + 60),
            (78, 1_000_000, 60)
        ]
    );
    assert_eq!(nodes(&route), [id(2), id(3), id(8), id(9)]);
}

#[test]
fn a_hint_may_be_cheaper_than_the_public_way() {
    let mut asked = ask(3, 1_000_000);
    asked.hints = vec![hint(&[(2, 77, 1, 20)])];
    let route = asked.find(&bolt07(), &[first_hop(0, 2, 2_000_000)]).unwrap();
    assert_eq!(steps(&route)[1].0, 77);
    // A hint that goes in circles is followed no further than it leads.
    asked.hints = vec![hint(&[(2, 77, 1, 20), (2, 78, 1, 20), (3, 79, 1, 20), (2, 80, 1, 20)])];
    let route = asked.find(&bolt07(), &[first_hop(0, 2, 2_000_000)]).unwrap();
    assert_eq!(steps(&route).len(), 2);
}

#[test]
fn our_own_limits_are_explained() {
    let hops = [first_hop(0, 2, 9_000), first_hop(1, 2, 7_000)];
    let largest = msat(9_000);
    assert_eq!(ask(3, 9_001).find(&bolt07(), &hops), Err(RouteError::NoUsableChannel { largest }));
    assert_eq!(ask(3, 9_001).find(&bolt07(), &[]), Err(RouteError::NoUsableChannel { largest: msat(0) }));
    let needed = msat(9_000 + 200 + 18);
    assert_eq!(ask(3, 9_000).find(&bolt07(), &hops), Err(RouteError::FeeDoesNotFit { needed, largest }));
    for amount in [0, u64::MAX] {
        let amount_out = RouteError::AmountOutOfRange { amount: msat(amount) };
        assert_eq!(ask(3, amount).find(&bolt07(), &hops), Err(amount_out));
    }
    let mut small = first_hop(0, 3, 9_000);
    small.min_htlc = msat(1_000);
    let smallest = msat(1_000);
    assert_eq!(ask(3, 999).find(&bolt07(), &[small]), Err(RouteError::BelowMinimum { smallest }));
    assert_eq!(ask(30, 1_000).find(&bolt07(), &hops), Err(RouteError::PayeeUnknown { payee: id(30) }));
}

/// Two ways from 2 to 3: `cheap` with many blocks, `fast` for more money.
fn cheap_or_fast() -> Graph {
    let mut graph = Graph::default();
    add(&mut graph, 1, [2, 4], [Some(policy(0, 0, 1_000)), None]);
    add(&mut graph, 2, [4, 3], [Some(policy(10, 0, 900)), None]);
    add(&mut graph, 3, [2, 5], [Some(policy(2_000, 0, 20)), None]);
    add(&mut graph, 4, [5, 3], [Some(policy(2_000, 0, 20)), None]);
    graph
}

#[test]
fn a_limit_of_the_fee_decides_against_what_is_balanced() {
    let (graph, hops) = (cheap_or_fast(), [first_hop(0, 2, u64::MAX)]);
    let mut asked = ask(3, 100_000_000);
    assert_eq!(asked.find(&graph, &hops).unwrap().fee, msat(4_000), "blocks cost, too");
    asked.max_fee = 3_999;
    assert_eq!(asked.find(&graph, &hops).unwrap().fee, msat(10));
    asked.max_fee = 9;
    let (cheapest, limit) = (msat(10), msat(9));
    assert_eq!(asked.find(&graph, &hops), Err(RouteError::FeeTooHigh { cheapest, limit }));
}

#[test]
fn limits_of_blocks_and_hops_are_kept() {
    let (graph, hops) = (cheap_or_fast(), [first_hop(0, 2, u64::MAX)]);
    // For a small amount the cheap way is best, until the limit of blocks forbids it.
    let mut asked = ask(3, 1_000);
    assert_eq!(asked.find(&graph, &hops).unwrap().fee, msat(10));
    asked.max_cltv = 1_959;
    assert_eq!(asked.find(&graph, &hops).unwrap().fee, msat(4_000));
    asked.max_cltv = 100;
    assert_eq!(asked.find(&graph, &hops).unwrap().hops[0].cltv_expiry.blocks_from(super::HEIGHT), 100);
    asked.max_cltv = 99;
    let too_long = |max_hops, max_cltv| Err(RouteError::TooLong { max_hops, max_cltv });
    assert_eq!(asked.find(&graph, &hops), too_long(20, 99));
    (asked.max_cltv, asked.max_hops) = (2_016, 2);
    assert_eq!(asked.find(&graph, &hops), too_long(2, 2_016));
    asked.max_hops = 3;
    assert_eq!(asked.find(&graph, &hops).unwrap().hops.len(), 3);
    let mut graph = graph;
    add(&mut graph, 5, [2, 3], [Some(policy(50_000, 0, 1)), None]);
    asked.max_hops = 2;
    assert_eq!(asked.find(&graph, &hops).unwrap().fee, msat(50_000));
}

#[test]
fn large_channels_are_preferred_where_the_price_is_the_same() {
    let mut graph = Graph::default();
    let tight = ForwardingPolicy { htlc_maximum: msat(1_100_000), ..policy(10, 0, 10) };
    add(&mut graph, 1, [2, 3], [Some(tight), None]);
    add(&mut graph, 2, [2, 3], [Some(policy(10, 0, 10)), None]);
    let route = ask(3, 1_000_000).find(&graph, &[first_hop(0, 2, u64::MAX)]).unwrap();
    assert_eq!(steps(&route)[1].0, 2);
}

#[test]
fn amounts_that_overflow_are_no_way() {
    let mut graph = Graph::default();
    add(&mut graph, 1, [2, 4], [Some(policy(u32::MAX, u32::MAX, u16::MAX)), None]);
    add(&mut graph, 2, [4, 3], [Some(policy(u32::MAX, u32::MAX, u16::MAX)), None]);
    let mut asked = ask(3, 900_000_000_000);
    (asked.max_cltv, asked.max_fee) = (u32::MAX, u64::MAX);
    let hops = [first_hop(0, 2, u64::MAX)];
    // Base and proportional fee are at their largest: the HTLC into node 4 would not fit in the channel to it.
    assert_eq!(asked.find(&graph, &hops), Err(RouteError::NoPath));
}
