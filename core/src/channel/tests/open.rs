use super::harness::{FUNDING, HEIGHT, Side, Who, World, request};
use crate::channel::{
    Channel, ChannelError, ChannelEvent, ChannelParams, CloseReason, Command, OpenRequest, Refusal, State,
    Violation, Watch,
};
use crate::types::{ChannelId, Feature, Features, FeeratePerKw, MilliSatoshi, ShortChannelId};
use crate::wire::{Message, OpenChannel};
use bitcoin::absolute::LockTime;
use bitcoin::blockdata::constants::ChainHash;
use bitcoin::{Amount, OutPoint, ScriptBuf, Transaction};
use std::sync::Arc;

#[test]
fn from_open_channel_to_payments() {
    let mut world = World::funded(request());
    assert_eq!(world.alice.channel().state.name(), "wait_for_funding_confirmed");
    assert_eq!(world.bob.channel().state.name(), "wait_for_funding_confirmed");
    assert_eq!(world.alice.channel().id, world.bob.channel().id);
    let tx = world.funding_tx.clone().unwrap();
    assert_eq!(world.alice.broadcasts, std::slice::from_ref(&tx));
    assert!(world.bob.broadcasts.is_empty());
    assert!(world.alice.channel().watches().iter().any(|watch| matches!(
        watch, Watch::FundingConfirmed { depth: 3, amount: FUNDING, outpoint, .. } if outpoint.txid == tx.compute_txid()
    )));

    world.confirm(Who::Bob).unwrap();
    world.settle();
    assert_eq!(world.bob.channel().state.name(), "wait_for_channel_ready");
    // Early, before Alice has seen the confirmation herself.
    assert_eq!(world.alice.channel().state.name(), "wait_for_funding_confirmed");
    world.confirm(Who::Alice).unwrap();
    world.settle();
    for side in [&world.alice, &world.bob] {
        assert_eq!(side.channel().state.name(), "normal");
        assert!(side.events.iter().any(|event| matches!(event, ChannelEvent::Ready { .. })));
    }
    assert_eq!(world.alice.balances(), (1_000_000_000, 0));
    assert_eq!(world.bob.balances(), (0, 1_000_000_000));
    assert!(world.alice.channel().sendable() > MilliSatoshi::from_msat(980_000_000));
    assert_eq!(world.bob.channel().sendable(), MilliSatoshi::ZERO);
}

#[test]
fn funding_is_not_published_before_funding_signed() {
    let mut world = World::new();
    world.request(request());
    world.accept().unwrap();
    world.deliver(Who::Alice);
    let tx = world.make_funding_tx();
    world.tell(Who::Alice, Command::FundingTxSigned { tx, output_index: 1 });
    world.deliver(Who::Bob);
    assert!(world.alice.broadcasts.is_empty());
    assert!(world.alice.rows.is_empty() && !world.bob.rows.is_empty());
    world.deliver(Who::Alice);
    assert_eq!(world.alice.broadcasts.len(), 1);
}

#[test]
fn funding_tx_that_does_not_pay_the_channel_is_refused() {
    let mut world = World::new();
    world.request(request());
    world.accept().unwrap();
    world.deliver(Who::Alice);
    let tx = world.make_funding_tx();
    let wrong_index = Command::FundingTxSigned { tx: tx.clone(), output_index: 0 };
    let mut less = tx.clone();
    less.output[1].value = Amount::from_sat(999_999);
    let mut unsigned = tx.clone();
    unsigned.input[0].witness.clear();
    let wrong_amount = Command::FundingTxSigned { tx: less, output_index: 1 };
    let no_witness = Command::FundingTxSigned { tx: unsigned, output_index: 1 };
    for command in [wrong_index, wrong_amount, no_witness] {
        let error = world.try_tell(Who::Alice, command).unwrap_err();
        assert!(matches!(error, ChannelError::Refused(Refusal::FundingTransaction { .. })));
    }
    world.tell(Who::Alice, Command::FundingTxSigned { tx, output_index: 1 });
}

