use super::harness::{Who, World, add};
use crate::channel::{
    ChannelError, ChannelEvent, Command, HtlcKey, LastSent, Link, Party, Removal, Update, Violation,
};
use crate::types::{FeeratePerKw, PaymentPreimage};
use crate::wire::{ChannelReestablish, Message};

/// What happens to a connection after a number of messages.
#[derive(Clone, Copy, Debug)]
enum Loss {
    /// All that is on its way is lost.
    All,
    /// What is on its way to one side arrives first.
    AfterDelivering(Who),
}

/// Runs `script` step by step, one delivered message or signature a step, and cuts the connection after every number of
/// steps, in every way, with and without a crash of both. The outcome must always be the same.
fn cut_everywhere(start: impl Fn() -> World, begin: impl Fn(&mut World), finish: impl Fn(&mut World)) {
    let steps = {
        let mut world = start();
        begin(&mut world);
        let mut steps = 0;
        while step(&mut world) {
            steps += 1;
        }
        steps
    };
    assert!(steps > 5);
    for cut in 0..=steps {
        for loss in [Loss::All, Loss::AfterDelivering(Who::Alice), Loss::AfterDelivering(Who::Bob)] {
            for crash in [false, true] {
                let mut world = start();
                begin(&mut world);
                for _ in 0..cut {
                    step(&mut world);
                }
                if let Loss::AfterDelivering(who) = loss {
                    while world.deliver(who) {}
                }
                world.disconnect();
                if crash {
                    world.alice.restart();
                    world.bob.restart();
                }
                world.connect();
                world.settle();
                world.offer_again();
                world.settle();
                world.assert_settled();
                finish(&mut world);
            }
        }
    }
}

fn step(world: &mut World) -> bool {
    [Who::Alice, Who::Bob].into_iter().any(|who| world.deliver(who) || world.sign_if_needed(who))
}

#[test]
fn add_survives_a_cut_everywhere() {
    cut_everywhere(
        World::open,
        |world| {
            world.add(Who::Alice, 50_000_000, 1);
        },
        |world| {
            let committed =
                |event: &&ChannelEvent| matches!(event, ChannelEvent::HtlcIrrevocablyCommitted(_));
            assert_eq!(world.bob.events.iter().filter(committed).count(), 1);
            assert_eq!(world.bob.channel().unresolved_incoming(&world.bob.env()).len(), 1);
            let key = HtlcKey::outgoing(crate::types::HtlcId(0));
            world.fulfil(Who::Bob, key.id, 1);
            world.settle();
            assert_eq!(world.alice.balances(), (650_000_000, 350_000_000));
        },
    );
}

#[test]
fn fulfil_survives_a_cut_everywhere() {
    cut_everywhere(
        || {
            let mut world = World::open();
            world.add(Who::Alice, 50_000_000, 1);
            world.settle();
            world
        },
        |world| world.fulfil(Who::Bob, crate::types::HtlcId(0), 1),
        |world| {
            assert_eq!(world.alice.balances(), (650_000_000, 350_000_000));
            assert!(world.alice.events.iter().any(|event| matches!(event, ChannelEvent::HtlcSettled { .. })));
            assert!(world.alice.channel().commitments().unwrap().htlcs.is_empty());
        },
    );
}

#[test]
fn fail_survives_a_cut_everywhere_and_is_told_once() {
    cut_everywhere(
        || {
            let mut world = World::open();
            world.add(Who::Bob, 50_000_000, 1);
            world.settle();
            world
        },
        |world| world.fail(Who::Alice, crate::types::HtlcId(0)),
        |world| {
            assert_eq!(world.bob.balances(), (300_000_000, 700_000_000));
            let failed = |event: &&ChannelEvent| matches!(event, ChannelEvent::HtlcFailed { .. });
            assert_eq!(world.bob.events.iter().filter(failed).count(), 1);
        },
    );
}

#[test]
fn fee_survives_a_cut_everywhere() {
    cut_everywhere(
        World::open,
        |world| world.tell(Who::Alice, Command::UpdateFee(FeeratePerKw::from_sat_per_kw(1_500))),
        |world| {
            let spec = &world.bob.channel().commitments().unwrap().local.spec;
            assert_eq!(spec.feerate, FeeratePerKw::from_sat_per_kw(1_500));
        },
    );
}

