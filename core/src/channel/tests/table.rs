//! Every state and every message: a result is defined, and nothing panics.

use super::harness::{HEIGHT, Side, Who, World, add, request};
use crate::channel::{Channel, ChannelError, Command, Fault, Removal, Violation};
use crate::onchain::Bid;
use crate::types::{Features, FeeratePerKw, HtlcId, PaymentPreimage, ShortChannelId};
use crate::wire::{
    ChannelReady, ChannelReestablish, ClosingSigned, CommitmentSigned, FundingCreated, FundingSigned,
    Message, Ping, RevokeAndAck, Shutdown, UpdateAddHtlc, UpdateFailHtlc, UpdateFailMalformedHtlc, UpdateFee,
    UpdateFulfillHtlc,
};
use bitcoin::Amount;

/// A channel of each kind there is.
fn states() -> Vec<(Side, &'static str)> {
    let mut states = Vec::new();
    let mut push = |world: World, who: Who| {
        let side = match who {
            Who::Alice => world.alice,
            Who::Bob => world.bob,
        };
        let name = side.channel().state.name();
        states.push((side, name));
    };
    let opening = || {
        let mut world = World::new();
        world.request(request());
        world
    };
    push(opening(), Who::Alice);
    let accepted = || {
        let mut world = opening();
        world.accept().unwrap();
        world.deliver(Who::Alice);
        world
    };
    push(accepted(), Who::Alice);
    push(accepted(), Who::Bob);
    let mut world = accepted();
    let tx = world.make_funding_tx();
    world.tell(Who::Alice, Command::FundingTxSigned { tx, output_index: 1 });
    push(world, Who::Alice);
    push(World::funded(request()), Who::Alice);
    let mut world = World::funded(request());
    world.confirm(Who::Bob).unwrap();
    push(world, Who::Bob);
    let busy = || {
        let mut world = World::open();
        world.add(Who::Alice, 50_000_000, 1);
        world.add(Who::Bob, 50_000_000, 2);
        world.settle();
        world
    };
    push(busy(), Who::Alice);
    let mut world = busy();
    world.disconnect();
    push(world, Who::Alice);
    let mut world = busy();
    world.disconnect();
    world.connect();
    push(world, Who::Alice);
    let mut world = busy();
    world.tell(Who::Alice, Command::Shutdown { script: None });
    world.settle();
    push(world, Who::Alice);
    let mut world = World::open();
    world.tell(Who::Alice, Command::Shutdown { script: None });
    world.deliver(Who::Bob);
    world.deliver(Who::Alice);
    push(world, Who::Alice);
    let mut world = busy();
    world.tell(Who::Alice, Command::ForceClose);
    let tx = world.alice.broadcasts.last().unwrap().clone();
    push(world, Who::Alice);
    let mut world = busy();
    world.see(Who::Alice, &tx, None);
    push(world, Who::Alice);
    let mut world = busy();
    let frozen = world.alice.channel().freeze(&Fault::Broken("test"));
    world.alice.take(frozen);
    push(world, Who::Alice);
    let mut world = opening();
    world.tell(Who::Alice, Command::Disconnected);
    push(world, Who::Alice);
    states
}

fn messages(channel: &Channel) -> Vec<Message> {
    let mut world = World::new();
    world.request(request());
    let open = world.to_bob[0].clone();
    world.accept().unwrap();
    let accept = world.to_alice[0].clone();
    let channel_id = channel.id;
    let side = Side::new(9);
    let point = side.node_id;
    let signature = crate::crypto::ec::sign_ecdsa(
        &[1; 32],
        &bitcoin::secp256k1::SecretKey::from_slice(&[1; 32]).unwrap(),
    );
    let id = HtlcId(0);
    let txid = bitcoin::hashes::Hash::all_zeros();
    vec![
        open,
        accept,
        FundingCreated {
            temporary_channel_id: channel_id,
            funding_txid: txid,
            funding_output_index: 0,
            signature,
        }
        .into(),
        FundingSigned { channel_id, signature }.into(),
        ChannelReady { channel_id, second_per_commitment_point: point, short_channel_id: None }.into(),
        Shutdown { channel_id, scriptpubkey: side.shutdown_script.clone() }.into(),
        ClosingSigned { channel_id, fee_satoshis: Amount::from_sat(500), signature, fee_range: None }.into(),
        UpdateAddHtlc {
            channel_id,
            id: HtlcId(1),
            amount_msat: add(1_000_000, 1).amount,
            payment_hash: super::harness::hash(1),
            cltv_expiry: HEIGHT + 10,
            onion_routing_packet: Box::new([0; 1366]),
            path_key: Some(point),
        }
        .into(),
        UpdateFulfillHtlc { channel_id, id, payment_preimage: PaymentPreimage([1; 32]) }.into(),
        UpdateFailHtlc { channel_id, id, reason: vec![0; 60_000] }.into(),
        UpdateFailMalformedHtlc { channel_id, id, sha256_of_onion: [0; 32], failure_code: 0xc005 }.into(),
        UpdateFee { channel_id, feerate_per_kw: FeeratePerKw::from_sat_per_kw(1_000) }.into(),
        CommitmentSigned { channel_id, signature, htlc_signatures: vec![signature; 966], funding_txid: None }
            .into(),
        CommitmentSigned { channel_id, signature, htlc_signatures: vec![], funding_txid: Some(txid) }.into(),
        RevokeAndAck { channel_id, per_commitment_secret: [1; 32], next_per_commitment_point: point }.into(),
        ChannelReestablish {
            channel_id,
            next_commitment_number: u64::MAX,
            next_revocation_number: u64::MAX,
            your_last_per_commitment_secret: [0; 32],
            my_current_per_commitment_point: point,
            next_funding: None,
            my_current_funding_locked: None,
        }
        .into(),
        crate::wire::Error::new(channel_id, "x").into(),
        crate::wire::Warning::new(channel_id, "x").into(),
        Message::Unknown { message_type: 9 },
        Ping { num_pong_bytes: 1, byteslen: 0 }.into(),
    ]
}

