use super::harness::{FUNDING, HEIGHT, Side, Who, World, add, request};
use crate::channel::{
    ChannelError, ChannelEvent, CloseReason, Closer, Command, Gated, Link, Refusal, State, Violation, Watch,
};
use crate::types::{Feature, FeeratePerKw, HtlcId, MilliSatoshi, PaymentId};
use crate::wire::{ClosingSigned, FeeRange, Message};
use bitcoin::hashes::Hash;
use bitcoin::{Amount, ScriptBuf, Transaction};

const SHUTDOWN: Command = Command::Shutdown { script: None };
/// A day.
const ANSWER_BLOCKS: u32 = 144;

fn agreed(side: &Side) -> (Amount, Amount) {
    let agreed = side.events.iter().find_map(|event| match event {
        ChannelEvent::ClosingAgreed { to_us, fee, .. } => Some((*to_us, *fee)),
        _ => None,
    });
    agreed.unwrap()
}

fn bury(world: &mut World, tx: &Transaction) {
    for who in [Who::Alice, Who::Bob] {
        world.see(who, tx, Some(HEIGHT));
        let side = world.side(who);
        let State::Closing(closing) = &side.channel().state else { panic!() };
        assert_eq!((closing.closer, closing.txid), (Closer::Mutual, tx.compute_txid()));
        let watches = side.channel().watches();
        assert!(matches!(watches[..], [Watch::FundingSpent { .. }]), "{watches:?}");
        world.rise(who, HEIGHT + 98);
        assert_eq!(world.side(who).channel().state.name(), "closing");
        world.rise(who, HEIGHT + 99);
        let side = world.side(who);
        assert_eq!(side.channel().state.name(), "closed");
        assert!(side.rows.is_empty());
        assert_eq!(side.events.last(), Some(&ChannelEvent::Closed { reason: CloseReason::Mutual }));
    }
}

#[test]
fn closing_together_whoever_begins() {
    for (begins, simultaneous) in [(Who::Alice, false), (Who::Bob, false), (Who::Bob, true)] {
        let mut world = World::open();
        world.tell(begins, SHUTDOWN);
        if simultaneous {
            world.tell(begins.other(), SHUTDOWN);
        }
        world.settle();
        let (alice_gets, fee) = agreed(&world.alice);
        let (bob_gets, same_fee) = agreed(&world.bob);
        assert_eq!(fee, same_fee);
        assert_eq!(alice_gets, Amount::from_sat(700_000) - fee);
        assert_eq!(bob_gets, Amount::from_sat(300_000));
        assert_eq!(world.alice.broadcasts.last(), world.bob.broadcasts.last());
        let tx = world.alice.broadcasts.last().unwrap().clone();
        assert_eq!(tx.input[0].previous_output.txid, world.funding_tx.as_ref().unwrap().compute_txid());
        let outputs: u64 = tx.output.iter().map(|output| output.value.to_sat()).sum();
        assert_eq!(Amount::from_sat(outputs), FUNDING - fee);
        let channel = world.alice.channel();
        assert!(channel.is_signed_spend(&tx));
        let mut invented = tx.clone();
        invented.output[0].value -= Amount::ONE_SAT;
        assert!(!channel.is_signed_spend(&invented));
        invented.input[0].witness.clear();
        assert!(!channel.is_signed_spend(&invented));
        bury(&mut world, &tx);
    }
}

#[test]
fn closing_tx_is_valid_for_bitcoin() {
    let mut world = World::open();
    world.tell(Who::Alice, SHUTDOWN);
    world.settle();
    let tx = world.alice.broadcasts.last().unwrap();
    let funding = &world.funding_tx.as_ref().unwrap().output[1];
    let bytes = bitcoin::consensus::encode::serialize(tx);
    bitcoinconsensus::verify(funding.script_pubkey.as_bytes(), funding.value.to_sat(), &bytes, None, 0)
        .unwrap();
}

