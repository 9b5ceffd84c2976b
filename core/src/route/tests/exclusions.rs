//! What is learnt from failures.

use super::{add, ask, first_hop, id, msat, policy};
use crate::gossip::Graph;
use crate::onion::FailureMessage;
use crate::route::{Exclusions, Learnt, RouteError};
use crate::types::ShortChannelId;
use bitcoin::secp256k1::PublicKey;

/// From our peer 2 over 4 to the payee 3, or over 5.
fn two_ways() -> Graph {
    let mut graph = Graph::default();
    add(&mut graph, 1, [2, 4], [Some(policy(1, 0, 10)), None]);
    add(&mut graph, 2, [4, 3], [Some(policy(1, 0, 10)), None]);
    add(&mut graph, 3, [2, 5], [Some(policy(2_000, 0, 10)), None]);
    add(&mut graph, 4, [5, 3], [Some(policy(2_000, 0, 10)), None]);
    graph
}

fn hops() -> [(PublicKey, ShortChannelId); 3] {
    [(id(2), ShortChannelId(900)), (id(4), ShortChannelId(1)), (id(3), ShortChannelId(2))]
}

fn learn(hop_index: Option<usize>, failure: &FailureMessage) -> (Learnt, Result<u64, RouteError>) {
    let mut asked = ask(3, 1_000);
    let learnt = asked.exclusions.learn(&hops(), hop_index, failure);
    let fee = asked.find(&two_ways(), &[first_hop(0, 2, u64::MAX)]).map(|route| route.fee.to_msat());
    (learnt, fee)
}

#[test]
fn the_payee_has_the_last_word() {
    let details = FailureMessage::IncorrectOrUnknownPaymentDetails { htlc_msat: msat(1), height: 1 };
    assert_eq!(learn(Some(2), &details).0, Learnt::PayeeRefused);
    assert_eq!(learn(Some(2), &FailureMessage::PermanentNodeFailure).0, Learnt::Final);
    assert_eq!(learn(Some(2), &FailureMessage::RequiredNodeFeatureMissing).0, Learnt::Final);
    assert_eq!(learn(Some(2), &FailureMessage::TemporaryNodeFailure), (Learnt::Retry, Ok(4_000)));
    assert_eq!(learn(Some(2), &FailureMessage::MppTimeout).0, Learnt::Retry);
    let unknown = FailureMessage::Unknown { failure_code: 0x4fff, data: vec![] };
    assert_eq!(learn(Some(2), &unknown).0, Learnt::Final);
    // Somebody on the way changed the HTLC, unless there was nobody.
    let amount = FailureMessage::FinalIncorrectHtlcAmount { incoming_htlc_amt: msat(1) };
    assert_eq!(learn(Some(2), &amount), (Learnt::Retry, Ok(4_000)));
    let direct = [(id(3), ShortChannelId(900))];
    assert_eq!(Exclusions::default().learn(&direct, Some(0), &amount), Learnt::Final);
}

#[test]
fn a_channel_that_failed_is_not_used_again() {
    let update = || vec![];
    for failure in [
        FailureMessage::TemporaryChannelFailure { channel_update: update() },
        FailureMessage::PermanentChannelFailure,
        FailureMessage::RequiredChannelFeatureMissing,
        FailureMessage::UnknownNextPeer,
        FailureMessage::FeeInsufficient { htlc_msat: msat(1), channel_update: update() },
        FailureMessage::IncorrectCltvExpiry { cltv_expiry: 1, channel_update: update() },
        FailureMessage::ExpiryTooSoon { channel_update: update() },
        FailureMessage::ChannelDisabled { disabled_flags: 0, channel_update: update() },
        FailureMessage::ExpiryTooFar,
        FailureMessage::InvalidOnionHmac { sha256_of_onion: [0; 32] },
        FailureMessage::Unknown { failure_code: 0, data: vec![] },
    ] {
        for hop in [0, 1] {
            let mut asked = ask(3, 1_000);
            assert_eq!(asked.exclusions.learn(&hops(), Some(hop), &failure), Learnt::Retry);
            let mut expected = Exclusions::default();
            expected.exclude_channel(hops()[hop + 1].1, &hops()[hop + 1].0);
            assert_eq!(asked.exclusions, expected, "{failure:?}");
            let route = asked.find(&two_ways(), &[first_hop(0, 2, u64::MAX)]).unwrap();
            assert_eq!(route.fee, msat(4_000));
        }
    }
}

#[test]
fn a_node_that_failed_forwards_no_more() {
    for failure in [
        FailureMessage::TemporaryNodeFailure,
        FailureMessage::PermanentNodeFailure,
        FailureMessage::RequiredNodeFeatureMissing,
        FailureMessage::MppTimeout,
        FailureMessage::InvalidOnionPayload { tlv_type: 1, offset: 0 },
        FailureMessage::IncorrectOrUnknownPaymentDetails { htlc_msat: msat(1), height: 1 },
    ] {
        assert_eq!(learn(Some(1), &failure), (Learnt::Retry, Ok(4_000)), "{failure:?}");
        // Our only peer.
        assert_eq!(learn(Some(0), &failure).0, Learnt::Retry);
        assert!(learn(Some(0), &failure).1.is_err());
    }
}

#[test]
fn without_a_culprit_the_way_is_suspected_and_given_up_in_the_end() {
    let graph = two_ways();
    let first_hops = [first_hop(0, 2, u64::MAX)];
    let mut asked = ask(3, 1_000);
    let mut fees = Vec::new();
    let error = loop {
        match asked.find(&graph, &first_hops) {
            Ok(route) => {
                fees.push(route.fee.to_msat());
                let hops: Vec<_> = route.hops.iter().map(|hop| (hop.node_id, hop.short_channel_id)).collect();
                let failure = FailureMessage::PermanentNodeFailure;
                let out_of_range = if fees.len() % 2 == 0 { None } else { Some(hops.len()) };
                assert_eq!(asked.exclusions.learn(&hops, out_of_range, &failure), Learnt::Retry);
            }
            Err(error) => break error,
        }
    };
    assert_eq!(fees.iter().filter(|fee| **fee == 2).count(), 3);
    assert_eq!(fees.iter().filter(|fee| **fee == 4_000).count(), 3);
    assert_eq!(error, RouteError::NoPath);
    // Our own channel with the payee, too.
    let mut exclusions = Exclusions::default();
    for _ in 0..3 {
        exclusions.learn(&[(id(3), ShortChannelId(900))], None, &FailureMessage::UnknownNextPeer);
    }
    let asked = super::Asked { exclusions, ..ask(3, 1_000) };
    assert!(asked.find(&Graph::default(), &[first_hop(0, 3, u64::MAX)]).is_err());
}

#[test]
fn nothing_is_learnt_from_an_empty_route() {
    let mut exclusions = Exclusions::default();
    assert_eq!(exclusions.learn(&[], Some(0), &FailureMessage::MppTimeout), Learnt::Retry);
    assert!(exclusions.is_empty());
}