fn commands(side: &Side) -> Vec<Command> {
    let id = HtlcId(0);
    let tx = super::harness::funding_tx(side.shutdown_script.clone(), Amount::from_sat(5));
    vec![
        Command::Connected,
        Command::Disconnected,
        Command::FundingTxSigned { tx: tx.clone(), output_index: u16::MAX },
        Command::FundingConfirmed { tx: tx.clone(), short_channel_id: ShortChannelId(u64::MAX) },
        Command::FundingReorged,
        Command::NewBlock(0),
        Command::NewBlock(u32::MAX),
        Command::Looked { height: 0, sees_funding: false },
        Command::Looked { height: u32::MAX, sees_funding: false },
        Command::Looked { height: u32::MAX, sees_funding: true },
        Command::Spent { tx: tx.clone(), height: None },
        Command::Spent { tx: tx.clone(), height: Some(u32::MAX) },
        Command::BlocksUndone { above: 0 },
        Command::Bid(Bid { claims: tx.input.len(), tx, fee: Amount::MAX_MONEY }),
        Command::AddHtlc(add(1_000_000, 1)),
        Command::RemoveHtlc { id, removal: Removal::Fulfilled(PaymentPreimage([1; 32])) },
        Command::RemoveHtlc { id: HtlcId(u64::MAX), removal: Removal::Failed(vec![]) },
        Command::UpdateFee(FeeratePerKw::from_sat_per_kw(u32::MAX)),
        Command::Sign,
        Command::OnionRead(id),
        Command::Shutdown { script: None },
        Command::ForceClose,
    ]
}

#[test]
fn every_state_has_a_result_for_everything() {
    let states = states();
    let names: Vec<_> = states.iter().map(|(_, name)| *name).collect();
    assert_eq!(
        names,
        [
            "wait_for_accept_channel",
            "wait_for_funding_tx",
            "wait_for_funding_created",
            "wait_for_funding_signed",
            "wait_for_funding_confirmed",
            "wait_for_channel_ready",
            "normal",
            "normal",
            "normal",
            "shutting_down",
            "negotiating",
            "failed",
            "closing",
            "frozen",
            "closed",
        ]
    );
    let mut results = 0;
    for (side, name) in &states {
        let messages = messages(side.channel()).into_iter().map(Command::Message);
        for command in messages.chain(commands(side)) {
            results += 1;
            match side.channel().process(&side.env(), command.clone()) {
                Ok(transition) => {
                    if transition.next.is_stored() {
                        let read = Channel::from_rows(transition.next.to_rows()).unwrap();
                        assert_eq!(read, transition.next.as_stored(), "{name}: {command:?}");
                    }
                }
                Err(ChannelError::FailChannel(violation)) => {
                    let failed = side.channel().fail(&side.env(), &violation).unwrap();
                    assert!(matches!(failed.next.state.name(), "failed" | "closed"), "{name}: {command:?}");
                }
                Err(ChannelError::Bug(fault)) => panic!("{name}: {command:?}: {fault}"),
                Err(ChannelError::Refused(_) | ChannelError::Warn(_) | ChannelError::Disconnect(_)) => {}
            }
        }
        side.channel().fail(&side.env(), &Violation::ForceClosed).unwrap();
        side.channel().freeze(&Fault::Broken("test"));
        side.channel().rebroadcasts(&side.env()).unwrap();
        side.channel().onchain_work(&side.env()).unwrap();
        side.channel().closing_amount(HEIGHT, |_| false).unwrap();
        let _ = (side.channel().sendable(), side.channel().receivable(), side.channel().watches());
        side.channel().clone().derive_ahead(&side.env()).unwrap();
    }
    assert_eq!(results, 15 * (20 + 22));
}

#[test]
fn derived_ahead_or_not_the_messages_are_the_same() {
    let run = |ahead: bool| {
        let mut world = World::open();
        let mut sent = Vec::new();
        for round in 0..3 {
            let id = world.add(Who::Alice, 1_000_000, round);
            for turn in 0..2 {
                loop {
                    let moved = [Who::Alice, Who::Bob].map(|who| {
                        let side = world.side(who);
                        if ahead && let Some(mut channel) = side.channel.clone() {
                            channel.derive_ahead(&side.env()).unwrap();
                            side.channel = Some(channel);
                        }
                        sent.extend(world.inbox(who).iter().cloned());
                        world.deliver(who) || world.sign_if_needed(who)
                    });
                    if moved == [false, false] {
                        break;
                    }
                }
                if turn == 0 {
                    world.fulfil(Who::Bob, id, round);
                }
            }
        }
        world.assert_settled();
        sent
    };
    assert_eq!(run(true), run(false));
    assert_eq!(Features::empty(), Features::default());
}