#[test]
fn shutdown_waits_for_htlcs() {
    let mut world = World::open();
    let id = world.add(Who::Alice, 50_000_000, 1);
    world.settle();
    world.tell(Who::Bob, SHUTDOWN);
    world.settle();
    for who in [Who::Alice, Who::Bob] {
        assert_eq!(world.side(who).channel().state.name(), "shutting_down");
        let refused = world.try_tell(who, Command::AddHtlc(add(1_000_000, 2)));
        assert_eq!(refused, Err(ChannelError::Refused(Refusal::ShuttingDown)));
        assert_eq!(world.try_tell(who, SHUTDOWN), Err(ChannelError::Refused(Refusal::ShuttingDown)));
    }
    world.tell(Who::Alice, Command::UpdateFee(FeeratePerKw::from_sat_per_kw(1_200)));
    world.settle();
    world.fulfil(Who::Bob, id, 1);
    world.settle();
    let (_, fee) = agreed(&world.alice);
    assert_eq!(agreed(&world.alice).0, Amount::from_sat(650_000) - fee);
    assert_eq!(agreed(&world.bob).0, Amount::from_sat(350_000));
}

#[test]
fn shutdown_waits_for_our_unsigned_updates() {
    let mut world = World::open();
    world.add(Who::Alice, 50_000_000, 1);
    world.tell(Who::Alice, SHUTDOWN);
    assert!(matches!(world.to_bob.make_contiguous(), [Message::UpdateAddHtlc(_)]));
    world.tell(Who::Alice, Command::Sign);
    let sent: Vec<u16> = world.to_bob.iter().map(Message::message_type).collect();
    assert_eq!(sent, [128, 132, 38]);
    world.settle();
    assert_eq!(world.alice.channel().state.name(), "shutting_down");
    world.fail(Who::Bob, HtlcId(0));
    world.settle();
    assert_eq!(agreed(&world.bob).0, Amount::from_sat(300_000));
}

#[test]
fn recv_shutdown_is_checked() {
    let mut world = World::open();
    world.tell(Who::Alice, SHUTDOWN);
    let Message::Shutdown(shutdown) = world.intercept(Who::Bob) else { panic!() };
    for script in [vec![], vec![0x6a], vec![0x51], [&[0x00, 0x15][..], &[1; 21]].concat()] {
        let mut wrong = shutdown.clone();
        wrong.scriptpubkey = ScriptBuf::from_bytes(script);
        let error = world.bob.try_process(Command::Message(wrong.into())).unwrap_err();
        assert_eq!(error, ChannelError::Warn(Violation::ShutdownScript));
    }
    let taproot = ScriptBuf::from_bytes([&[0x51, 0x20][..], &[1; 32]].concat());
    let mut later = shutdown.clone();
    later.scriptpubkey = taproot;
    assert!(world.bob.channel().process(&world.bob.env(), Command::Message(later.clone().into())).is_ok());
    world.bob.remote_features = crate::types::Features::from_bits([0, 8, 12, 14, 44, 17, 23]);
    assert!(!world.bob.env().negotiated(Feature::ShutdownAnysegwit));
    assert!(world.bob.try_process(Command::Message(later.into())).is_err());

    world.bob.process(Command::Message(shutdown.clone().into()));
    let mut other = shutdown;
    other.scriptpubkey = elsewhere();
    let error = world.bob.try_process(Command::Message(other.into())).unwrap_err();
    // Only the connection is lost by it (ADR 0011), then and when the fee is agreed.
    assert_eq!(error, ChannelError::Disconnect(Violation::ShutdownScriptChanged));
}

fn elsewhere() -> ScriptBuf {
    ScriptBuf::new_p2wpkh(&bitcoin::WPubkeyHash::from_byte_array([9; 20]))
}

/// A peer that names another script over another connection gets its balance there: no channel fails by it.
#[test]
fn a_shutdown_with_another_script_counts_over_another_connection_until_the_fee_is_agreed() {
    let mut world = negotiating();
    world.disconnect();
    assert_eq!(world.alice.channel().state.name(), "shutting_down");
    world.connect();
    world.deliver(Who::Bob);
    let mut shutdown = loop {
        match world.intercept(Who::Alice) {
            Message::Shutdown(shutdown) => break shutdown,
            before => world.alice.process(Command::Message(before)),
        };
    };
    shutdown.scriptpubkey = elsewhere();
    let offer = world.alice.process(Command::Message(shutdown.into()));
    assert!(matches!(offer[..], [Message::ClosingSigned(_)]), "{offer:?}");
    let State::Negotiating(state) = &world.alice.channel().state else { panic!() };
    assert_eq!(state.remote_script, elsewhere());

    // What is agreed stays agreed.
    let mut world = negotiating();
    world.settle();
    world.disconnect();
    let alice = world.alice.channel();
    assert_eq!(alice.state.name(), "negotiating");
    world.connect();
    world.deliver(Who::Alice);
    let alice = world.alice.channel();
    let scriptpubkey = ScriptBuf::new_p2wsh(&bitcoin::WScriptHash::from_byte_array([8; 32]));
    let again = crate::wire::Shutdown { channel_id: alice.id, scriptpubkey };
    let error = alice.process(&world.alice.env(), Command::Message(again.into())).unwrap_err();
    assert_eq!(error, ChannelError::Disconnect(Violation::ShutdownScriptChanged));
}