fn with_open_channel(change: impl FnOnce(&mut OpenChannel)) -> Result<(), ChannelError> {
    let mut world = World::new();
    world.request(request());
    let Message::OpenChannel(mut open) = world.intercept(Who::Bob) else { panic!() };
    change(&mut open);
    let alice = world.alice.node_id;
    Channel::accept(&world.bob.env(), alice, 7, &open).map(|_| ())
}

type Expected = fn(&Violation) -> bool;

#[test]
fn recv_open_channel_is_checked() {
    type Change = fn(&mut OpenChannel);
    let cases: [(Change, Expected); 20] = [
        (|open| open.chain_hash = ChainHash::BITCOIN, |v| matches!(v, Violation::WrongChain)),
        (|open| open.channel_type = None, |v| matches!(v, Violation::ChannelType { .. })),
        (
            |open| open.channel_type = Some(Features::from_bits([12])),
            |v| matches!(v, Violation::ChannelType { .. }),
        ),
        (
            |open| open.channel_type = Some(Features::from_bits([12, 22, 50])),
            |v| matches!(v, Violation::ChannelType { .. }),
        ),
        (
            |open| open.funding_satoshis = Amount::from_sat(1 << 24),
            |v| matches!(v, Violation::FundingAmount { .. }),
        ),
        (
            |open| open.funding_satoshis = Amount::from_sat(19_999),
            |v| matches!(v, Violation::FundingAmount { .. }),
        ),
        (
            |open| open.push_msat = MilliSatoshi::from_msat(1_000_000_001),
            |v| matches!(v, Violation::Push { .. }),
        ),
        (
            |open| open.push_msat = MilliSatoshi::from_msat(1_000_000_000),
            |v| matches!(v, Violation::CannotAfford { .. }),
        ),
        (|open| open.to_self_delay = 2_017, |v| matches!(v, Violation::ToSelfDelay { .. })),
        (|open| open.max_accepted_htlcs = 484, |v| matches!(v, Violation::MaxAcceptedHtlcs { .. })),
        (|open| open.max_accepted_htlcs = 0, |v| matches!(v, Violation::MaxAcceptedHtlcs { .. })),
        (
            |open| open.dust_limit_satoshis = Amount::from_sat(353),
            |v| matches!(v, Violation::DustLimit { .. }),
        ),
        (
            |open| open.dust_limit_satoshis = Amount::from_sat(1_063),
            |v| matches!(v, Violation::DustLimit { .. }),
        ),
        (
            |open| {
                open.dust_limit_satoshis = Amount::from_sat(546);
                open.channel_reserve_satoshis = Amount::from_sat(545);
            },
            |v| matches!(v, Violation::DustAboveReserve { .. }),
        ),
        (
            |open| open.channel_reserve_satoshis = Amount::from_sat(200_001),
            |v| matches!(v, Violation::ReserveTooLarge { .. }),
        ),
        (
            |open| open.feerate_per_kw = FeeratePerKw::from_sat_per_kw(252),
            |v| matches!(v, Violation::Feerate { .. }),
        ),
        (
            |open| open.feerate_per_kw = FeeratePerKw::from_sat_per_kw(10_001),
            |v| matches!(v, Violation::Feerate { .. }),
        ),
        (
            |open| open.htlc_minimum_msat = MilliSatoshi::from_msat(1_000_001),
            |v| matches!(v, Violation::HtlcMinimum { .. }),
        ),
        (
            |open| open.max_htlc_value_in_flight_msat = MilliSatoshi::ZERO,
            |v| matches!(v, Violation::InFlightLimit { .. }),
        ),
        (
            |open| open.upfront_shutdown_script = Some(ScriptBuf::from_bytes(vec![0x6a])),
            |v| matches!(v, Violation::ShutdownScript),
        ),
    ];
    for (index, (change, expected)) in cases.into_iter().enumerate() {
        match with_open_channel(change) {
            Err(ChannelError::FailChannel(violation)) => {
                assert!(expected(&violation), "{index}: {violation:?}")
            }
            other => panic!("{index}: {other:?}"),
        }
    }
    with_open_channel(|open| open.channel_flags = 0xff).unwrap();
    with_open_channel(|open| open.max_htlc_value_in_flight_msat = MilliSatoshi::from_msat(u64::MAX)).unwrap();
}

