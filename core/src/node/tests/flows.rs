//! What an owner does, from one end to the other.

use super::world::World;
use crate::chain::{ChainFact, FeeRates};
use crate::channel::{OpenRequest, Party};
use crate::coins::Fee;
use crate::invoice::{Description, Invoice, InvoiceBuilder, RouteHint, RouteHintHop};
use crate::node::{Answer, Command, CommandError, Event, Input, Node, SendRequest};
use crate::payment::{FailureReason, Outgoing, OutgoingState, PaymentRecord};
use crate::types::{
    CltvExpiryDelta, FeeratePerKw, HtlcId, MilliSatoshi, PaymentId, PaymentPreimage, ShortChannelId,
};
use bitcoin::hashes::Hash;
use bitcoin::secp256k1::SecretKey;
use bitcoin::{Amount, Network, ScriptBuf};

/// With it an invoice is as long as most are.
const DESCRIPTION: &str = "Two pots of tea and a cake, table 7";

pub(super) fn with_channel() -> World {
    let mut world = World::new();
    world.give_coins(0, 2_000_000);
    world.connect();
    let node_id = world.node(1).node_id();
    let open =
        Command::OpenChannel { node_id, amount: Amount::from_sat(1_000_000), feerate: FeeratePerKw::FLOOR };
    let answer = world.command(0, open);
    assert!(matches!(answer, Ok(Answer::ChannelOpening { .. })), "{answer:?}");
    assert_eq!(world.mempool.len(), 1, "the funding transaction is published");
    world.mine(3);
    for side in 0..2 {
        let channels = world.node(side).channels();
        assert!(channels.len() == 1 && channels[0].is_usable, "{channels:?}");
        assert!(world.sides[side].events.iter().any(|event| matches!(event, Event::ChannelReady { .. })));
    }
    world
}

pub(super) fn invoice(world: &mut World, side: usize, msat: u64) -> Invoice {
    let amount = Some(MilliSatoshi::from_msat(msat));
    let answer = world
        .command(side, Command::MakeInvoice { amount, description: DESCRIPTION.into(), expiry_secs: 3_600 });
    let Ok(Answer::Invoice { invoice, .. }) = answer else { panic!("{answer:?}") };
    Invoice::decode(&invoice).unwrap()
}

pub(super) fn pay(world: &mut World, side: usize, id: u8, invoice: &Invoice) -> Result<Answer, CommandError> {
    world.command(side, send(id, invoice))
}

pub(super) fn send(id: u8, invoice: &Invoice) -> Command {
    let request = SendRequest {
        id: PaymentId([id; 16]),
        invoice: invoice.clone(),
        amount: invoice.amount.unwrap(),
        max_fee: MilliSatoshi::from_msat(1_000),
        timeout_secs: 60,
        note: None,
    };
    Command::Send(Box::new(request))
}

pub(super) fn was_sent(world: &World, side: usize, invoice: &Invoice) -> bool {
    let sent = |event: &Event| matches!(event, Event::PaymentSent { payment_hash, .. } if *payment_hash == invoice.payment_hash);
    world.sides[side].events.iter().filter(|event| sent(event)).count() == 1
}

/// Anchors add what is missing: the balance of a channel is not for a server to burn.
#[test]
fn an_absurd_estimate_does_not_make_commitments_absurd() {
    let mut world = with_channel();
    let absurd = FeeratePerKw::from_sat_per_kw(u32::MAX);
    world.input(0, Input::Chain(ChainFact::FeeRates(FeeRates::new(absurd, absurd, absurd))));
    let [channel] = &world.node(0).channels.values().collect::<Vec<_>>()[..] else { panic!() };
    let feerate = channel.channel.commitments().unwrap().local.spec.feerate;
    assert_eq!(feerate, world.node(0).config.channel.always_accepted_feerate);
    let asked = invoice(&mut world, 1, 100_000_000);
    assert!(pay(&mut world, 0, 1, &asked).is_ok());
    assert!(was_sent(&world, 0, &asked), "{:?}", world.sides[0].events);
}