#[test]
fn recv_add_after_shutdown() {
    let mut world = World::open();
    let htlc = world.add(Who::Alice, 50_000_000, 1);
    world.settle();
    let add_later = crate::wire::UpdateAddHtlc {
        channel_id: world.bob.channel().id,
        id: HtlcId(htlc.0 + 1),
        amount_msat: MilliSatoshi::from_msat(1_000_000),
        payment_hash: super::harness::hash(2),
        cltv_expiry: HEIGHT + 10,
        onion_routing_packet: Box::new([0; 1366]),
        path_key: None,
    };
    // Bob's own shutdown may have crossed it.
    world.tell(Who::Bob, SHUTDOWN);
    assert!(
        world.bob.channel().process(&world.bob.env(), Command::Message(add_later.clone().into())).is_ok()
    );
    world.settle();
    let error = world.bob.try_process(Command::Message(add_later.into())).unwrap_err();
    assert_eq!(error, ChannelError::Disconnect(Violation::UpdateAfterShutdown));
}

/// The peer holds a closing transaction that is never revoked. Were it to go on paying over another connection, it would
/// have the preimage and publish a close without that payment.
#[test]
fn nothing_is_paid_any_more_once_the_peer_may_hold_a_closing_transaction() {
    let mut world = negotiating();
    assert!(matches!(world.intercept(Who::Bob), Message::ClosingSigned(_)));
    for restarts in [false, true] {
        world.disconnect();
        if restarts {
            world.alice.restart();
        }
        world.connect();
        world.deliver(Who::Alice);
        assert_eq!(world.alice.channel().link, Link::Online);
        let add = crate::wire::UpdateAddHtlc {
            channel_id: world.alice.channel().id,
            id: HtlcId(0),
            amount_msat: MilliSatoshi::from_msat(100_000_000),
            payment_hash: super::harness::hash(2),
            cltv_expiry: HEIGHT + 100,
            onion_routing_packet: Box::new([0; 1366]),
            path_key: None,
        };
        let error = world.alice.try_process(Command::Message(add.into())).unwrap_err();
        assert_eq!(error, ChannelError::Disconnect(Violation::UpdateAfterShutdown), "{restarts}");
    }
}

#[test]
fn shutdown_script_of_the_owner() {
    let mut world = World::open();
    let refused = world.try_tell(Who::Alice, Command::Shutdown { script: Some(ScriptBuf::new()) });
    assert_eq!(refused, Err(ChannelError::Refused(Refusal::ShutdownScript)));
    let script = ScriptBuf::new_p2wsh(&bitcoin::WScriptHash::from_byte_array([8; 32]));
    world.tell(Who::Alice, Command::Shutdown { script: Some(script.clone()) });
    world.settle();
    assert!(
        world.alice.broadcasts.last().unwrap().output.iter().any(|output| output.script_pubkey == script)
    );
}

#[test]
fn shutdown_before_channel_ready() {
    let mut world = World::funded(request());
    world.tell(Who::Alice, SHUTDOWN);
    world.settle();
    // All is Alice's; Bob's output of nothing is left out.
    let tx = world.bob.broadcasts.last().unwrap();
    assert_eq!(tx.output.len(), 1);
    assert_eq!(world.alice.broadcasts.last(), Some(tx));
}

/// Both in negotiation, with the opener's first `closing_signed` on its way to Bob.
fn negotiating() -> World {
    let mut world = World::open();
    world.tell(Who::Alice, SHUTDOWN);
    world.deliver(Who::Bob);
    world.deliver(Who::Alice);
    assert_eq!(world.alice.channel().state.name(), "negotiating");
    world
}

