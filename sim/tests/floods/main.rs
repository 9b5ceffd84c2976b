//! A peer that says too much, or too slowly, costs a disconnect and bounded memory; the wallet still pays.

mod closing;
mod memory;
mod random;
mod strangers;

use bitcoin::Amount;
use kite_sim::host::Act;
use kite_sim::world::World;

/// The wallet, the peer of its channel who floods it, and an honest one.
const NODE: usize = 0;
const FLOODER: usize = 1;
const HONEST: usize = 2;

/// What a flood may leave behind, on the disk too.
const MAX_HELD: isize = 1_500_000;
/// What it may be answered with, in an instant.
const MAX_ANSWERED: usize = 1_500_000;
/// Scripts that it may make the wallet watch.
const MAX_WATCHED: usize = 60;
/// Events that it may tell the owner.
const MAX_TOLD: usize = 60;

/// One message after another.
struct Flood {
    name: &'static str,
    messages: usize,
    message: fn(&Given, usize) -> Vec<u8>,
}

/// What the messages are made of.
struct Given {
    channel_id: [u8; 32],
    point: [u8; 33],
    another_point: [u8; 33],
    open_channel: Vec<u8>,
    /// A timestamp of gossip that is neither old nor in the future.
    timestamp: [u8; 4],
}

const SIGNATURE: [u8; 64] = [1; 64];

fn message(message_type: u16, parts: &[&[u8]]) -> Vec<u8> {
    [&message_type.to_be_bytes()[..], &parts.concat()].concat()
}

fn chain() -> [u8; 32] {
    bitcoin::blockdata::constants::ChainHash::REGTEST.to_bytes()
}

/// A channel's name that no other number gives.
fn name(number: usize) -> [u8; 32] {
    let mut name = [9; 32];
    name[..8].copy_from_slice(&number.to_be_bytes());
    name
}

fn open_channel(given: &Given, number: usize) -> Vec<u8> {
    let mut open = given.open_channel.clone();
    open[34..66].copy_from_slice(&name(number));
    open
}

const FLOODS: &[Flood] = &[
    Flood { name: "unknown odd messages", messages: 20_000, message: |_, _| message(40_001, &[&[7; 1_000]]) },
    Flood {
        name: "long warnings",
        messages: 500,
        message: |given, _| message(1, &[&given.channel_id, &60_000u16.to_be_bytes(), &[0xff; 60_000]]),
    },
    Flood {
        name: "pings that want much",
        messages: 5_000,
        message: |_, _| message(18, &[&65_531u16.to_be_bytes(), &[0, 0]]),
    },
    Flood {
        name: "unknown channels",
        messages: 20_000,
        message: |_, number| message(38, &[&name(number), &[0, 0]]),
    },
    Flood { name: "channels to be opened", messages: 2_000, message: open_channel },
    Flood {
        name: "channels to be opened, given up",
        messages: 2_000,
        message: |given, number| match number % 2 {
            0 => open_channel(given, number),
            _ => message(17, &[&name(number - 1), &[0, 0]]),
        },
    },
    Flood {
        name: "HTLCs that are never signed",
        messages: 1_000,
        message: |given, number| {
            let (id, amount) = (u64::try_from(number).unwrap_or(0).to_be_bytes(), 2_000u64.to_be_bytes());
            message(128, &[&given.channel_id, &id, &amount, &[6; 32], &[0, 0, 1, 0], &[0; 1366]])
        },
    },
    Flood {
        name: "channel_ready, each with another alias",
        messages: 5_000,
        message: |given, number| {
            message(36, &[&given.channel_id, &given.point, &[1, 8], &number.to_be_bytes()])
        },
    },
    Flood {
        name: "shutdown with a script that is none",
        messages: 10_000,
        message: |given, _| message(38, &[&given.channel_id, &[0, 1, 0x51]]),
    },
    Flood {
        name: "questions about gossip",
        messages: 10_000,
        message: |_, _| message(263, &[&chain(), &[0; 8]]),
    },
    Flood {
        name: "updates of unknown channels",
        messages: 10_000,
        message: |given, number| {
            let rest = [&given.timestamp, &[1, 0, 0, 40][..], &[0; 16], &[0, 0, 0, 0, 0, 0, 0, 9]].concat();
            message(258, &[&SIGNATURE, &chain(), &number.to_be_bytes(), &rest])
        },
    },
    Flood {
        name: "announcements nobody signed",
        messages: 1_000,
        message: |given, number| {
            // In the order in which they must stand: the signatures are looked at.
            let mut nodes = [given.point, given.another_point];
            nodes.sort();
            let nodes = nodes.concat().repeat(2);
            message(256, &[&SIGNATURE.repeat(4), &[0, 0], &chain(), &number.to_be_bytes(), &nodes])
        },
    },
    Flood {
        name: "lists of channels",
        messages: 200,
        message: |_, number| {
            let channels: Vec<u8> =
                (0..8_000usize).flat_map(|i| (number * 8_000 + i).to_be_bytes()).collect();
            message(264, &[&chain(), &[0; 8], &[0], &64_001u16.to_be_bytes(), &[0], &channels])
        },
    },
];