#[test]
fn recv_open_channel_both_below_reserve_is_refused() {
    let open = |push_msat| {
        let mut world = World::new();
        world.bob.feerates.commitment = FeeratePerKw::from_sat_per_kw(2_000);
        world.request(request());
        let Message::OpenChannel(mut open) = world.intercept(Who::Bob) else { panic!() };
        // The fee leaves 5,852 of 20,000 sat.
        open.feerate_per_kw = FeeratePerKw::from_sat_per_kw(12_000);
        open.funding_satoshis = Amount::from_sat(20_000);
        open.channel_reserve_satoshis = Amount::from_sat(4_000);
        open.push_msat = MilliSatoshi::from_msat(push_msat);
        Channel::accept(&world.bob.env(), world.alice.node_id, 7, &open).map(|_| ())
    };
    assert_eq!(open(1_000_000), Ok(()));
    assert_eq!(open(3_000_000), Err(ChannelError::FailChannel(Violation::BothBelowReserve)));
    assert_eq!(open(4_500_000), Ok(()));
}

#[test]
fn recv_open_channel_dual_fund_negotiated() {
    let mut world = World::new();
    for side in [&mut world.alice, &mut world.bob] {
        side.features.set_bit(Feature::DualFund.optional());
        side.remote_features.set_bit(Feature::DualFund.optional());
    }
    world.request(request());
    assert_eq!(world.accept(), Err(ChannelError::FailChannel(Violation::DualFund)));
}

#[test]
fn recv_accept_channel_is_checked() {
    type Change = fn(&mut crate::wire::AcceptChannel);
    let cases: [(Change, Expected); 8] = [
        (|accept| accept.minimum_depth = 0, |v| matches!(v, Violation::MinimumDepth { .. })),
        (|accept| accept.minimum_depth = 145, |v| matches!(v, Violation::MinimumDepth { .. })),
        (|accept| accept.channel_type = None, |v| matches!(v, Violation::ChannelType { .. })),
        (
            |accept| accept.channel_type = Some(Features::from_bits([12])),
            |v| matches!(v, Violation::ChannelType { .. }),
        ),
        (
            |accept| {
                accept.channel_reserve_satoshis = Amount::from_sat(353);
                accept.dust_limit_satoshis = Amount::from_sat(354);
            },
            |v| matches!(v, Violation::DustAboveReserve { .. }),
        ),
        (
            |accept| accept.dust_limit_satoshis = Amount::from_sat(353),
            |v| matches!(v, Violation::DustLimit { .. }),
        ),
        (|accept| accept.to_self_delay = 2_017, |v| matches!(v, Violation::ToSelfDelay { .. })),
        (|accept| accept.max_accepted_htlcs = 484, |v| matches!(v, Violation::MaxAcceptedHtlcs { .. })),
    ];
    for (index, (change, expected)) in cases.into_iter().enumerate() {
        let mut world = World::new();
        world.request(request());
        world.accept().unwrap();
        let Message::AcceptChannel(mut accept) = world.intercept(Who::Alice) else { panic!() };
        change(&mut accept);
        let error = world.alice.try_process(Command::Message(accept.into())).unwrap_err();
        let ChannelError::FailChannel(violation) = error else { panic!("{index}: {error:?}") };
        assert!(expected(&violation), "{index}: {violation:?}");
        let messages = world.alice.fail(&violation);
        assert!(matches!(messages[..], [Message::Error(_)]));
        assert!(matches!(world.alice.channel().state, State::Closed(_)));
        assert!(world.alice.broadcasts.is_empty());
    }
}