/// What the peer would sign for this fee, by its own channel.
fn closing_signed(world: &mut World, by: Who, sat: u64, range: Option<(u64, u64)>) -> ClosingSigned {
    let side = world.side(by);
    let State::Negotiating(state) = &side.channel().state else { panic!() };
    let any = FeeRange { min_fee_satoshis: Amount::ZERO, max_fee_satoshis: FUNDING };
    let mut message = crate::channel::mutual::MutualClose {
        commitments: &state.commitments,
        local_script: &state.local_script,
        remote_script: &state.remote_script,
    }
    .propose(&side.env(), Amount::from_sat(sat), any)
    .unwrap();
    message.fee_range = range.map(|(least, most)| FeeRange {
        min_fee_satoshis: Amount::from_sat(least),
        max_fee_satoshis: Amount::from_sat(most),
    });
    message
}

#[test]
fn accepter_takes_what_the_opener_offers() {
    let mut world = negotiating();
    let Message::ClosingSigned(offer) = world.to_bob[0].clone() else { panic!() };
    world.deliver(Who::Bob);
    let Message::ClosingSigned(answer) = world.to_alice[0].clone() else { panic!() };
    assert_eq!(answer.fee_satoshis, offer.fee_satoshis);
    assert!(answer.fee_range.unwrap().max_fee_satoshis >= offer.fee_range.unwrap().max_fee_satoshis);
    assert_eq!(world.bob.broadcasts.len(), 1);
}

#[test]
fn opener_takes_any_fee_in_its_range_and_says_so() {
    let mut world = negotiating();
    let Message::ClosingSigned(offer) = world.intercept(Who::Bob) else { panic!() };
    let most = offer.fee_range.unwrap().max_fee_satoshis.to_sat();
    let answer = closing_signed(&mut world, Who::Bob, most, Some((100, 100_000)));
    let reply = world.alice.process(Command::Message(answer.into()));
    let [Message::ClosingSigned(reply)] = &reply[..] else { panic!("{reply:?}") };
    assert_eq!(reply.fee_satoshis.to_sat(), most);
    assert_eq!(agreed(&world.alice).1.to_sat(), most);
}

#[test]
fn opener_fails_the_channel_for_a_fee_out_of_range() {
    let mut world = negotiating();
    let Message::ClosingSigned(offer) = world.intercept(Who::Bob) else { panic!() };
    let most = offer.fee_range.unwrap().max_fee_satoshis.to_sat();
    let answer = closing_signed(&mut world, Who::Bob, most + 1, Some((100, 100_000)));
    let error = world.alice.try_process(Command::Message(answer.into())).unwrap_err();
    assert!(matches!(error, ChannelError::FailChannel(Violation::ClosingFee { .. })));
    let answer = closing_signed(&mut world, Who::Bob, most + 1, Some((most + 1, most + 1)));
    let error = world.alice.try_process(Command::Message(answer.into())).unwrap_err();
    assert!(matches!(error, ChannelError::Warn(Violation::ClosingFee { .. })));
}

#[test]
fn accepter_picks_from_the_overlap() {
    let mut world = negotiating();
    world.intercept(Who::Bob);
    // Too little to be relayed, with a range that allows for more.
    let offer = closing_signed(&mut world, Who::Alice, 10, Some((10, 400)));
    let answer = world.bob.process(Command::Message(offer.into()));
    let [Message::ClosingSigned(answer)] = &answer[..] else { panic!("{answer:?}") };
    let least = answer.fee_range.unwrap().min_fee_satoshis;
    assert_eq!(answer.fee_satoshis, least);
    assert!(world.bob.broadcasts.is_empty());
    // The opener must take it now.
    let other = closing_signed(&mut world, Who::Alice, 399, Some((10, 400)));
    let error = world.bob.try_process(Command::Message(other.into())).unwrap_err();
    assert!(matches!(error, ChannelError::FailChannel(Violation::ClosingFee { .. })));
    let same = closing_signed(&mut world, Who::Alice, least.to_sat(), Some((10, 400)));
    assert!(world.bob.process(Command::Message(same.into())).is_empty());
    assert_eq!(world.bob.broadcasts.len(), 1);
}