#[test]
fn crossing_updates_survive_a_cut_everywhere() {
    cut_everywhere(
        || {
            let mut world = World::open();
            world.add(Who::Alice, 50_000_000, 1);
            world.add(Who::Bob, 40_000_000, 2);
            world.settle();
            world
        },
        |world| {
            world.fulfil(Who::Bob, crate::types::HtlcId(0), 1);
            world.add(Who::Bob, 5_000_000, 3);
            world.sign_if_needed(Who::Bob);
            world.fulfil(Who::Alice, crate::types::HtlcId(0), 2);
            world.add(Who::Alice, 6_000_000, 4);
            world.tell(Who::Alice, Command::UpdateFee(FeeratePerKw::from_sat_per_kw(900)));
            world.sign_if_needed(Who::Alice);
            world.add(Who::Alice, 7_000_000, 5);
        },
        |world| {
            let htlcs = &world.alice.channel().commitments().unwrap().htlcs;
            assert_eq!(htlcs.len(), 3);
            assert_eq!(
                world.alice.balances(),
                (
                    700_000_000 - 50_000_000 + 40_000_000 - 13_000_000,
                    300_000_000 + 50_000_000 - 40_000_000 - 5_000_000
                )
            );
        },
    );
}

#[test]
fn ready_survives_a_cut_everywhere() {
    for cut in 0..4 {
        for who in [Who::Alice, Who::Bob] {
            let mut world = World::funded(super::harness::request());
            world.confirm(who).unwrap();
            for _ in 0..cut {
                let _ = world.deliver(Who::Alice) || world.deliver(Who::Bob);
            }
            world.disconnect();
            world.confirm(who.other()).unwrap();
            world.alice.restart();
            world.connect();
            world.settle();
            assert!(world.alice.channel().is_usable() && world.bob.channel().is_usable());
        }
    }
}

#[test]
fn reconnect_without_change_sends_nothing_more() {
    let mut world = World::open();
    world.disconnect();
    world.connect();
    let both: Vec<u16> = world.to_alice.iter().chain(&world.to_bob).map(Message::message_type).collect();
    assert_eq!(both, [136, 136]);
    world.deliver(Who::Alice);
    // Both at commitment 0: `channel_ready` again.
    assert_eq!(world.to_bob.iter().map(Message::message_type).collect::<Vec<_>>(), [136, 36]);
    world.settle();
    world.add(Who::Alice, 1_000_000, 1);
    world.settle();
    world.disconnect();
    world.connect();
    world.deliver(Who::Alice);
    assert_eq!(world.to_bob.len(), 1);
    world.settle();
    world.assert_settled();
}

#[test]
fn repeated_commitment_signed_is_the_same() {
    let mut world = World::open();
    world.add(Who::Alice, 50_000_000, 1);
    world.tell(Who::Alice, Command::UpdateFee(FeeratePerKw::from_sat_per_kw(1_100)));
    world.sign_if_needed(Who::Alice);
    let first: Vec<Message> = world.to_bob.drain(..).collect();
    world.disconnect();
    world.alice.restart();
    world.connect();
    world.deliver(Who::Alice);
    let reestablish = world.intercept(Who::Bob);
    assert!(matches!(reestablish, Message::ChannelReestablish(_)));
    // `channel_ready` comes first: both are at commitment 0.
    assert!(matches!(world.intercept(Who::Bob), Message::ChannelReady(_)));
    assert_eq!(world.to_bob.make_contiguous(), first);
}

/// Both sides have sent `commitment_signed` and one has answered the other's before or after its own.
#[test]
fn order_of_repetition_is_the_original_one() {
    for revoke_last in [true, false] {
        let mut world = World::open();
        world.add(Who::Alice, 50_000_000, 1);
        world.settle();
        world.add(Who::Alice, 50_000_000, 2);
        world.add(Who::Bob, 40_000_000, 3);
        if revoke_last {
            world.sign_if_needed(Who::Alice);
        }
        // Bob's update and signature reach Alice, who answers.
        world.sign_if_needed(Who::Bob);
        world.deliver(Who::Alice);
        world.deliver(Who::Alice);
        if !revoke_last {
            world.sign_if_needed(Who::Alice);
        }
        let expected = if revoke_last { LastSent::RevokeAndAck } else { LastSent::CommitmentSigned };
        assert_eq!(world.alice.channel().commitments().unwrap().last_sent, expected);
        world.disconnect();
        world.alice.restart();
        world.connect();
        world.deliver(Who::Alice);
        let again: Vec<u16> = world.to_bob.iter().map(Message::message_type).collect();
        if revoke_last {
            assert_eq!(again, [136, 128, 132, 133]);
        } else {
            assert_eq!(again, [136, 133, 128, 132]);
        }
        world.settle();
        world.assert_settled();
    }
}

