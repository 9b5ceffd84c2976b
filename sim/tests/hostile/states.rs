//! Where a channel can be when its peer says something.

use crate::{HONEST, LIAR, NODE};
use bitcoin::Amount;
use kite_core::node::Command;
use kite_sim::tap::Passes;
use kite_sim::world::World;

/// A state.
pub struct Place {
    pub name: &'static str,
    has_channel: bool,
    /// What passes from the liar (end 1) to the node (end 0) and back.
    passes: Passes,
    act: fn(&mut World),
    /// The number that the liar's next HTLC has.
    pub next_htlc: u64,
}

/// Messages of an honest peer, to be said at other times.
pub struct Captured {
    pub open_channel: Vec<u8>,
    pub accept_channel: Vec<u8>,
}

const ALL: Passes = |_, _| true;

const fn place(
    name: &'static str,
    has_channel: bool,
    passes: Passes,
    act: fn(&mut World),
    next_htlc: u64,
) -> Place {
    Place { name, has_channel, passes, act, next_htlc }
}

/// All of them. A liar's message that is kept back is what the node waits for.
pub const STATES: &[Place] = &[
    place("no init yet", true, |end, _| end == 0, reconnect, 0),
    place("no channel", false, ALL, |_| {}, 0),
    place("opener: waits for accept_channel", false, |_, kind| kind != 33, |w| open(w, NODE), 0),
    place("opener: waits for funding_signed", false, |_, kind| kind != 35, |w| open(w, NODE), 0),
    place("opener: waits for confirmations", false, ALL, |w| open(w, NODE), 0),
    place("accepter: waits for funding_created", false, |_, kind| kind != 34, |w| open(w, LIAR), 0),
    place("accepter: waits for confirmations", false, ALL, |w| open(w, LIAR), 0),
    place("waits for channel_ready", false, |end, kind| (end, kind) != (1, 36), open_and_mine, 0),
    place("normal", true, ALL, |_| {}, 0),
    place("normal: waits for revoke_and_ack", true, ALL, send_unanswered, 0),
    place("normal: waits for commitment_signed", true, |end, kind| (end, kind) != (1, 132), pay_liar, 0),
    place("normal: waits for update_fulfill_htlc", true, ALL, send_until_committed, 0),
    place("normal: HTLC in, not signed", true, |end, kind| (end, kind) != (1, 132), pay_node, 1),
    place("normal: HTLC in, not revoked", true, |end, kind| (end, kind) != (1, 133), pay_node, 1),
    place("shutdown sent", true, |end, kind| (end, kind) != (1, 38), |w| close(w, NODE), 0),
    place("shutdown received, HTLC left", true, ALL, send_and_close, 0),
    place("negotiating the closing fee", true, |end, kind| (end, kind) != (0, 39), |w| close(w, NODE), 0),
    place("closing", true, ALL, |w| close(w, NODE), 0),
    place("syncing", true, |end, kind| end == 0 || kind == 16, reconnect, 0),
    place("loaded, syncing", true, |end, kind| end == 0 || kind == 16, restart, 0),
    place("data loss", true, |end, kind| (end, kind) != (0, 17), lose_data, 1),
];

impl Place {
    /// A world in which nothing of this state has happened.
    pub fn base(&self) -> World {
        base(self.has_channel)
    }

    /// The state itself.
    pub fn enter(&self, base: &World) -> World {
        let mut world = base.again();
        world.tap(LIAR, NODE).expect("they are connected").0.passes = self.passes;
        world.tapping = Some(self.passes);
        (self.act)(&mut world);
        world.settle();
        world
    }
}

fn base(has_channel: bool) -> World {
    let mut world = World::new(3);
    world.tapping = Some(ALL);
    for host in [NODE, LIAR] {
        world.give_coins(host, Amount::from_sat(3_000_000));
    }
    world.connect();
    world.open_channel(NODE, HONEST);
    world.mine(6);
    if has_channel {
        open(&mut world, NODE);
        world.mine(6);
        send(&mut world, NODE, 200_000_000);
        world.settle();
    }
    world
}

/// What an honest peer says in its place.
pub fn captured() -> Captured {
    let said = |opener: usize, message_type: [u8; 2]| {
        let mut world = base(false);
        open(&mut world, opener);
        let (tap, end) = world.tap(NODE, LIAR).expect("they are connected");
        let is_meant = |message: &&Vec<u8>| message.starts_with(&message_type);
        tap.heard[end].iter().find(is_meant).expect("it was said").clone()
    };
    Captured { open_channel: said(LIAR, [0, 32]), accept_channel: said(NODE, [0, 33]) }
}

fn open(world: &mut World, by: usize) {
    world.open_channel(by, NODE + LIAR - by);
}

fn open_and_mine(world: &mut World) {
    open(world, NODE);
    world.mine(6);
}

fn close(world: &mut World, by: usize) {
    let channel_id = world.channel(by, NODE + LIAR - by).expect("there is a channel").channel_id;
    world.ask(by, Command::CloseChannel { channel_id });
    world.settle();
}

/// Pays, as far as what passes lets it.
fn send(world: &mut World, payer: usize, msat: u64) {
    world.ask_to_pay(payer, NODE + LIAR - payer, msat);
    world.settle();
}

fn pay_liar(world: &mut World) {
    send(world, NODE, 200_000_000);
}

fn pay_node(world: &mut World) {
    send(world, LIAR, 50_000_000);
}

/// The liar says nothing to it.
fn send_unanswered(world: &mut World) {
    world.ask_to_pay(NODE, LIAR, 200_000_000);
    world.tap(NODE, LIAR).expect("they are connected").0.passes = |end, _| end == 0;
    world.settle();
}

/// The HTLC is in both commitments for good; nothing of what removes it arrives.
fn send_until_committed(world: &mut World) {
    world.ask_to_pay(NODE, LIAR, 200_000_000);
    loop {
        world.deliver(1);
        let (tap, liar) = world.tap(NODE, LIAR).expect("they are connected");
        if tap.heard[liar].iter().any(|message| message.starts_with(&[0, 132])) {
            tap.passes = |end, kind| end == 0 || kind == 38;
            return world.settle();
        }
    }
}

fn send_and_close(world: &mut World) {
    send_until_committed(world);
    close(world, LIAR);
}

fn reconnect(world: &mut World) {
    world.cut();
    world.connect();
}

fn restart(world: &mut World) {
    world.crash(NODE);
    world.start(NODE);
    world.connect();
}

/// The node's store is put back to where it was one payment ago.
fn lose_data(world: &mut World) {
    let disk = world.hosts[NODE].disk.clone();
    pay_liar(world);
    world.hosts[NODE].restore(disk);
    world.settle();
    world.start(NODE);
    world.connect();
}