#[test]
fn without_fee_range_they_meet_between() {
    let mut world = negotiating();
    let Message::ClosingSigned(offer) = world.intercept(Who::Bob) else { panic!() };
    let sent = offer.fee_satoshis.to_sat();
    let most = offer.fee_range.unwrap().max_fee_satoshis.to_sat();
    let answer = closing_signed(&mut world, Who::Bob, most + 100, None);
    let reply = world.alice.process(Command::Message(answer.into()));
    let [Message::ClosingSigned(reply)] = &reply[..] else { panic!("{reply:?}") };
    let between = reply.fee_satoshis.to_sat();
    assert!(sent < between && between < most + 100);
    // Outside of the last two offers: the peer does not converge.
    let away = closing_signed(&mut world, Who::Bob, most + 200, None);
    let error = world.alice.try_process(Command::Message(away.into())).unwrap_err();
    assert!(matches!(error, ChannelError::Disconnect(Violation::ClosingFee { .. })));
    let nearer = closing_signed(&mut world, Who::Bob, between + 1, None);
    world.alice.process(Command::Message(nearer.into()));
    assert_eq!(agreed(&world.alice).1.to_sat(), between + 1);
}

/// What a commitment costs whoever opened the channel: base fee and anchors.
const ALONE: Amount = Amount::from_sat(1_124 + 660);

/// A server that lies about fees, and a peer that wishes to close and agrees to anything, give miners no more of the opener's
/// balance than closing alone would.
#[test]
fn an_absurd_estimate_does_not_make_a_close_together_absurd() {
    for begins in [Who::Alice, Who::Bob] {
        let mut world = World::open();
        // 1,000 sat/vB. What is proposed for commitments is bounded before (`Node::commitment_feerate`).
        for who in [Who::Alice, Who::Bob] {
            world.side(who).feerates.closing = FeeratePerKw::from_sat_per_kw(250_000);
        }
        world.tell(begins, SHUTDOWN);
        world.settle();
        assert_eq!(agreed(&world.alice), (Amount::from_sat(700_000) - ALONE, ALONE));
    }
    // Nor where the peer asks for more.
    let mut world = negotiating();
    world.alice.feerates.closing = FeeratePerKw::from_sat_per_kw(250_000);
    negotiate_anew(&mut world);
    let Message::ClosingSigned(offer) = world.intercept(Who::Bob) else { panic!() };
    assert_eq!((offer.fee_satoshis, offer.fee_range.unwrap().max_fee_satoshis), (ALONE, ALONE));
    let more = ALONE.to_sat() + 1;
    let answer = closing_signed(&mut world, Who::Bob, more, Some((more, FUNDING.to_sat())));
    let error = world.alice.try_process(Command::Message(answer.into())).unwrap_err();
    assert!(matches!(error, ChannelError::Warn(Violation::ClosingFee { .. })), "{error:?}");
}

/// A commitment of quieter days is cheap; closing alone now would cost its child as well.
#[test]
fn a_close_together_may_cost_what_closing_alone_costs_now() {
    let mut world = World::open();
    for who in [Who::Alice, Who::Bob] {
        let rate = FeeratePerKw::from_sat_per_kw(4_000);
        (world.side(who).feerates.closing, world.side(who).feerates.commitment) = (rate, rate);
    }
    world.tell(Who::Bob, SHUTDOWN);
    world.settle();
    let (_, fee) = agreed(&world.alice);
    assert!((2_600..2_800).contains(&fee.to_sat()), "{fee}");
}

/// Both in negotiation over another connection, with the opener's first `closing_signed` on its way to Bob.
fn negotiate_anew(world: &mut World) {
    world.disconnect();
    world.connect();
    while !matches!(world.to_bob.front(), Some(Message::ClosingSigned(_))) {
        let moved = [Who::Bob, Who::Alice].map(|who| world.deliver(who));
        assert_ne!(moved, [false, false]);
    }
}

/// What Bob answers to the offer, a satoshi more or less than what it asks for.
fn answer(world: &mut World, more: i64) -> Message {
    let Some(Message::ClosingSigned(offer)) = world.to_bob.front() else { panic!("{:?}", world.to_bob) };
    let sat = offer.fee_satoshis.to_sat().checked_add_signed(more).unwrap();
    world.to_bob.clear();
    closing_signed(world, Who::Bob, sat, Some((100, 100_000))).into()
}

