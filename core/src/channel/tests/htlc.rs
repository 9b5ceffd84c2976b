use super::harness::{HEIGHT, Who, World, add, hash};
use crate::channel::{
    AddHtlc, ChannelError, ChannelEvent, Command, HtlcKey, Party, Refusal, Removal, Violation,
    read_revoked_row,
};
use crate::onion::Instruction;
use crate::types::{CltvExpiry, HtlcId, MilliSatoshi, PaymentId, PaymentPreimage};
use crate::wire::Message;

fn msat(msat: u64) -> MilliSatoshi {
    MilliSatoshi::from_msat(msat)
}

fn violation(error: ChannelError) -> Violation {
    match error {
        ChannelError::FailChannel(violation) | ChannelError::Disconnect(violation) => violation,
        other => panic!("{other:?}"),
    }
}

#[test]
fn add_and_fulfil_in_both_directions() {
    for from in [Who::Alice, Who::Bob] {
        let mut world = World::open();
        let to = from.other();
        let id = world.add(from, 50_000_000, 1);
        world.settle();
        let events = world.side(to).take_events();
        let [ChannelEvent::HtlcIrrevocablyCommitted(incoming)] = &events[..] else { panic!("{events:?}") };
        assert_eq!((incoming.id, incoming.amount, incoming.payment_hash), (id, msat(50_000_000), hash(1)));
        // Its onion is read on receipt; these are none.
        assert!(matches!(incoming.instruction, Some(Instruction::Malformed { failure_code: 0xc004, .. })));
        assert!(!incoming.over_dust_exposure);
        world.assert_settled();

        world.tell(to, Command::OnionRead(id));
        world.fulfil(to, id, 1);
        // The preimage is news before anything is signed.
        assert!(world.deliver(from));
        let preimage = PaymentPreimage([1; 32]);
        let settled = ChannelEvent::HtlcSettled { origin: PaymentId([1; 16]), id, preimage };
        assert_eq!(world.side(from).take_events(), [settled]);
        world.settle();
        world.assert_settled();
        let (before, after) = match from {
            Who::Alice => ((700_000_000, 300_000_000), (650_000_000, 350_000_000)),
            Who::Bob => ((300_000_000, 700_000_000), (250_000_000, 750_000_000)),
        };
        assert_ne!(before, after);
        assert_eq!(world.side(from).balances(), after);
        assert!(world.side(from).channel().commitments().unwrap().htlcs.is_empty());
        assert!(world.side(to).channel().commitments().unwrap().htlcs.is_empty());
    }
}

#[test]
fn add_and_fail() {
    let mut world = World::open();
    let id = world.add(Who::Alice, 50_000_000, 1);
    world.settle();
    world.fail(Who::Bob, id);
    // A failure is news only when it is irrevocable: after Bob's last `revoke_and_ack`.
    let mut told_after = Vec::new();
    loop {
        let moved = [Who::Alice, Who::Bob].map(|who| {
            let next = world.inbox(who).front().map(Message::message_type);
            let moved = world.deliver(who) || world.sign_if_needed(who);
            if world.alice.events.len() > told_after.len() {
                told_after.push(next);
            }
            moved
        });
        if moved == [false, false] {
            break;
        }
    }
    assert_eq!(told_after, [Some(133)]);
    let reason = Removal::Failed(vec![7; 292]);
    assert_eq!(
        world.alice.take_events(),
        [ChannelEvent::HtlcFailed { origin: PaymentId([1; 16]), id, reason }]
    );
    world.assert_settled();
    assert_eq!(world.alice.balances(), (700_000_000, 300_000_000));
}

#[test]
fn add_and_fail_malformed() {
    let mut world = World::open();
    let id = world.add(Who::Bob, 50_000_000, 1);
    world.settle();
    let removal = Removal::Malformed { sha256_of_onion: [3; 32], failure_code: 0xc005 };
    world.tell(Who::Alice, Command::RemoveHtlc { id, removal: removal.clone() });
    world.settle();
    let failed = ChannelEvent::HtlcFailed { origin: PaymentId([1; 16]), id, reason: removal };
    assert_eq!(world.bob.take_events(), [failed]);
    world.assert_settled();
}

