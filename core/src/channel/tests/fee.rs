use super::harness::{Who, World};
use crate::channel::{ChannelError, Command, Refusal, Update, Violation};
use crate::types::FeeratePerKw;
use crate::wire::{Message, UpdateFee};

const fn rate(sat_per_kw: u32) -> FeeratePerKw {
    FeeratePerKw::from_sat_per_kw(sat_per_kw)
}

#[test]
fn opener_sets_the_fee_rate() {
    let mut world = World::open();
    world.tell(Who::Alice, Command::UpdateFee(rate(2_500)));
    world.settle();
    world.assert_settled();
    for side in [&world.alice, &world.bob] {
        assert_eq!(side.channel().commitments().unwrap().local.spec.feerate, rate(2_500));
    }
}

#[test]
fn a_new_fee_rate_replaces_a_pending_one() {
    let mut world = World::open();
    for sat_per_kw in 1_000..1_100 {
        world.tell(Who::Alice, Command::UpdateFee(rate(sat_per_kw)));
        world.deliver(Who::Bob);
    }
    let pending = [Update::Fee(rate(1_099))];
    assert_eq!(world.alice.channel().commitments().unwrap().local_changes.proposed, pending);
    assert_eq!(world.bob.channel().commitments().unwrap().remote_changes.proposed, pending);
    world.settle();
    world.assert_settled();
    assert_eq!(world.bob.channel().commitments().unwrap().remote.spec.feerate, rate(1_099));
}

#[test]
fn send_fee_is_checked() {
    let mut world = World::open();
    let refused = |world: &mut World, who, sat_per_kw| match world
        .side(who)
        .try_process(Command::UpdateFee(rate(sat_per_kw)))
    {
        Err(ChannelError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&mut world, Who::Bob, 2_000), Refusal::NotTheOpener);
    assert!(matches!(refused(&mut world, Who::Alice, 252), Refusal::Feerate { .. }));
    assert!(matches!(refused(&mut world, Who::Alice, 10_001), Refusal::Feerate { .. }));
    let all = world.alice.channel().sendable().to_msat();
    world.add(Who::Alice, all, 1);
    assert!(matches!(refused(&mut world, Who::Alice, 3_000), Refusal::InsufficientFunds { .. }));
}

#[test]
fn recv_fee_is_checked() {
    let mut world = World::open();
    let channel_id = world.bob.channel().id;
    let receive = |world: &mut World, who, sat_per_kw| {
        let message = Message::from(UpdateFee { channel_id, feerate_per_kw: rate(sat_per_kw) });
        match world.side(who).try_process(Command::Message(message)) {
            Err(ChannelError::FailChannel(violation) | ChannelError::Disconnect(violation)) => violation,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(receive(&mut world, Who::Alice, 1_000), Violation::FeeFromAccepter);
    assert!(matches!(receive(&mut world, Who::Bob, 252), Violation::Feerate { .. }));
    assert!(matches!(receive(&mut world, Who::Bob, 10_001), Violation::Feerate { .. }));
    let message = Message::from(UpdateFee { channel_id, feerate_per_kw: rate(10_001) });
    let error = world.bob.try_process(Command::Message(message)).unwrap_err();
    assert!(matches!(error, ChannelError::Disconnect(_)), "no reason to close");
    let all = world.alice.channel().sendable().to_msat();
    world.add(Who::Alice, all, 1);
    world.settle();
    assert!(matches!(receive(&mut world, Who::Bob, 9_000), Violation::CannotAfford { .. }));
}