fn agreements(side: &Side) -> usize {
    side.events.iter().filter(|event| matches!(event, ChannelEvent::ClosingAgreed { .. })).count()
}

#[test]
fn a_fee_that_is_agreed_is_the_last_word_of_a_connection() {
    let mut world = negotiating();
    let offer = world.to_bob.clone();
    let one = answer(&mut world, 1);
    world.to_bob = offer;
    let other = answer(&mut world, 2);
    world.alice.process(Command::Message(one.clone()));
    let before = (world.alice.channel().clone(), world.alice.broadcasts.len());
    assert!(world.alice.process(Command::Message(one)).is_empty());
    let error = world.alice.try_process(Command::Message(other)).unwrap_err();
    assert!(matches!(error, ChannelError::Disconnect(Violation::ClosingFee { .. })), "{error:?}");
    assert_eq!((world.alice.channel().clone(), world.alice.broadcasts.len()), before);
    assert_eq!(agreements(&world.alice), 1);
}

/// Nothing that the peer agrees to makes us wait longer for a block, or take less than we had.
#[test]
fn a_fee_of_another_connection_counts_if_it_is_higher() {
    let mut world = negotiating();
    let agreed = |world: &World| {
        let State::Negotiating(state) = &world.alice.channel().state else { panic!() };
        (state.agreed.clone().unwrap(), state.waits_since)
    };
    let first = answer(&mut world, 10);
    world.alice.process(Command::Message(first));
    world.rise(Who::Alice, HEIGHT + 1);
    let (before, since) = agreed(&world);
    assert_eq!(since, Some(HEIGHT + 1));
    for (more, counts) in [(9, false), (10, false), (11, true)] {
        world.rise(Who::Alice, HEIGHT + 2);
        negotiate_anew(&mut world);
        let published = world.alice.broadcasts.len();
        let later = answer(&mut world, more);
        world.alice.process(Command::Message(later));
        let (tx, since) = agreed(&world);
        assert_eq!((tx != before, since), (counts, Some(HEIGHT + 1)), "{more}");
        assert_eq!(world.alice.broadcasts.len() - published, usize::from(counts));
        assert_eq!(agreements(&world.alice), 1);
    }
}

/// As many blocks come, over a connection.
fn blocks(world: &mut World, who: Who, count: u32) -> Result<(), ChannelError> {
    for _ in 0..count {
        world.side(who).height += 1;
        let height = world.side(who).height;
        world.try_tell(who, Command::NewBlock(height))?;
    }
    Ok(())
}

fn unanswered() -> Result<(), ChannelError> {
    Err(ChannelError::FailChannel(Violation::CloseUnanswered { blocks: ANSWER_BLOCKS }))
}

#[test]
fn a_close_that_the_peer_does_not_answer_is_made_alone() {
    for who in [Who::Alice, Who::Bob] {
        // The peer's `shutdown` does not come.
        let mut world = World::open();
        world.tell(who, SHUTDOWN);
        assert_eq!(blocks(&mut world, who, ANSWER_BLOCKS - 1), Ok(()));
        assert_eq!(blocks(&mut world, who, 1), unanswered());

        // Its `closing_signed` does not come, whoever speaks first.
        let mut world = negotiating();
        assert_eq!(blocks(&mut world, who, ANSWER_BLOCKS - 1), Ok(()));
        assert_eq!(blocks(&mut world, who, 1), unanswered());

        // As above, over several connections: while there is none nobody can answer.
        let mut world = negotiating();
        assert_eq!(blocks(&mut world, who, 100), Ok(()));
        world.disconnect();
        assert_eq!(blocks(&mut world, who, 2 * ANSWER_BLOCKS), Ok(()));
        world.side(who).restart();
        negotiate_anew(&mut world);
        assert_eq!(blocks(&mut world, who, ANSWER_BLOCKS - 101), Ok(()));
        assert_eq!(blocks(&mut world, who, 1), unanswered());
        world.settle();
        assert_eq!(blocks(&mut world, who, 2 * ANSWER_BLOCKS), Ok(()), "it is agreed");
    }
}