#[test]
fn twins_with_one_hash_are_settled_by_their_number() {
    for fulfilled_first in [true, false] {
        let mut world = World::open();
        let [a, b] = [(); 2].map(|()| world.add(Who::Alice, 10_000_000, 1));
        world.settle();
        if fulfilled_first {
            world.fulfil(Who::Bob, a, 1);
            world.fail(Who::Bob, b);
        } else {
            world.fail(Who::Bob, b);
            world.fulfil(Who::Bob, a, 1);
        }
        world.settle();
        let events = world.alice.take_events();
        assert!(
            matches!(events[..], [
            ChannelEvent::HtlcSettled { id: x, .. },
            ChannelEvent::HtlcFailed { id: y, .. },
        ] if x == a && y == b),
            "{events:?}"
        );
        assert_eq!(world.alice.balances(), (690_000_000, 310_000_000));
    }
}

#[test]
fn many_updates_cross_each_other() {
    let mut world = World::open();
    for round in 0..5 {
        let from_alice: Vec<_> = (0..5).map(|i| world.add(Who::Alice, 1_000_000 + i, 1)).collect();
        let from_bob: Vec<_> = (0..5).map(|i| world.add(Who::Bob, 200_000 + i * 100_000, 2)).collect();
        world.sign_if_needed(Who::Alice);
        world.sign_if_needed(Who::Bob);
        // One more of each while signatures are under way.
        let late_alice = world.add(Who::Alice, 3_000_000, 3);
        let late_bob = world.add(Who::Bob, 3_000_000, 4);
        world.settle();
        world.assert_settled();
        assert_eq!(world.alice.channel().commitments().unwrap().htlcs.len(), 12, "round {round}");
        from_alice.iter().for_each(|id| world.fulfil(Who::Bob, *id, 1));
        from_bob.iter().for_each(|id| world.fulfil(Who::Alice, *id, 2));
        world.fail(Who::Bob, late_alice);
        world.sign_if_needed(Who::Bob);
        world.fail(Who::Alice, late_bob);
        world.settle();
        world.assert_settled();
    }
    let paid_by_alice: u64 = (0..5).map(|i| 1_000_000 + i).sum::<u64>() * 5;
    let paid_by_bob: u64 = (0..5).map(|i| 200_000 + i * 100_000).sum::<u64>() * 5;
    assert_eq!(world.alice.balances().0, 700_000_000 - paid_by_alice + paid_by_bob);
}

#[test]
fn sign_only_with_changes_and_once_at_a_time() {
    let mut world = World::open();
    let refused = |error| ChannelError::Refused(error);
    assert_eq!(world.try_tell(Who::Alice, Command::Sign), Err(refused(Refusal::NothingToSign)));
    world.add(Who::Alice, 1_000_000, 1);
    world.tell(Who::Alice, Command::Sign);
    world.add(Who::Alice, 1_000_000, 1);
    assert!(!world.alice.channel().needs_signing());
    assert_eq!(world.try_tell(Who::Alice, Command::Sign), Err(refused(Refusal::WaitingForRevocation)));
    world.settle();
    world.assert_settled();
}

