//! What is learnt from failures.

use super::{HEIGHT, add, ask, first_hop, hint, id, key, msat, policy};
use crate::crypto::ec;
use crate::gossip::Graph;
use crate::onion::FailureMessage;
use crate::route::{Failed, Learnt, Lessons, Present, Route, RouteError, RouteHop};
use crate::types::{CltvExpiry, ShortChannelId, UnixTime};
use crate::wire::{ChannelUpdate, ChannelUpdateContents, Message, Payload, Signed, Writer};
use bitcoin::blockdata::constants::ChainHash;

const NOW: u32 = 1_790_000_000;

/// What the payee wants; the HTLC of [`hops`] gives it 60 blocks.
const FINAL_BLOCKS: u16 = 42;

/// From our peer 2 over 4 to the payee 3, or over 5.
fn two_ways() -> Graph {
    let mut graph = Graph::default();
    add(&mut graph, 1, [2, 4], [Some(policy(1, 0, 10)), None]);
    add(&mut graph, 2, [4, 3], [Some(policy(1, 0, 10)), None]);
    add(&mut graph, 3, [2, 5], [Some(policy(2_000, 0, 10)), None]);
    add(&mut graph, 4, [5, 3], [Some(policy(2_000, 0, 10)), None]);
    graph
}

fn hop(node: u8, channel: u64, amount: u64, blocks: u32) -> RouteHop {
    RouteHop {
        node_id: id(node),
        short_channel_id: ShortChannelId(channel),
        amount: msat(amount),
        cltv_expiry: CltvExpiry::new(HEIGHT + blocks).unwrap(),
    }
}

/// The cheaper of the two ways, as it is found for 1,000 msat.
fn hops() -> [RouteHop; 3] {
    [hop(2, 900, 1_002, 80), hop(4, 1, 1_001, 70), hop(3, 2, 1_000, 60)]
}

fn take(
    lessons: &mut Lessons,
    graph: &Graph,
    hops: &[RouteHop],
    hop_index: Option<usize>,
    failure: &FailureMessage,
) -> Learnt {
    let now = UnixTime(NOW.into());
    lessons.learn(
        Failed { hops, hop_index, failure, final_cltv_expiry_delta: FINAL_BLOCKS },
        Present { graph, chain_hash: ChainHash::REGTEST, now, height: HEIGHT },
    )
}

fn learn(hop_index: Option<usize>, failure: &FailureMessage) -> (Learnt, Result<u64, RouteError>) {
    let mut asked = ask(3, 1_000);
    let learnt = take(&mut asked.lessons, &two_ways(), &hops(), hop_index, failure);
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
    let direct = [hop(3, 900, 1_000, 60)];
    let learnt = take(&mut Lessons::default(), &two_ways(), &direct, Some(0), &amount);
    assert_eq!(learnt, Learnt::Final);
}

#[test]
fn a_payee_that_knows_more_blocks_is_paid_by_its_own_height() {
    let refused_at =
        |height| FailureMessage::IncorrectOrUnknownPaymentDetails { htlc_msat: msat(1_000), height };
    // With 18 blocks more than we know, the HTLC still leaves it the 42 that it wants: that is not why.
    assert_eq!(learn(Some(2), &refused_at(HEIGHT + 18)).0, Learnt::PayeeRefused);
    // What it says of a height that no chain of ours can have does not lock money for longer.
    assert_eq!(learn(Some(2), &refused_at(HEIGHT + 37)).0, Learnt::PayeeRefused);
    assert_eq!(learn(Some(2), &refused_at(u32::MAX)).0, Learnt::PayeeRefused);
    for ahead in [19, 36] {
        let mut asked = ask(3, 1_000);
        let learnt = take(&mut asked.lessons, &two_ways(), &hops(), Some(2), &refused_at(HEIGHT + ahead));
        assert_eq!(learnt, Learnt::Retry);
        let expiry = |route: Route| route.hops.last().unwrap().cltv_expiry.height();
        let with = asked.find(&two_ways(), &[first_hop(0, 2, u64::MAX)]).map(expiry).unwrap();
        asked.lessons = Lessons::default();
        let without = asked.find(&two_ways(), &[first_hop(0, 2, u64::MAX)]).map(expiry).unwrap();
        assert_eq!(with, without + ahead);
    }
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
            let learnt = take(&mut asked.lessons, &two_ways(), &hops(), Some(hop), &failure);
            assert_eq!(learnt, Learnt::Retry);
            let mut expected = Lessons::default();
            expected.exclude_channel(hops()[hop + 1].short_channel_id, &hops()[hop + 1].node_id);
            assert_eq!(asked.lessons, expected, "{failure:?}");
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
                let failure = FailureMessage::PermanentNodeFailure;
                let out_of_range = if fees.len() % 2 == 0 { None } else { Some(route.hops.len()) };
                let learnt = take(&mut asked.lessons, &graph, &route.hops, out_of_range, &failure);
                assert_eq!(learnt, Learnt::Retry);
            }
            Err(error) => break error,
        }
    };
    assert_eq!(fees.iter().filter(|fee| **fee == 2).count(), 3);
    assert_eq!(fees.iter().filter(|fee| **fee == 4_000).count(), 3);
    assert_eq!(error, RouteError::NoPath);
    // Our own channel with the payee, too.
    let mut lessons = Lessons::default();
    for _ in 0..3 {
        let direct = [hop(3, 900, 1_000, 60)];
        take(&mut lessons, &graph, &direct, None, &FailureMessage::UnknownNextPeer);
    }
    let asked = super::Asked { lessons, ..ask(3, 1_000) };
    assert!(asked.find(&Graph::default(), &[first_hop(0, 3, u64::MAX)]).is_err());
}

