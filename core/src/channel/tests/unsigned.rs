//! HTLCs of ours that the peer was told and that no `commitment_signed` of ours covers.

use super::harness::{HEIGHT, Who, World, add};
use crate::channel::{
    Channel, ChannelError, ChannelEvent, Command, HtlcKey, Party, Refusal, Update, Violation,
};
use crate::types::{FeeratePerKw, HtlcId, PaymentId};
use crate::wire::Message;

/// Bob has not acknowledged Alice's HTLC 0, and her HTLC 1 waits for that.
fn one_signed_and_one_told() -> World {
    let mut world = World::open();
    world.add(Who::Bob, 40_000_000, 3);
    world.settle();
    world.alice.take_events();
    world.add(Who::Alice, 50_000_000, 1);
    world.sign_if_needed(Who::Alice);
    world.add(Who::Alice, 60_000_000, 2);
    assert!(!world.alice.channel().needs_signing() && world.alice.channel().holds_unsigned_adds());
    world
}

fn taken_back() -> ChannelEvent {
    ChannelEvent::HtlcNeverCommitted { origin: PaymentId([2; 16]), id: HtlcId(1) }
}

/// What Bob is told after the reestablish.
fn told_again(world: &mut World) -> Vec<u16> {
    world.deliver(Who::Alice);
    world.to_bob.iter().map(Message::message_type).collect()
}

/// BOLT 2, Message Retransmission: the peer forgets what was not committed.
#[test]
fn what_no_signature_covers_is_taken_back_with_the_connection() {
    let mut world = one_signed_and_one_told();
    world.fulfil(Who::Alice, HtlcId(0), 3);
    world.tell(Who::Alice, Command::UpdateFee(FeeratePerKw::from_sat_per_kw(1_100)));
    world.disconnect();
    assert_eq!(world.alice.take_events(), [taken_back()]);
    let alice = world.alice.channel().commitments().unwrap();
    assert_eq!(alice.local_changes.signed, [Update::Add(HtlcId(0))]);
    let fee = Update::Fee(FeeratePerKw::from_sat_per_kw(1_100));
    assert_eq!(alice.local_changes.proposed, [Update::Remove(HtlcId(0)), fee]);
    assert_eq!(alice.htlcs.get(&HtlcKey::outgoing(HtlcId(1))), None);

    world.connect();
    assert_eq!(told_again(&mut world), [136, 128, 132, 130, 134]);
    world.settle();
    assert_eq!(world.add(Who::Alice, 70_000_000, 4), HtlcId(1), "the number is free");
    world.settle();
    world.assert_settled();
    assert_eq!(world.alice.balances(), (620_000_000, 260_000_000));
    assert_eq!(world.bob.channel().htlc(Party::Remote, HtlcId(1)).unwrap().amount.to_msat(), 70_000_000);
}

#[test]
fn what_is_signed_is_never_taken_back() {
    let mut world = World::open();
    world.add(Who::Alice, 50_000_000, 1);
    world.sign_if_needed(Who::Alice);
    world.disconnect();
    world.alice.restart();
    world.connect();
    world.settle();
    world.assert_settled();
    assert_eq!(world.alice.take_events(), []);
    assert_eq!(world.alice.balances(), (650_000_000, 300_000_000));
}

/// A wallet that crashed does not hear that its connections are lost.
#[test]
fn what_was_loaded_is_taken_back_once_the_state_is_proven() {
    let mut world = one_signed_and_one_told();
    world.alice.restart();
    world.disconnect();
    world.connect();
    assert_eq!(world.alice.take_events(), [], "a newer copy may have signed it");
    assert_eq!(told_again(&mut world), [136, 128, 132]);
    assert_eq!(world.alice.take_events(), [taken_back()]);
    world.settle();
    world.assert_settled();
    assert_eq!(world.alice.channel().commitments().unwrap().local_next_htlc_id, HtlcId(1));
}

/// It was paid since.
#[test]
fn what_an_old_copy_did_not_sign_is_not_taken_back() {
    let mut world = one_signed_and_one_told();
    let backup = world.alice.rows.clone();
    world.settle();
    world.fulfil(Who::Bob, HtlcId(1), 2);
    world.settle();
    world.disconnect();
    world.alice.channel = Channel::from_rows(backup.clone()).ok();
    world.alice.rows = backup;
    world.alice.take_events();
    world.disconnect();
    world.connect();
    while world.deliver(Who::Alice) {}
    world.disconnect();
    assert_eq!(world.alice.take_events(), [ChannelEvent::FellBehind]);
}

/// What ends the channel when the state is proven takes back as well.
#[test]
fn what_was_loaded_is_told_of_where_the_channel_fails_with_the_proof() {
    let mut world = one_signed_and_one_told();
    world.alice.restart();
    world.disconnect();
    world.alice.fail(&Violation::ForceClosed);
    world.connect();
    while world.alice.channel().state.name() == "normal" {
        assert!(world.deliver(Who::Alice));
    }
    assert_eq!(world.alice.events.iter().filter(|event| **event == taken_back()).count(), 1);
}

/// The peer acknowledges when it likes.
#[test]
fn what_is_too_old_is_neither_signed_nor_offered() {
    let expiry = HEIGHT + 144;
    for (height, is_too_old) in [(expiry - 4, false), (expiry - 3, true), (expiry + 1, true)] {
        let mut world = one_signed_and_one_told();
        while world.deliver(Who::Bob) || world.sign_if_needed(Who::Bob) {}
        world.rise(Who::Alice, height);
        while world.deliver(Who::Alice) {}
        let signed = world.try_tell(Who::Alice, Command::Sign);
        let offered = world.try_tell(Who::Alice, Command::AddHtlc(add(1_000_000, 5)));
        if !is_too_old {
            assert!(signed.is_ok() && offered.is_ok());
            continue;
        }
        let key = HtlcKey::outgoing(HtlcId(1));
        let too_old = ChannelError::Disconnect(Violation::TooOldToSign { key, height });
        assert_eq!(signed, Err(too_old));
        assert!(matches!(offered, Err(ChannelError::Refused(Refusal::ExpiryOutOfRange { .. }))));
        world.disconnect();
        assert!(world.alice.take_events().contains(&taken_back()));
    }
}