/// Whoever funded it may have spent the coin elsewhere while we were away.
#[test]
fn a_funding_transaction_whose_block_is_undone_while_the_wallet_is_off_is_not_relied_on() {
    let mut world = with_channel();
    let asked = invoice(&mut world, 1, 100_000_000);
    world.crash(1);
    // The payer has heard of nothing, or says so.
    let payer = world.sides[0].node.take();
    world.undo(3);
    world.mine(4);
    world.start(1);
    world.sides[0].node = payer;
    world.connect();
    assert!(pay(&mut world, 0, 1, &asked).is_ok());
    assert!(!was_sent(&world, 0, &asked), "a preimage for nothing");

    let short_channel_id = |world: &World| {
        let [entry] = &world.node(1).channels.values().collect::<Vec<_>>()[..] else { panic!() };
        entry.channel.commitments().unwrap().funding.short_channel_id
    };
    assert_eq!(short_channel_id(&world), None);
    world.mine(1);
    assert_eq!(world.mempool.len(), 1);
    world.mine(1);
    let again = short_channel_id(&world).map(|it| it.block());
    assert_eq!(again, Some(world.node(1).tip().0), "published again, and in a block");
}

/// Anybody can promise a channel full of money.
#[test]
fn what_a_peer_promises_counts_once_it_is_there() {
    let mut world = World::new();
    world.give_coins(0, 2_000_000);
    world.connect();
    let node_id = world.node(1).node_id();
    let push = MilliSatoshi::from_msat(500_000_000);
    let request = OpenRequest { funding: Amount::from_sat(1_000_000), push };
    let opener = world.sides[0].node.as_mut().unwrap();
    opener.start_opening(node_id, request, FeeratePerKw::FLOOR).unwrap();
    world.input(0, Input::Wake);
    assert_eq!(world.node(1).channels().len(), 1);
    assert_eq!(world.node(1).balance().total, MilliSatoshi::ZERO);
    world.mine(1);
    assert_eq!(world.node(1).balance().total, push);
}

/// Each costs a key, rows, a script to watch and a reserve.
#[test]
fn channels_that_are_closed_before_they_are_funded_count_as_being_opened() {
    let mut world = World::new();
    (0..5).for_each(|_| world.give_coins(0, 200_000));
    world.connect();
    let node_id = world.node(1).node_id();
    for _ in 0..5 {
        let amount = Amount::from_sat(100_000);
        let open = Command::OpenChannel { node_id, amount, feerate: FeeratePerKw::FLOOR };
        assert!(world.command(0, open).is_ok());
        world.mempool.clear();
        let channels: Vec<_> = world.node(0).channels().iter().map(|it| it.channel_id).collect();
        for channel_id in channels {
            let _ = world.command(0, Command::CloseChannel { channel_id });
        }
    }
    assert_eq!(world.node(1).channels().len(), 3);
}

#[test]
fn opens_pays_both_ways_and_closes() {
    let mut world = with_channel();
    let first = invoice(&mut world, 1, 400_000_000);
    assert!(pay(&mut world, 0, 1, &first).is_ok());
    assert!(was_sent(&world, 0, &first), "{:?}", world.sides[0].events);
    let back = invoice(&mut world, 0, 100_000_000);
    assert!(pay(&mut world, 1, 2, &back).is_ok());
    assert!(was_sent(&world, 1, &back), "{:?}", world.sides[1].events);
    assert_eq!(world.node(1).balance().total.to_msat(), 300_000_000);

    let channel_id = world.node(0).channels()[0].channel_id;
    assert!(matches!(world.command(0, Command::CloseChannel { channel_id }), Ok(Answer::Done)));
    world.mine(1);
    let onchain = world.node(1).balance().onchain.total().to_sat();
    assert_eq!(world.node(0).balance().reserved, Amount::ZERO, "nothing can need it any more");
    assert_eq!(onchain, 300_000, "{:?} {:?}", world.node(1).channels(), world.sides[1].events);
    world.mine(100);
    assert!(world.node(0).channels().is_empty() && world.node(1).channels().is_empty());
}

#[test]
fn a_payment_that_is_told_is_in_the_balance() {
    let mut world = with_channel();
    let bill = invoice(&mut world, 1, 400_000_000);
    assert!(pay(&mut world, 0, 1, &bill).is_ok());
    assert!(was_sent(&world, 0, &bill));
    for (side, is_the_news) in [
        (0, (|event| matches!(event, Event::PaymentSent { .. })) as fn(&Event) -> bool),
        (1, |event| matches!(event, Event::PaymentReceived { .. })),
    ] {
        let at = world.sides[side].events.iter().position(is_the_news).unwrap();
        assert_eq!(world.sides[side].totals[at], world.node(side).balance().total);
    }
}

#[test]
fn what_a_new_channel_can_send_is_what_was_foretold() {
    let world = with_channel();
    let channel = &world.node(0).channels()[0];
    assert_eq!(world.node(0).balance().reserved, Amount::from_sat(10_000));
    let foretold = world.node(0).sendable_after_opening(channel.capacity, channel.reserve);
    assert_eq!(channel.spendable, foretold);
}