/// An HTLC has a deadline of its own.
#[test]
fn a_close_that_waits_for_an_htlc_is_not_unanswered() {
    let mut world = World::open();
    let mut htlc = add(50_000_000, 1);
    htlc.cltv_expiry = crate::types::CltvExpiry::new(HEIGHT + 1_000).unwrap();
    world.tell(Who::Alice, Command::AddHtlc(htlc));
    world.settle();
    world.tell(Who::Alice, SHUTDOWN);
    world.settle();
    for who in [Who::Alice, Who::Bob] {
        assert_eq!(world.side(who).channel().state.name(), "shutting_down");
        assert_eq!(blocks(&mut world, who, 2 * ANSWER_BLOCKS), Ok(()));
    }
}

#[test]
fn recv_closing_signed_wrong_signature() {
    let mut world = negotiating();
    let Message::ClosingSigned(mut offer) = world.intercept(Who::Bob) else { panic!() };
    offer.fee_satoshis = Amount::from_sat(offer.fee_satoshis.to_sat() + 1);
    let error = world.bob.try_process(Command::Message(offer.into())).unwrap_err();
    assert!(matches!(error, ChannelError::Disconnect(Violation::ClosingSignature { .. })));
}

#[test]
fn negotiation_survives_lost_connections() {
    // After each number of delivered messages the connection is lost once.
    for delivered in 0..8 {
        let mut world = World::open();
        world.tell(Who::Alice, SHUTDOWN);
        for _ in 0..delivered {
            let _ = world.deliver(Who::Bob) || world.deliver(Who::Alice);
        }
        world.disconnect();
        world.alice.restart();
        world.bob.restart();
        world.connect();
        world.settle();
        assert_eq!(agreed(&world.alice).1, agreed(&world.bob).1, "{delivered}");
        assert_eq!(world.alice.broadcasts.last(), world.bob.broadcasts.last());
    }
}

#[test]
fn error_after_agreement_does_not_publish_a_commitment() {
    let mut world = World::open();
    world.tell(Who::Alice, SHUTDOWN);
    world.settle();
    let closing = world.alice.broadcasts.last().unwrap().clone();
    let error = crate::wire::Error::new(world.alice.channel().id, "sorry");
    world.alice.process(Command::Message(error.into()));
    assert_eq!(world.alice.broadcasts.last(), Some(&closing));
    assert_eq!(world.alice.channel().state.name(), "negotiating");
    assert!(!world.alice.channel().commitments().unwrap().may_broadcast);
    world.tell(Who::Alice, Command::ForceClose);
    assert_eq!(world.alice.broadcasts.last(), Some(&closing));
}