/// A channel with each of the two, and money on both sides of the first.
fn with_channels() -> (World, Given) {
    let mut world = World::new(3);
    world.tapping = Some(|_, _| true);
    for host in [NODE, FLOODER] {
        world.give_coins(host, Amount::from_sat(3_000_000));
    }
    world.connect();
    world.open_channel(FLOODER, NODE);
    world.open_channel(NODE, HONEST);
    let (tap, end) = world.tap(NODE, FLOODER).expect("they are connected");
    let open_channel =
        tap.heard[end].iter().find(|message| message.starts_with(&[0, 32])).expect("said").clone();
    world.mine(6);
    let channel_id = world.channel(NODE, FLOODER).expect("it is open").channel_id.0;
    let [point, another_point] = [FLOODER, HONEST].map(|host| world.node_id(host).serialize());
    let timestamp = u32::try_from(world.now().unix.0).expect("a date of this century").to_be_bytes();
    (world, Given { channel_id, point, another_point, open_channel, timestamp })
}

/// What a node let out: bytes for its peers, and whether it hung up on one.
fn take_acts(world: &mut World) -> (usize, bool) {
    let (mut sent, mut hung_up) = (0, false);
    for act in world.hosts[NODE].acts.drain(..) {
        match act {
            Act::Send(_, bytes) => sent += bytes.len(),
            Act::Disconnect(_) => hung_up = true,
            _ => {}
        }
    }
    (sent, hung_up)
}

fn check(flood: &Flood) {
    let (mut world, given) = with_channels();
    let watched = world.node(NODE).watches().len();
    let told = world.hosts[NODE].events().count();
    let before = memory::held();
    let mut answered = 0;
    for number in 0..flood.messages {
        let message = (flood.message)(&given, number);
        world.say(FLOODER, NODE, &message);
        drop(message);
        let (sent, hung_up) = take_acts(&mut world);
        answered += sent;
        if hung_up {
            break;
        }
    }
    let held = memory::held() - before;
    let watched = world.node(NODE).watches().len() - watched;
    let told = world.hosts[NODE].events().count() - told;
    let what = format!("{}: held {held}, answered {answered}, watched {watched}, told {told}", flood.name);
    assert!(held < MAX_HELD && answered < MAX_ANSWERED, "{what}");
    assert!(watched < MAX_WATCHED && told < MAX_TOLD, "{what}");
    world.cut();
    world.connect();
    assert!(world.pay(NODE, HONEST, 2_000_000), "{what}");
    assert!(!world.node(NODE).channels().iter().any(|channel| channel.state == "failed"), "{what}");
}

#[test]
fn no_flood_takes_more_than_its_share() {
    let mut failed = Vec::new();
    for flood in FLOODS {
        if let Err(error) = std::panic::catch_unwind(|| check(flood)) {
            failed.push(error.downcast_ref::<String>().cloned().unwrap_or_default());
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Those that are given up leave no trace but a key index and a write: a peer gets a few of them, and then one a minute,
/// over however many connections.
#[test]
fn a_peer_begins_to_open_few_channels() {
    let (mut world, given) = with_channels();
    // The flooder does not hear the answers.
    world.tapping = Some(|_, message_type| !(32..128).contains(&message_type));
    let accepted = |world: &mut World, first: usize| {
        for number in first..first + 40 {
            world.say(FLOODER, NODE, &open_channel(&given, number));
            world.say(FLOODER, NODE, &message(17, &[&name(number), &[0, 0]]));
            world.settle();
        }
        let (tap, end) = world.tap(NODE, FLOODER).expect("nothing is wrong with it");
        let heard = std::mem::take(&mut tap.heard[1 - end]);
        heard.iter().filter(|message| message.starts_with(&[0, 33])).count()
    };
    let again = |world: &mut World, round: usize| {
        world.cut();
        world.connect();
        accepted(world, round * 100)
    };
    assert_eq!(again(&mut world, 0), 5);
    let total: usize = (1..12).map(|round| again(&mut world, round)).sum();
    assert!((10..30).contains(&total), "{total}");
    world.pass(61);
    assert!((1..=3).contains(&accepted(&mut world, 5_000)), "one a minute");
}