#[test]
fn an_onchain_payment_is_made_once_and_a_restart_knows_it() {
    let mut world = World::new();
    world.give_coins(0, 500_000);
    let to = ScriptBuf::new_p2wpkh(&bitcoin::WPubkeyHash::from_byte_array([7; 20]));
    let pay = |id: u8| Command::SendOnchain {
        id: PaymentId([id; 16]),
        script_pubkey: to.clone(),
        amount: Some(Amount::from_sat(100_000)),
        fee: Fee::Rate(FeeratePerKw::FLOOR),
    };
    let sent = |answer| match answer {
        Ok(Answer::Sent(txid)) => txid,
        other => panic!("{other:?}"),
    };
    // The batch of the payment is durable, and the app never heard of it.
    world.crash_once_durable(0, pay(1));
    world.start(0);
    let first = sent(world.command(0, pay(1)));
    assert_eq!(sent(world.command(0, pay(1))), first);
    assert!(world.mempool.contains_key(&first) && world.mempool.len() == 1);
    world.mine(1);
    assert_ne!(sent(world.command(0, pay(2))), first);
}

#[test]
fn one_name_pays_over_lightning_or_on_chain_and_never_both() {
    let mut world = with_channel();
    world.give_coins(0, 500_000);
    let to = ScriptBuf::new_p2wpkh(&bitcoin::WPubkeyHash::from_byte_array([7; 20]));
    let on_chain = |id: u8| Command::SendOnchain {
        id: PaymentId([id; 16]),
        script_pubkey: to.clone(),
        amount: Some(Amount::from_sat(100_000)),
        fee: Fee::Rate(FeeratePerKw::FLOOR),
    };
    let [first, second, third] = [1, 1, 1].map(|side| invoice(&mut world, side, 5_000_000));
    assert!(pay(&mut world, 0, 1, &first).is_ok() && was_sent(&world, 0, &first));
    let published = world.mempool.len();
    assert!(matches!(world.command(0, on_chain(1)), Err(CommandError::AlreadyPaid)));
    assert_eq!(world.mempool.len(), published);

    assert!(matches!(world.command(0, on_chain(2)), Ok(Answer::Sent(_))));
    assert!(matches!(pay(&mut world, 0, 2, &second), Err(CommandError::AlreadyPaid)));
    world.crash(0);
    world.start(0);
    world.connect();
    assert!(matches!(pay(&mut world, 0, 2, &second), Err(CommandError::AlreadyPaid)));
    assert!(matches!(world.command(0, on_chain(1)), Err(CommandError::AlreadyPaid)));

    // One that waits for its channel is under way; one that failed left nothing behind.
    world.cut();
    assert!(pay(&mut world, 0, 3, &third).is_ok());
    assert!(matches!(world.command(0, on_chain(3)), Err(CommandError::InFlight)));
    let failed = PaymentRecord::Outgoing(Outgoing {
        id: PaymentId([4; 16]),
        payment_hash: third.payment_hash,
        invoice: third.text,
        amount: MilliSatoshi::from_msat(5_000_000),
        max_fee: MilliSatoshi::ZERO,
        created: world.now.unix,
        give_up_at: world.now.unix,
        attempts: 1,
        note: None,
        state: OutgoingState::Failed { reason: FailureReason::TimedOut, at: world.now.unix },
    });
    world.sides[0].node.as_mut().unwrap().index_payment(failed);
    assert!(matches!(world.command(0, on_chain(4)), Ok(Answer::Sent(_))));
}

#[test]
fn what_was_paid_under_one_name_is_not_paid_under_another() {
    let mut world = with_channel();
    let [bill, other] = [1, 1].map(|side| invoice(&mut world, side, 5_000_000));
    let payment = |id: u8, invoice: &Invoice, state| {
        PaymentRecord::Outgoing(Outgoing {
            id: PaymentId([id; 16]),
            payment_hash: invoice.payment_hash,
            invoice: invoice.text.clone(),
            amount: MilliSatoshi::from_msat(5_000_000),
            max_fee: MilliSatoshi::ZERO,
            created: world.now.unix,
            give_up_at: world.now.unix,
            attempts: 1,
            note: None,
            state,
        })
    };
    let at = world.now.unix;
    let failed = payment(9, &bill, OutgoingState::Failed { reason: FailureReason::RecipientRefused, at });
    let sent =
        OutgoingState::Sent { preimage: PaymentPreimage([1; 32]), fee: MilliSatoshi::ZERO, at, hops: 1 };
    let sent = payment(3, &bill, sent);
    // In the order of a start, which is that of the names.
    for record in [sent, failed] {
        world.sides[0].node.as_mut().unwrap().index_payment(record);
    }
    assert!(matches!(pay(&mut world, 0, 5, &bill), Err(CommandError::AlreadyPaid)));
    assert!(matches!(pay(&mut world, 0, 3, &other), Err(CommandError::Refused { .. })));
    assert!(pay(&mut world, 0, 5, &other).is_ok());
}