#[test]
fn uncommitted_updates_of_the_peer_are_forgotten() {
    let mut world = World::open();
    world.add(Who::Alice, 50_000_000, 1);
    world.settle();
    let id = world.add(Who::Alice, 50_000_000, 2);
    world.deliver(Who::Bob);
    world.fulfil(Who::Bob, crate::types::HtlcId(0), 1);
    world.deliver(Who::Alice);
    assert!(matches!(world.alice.take_events()[..], [ChannelEvent::HtlcSettled { .. }]));
    world.disconnect();
    assert_eq!(world.bob.channel().commitments().unwrap().remote_next_htlc_id, id);
    assert!(world.bob.channel().htlc(Party::Remote, id).is_none());
    let htlc = world.alice.channel().htlc(Party::Local, crate::types::HtlcId(0)).unwrap();
    assert_eq!(htlc.removal, None);
    // Ours is kept, to be sent again.
    let bob = &world.bob.channel().commitments().unwrap().local_changes;
    assert_eq!(bob.proposed, [Update::Remove(crate::types::HtlcId(0))]);
    world.connect();
    world.settle();
    world.assert_settled();
    assert_eq!(world.alice.balances(), (650_000_000, 350_000_000));
}

#[test]
fn removal_without_connection_is_sent_later() {
    let mut world = World::open();
    let id = world.add(Who::Alice, 50_000_000, 1);
    world.settle();
    world.disconnect();
    let removal = Removal::Fulfilled(PaymentPreimage([1; 32]));
    assert!(world.bob.process(Command::RemoveHtlc { id, removal }).is_empty());
    let offline = world.try_tell(Who::Alice, Command::AddHtlc(add(1_000, 2)));
    assert!(matches!(offline, Err(ChannelError::Refused(_))));
    world.bob.restart();
    world.connect();
    world.settle();
    world.assert_settled();
    assert_eq!(world.bob.balances(), (350_000_000, 650_000_000));
}

#[test]
fn messages_before_reestablish_are_refused() {
    let mut world = World::open();
    world.add(Who::Alice, 50_000_000, 1);
    let message = world.intercept(Who::Bob);
    world.disconnect();
    let offline = world.bob.try_process(Command::Message(message.clone())).unwrap_err();
    assert!(matches!(offline, ChannelError::Disconnect(Violation::Unexpected { .. })));
    world.connect();
    let early = world.bob.try_process(Command::Message(message)).unwrap_err();
    assert_eq!(early, ChannelError::Disconnect(Violation::BeforeReestablish { message_type: 128 }));
    assert_eq!(world.bob.channel().link, Link::Syncing);
}

fn with_reestablish(change: impl FnOnce(&mut ChannelReestablish)) -> Result<Vec<Message>, ChannelError> {
    let mut world = World::open();
    for i in 0..3 {
        world.add(Who::Alice, 1_000_000, i);
        world.settle();
    }
    world.disconnect();
    world.connect();
    let Message::ChannelReestablish(mut message) = world.intercept(Who::Bob) else { panic!() };
    assert_eq!((message.next_commitment_number, message.next_revocation_number), (4, 3));
    change(&mut message);
    world.bob.try_process(Command::Message(message.into()))
}

#[test]
fn recv_reestablish_is_checked() {
    let fails = |change: fn(&mut ChannelReestablish)| match with_reestablish(change) {
        Err(ChannelError::FailChannel(violation)) => violation,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        fails(|message| message.next_commitment_number = 0),
        Violation::CommitmentNumber { found: 0, expected: 4 }
    );
    assert_eq!(
        fails(|message| message.next_commitment_number = 5),
        Violation::CommitmentNumber { found: 5, expected: 4 }
    );
    assert_eq!(fails(|message| message.your_last_per_commitment_secret = [1; 32]), Violation::LastSecret);
    assert_eq!(fails(|message| message.your_last_per_commitment_secret = [0; 32]), Violation::LastSecret);
    // Ahead of us without the proof.
    assert_eq!(
        fails(|message| message.next_revocation_number = 4),
        Violation::RevocationNumber { found: 4, expected: 3 }
    );
    assert_eq!(
        fails(|message| message.next_revocation_number = u64::MAX),
        Violation::RevocationNumber { found: u64::MAX, expected: 3 }
    );
    assert!(with_reestablish(|_| {}).is_ok());
}
