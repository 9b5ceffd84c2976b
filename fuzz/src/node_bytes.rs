//! Any bytes in any state of a real node: by its peer, who has a session, and by anybody on the stream.

use crate::Pieces;
use kite_core::node::{Command, Input};
use kite_core::types::{ConnId, FeeratePerKw};
use kite_sim::schedule::{Base, Bases};
use kite_sim::world::World;
use std::cell::OnceCell;

const NODE: usize = 0;
const PEER: usize = 1;

/// More than this only repeats itself.
const MOST_ACTS: usize = 40;

/// The first byte says where it begins. Then come acts: one byte each, and what it takes.
pub fn node_bytes(bytes: &[u8]) {
    let mut pieces = Pieces(bytes);
    let base = Base::ALL[usize::from(pieces.byte()) % Base::ALL.len()];
    let mut world = start(base);
    for _ in 0..MOST_ACTS {
        if pieces.is_empty() {
            break;
        }
        act(&mut world, &mut pieces);
    }
    world.settle();
    // Whatever was said: it lives, and its store can be read.
    assert!(world.hosts[NODE].node().is_some() && world.hosts[NODE].halted().is_none(), "the node stopped");
    world.crash(NODE);
    world.start(NODE);
    world.settle();
    assert_eq!(world.refused_for_ever().next(), None, "published what no node takes");
    let _ = (world.node(NODE).balance(), world.node(NODE).channels(), world.node(NODE).why_not_close());
}

fn act(world: &mut World, pieces: &mut Pieces<'_>) {
    match pieces.byte() % 16 {
        0..=6 => say(world, pieces.piece()),
        7 => {
            // An earlier message of the peer once more, a byte of it changed.
            let (which, at, with) = (pieces.byte(), pieces.byte(), pieces.byte());
            let heard = world.tapped(NODE, PEER).map(|tap| tap.heard.concat()).unwrap_or_default();
            if let Some(mut message) = heard.get(usize::from(which) % heard.len().max(1)).cloned() {
                let at = usize::from(at) % message.len().max(1);
                if let Some(byte) = message.get_mut(at) {
                    *byte ^= with;
                }
                say(world, &message);
            }
        }
        8 | 9 => world.deliver(u32::from(pieces.byte() % 8)),
        10 => {
            let (payer, msat) =
                (usize::from(pieces.byte() % 2), 1_000 * (1 + u64::from(pieces.byte()).pow(3)));
            world.ask_to_pay(payer, 1 - payer, msat);
        }
        11 => world.mine(1 + u32::from(pieces.byte() % 3)),
        12 => {
            world.cut();
            world.connect();
        }
        13 => {
            world.crash(NODE);
            world.start(NODE);
            world.connect();
        }
        14 => own_wish(world, pieces.byte()),
        _ => {
            // Anybody on the stream, without the keys.
            let conn = ConnId(u64::from(pieces.byte() % 4));
            world.input(NODE, Input::Received { conn, bytes: pieces.piece().to_vec() });
        }
    }
}

fn say(world: &mut World, message: &[u8]) {
    if world.tapped(NODE, PEER).is_some_and(|tap| tap.is_open()) {
        world.say(PEER, NODE, message);
    }
}

fn own_wish(world: &mut World, which: u8) {
    let by = usize::from(which & 1);
    if which & 2 == 0 {
        return world.open_channel(by, 1 - by);
    }
    let channels = world.hosts[by].node().map(|node| node.channels()).unwrap_or_default();
    if let Some(channel) = channels.first() {
        world.ask(by, Command::CloseChannel { channel_id: channel.channel_id });
    }
    let node_id = world.node_id(1 - by);
    // The API asks for 1 sat/vB at least.
    let feerate = FeeratePerKw::from_sat_per_kw((u32::from(which) * 100).max(250));
    world.ask(by, Command::OpenChannel { node_id, amount: bitcoin::Amount::from_sat(20_000), feerate });
}

fn start(base: Base) -> World {
    thread_local!(static BASES: OnceCell<Bases> = const { OnceCell::new() });
    BASES.with(|bases| {
        let world = bases.get_or_init(Bases::new).world(base);
        world.again_as(|world| {
            world.is_told = false;
            world.tapping = Some(|_, _| true);
            world.note_refusals();
        })
    })
}