#[test]
fn recv_accept_channel_our_reserve_below_their_dust() {
    let mut world = World::new();
    world.alice.config.min_funding = Amount::from_sat(20_000);
    world.request(OpenRequest { funding: Amount::from_sat(30_000), push: MilliSatoshi::ZERO });
    world.accept().unwrap();
    let Message::AcceptChannel(mut accept) = world.intercept(Who::Alice) else { panic!() };
    accept.dust_limit_satoshis = Amount::from_sat(1_062);
    accept.channel_reserve_satoshis = Amount::from_sat(1_062);
    let error = world.alice.try_process(Command::Message(accept.into())).unwrap_err();
    assert!(matches!(error, ChannelError::FailChannel(Violation::DustAboveReserve { .. })));
}

#[test]
fn recv_funding_created_wrong_signature() {
    let mut world = World::new();
    world.request(request());
    world.accept().unwrap();
    world.deliver(Who::Alice);
    let tx = world.make_funding_tx();
    world.tell(Who::Alice, Command::FundingTxSigned { tx, output_index: 1 });
    let Message::FundingCreated(mut created) = world.intercept(Who::Bob) else { panic!() };
    created.funding_output_index = 0;
    let error = world.bob.try_process(Command::Message(created.into())).unwrap_err();
    assert!(matches!(error, ChannelError::FailChannel(Violation::CommitmentSignature(_))));
    assert!(world.bob.rows.is_empty());
}

#[test]
fn recv_funding_signed_wrong_signature_or_channel() {
    let mut world = World::new();
    world.request(request());
    world.accept().unwrap();
    world.deliver(Who::Alice);
    let tx = world.make_funding_tx();
    world.tell(Who::Alice, Command::FundingTxSigned { tx, output_index: 1 });
    let Message::FundingCreated(created) = world.to_bob[0].clone() else { panic!() };
    world.deliver(Who::Bob);
    let Message::FundingSigned(signed) = world.intercept(Who::Alice) else { panic!() };
    let mut wrong = signed.clone();
    wrong.signature = created.signature;
    let error = world.alice.try_process(Command::Message(wrong.into())).unwrap_err();
    assert!(matches!(error, ChannelError::FailChannel(Violation::CommitmentSignature(_))));
    let mut wrong = signed;
    wrong.channel_id = ChannelId([1; 32]);
    let error = world.alice.try_process(Command::Message(wrong.into())).unwrap_err();
    assert_eq!(error, ChannelError::FailChannel(Violation::ChannelIdMismatch));
    assert!(world.alice.broadcasts.is_empty());
}

#[test]
fn funding_confirmed_wrong_output_never_ready() {
    for change in [0, 1, 2, 3] {
        let world = World::funded(request());
        let mut tx = world.funding_tx.clone().unwrap();
        match change {
            0 => tx.output[1].value = Amount::from_sat(999_999),
            1 => tx.output.swap(0, 1),
            2 => tx.output[1].script_pubkey = ScriptBuf::new(),
            // It pays the same, and is not the one that was named.
            _ => tx.lock_time = LockTime::from_consensus(1),
        }
        never_ready(world, tx);
    }
}

/// The opener names a transaction that pays something else than what was agreed (CVE-2019-12998 and following).
#[test]
fn funding_that_pays_less_or_to_another_script_is_never_ready() {
    type Change = fn(&mut ChannelParams);
    let agreed_on: [Change; 2] = [
        |params| params.funding_amount += Amount::ONE_SAT,
        |params| params.remote.basepoints.funding_pubkey = params.remote.basepoints.htlc_basepoint,
    ];
    for change in agreed_on {
        let mut world = World::funded(request());
        let tx = world.funding_tx.clone().unwrap();
        let commitments =
            world.bob.channel.as_mut().and_then(|channel| channel.state.commitments_mut()).unwrap();
        change(Arc::make_mut(&mut commitments.params));
        never_ready(world, tx);
    }
}