#[test]
fn failing_publishes_our_commitment_once_that_is_stored() {
    let mut world = World::open();
    let id = world.add(Who::Alice, 50_000_000, 1);
    world.settle();
    world.add(Who::Alice, 1_000_000, 2);
    let transition = world.alice.channel().fail(&world.alice.env(), &Violation::WrongSecret).unwrap();
    assert!(transition.next.commitments().unwrap().may_broadcast);
    let kinds: Vec<&str> = transition
        .effects
        .then
        .iter()
        .map(|gated| match gated {
            Gated::Send(Message::Error(_)) => "error",
            Gated::Broadcast(_) => "broadcast",
            Gated::Notify(ChannelEvent::HtlcNeverCommitted { origin, id }) => {
                assert_eq!((*origin, id.0), (PaymentId([2; 16]), 1));
                "never committed"
            }
            Gated::Notify(ChannelEvent::Failed { .. }) => "failed",
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(kinds, ["error", "broadcast", "never committed", "failed"]);
    world.alice.take(transition);
    world.to_bob.clear();

    // Valid for Bitcoin, and ours.
    let tx = world.alice.broadcasts.last().unwrap().clone();
    let funding = &world.funding_tx.as_ref().unwrap().output[1];
    let bytes = bitcoin::consensus::encode::serialize(&tx);
    bitcoinconsensus::verify(funding.script_pubkey.as_bytes(), funding.value.to_sat(), &bytes, None, 0)
        .unwrap();
    assert_eq!(world.alice.channel().rebroadcasts(&world.alice.env()).unwrap(), [vec![tx.clone()]]);

    // From now on nothing but the error, whatever the peer says.
    let signed = Message::from(crate::wire::RevokeAndAck {
        channel_id: world.alice.channel().id,
        per_commitment_secret: [1; 32],
        next_per_commitment_point: world.bob.node_id,
    });
    assert!(world.alice.process(Command::Message(signed)).is_empty());
    world.disconnect();
    let hello = world.alice.process(Command::Connected);
    assert!(matches!(hello[..], [Message::Error(_)]));

    world.see(Who::Alice, &tx, None);
    world.see(Who::Bob, &tx, None);
    let closer = |side: &Side| match &side.channel().state {
        State::Closing(closing) => (closing.closer, closing.to_us),
        other => panic!("{other:?}"),
    };
    let fee_and_anchors = Amount::from_sat((1124 + 172) * 1000 / 1000 + 660);
    // The HTLC comes back as well, unless its preimage shows up.
    assert_eq!(closer(&world.alice), (Closer::Local, Amount::from_sat(700_000) - fee_and_anchors));
    assert_eq!(closer(&world.bob), (Closer::RemoteCurrent, Amount::from_sat(300_000)));
    assert!(world.alice.channel().htlc(crate::channel::Party::Local, id).is_some());
}

#[test]
fn spends_of_the_funding_output_are_explained() {
    let closer = |side: &mut Side, tx: &Transaction| {
        let see = |height| {
            let spent = Command::Spent { tx: tx.clone(), height };
            side.channel().process(&side.env(), spent).unwrap().next.state
        };
        let is_followed_at_once = matches!(see(None), State::Closing(_));
        match see(Some(HEIGHT)) {
            State::Closing(closing) => {
                // What may never come into a block is not waited for.
                assert_eq!(is_followed_at_once, closing.closer.is_newest());
                closing.closer
            }
            other => panic!("{other:?}"),
        }
    };
    let publish = |side: &Side| {
        let transition = side.channel().fail(&side.env(), &Violation::ForceClosed).unwrap();
        let broadcast = transition.effects.then.iter().find_map(|gated| match gated {
            Gated::Broadcast(tx) => Some(tx.clone()),
            _ => None,
        });
        broadcast.unwrap()
    };
    let mut world = World::open();
    let old = publish(&world.bob);
    world.add(Who::Alice, 50_000_000, 1);
    world.sign_if_needed(Who::Alice);
    assert_eq!(closer(&mut world.alice, &old), Closer::RemoteCurrent);
    world.deliver(Who::Bob);
    world.deliver(Who::Bob);
    // Bob has the new one and has not revoked the old one as far as Alice knows.
    let new = publish(&world.bob);
    assert_eq!(closer(&mut world.alice, &new), Closer::RemoteNext);
    assert_eq!(closer(&mut world.alice, &old), Closer::RemoteCurrent);
    let behind = world.alice.rows.clone();
    world.settle();
    assert_eq!(closer(&mut world.alice, &old), Closer::RemoteRevoked { number: 0 });
    assert_eq!(closer(&mut world.alice, &new), Closer::RemoteCurrent);
    world.fulfil(Who::Bob, HtlcId(0), 1);
    world.settle();
    let newest = publish(&world.bob);
    // Alice from a backup.
    world.alice.rows = behind;
    world.alice.restart();
    assert_eq!(closer(&mut world.alice, &newest), Closer::RemoteUnknown { number: 2 });
    // Not of this channel.
    let unrelated = world.funding_tx.clone().unwrap();
    assert_eq!(world.alice.process(Command::Spent { tx: unrelated, height: None }), []);
    assert_eq!(world.alice.channel().state.name(), "normal");
    assert_eq!(world.alice.channel().link, Link::Offline);
}

#[test]
fn recv_error_fails_the_channel() {
    let mut world = World::open();
    let error = Message::from(crate::wire::Error::new(world.alice.channel().id, "no\x07!"));
    let Err(ChannelError::FailChannel(violation)) = world.alice.try_process(Command::Message(error)) else {
        panic!()
    };
    assert_eq!(violation, Violation::RemoteError { text: "no?!".into() });
    // No error in answer to an error.
    assert!(world.alice.fail(&violation).is_empty());
    assert_eq!(world.alice.broadcasts.len(), 2);
}

#[test]
fn recv_warning_changes_nothing() {
    let mut world = World::open();
    let before = world.alice.channel().clone();
    let warning = Message::from(crate::wire::Warning::new(before.id, "hm"));
    world.alice.process(Command::Message(warning));
    assert_eq!(world.alice.take_events(), [ChannelEvent::PeerWarning { text: "hm".into() }]);
    assert_eq!(*world.alice.channel(), before);
}
