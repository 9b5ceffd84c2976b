//! Every message in every state: what a node does when a peer says something at any moment, and that it still pays.

mod messages;
mod states;

use bitcoin::Transaction;
use bitcoin::hashes::Hash;
use kite_core::types::MilliSatoshi;
use kite_core::wire::Message;
use kite_sim::world::World;
use messages::{Saying, Target};
use states::{Place, STATES};

/// The node that is tested, the peer that may say anything, and one that is honest.
const NODE: usize = 0;
const LIAR: usize = 1;
const HONEST: usize = 2;

const LEGEND: &str = "\
What a node does with a message (rows) in a state (columns), said by the peer of its channel.
  .  nothing is said         e  answered with `error`      -  the connection is closed
  r  answered by the rules   w  answered with `warning`    X  the unfunded channel is forgotten
  F  our commitment is published    +  the channel's state or balance is another
";

fn commitments_published(world: &World) -> usize {
    let is_commitment = |tx: &Transaction| tx.lock_time.to_consensus_u32() >> 24 == 0x20;
    world.published.iter().filter(|(host, tx)| *host == NODE && is_commitment(tx)).count()
}

/// Says one thing, and reads what comes of it.
fn result_of(world: &mut World, message: &[u8], place: &str) -> String {
    let before = world.channel(NODE, LIAR);
    let (money, commitments) = (world.node(NODE).balance().total, commitments_published(world));
    assert!(world.is_connected(LIAR, NODE), "{place}: not connected\n{}", world.story());
    let (tap, _) = world.tap(LIAR, NODE).expect("a tapped stream");
    tap.passes = |_, _| false;
    tap.heard = Default::default();
    world.closed_tap = None;
    world.say(LIAR, NODE, message);
    world.settle();
    let is_connected = world.is_connected(NODE, LIAR);
    let replies = match world.closed_tap.as_mut().filter(|_| !is_connected) {
        Some(tap) => tap.take_heard(0),
        None => world.tap(LIAR, NODE).map(|(tap, end)| tap.take_heard(end)).unwrap_or_default(),
    };
    let is_forced = commitments_published(world) > commitments;
    let after = world.channel(NODE, LIAR);
    if !is_forced {
        assert_eq!(world.node(NODE).balance().total, money, "{place}: a changed balance");
    }
    let mut code = String::new();
    let said = |is: fn(&Message) -> bool| replies.iter().any(is);
    if said(|reply| matches!(reply, Message::Error(_))) {
        code.push('e');
    } else if said(|reply| matches!(reply, Message::Warning(_))) {
        code.push('w');
    } else if !replies.is_empty() {
        code.push('r');
    }
    if !is_connected {
        code.push('-');
    }
    if is_forced {
        code.push('F');
    } else if before.is_some() && after.is_none() {
        code.push('X');
    } else if before != after && is_connected {
        code.push('+');
    }
    if code.is_empty() { ".".into() } else { code }
}

fn pay(world: &mut World, payer: usize, payee: usize, place: &str) {
    assert!(world.pay(payer, payee, 2_000_000), "{place}: {payer} cannot pay {payee}\n{}", world.story());
}

/// Whatever was said: the node pays afterwards, with the same peer where the channel is alive, else with another.
fn still_pays(world: &mut World, place: &str) {
    world.tapping = None;
    world.cut();
    world.connect();
    let is_usable = |world: &World| world.channel(NODE, LIAR).is_some_and(|channel| channel.is_usable);
    if !is_usable(world) {
        world.mine(6);
    }
    if is_usable(world) {
        let has_money =
            world.channel(NODE, LIAR).is_some_and(|channel| channel.spendable.to_msat() > 2_000_000);
        let (payer, payee) = if has_money { (NODE, LIAR) } else { (LIAR, NODE) };
        pay(world, payer, payee, place);
        let info = world.channel(NODE, LIAR).expect("it is usable");
        assert_eq!(info.in_flight, MilliSatoshi::ZERO, "{place}: an HTLC is stuck");
        return;
    }
    if let Some(info) = world.channel(NODE, LIAR) {
        let is_over = matches!(info.state, "closing" | "failed" | "frozen");
        assert!(is_over, "{place}: stuck in {}\n{}", info.state, world.story());
    }
    pay(world, NODE, HONEST, place);
}