#[test]
fn nothing_is_learnt_from_an_empty_route() {
    let mut lessons = Lessons::default();
    let learnt = take(&mut lessons, &Graph::default(), &[], Some(0), &FailureMessage::MppTimeout);
    assert_eq!(learnt, Learnt::Retry);
    assert!(lessons.is_empty());
}

/// What node 4 says about its channel with the payee 3: dearer than the graph knows, and fresh.
fn dearer() -> ChannelUpdateContents {
    ChannelUpdateContents {
        chain_hash: ChainHash::REGTEST,
        short_channel_id: ShortChannelId(2),
        timestamp: NOW,
        message_flags: 1,
        channel_flags: u8::from(id(3).serialize() < id(4).serialize()),
        cltv_expiry_delta: 10,
        htlc_minimum_msat: msat(0),
        fee_base_msat: 50,
        fee_proportional_millionths: 0,
        htlc_maximum_msat: msat(1_000_000),
    }
}

fn signed(contents: ChannelUpdateContents, signer: u8) -> ChannelUpdate {
    let contents = Signed::new(contents);
    ChannelUpdate { signature: ec::sign_ecdsa(&contents.digest(), &key(signer)), contents }
}

fn fee_insufficient(update: &ChannelUpdate) -> FailureMessage {
    let channel_update = Message::from(update.clone()).encode().unwrap();
    FailureMessage::FeeInsufficient { htlc_msat: msat(1_001), channel_update }
}

/// What the next attempt costs after node 4 said this once, and after it said it twice.
fn fees_after(failure: &FailureMessage) -> [u64; 2] {
    let (graph, mut asked) = (two_ways(), ask(3, 1_000));
    let mut attempt = || {
        let route = asked.find(&graph, &[first_hop(0, 2, u64::MAX)]).unwrap();
        if route.hops[1].node_id == id(4) {
            take(&mut asked.lessons, &graph, &route.hops, Some(1), failure);
        }
        route.fee.to_msat()
    };
    assert_eq!(attempt(), 2, "the way over 4 is the cheaper one");
    [attempt(), attempt()]
}

#[test]
fn an_update_that_explains_the_failure_counts_for_the_next_attempt_and_no_longer() {
    let update = signed(dearer(), 4);
    assert_eq!(
        fees_after(&fee_insufficient(&update)),
        [51, 4_000],
        "the same failure again explains nothing"
    );
    // Without the message type in front.
    let mut raw = Writer::new();
    update.write_payload(&mut raw);
    let raw = FailureMessage::ExpiryTooSoon { channel_update: raw.into_bytes() };
    assert_eq!(fees_after(&raw), [51, 4_000]);
    // More blocks are asked for: the way stays as cheap.
    let slower = ChannelUpdateContents { cltv_expiry_delta: 90, fee_base_msat: 1, ..dearer() };
    let channel_update = Message::from(signed(slower, 4)).encode().unwrap();
    let expiry = FailureMessage::IncorrectCltvExpiry { cltv_expiry: 1, channel_update };
    assert_eq!(fees_after(&expiry), [2, 4_000]);
}

#[test]
fn terms_that_cannot_be_met_lead_another_way() {
    for contents in [
        ChannelUpdateContents { channel_flags: dearer().channel_flags | 2, ..dearer() },
        ChannelUpdateContents { htlc_minimum_msat: msat(1_001), ..dearer() },
        ChannelUpdateContents { htlc_maximum_msat: msat(999), ..dearer() },
        ChannelUpdateContents { fee_base_msat: 5_000, ..dearer() },
    ] {
        assert_eq!(fees_after(&fee_insufficient(&signed(contents, 4))), [4_000, 4_000]);
    }
}

#[test]
fn an_update_that_is_not_the_nodes_word_on_this_channel_excludes_it() {
    let wrong = |change: &dyn Fn(&mut ChannelUpdateContents)| {
        let mut contents = dearer();
        change(&mut contents);
        signed(contents, 4)
    };
    for (why, update) in [
        ("signed by another", signed(dearer(), 5)),
        ("of another channel", wrong(&|it| it.short_channel_id = ShortChannelId(4))),
        ("of the other direction", wrong(&|it| it.channel_flags ^= 1)),
        ("of another chain", wrong(&|it| it.chain_hash = ChainHash::BITCOIN)),
        ("older than the graph", wrong(&|it| it.timestamp = 0)),
        ("of a clock two days ahead", wrong(&|it| it.timestamp = NOW + 2 * 86_400)),
        ("nothing fits between its limits", wrong(&|it| it.htlc_minimum_msat = msat(1_000_001))),
        ("on its terms the HTLC was right", wrong(&|it| it.fee_base_msat = 1)),
    ] {
        assert_eq!(fees_after(&fee_insufficient(&update)), [4_000, 4_000], "{why}");
    }
    let garbage = FailureMessage::FeeInsufficient { htlc_msat: msat(1), channel_update: vec![1; 200] };
    assert_eq!(fees_after(&garbage), [4_000, 4_000]);
}

#[test]
fn an_update_about_a_hinted_channel_counts_too() {
    let mut asked = ask(3, 1_000);
    asked.hints = vec![hint(&[(4, 2, 1, 10)])];
    let first_hops = [first_hop(0, 4, u64::MAX)];
    let route = asked.find(&Graph::default(), &first_hops).unwrap();
    let failure = fee_insufficient(&signed(ChannelUpdateContents { message_flags: 3, ..dearer() }, 4));
    take(&mut asked.lessons, &Graph::default(), &route.hops, Some(0), &failure);
    assert_eq!(asked.find(&Graph::default(), &first_hops).unwrap().fee, msat(50));
}