fn never_ready(mut world: World, tx: Transaction) {
    let short_channel_id = ShortChannelId::new(HEIGHT - 10, 1, 1).unwrap();
    let error = world.try_tell(Who::Bob, Command::FundingConfirmed { tx, short_channel_id }).unwrap_err();
    assert_eq!(error, ChannelError::FailChannel(Violation::FundingOutput));
}

/// What a block creates cannot be spent for 100 blocks, and is gone with the block.
#[test]
fn funding_by_a_coinbase_waits_for_100_confirmations() {
    let mut world = World::new();
    world.request(request());
    world.accept().unwrap();
    world.deliver(Who::Alice);
    let mut tx = world.make_funding_tx();
    tx.input[0].previous_output = OutPoint::null();
    assert!(tx.is_coinbase());
    world.tell(Who::Alice, Command::FundingTxSigned { tx: tx.clone(), output_index: 1 });
    world.settle();
    for who in [Who::Alice, Who::Bob] {
        for depth in [3, 99] {
            let short_channel_id = ShortChannelId::new(HEIGHT + 1 - depth, 0, 1).unwrap();
            world.tell(who, Command::FundingConfirmed { tx: tx.clone(), short_channel_id });
            assert_eq!(world.side(who).channel().state.name(), "wait_for_funding_confirmed", "{depth}");
            assert!(world.inbox(who.other()).is_empty());
        }
    }
    for who in [Who::Alice, Who::Bob] {
        let short_channel_id = ShortChannelId::new(HEIGHT - 99, 0, 1).unwrap();
        world.tell(who, Command::FundingConfirmed { tx: tx.clone(), short_channel_id });
    }
    world.settle();
    assert!(world.alice.channel().is_usable() && world.bob.channel().is_usable());
}

#[test]
fn funding_confirmed_too_shallow_is_not_ready() {
    let mut world = World::funded(request());
    let tx = world.funding_tx.clone().unwrap();
    let at = |block| ShortChannelId::new(block, 1, 1).unwrap();
    world.tell(Who::Bob, Command::FundingConfirmed { tx: tx.clone(), short_channel_id: at(HEIGHT - 1) });
    assert!(world.to_alice.is_empty());
    world.tell(Who::Bob, Command::FundingConfirmed { tx, short_channel_id: at(HEIGHT - 2) });
    assert!(matches!(world.to_alice[0], Message::ChannelReady(_)));
}

#[test]
fn funding_reorged_no_more_offers() {
    let mut world = World::open();
    world.tell(Who::Alice, Command::FundingReorged);
    assert_eq!(world.alice.take_events(), [ChannelEvent::FundingUnconfirmed]);
    assert!(!world.alice.channel().is_usable());
    let error = world.try_tell(Who::Alice, Command::AddHtlc(super::harness::add(1_000_000, 1))).unwrap_err();
    assert_eq!(error, ChannelError::Refused(Refusal::FundingUnconfirmed));
    // What comes in meanwhile is told as worth nothing.
    let is_funded = |world: &mut World| {
        world.settle();
        let events = world.alice.take_events();
        let funded = events.iter().find_map(|event| match event {
            ChannelEvent::HtlcIrrevocablyCommitted(htlc) => Some(htlc.is_funded),
            _ => None,
        });
        funded.unwrap()
    };
    world.add(Who::Bob, 1_000_000, 2);
    assert!(!is_funded(&mut world));
    world.confirm(Who::Alice).unwrap();
    world.add(Who::Bob, 1_000_000, 3);
    assert!(is_funded(&mut world));
    world.add(Who::Alice, 1_000_000, 1);
}

#[test]
fn accepter_forgets_after_2016_blocks_opener_does_not() {
    let mut world = World::funded(request());
    world.look(Who::Alice, HEIGHT + 2_016, false);
    assert_eq!(world.alice.channel().state.name(), "wait_for_funding_confirmed");
    world.look(Who::Bob, HEIGHT + 2_015, false);
    assert_eq!(world.bob.channel().state.name(), "wait_for_funding_confirmed");
    world.look(Who::Bob, HEIGHT + 2_016, false);
    assert_eq!(world.bob.channel().state.name(), "closed");
    assert!(world.bob.rows.is_empty());
}