#[test]
fn send_add_is_checked() {
    let mut world = World::open();
    let refusal = |world: &mut World, add: AddHtlc| match world.alice.try_process(Command::AddHtlc(add)) {
        Err(ChannelError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    let with_expiry = |height| AddHtlc { cltv_expiry: CltvExpiry::new(height).unwrap(), ..add(1_000_000, 1) };
    assert!(matches!(refusal(&mut world, add(0, 1)), Refusal::HtlcTooSmall { .. }));
    assert!(matches!(refusal(&mut world, with_expiry(HEIGHT + 3)), Refusal::ExpiryOutOfRange { .. }));
    assert!(matches!(refusal(&mut world, with_expiry(HEIGHT + 2_017)), Refusal::ExpiryOutOfRange { .. }));
    let sendable = world.alice.channel().sendable().to_msat();
    assert!(matches!(refusal(&mut world, add(sendable + 1, 1)), Refusal::InsufficientFunds { .. }));
    assert!(matches!(refusal(&mut world, add(u64::MAX, 1)), Refusal::InsufficientFunds { .. }));
    // 700,000 sat less 1% reserve, anchors, and the fee at twice the rate with two HTLCs.
    assert_eq!(sendable, 700_000_000 - 10_000_000 - 660_000 - (1124 + 2 * 172) * 2 * 1_000);
    world.add(Who::Alice, sendable, 1);
    world.settle();
    world.assert_settled();
    assert_eq!(world.alice.channel().sendable(), MilliSatoshi::ZERO);
}

#[test]
fn send_add_peer_limits() {
    let mut world = World::new();
    world.bob.config.max_accepted_htlcs = 2;
    world.bob.config.htlc_minimum_msat = msat(5_000);
    let mut world = World::open_with(world, msat(300_000_000));
    let error = world.try_tell(Who::Alice, Command::AddHtlc(add(4_999, 1))).unwrap_err();
    assert!(matches!(error, ChannelError::Refused(Refusal::HtlcTooSmall { .. })));
    world.add(Who::Alice, 5_000, 1);
    world.add(Who::Alice, 5_000, 1);
    let error = world.try_tell(Who::Alice, Command::AddHtlc(add(5_000, 1))).unwrap_err();
    assert_eq!(error, ChannelError::Refused(Refusal::TooManyHtlcs { limit: 2 }));
    assert_eq!(world.alice.channel().sendable(), MilliSatoshi::ZERO);
}

#[test]
fn send_add_dust_exposure() {
    let mut world = World::open();
    world.alice.config.max_dust_htlc_exposure = msat(700_000);
    world.add(Who::Alice, 353_000, 1);
    world.add(Who::Alice, 347_000, 1);
    let error = world.try_tell(Who::Alice, Command::AddHtlc(add(1_000, 1))).unwrap_err();
    assert!(matches!(error, ChannelError::Refused(Refusal::DustExposure { .. })));
    // What gets an output is no dust.
    world.add(Who::Alice, 354_000, 1);
}

#[test]
fn recv_add_over_dust_exposure_is_to_be_failed() {
    let mut world = World::open();
    world.bob.config.max_dust_htlc_exposure = msat(500_000);
    world.add(Who::Alice, 353_000, 1);
    world.settle();
    world.add(Who::Alice, 353_000, 1);
    world.settle();
    let flags: Vec<bool> = world
        .bob
        .take_events()
        .into_iter()
        .map(|event| match event {
            ChannelEvent::HtlcIrrevocablyCommitted(htlc) => htlc.over_dust_exposure,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(flags, [false, true]);
}

#[test]
fn send_add_when_the_opener_cannot_pay_for_it() {
    // Bob pushes nothing, so Alice, the opener, keeps all; then she spends it and has no fee left for Bob's HTLC.
    let mut world = World::open();
    let sendable = world.alice.channel().sendable().to_msat();
    let id = world.add(Who::Alice, sendable, 1);
    world.settle();
    world.fulfil(Who::Bob, id, 1);
    world.settle();
    // The buffer of the first payment pays for these.
    let mut sent = 0;
    let error = loop {
        match world.bob.try_process(Command::AddHtlc(add(1_000_000, 2))) {
            Ok(messages) => world.send(Who::Bob, messages),
            Err(error) => break error,
        }
        world.settle();
        sent += 1;
    };
    assert!(matches!(error, ChannelError::Refused(Refusal::RemoteCannotAfford { .. })), "{error:?}");
    assert!(sent > 2);
    world.assert_settled();
    // A trimmed one costs her nothing.
    world.add(Who::Bob, 100_000, 2);
    world.settle();
}

fn tampered_add(change: impl FnOnce(&mut crate::wire::UpdateAddHtlc)) -> (World, Violation) {
    let mut world = World::open();
    world.add(Who::Alice, 50_000_000, 1);
    let Message::UpdateAddHtlc(mut add) = world.intercept(Who::Bob) else { panic!() };
    change(&mut add);
    let error = world.bob.try_process(Command::Message(add.into())).unwrap_err();
    (world, violation(error))
}

#[test]
fn recv_htlc_add_expiry_too_large() {
    let (_, violation) = tampered_add(|add| add.cltv_expiry = 500_000_000);
    assert_eq!(violation, Violation::ExpiryTooLarge { cltv_expiry: 500_000_000 });
}

#[test]
fn recv_htlc_add_wrong_id() {
    let (_, violation) = tampered_add(|add| add.id = HtlcId(1));
    assert_eq!(violation, Violation::HtlcId { found: HtlcId(1), expected: HtlcId(0) });
}

#[test]
fn recv_htlc_add_zero() {
    let (_, violation) = tampered_add(|add| add.amount_msat = MilliSatoshi::ZERO);
    assert!(matches!(violation, Violation::HtlcTooSmall { .. }));
}

#[test]
fn recv_htlc_add_below_reserve() {
    // 700,000 sat less reserve, fee with one HTLC, anchors: one millisatoshi more is too much.
    let most = 700_000_000 - 10_000_000 - 1_296_000 - 660_000;
    let (_, violation) = tampered_add(|add| add.amount_msat = msat(most + 1));
    assert_eq!(violation, Violation::CannotAfford { who: Party::Remote, missing: msat(1) });
    let mut world = World::open();
    world.add(Who::Alice, 50_000_000, 1);
    let Message::UpdateAddHtlc(mut add) = world.intercept(Who::Bob) else { panic!() };
    add.amount_msat = msat(most);
    assert!(world.bob.try_process(Command::Message(add.into())).is_ok());
}

#[test]
fn recv_htlc_add_more_than_there_is() {
    let (_, violation) = tampered_add(|add| add.amount_msat = msat(700_000_001));
    assert!(matches!(violation, Violation::CannotAfford { who: Party::Remote, .. }));
}

#[test]
fn recv_htlc_add_too_many_or_too_much() {
    let mut world = World::new();
    world.bob.config.max_accepted_htlcs = 1;
    let mut world = World::open_with(world, msat(300_000_000));
    world.add(Who::Alice, 1_000_000, 1);
    let Message::UpdateAddHtlc(mut again) = world.to_bob[0].clone() else { panic!() };
    world.deliver(Who::Bob);
    again.id = HtlcId(1);
    let error = world.bob.try_process(Command::Message(again.into())).unwrap_err();
    assert_eq!(violation(error), Violation::TooManyHtlcs { limit: 1 });
}

#[test]
fn remove_before_it_is_irrevocable_is_refused() {
    let mut world = World::open();
    let id = world.add(Who::Alice, 50_000_000, 1);
    let command = || Command::RemoveHtlc { id, removal: Removal::Fulfilled(PaymentPreimage([1; 32])) };
    let refused = |world: &mut World| match world.bob.try_process(command()) {
        Err(ChannelError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&mut world), Refusal::UnknownHtlc { id });
    world.deliver(Who::Bob);
    assert_eq!(refused(&mut world), Refusal::NotIrrevocable { id });
    world.sign_if_needed(Who::Alice);
    world.deliver(Who::Bob);
    assert_eq!(refused(&mut world), Refusal::NotIrrevocable { id });
    world.deliver(Who::Alice);
    world.sign_if_needed(Who::Bob);
    assert_eq!(refused(&mut world), Refusal::NotIrrevocable { id });
    assert!(world.bob.events.is_empty());
    world.settle();
    world.bob.process(command());
    assert_eq!(refused(&mut world), Refusal::AlreadyRemoved { id });
}

#[test]
fn remove_with_wrong_preimage_or_code_is_refused() {
    let mut world = World::open();
    let id = world.add(Who::Alice, 50_000_000, 1);
    world.settle();
    let wrong = Removal::Fulfilled(PaymentPreimage([2; 32]));
    let no_flag = Removal::Malformed { sha256_of_onion: [0; 32], failure_code: 0x4005 };
    let refused = |error| Err(ChannelError::Refused(error));
    assert_eq!(
        world.try_tell(Who::Bob, Command::RemoveHtlc { id, removal: wrong }),
        refused(Refusal::WrongPreimage { id })
    );
    assert_eq!(
        world.try_tell(Who::Bob, Command::RemoveHtlc { id, removal: no_flag }),
        refused(Refusal::NotBadOnion { failure_code: 0x4005 })
    );
}

#[test]
fn recv_htlc_fulfil_is_checked() {
    let mut world = World::open();
    let id = world.add(Who::Alice, 50_000_000, 1);
    world.settle();
    world.fulfil(Who::Bob, id, 1);
    let Message::UpdateFulfillHtlc(fulfil) = world.intercept(Who::Alice) else { panic!() };
    let mut wrong = fulfil.clone();
    wrong.payment_preimage = PaymentPreimage([2; 32]);
    let key = HtlcKey::outgoing(id);
    let error = world.alice.try_process(Command::Message(wrong.into())).unwrap_err();
    assert_eq!(violation(error), Violation::WrongPreimage(key));
    let mut wrong = fulfil.clone();
    wrong.id = HtlcId(7);
    let error = world.alice.try_process(Command::Message(wrong.into())).unwrap_err();
    assert_eq!(violation(error), Violation::UnknownHtlc(HtlcKey::outgoing(HtlcId(7))));
    world.alice.process(Command::Message(fulfil.clone().into()));
    // The same removal again, and again once it is committed.
    let error = world.alice.try_process(Command::Message(fulfil.clone().into())).unwrap_err();
    assert_eq!(violation(error), Violation::RemovedTwice(key));
    world.settle();
    let error = world.alice.try_process(Command::Message(fulfil.into())).unwrap_err();
    assert_eq!(violation(error), Violation::UnknownHtlc(key));
}

#[test]
fn recv_htlc_fulfil_of_an_uncommitted_htlc() {
    let mut world = World::open();
    let id = world.add(Who::Alice, 50_000_000, 1);
    let channel_id = world.alice.channel().id;
    let payment_preimage = PaymentPreimage([1; 32]);
    let early = crate::wire::UpdateFulfillHtlc { channel_id, id, payment_preimage };
    let error = world.alice.try_process(Command::Message(early.into())).unwrap_err();
    assert_eq!(violation(error), Violation::UnknownHtlc(HtlcKey::outgoing(id)));
}

#[test]
fn recv_htlc_fail_malformed_without_badonion() {
    let mut world = World::open();
    let id = world.add(Who::Alice, 50_000_000, 1);
    world.settle();
    let message = crate::wire::UpdateFailMalformedHtlc {
        channel_id: world.alice.channel().id,
        id,
        sha256_of_onion: [0; 32],
        failure_code: 0x4005,
    };
    let error = world.alice.try_process(Command::Message(message.into())).unwrap_err();
    assert_eq!(violation(error), Violation::NotBadOnion { failure_code: 0x4005 });
}

#[test]
fn recv_commitment_signed_is_checked() {
    let mut world = World::open();
    world.add(Who::Alice, 50_000_000, 1);
    world.sign_if_needed(Who::Alice);
    world.deliver(Who::Bob);
    let Message::CommitmentSigned(signed) = world.intercept(Who::Bob) else { panic!() };
    assert_eq!(signed.htlc_signatures.len(), 1);
    let before = world.bob.channel().clone();
    let mut wrong = signed.clone();
    wrong.signature = signed.htlc_signatures[0];
    let error = world.bob.try_process(Command::Message(wrong.into())).unwrap_err();
    assert!(matches!(violation(error), Violation::CommitmentSignature(_)));
    let mut wrong = signed.clone();
    wrong.htlc_signatures[0] = signed.signature;
    let error = world.bob.try_process(Command::Message(wrong.into())).unwrap_err();
    assert!(matches!(violation(error), Violation::HtlcSignature { index: 0, .. }));
    for count in [0, 2] {
        let mut wrong = signed.clone();
        wrong.htlc_signatures = vec![signed.htlc_signatures[0]; count];
        let error = world.bob.try_process(Command::Message(wrong.into())).unwrap_err();
        assert_eq!(violation(error), Violation::HtlcSignatureCount { found: count, expected: 1 });
    }
    assert_eq!(*world.bob.channel(), before);
    world.bob.process(Command::Message(signed.into()));
}

#[test]
fn recv_revoke_and_ack_is_checked() {
    let mut world = World::open();
    world.add(Who::Alice, 50_000_000, 1);
    world.sign_if_needed(Who::Alice);
    world.deliver(Who::Bob);
    world.deliver(Who::Bob);
    let Message::RevokeAndAck(revoke) = world.intercept(Who::Alice) else { panic!() };
    for secret in [[0; 32], [0xff; 32], [1; 32]] {
        let mut wrong = revoke.clone();
        wrong.per_commitment_secret = secret;
        let error = world.alice.try_process(Command::Message(wrong.into())).unwrap_err();
        assert_eq!(violation(error), Violation::WrongSecret);
    }
    world.alice.process(Command::Message(revoke.clone().into()));
    let error = world.alice.try_process(Command::Message(revoke.into())).unwrap_err();
    assert_eq!(violation(error), Violation::RevocationOutOfTurn);
}

#[test]
fn revoked_htlcs_are_remembered_for_the_penalty() {
    let mut world = World::open();
    let id = world.add(Who::Alice, 50_000_000, 1);
    world.add(Who::Alice, 100_000, 2);
    world.settle();
    world.fulfil(Who::Bob, id, 1);
    world.settle();
    for side in [&world.alice, &world.bob] {
        let mut rows = side.revoked.iter();
        let (number, row) = rows.next().unwrap();
        assert!(row.len() <= 48, "{}", row.len());
        let htlcs = read_revoked_row(*number, row).unwrap();
        // The trimmed one has no output to punish.
        assert_eq!(htlcs.iter().map(|htlc| htlc.payment_hash).collect::<Vec<_>>(), [hash(1)]);
        assert!(rows.next().is_none());
    }
}

#[test]
fn deadlines_on_the_chain() {
    let mut world = World::open();
    let expiry = HEIGHT + 144;
    let id = world.add(Who::Alice, 50_000_000, 1);
    // In no commitment: nothing to do about it.
    assert!(world.try_tell(Who::Alice, Command::NewBlock(expiry + 2)).is_ok());
    world.settle();
    world.tell(Who::Alice, Command::NewBlock(expiry + 1));
    let key = HtlcKey::outgoing(id);
    let error = world.try_tell(Who::Alice, Command::NewBlock(expiry + 2)).unwrap_err();
    assert_eq!(violation(error), Violation::HtlcTimedOut { key, height: expiry + 2 });

    world.tell(Who::Bob, Command::NewBlock(expiry - 18));
    world.fulfil(Who::Bob, id, 1);
    world.tell(Who::Bob, Command::NewBlock(expiry - 19));
    let error = world.try_tell(Who::Bob, Command::NewBlock(expiry - 18)).unwrap_err();
    let key = HtlcKey::incoming(id);
    assert_eq!(violation(error), Violation::FulfilmentOverdue { key, height: expiry - 18 });
}