/// The only way leads over a node that does not forward.
#[test]
fn who_failed_last_is_told_when_no_other_way_is_left() {
    let mut world = with_channel();
    let asked = invoice(&mut world, 1, 5_000_000);
    let hop = RouteHintHop {
        node_id: world.node(1).node_id(),
        short_channel_id: ShortChannelId(77),
        fee_base_msat: 0,
        fee_proportional_millionths: 0,
        cltv_expiry_delta: CltvExpiryDelta(40),
    };
    let text = Description::Text("far away".into());
    let stranger = SecretKey::from_slice(&[9; 32]).unwrap();
    let asked = InvoiceBuilder::new(Network::Regtest, asked.payment_hash, asked.payment_secret, text)
        .amount(MilliSatoshi::from_msat(5_000_000))
        .route_hint(RouteHint { hops: vec![hop] })
        .sign(&stranger, world.now.unix)
        .unwrap();
    assert!(pay(&mut world, 0, 1, &asked).is_ok());
    let failed = world.sides[0].events.iter().find_map(|event| match event {
        Event::PaymentFailed { reason, .. } => Some(reason.clone()),
        _ => None,
    });
    assert_eq!(failed, Some(FailureReason::AllRoutesFailed { attempts: 1, hop: 1, code: 0x400a }));
}

#[test]
fn the_same_payment_is_made_once() {
    let mut world = with_channel();
    let invoice = invoice(&mut world, 1, 5_000_000);
    assert!(pay(&mut world, 0, 1, &invoice).is_ok());
    assert!(matches!(pay(&mut world, 0, 1, &invoice), Ok(Answer::Payment(id)) if id == PaymentId([1; 16])));
    assert!(matches!(pay(&mut world, 0, 2, &invoice), Err(CommandError::AlreadyPaid)));
    assert_eq!(world.node(1).balance().total.to_msat(), 5_000_000);
}

#[test]
fn a_restart_forgets_nothing() {
    let mut world = with_channel();
    let before = invoice(&mut world, 1, 50_000_000);
    assert!(pay(&mut world, 0, 1, &before).is_ok());
    let balances = [world.node(0).balance(), world.node(1).balance()];
    for side in [0, 1] {
        world.crash(side);
        world.start(side);
    }
    world.connect();
    assert_eq!(
        [world.node(0).balance(), world.node(1).balance()].map(|b| b.total),
        balances.map(|b| b.total)
    );
    let after = invoice(&mut world, 1, 60_000_000);
    assert!(pay(&mut world, 0, 2, &after).is_ok());
    assert!(was_sent(&world, 0, &after), "{:?}", world.sides[0].events);
}

#[test]
fn two_invoices_share_neither_hash_nor_secret() {
    let mut world = with_channel();
    let first = invoice(&mut world, 0, 5_000_000);
    let second = invoice(&mut world, 0, 5_000_000);
    world.crash(0);
    world.start(0);
    let third = invoice(&mut world, 0, 5_000_000);
    for (one, other) in [(&first, &second), (&second, &third), (&first, &third)] {
        assert_ne!(one.payment_hash, other.payment_hash);
        assert_ne!(one.payment_secret, other.payment_secret);
    }
}

#[test]
fn an_onion_is_built_again_byte_for_byte() {
    let mut world = with_channel();
    let invoice = invoice(&mut world, 1, 70_000_000);
    let onion = |node: &Node| {
        let (_, entry) = node.channels.first_key_value().unwrap();
        entry.channel.htlc(Party::Local, HtlcId(0)).unwrap().onion.clone().unwrap()
    };
    let crashed = world.crash_once_durable(0, send(1, &invoice));
    assert_eq!(onion(&world.load(0)), onion(&crashed));
    world.start(0);
    assert!(was_sent(&world, 0, &invoice), "{:?}", world.sides[0].events);
    assert_eq!(world.node(1).balance().total.to_msat(), 70_000_000);
}