/// The results of all messages in one state.
fn column(state: &Place) -> Vec<String> {
    let base = state.base();
    // A node answers a few mistakes at once, and no more: each world hears few.
    let mut scene: Option<(World, usize)> = None;
    let mut results = Vec::new();
    let captured = states::captured();
    for saying in messages::all() {
        let fresh = || (state.enter(&base), 0);
        let (mut world, said) = scene.take().unwrap_or_else(fresh);
        let place = format!("{} in {}", saying.name(), state.name);
        let message = saying.bytes(&world, state, &captured);
        let result = result_of(&mut world, &message, &place);
        let is_harmless =
            saying.target != Target::This && !saying.begins() && matches!(result.as_str(), "." | "e" | "r");
        results.push(result);
        if is_harmless && said < 15 {
            scene = Some((world, said + 1));
        } else {
            still_pays(&mut world, &place);
        }
    }
    if let Some((mut world, _)) = scene {
        still_pays(&mut world, state.name);
    }
    results
}

#[test]
fn every_message_in_every_state_has_its_result() {
    let columns: Vec<Vec<String>> = std::thread::scope(|threads| {
        let running: Vec<_> = STATES.iter().map(|state| threads.spawn(|| column(state))).collect();
        running.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let mut table = format!("{LEGEND}\n");
    for (index, state) in STATES.iter().enumerate() {
        table += &format!("  {:>2}  {}\n", index + 1, state.name);
    }
    let cells =
        |cells: &mut dyn Iterator<Item = String>| cells.map(|cell| format!("{cell:<4}")).collect::<String>();
    let numbers = cells(&mut (1..=STATES.len()).map(|number| number.to_string()));
    table += &format!("\n{:<52}{}\n", "", numbers.trim_end());
    for (row, saying) in messages::all().iter().map(Saying::name).enumerate() {
        let line = cells(&mut columns.iter().map(|column| column[row].clone()));
        table += &format!("{saying:<52}{}\n", line.trim_end());
    }
    if std::env::var_os("KITE_BLESS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hostile/table.txt");
        std::fs::write(path, &table).expect("the table can be written");
    }
    assert_eq!(table, include_str!("table.txt"), "KITE_BLESS=1 writes the table; review what changed");
}

/// Two channels with one output would have one name, and what is said of one would be taken for the other.
#[test]
fn a_funding_output_is_that_of_one_channel_whoever_names_it() {
    let normal = STATES.iter().find(|state| state.name == "normal").expect("a state of the table");
    let base = normal.base();
    let open_channel = states::captured().open_channel;
    for owner in [LIAR, HONEST] {
        let mut world = normal.enter(&base);
        let taken = world.channel(NODE, owner).expect("it is open");
        let txid = taken.funding_txid.expect("it is funded").to_byte_array();
        let vout = [30, 31].map(|byte| taken.channel_id.0[byte] ^ txid[byte]);
        let (tap, _) = world.tap(LIAR, NODE).expect("they are connected");
        tap.passes = |_, _| false;
        let funding_created =
            [&[0, 34][..], &open_channel[34..66], &txid, &vout, &messages::SIGNATURE].concat();
        let said = [open_channel.clone(), funding_created].map(|message| {
            world.say(LIAR, NODE, &message);
            world.settle();
            let (tap, end) = world.tap(LIAR, NODE).expect("it is told what is wrong");
            tap.take_heard(end)
        });
        assert!(matches!(said[0].last(), Some(Message::AcceptChannel(_))), "{said:?}");
        let [Message::Error(error)] = &said[1][..] else { panic!("{said:?}") };
        assert!(error.text().contains("belongs to another channel"), "{}", error.text());
        assert_eq!(world.node(NODE).channels().len(), 2);
        still_pays(&mut world, "a funding output named twice");
    }
}

/// A `funding_created` for a channel that has its funding output ends no channel, and tells the owner of no end.
#[test]
fn a_channel_that_is_open_is_not_funded_again() {
    let normal = STATES.iter().find(|state| state.name == "normal").expect("a state of the table");
    let mut world = normal.enter(&normal.base());
    let open = world.channel(NODE, LIAR).expect("it is open");
    let txid = open.funding_txid.expect("it is funded").to_byte_array();
    let vout = [30, 31].map(|byte| open.channel_id.0[byte] ^ txid[byte]);
    let (tap, _) = world.tap(LIAR, NODE).expect("they are connected");
    tap.passes = |_, _| false;
    let told = world.hosts[NODE].events().count();
    world.say(LIAR, NODE, &[&[0, 34][..], &open.channel_id.0, &txid, &vout, &messages::SIGNATURE].concat());
    world.settle();
    assert_eq!(world.hosts[NODE].events().count(), told, "{:?}", world.hosts[NODE].events().last());
    still_pays(&mut world, "a channel funded again");
}