/// A peer that never funds its channels and closes them would otherwise leave one after the other behind.
#[test]
fn a_channel_that_is_closed_before_it_is_funded_is_forgotten_as_early() {
    for (begins, state) in [(Who::Bob, "shutting_down"), (Who::Alice, "negotiating")] {
        let mut world = World::funded(request());
        world.tell(begins, Command::Shutdown { script: None });
        world.deliver(Who::Bob);
        assert_eq!(world.bob.channel().state.name(), state);
        assert!(world.bob.channel().awaits_remote_funding());
        world.look(Who::Bob, HEIGHT + 2_015, false);
        assert_eq!(world.bob.channel().state.name(), state);
        world.look(Who::Bob, HEIGHT + 2_016, false);
        assert_eq!(world.bob.channel().state.name(), "closed");
    }
    // Whose funding was deep enough once is kept, whatever block is undone.
    let mut world = World::open();
    world.tell(Who::Bob, Command::FundingReorged);
    world.tell(Who::Bob, Command::Shutdown { script: None });
    assert!(!world.bob.channel().awaits_remote_funding());
    world.look(Who::Bob, HEIGHT + 2_016, false);
    assert_eq!(world.bob.channel().state.name(), "shutting_down");
}

#[test]
fn a_failed_accepter_publishes_once_it_can_and_forgets_if_it_never_can() {
    let push = MilliSatoshi::from_msat(300_000_000);
    let failed = || {
        let mut world = World::funded(OpenRequest { push, ..request() });
        world.tell(Who::Bob, Command::ForceClose);
        assert_eq!(world.bob.channel().state.name(), "failed");
        world
    };
    let mut world = failed();
    let published = world.bob.broadcasts.len();
    world.confirm(Who::Bob).unwrap();
    assert_eq!(world.bob.broadcasts.len(), published + 1, "now its parent is there");
    world.look(Who::Bob, HEIGHT + 2_016, false);
    assert_eq!(world.bob.channel().state.name(), "failed");

    let mut world = failed();
    world.look(Who::Bob, HEIGHT + 2_015, false);
    assert_eq!(world.bob.channel().state.name(), "failed");
    world.look(Who::Bob, HEIGHT + 2_016, false);
    assert_eq!(world.bob.channel().state.name(), "closed");
    assert!(world.bob.rows.is_empty());
}

#[test]
fn disconnected_before_funding_is_forgotten() {
    let mut world = World::new();
    world.request(request());
    world.accept().unwrap();
    world.tell(Who::Alice, Command::Disconnected);
    world.tell(Who::Bob, Command::Disconnected);
    for side in [&world.alice, &world.bob] {
        assert!(matches!(&side.channel().state, State::Closed(_)));
        assert!(
            side.events
                .iter()
                .any(|event| matches!(event, ChannelEvent::Closed { reason: CloseReason::Failed { .. } }))
        );
    }
}

#[test]
fn open_amount_out_of_range() {
    let alice = Side::new(1);
    let open = |sat, push_msat| {
        let request =
            OpenRequest { funding: Amount::from_sat(sat), push: MilliSatoshi::from_msat(push_msat) };
        Channel::open(&alice.env(), &request, alice.node_id, 0, ChannelId([1; 32])).map(|_| ())
    };
    assert!(matches!(open(1 << 24, 0), Err(ChannelError::Refused(Refusal::FundingAmount { .. }))));
    assert!(matches!(open(19_999, 0), Err(ChannelError::Refused(Refusal::FundingAmount { .. }))));
    assert!(matches!(open(100_000, 100_000_001), Err(ChannelError::Refused(Refusal::Push { .. }))));
    assert!(open(100_000, 10_000_000).is_ok());
}
