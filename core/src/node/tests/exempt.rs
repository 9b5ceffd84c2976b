//! What may pass the gate (contract P2): nothing that speaks of a channel or a payment.

use crate::node::outbox::{Exempt, Gated, Next, Outbox, Setup};
use crate::node::{Answer, CommandId, Event, EventRecord, StoreFailure};
use crate::store::{RecordKind, RecordName, Shelf, Stored, Vault};
use crate::types::{ConnId, Instant, UnixTime};
use crate::wire::Message;
use crate::wire::tests::draw::{MESSAGE_TYPES, message};
use bitcoin::secp256k1::PublicKey;
use std::collections::BTreeSet;

const CONN: ConnId = ConnId(1);

/// Every kind of message stands here. One that is added does not compile until it is decided.
fn reveals_nothing(message: &Message) -> bool {
    match message {
        Message::Init(_)
        | Message::Ping(_)
        | Message::Pong(_)
        | Message::Warning(_)
        | Message::QueryShortChannelIds(_)
        | Message::QueryChannelRange(_)
        | Message::GossipTimestampFilter(_) => true,
        Message::Error(_)
        | Message::OpenChannel(_)
        | Message::AcceptChannel(_)
        | Message::FundingCreated(_)
        | Message::FundingSigned(_)
        | Message::ChannelReady(_)
        | Message::Shutdown(_)
        | Message::ClosingSigned(_)
        | Message::UpdateAddHtlc(_)
        | Message::UpdateFulfillHtlc(_)
        | Message::UpdateFailHtlc(_)
        | Message::UpdateFailMalformedHtlc(_)
        | Message::UpdateFee(_)
        | Message::CommitmentSigned(_)
        | Message::RevokeAndAck(_)
        | Message::ChannelReestablish(_)
        | Message::ChannelAnnouncement(_)
        | Message::NodeAnnouncement(_)
        | Message::ChannelUpdate(_)
        | Message::AnnouncementSignatures(_)
        | Message::ReplyShortChannelIdsEnd(_)
        | Message::ReplyChannelRange(_)
        | Message::Unknown { .. } => false,
    }
}

#[test]
fn no_message_about_a_channel_passes_the_gate() {
    for message in MESSAGE_TYPES.map(|message_type| message(message_type, 1)) {
        match Setup::new(message.clone()) {
            Ok(setup) => assert_eq!(setup.into_message(), message),
            Err(refused) => assert_eq!(*refused, message),
        }
        assert_eq!(Setup::new(message.clone()).is_ok(), reveals_nothing(&message), "{message:?}");
    }
}

/// The place of an output in the list of all. The types of what it carries are written out, so that nothing is added to one
/// without a look at this: what is exempt must say nothing of channels, payments or coins.
fn place_of_exempt(output: &Exempt) -> usize {
    match output {
        Exempt::Connect(ConnId(_), node_id, address) => {
            let _: (&PublicKey, &String) = (node_id, address);
            0
        }
        Exempt::Handshake(ConnId(_), bytes) => {
            let _: &Vec<u8> = bytes;
            1
        }
        Exempt::Setup(ConnId(_), setup) => {
            let _: &Setup = setup;
            2
        }
        Exempt::Drop(ConnId(_)) => 3,
        Exempt::WatchesChanged => 4,
        Exempt::Halted(failure) => {
            let _: &StoreFailure = failure;
            5
        }
        Exempt::Stopped(CommandId(_)) => 6,
    }
}

fn place_of_gated(output: &Gated) -> usize {
    match output {
        Gated::Send(..) => 0,
        Gated::Disconnect(_) => 1,
        Gated::Broadcast(_) => 2,
        Gated::Answer(..) => 3,
        Gated::Event(_) => 4,
    }
}

fn all_exempt() -> Vec<Exempt> {
    let node_id = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798".parse().unwrap();
    vec![
        Exempt::Connect(CONN, node_id, "b:1".into()),
        Exempt::Handshake(CONN, vec![1]),
        Exempt::Setup(CONN, Setup::new(message(18, 1)).unwrap()),
        Exempt::Drop(CONN),
        Exempt::WatchesChanged,
        Exempt::Halted(StoreFailure::Failed),
        Exempt::Stopped(CommandId(1)),
    ]
}

fn all_gated() -> Vec<Gated> {
    let event = Event::ActionRequired { what: "x".into() };
    vec![
        Gated::Send(CONN, message(130, 1)),
        Gated::Disconnect(CONN),
        Gated::Broadcast(vec![]),
        Gated::Answer(CommandId(1), Ok(Answer::Done)),
        Gated::Event(EventRecord { seq: 1, time: UnixTime(1), event }),
    ]
}

/// An outbox with something that is not durable.
fn dirty() -> Outbox {
    let (shelf, _) = Shelf::open(Vault::new(&[1; 32]), &Stored::default()).unwrap();
    let mut outbox = Outbox::new(shelf);
    outbox.put(RecordName::of(RecordKind::Channel, [1]), vec![1]);
    outbox
}

fn poll(outbox: &mut Outbox) -> Option<Next> {
    outbox.poll(Instant(0), || [0; crate::store::FRESH_LEN])
}

#[test]
fn every_output_that_is_gated_waits_and_the_exempt_are_these() {
    let gated: BTreeSet<usize> = all_gated().iter().map(place_of_gated).collect();
    let exempt: BTreeSet<usize> = all_exempt().iter().map(place_of_exempt).collect();
    assert_eq!((gated.len(), exempt.len()), (5, 7), "the lists are complete");
    for output in all_gated() {
        let mut outbox = dirty();
        outbox.gated(output);
        assert!(matches!(poll(&mut outbox), Some(Next::Persist(_))));
        assert!(poll(&mut outbox).is_none(), "left before it was durable");
    }
    for output in all_exempt() {
        let mut outbox = dirty();
        outbox.exempt(output);
        assert!(matches!(poll(&mut outbox), Some(Next::Exempt(_))));
    }
}
