//! Random bytes and broken copies of real messages, at any moment: nothing panics, and the wallet pays afterwards.

use crate::{FLOODER, HONEST, NODE, with_channels};
use kite_core::node::Command;
use kite_sim::random::Random;
use kite_sim::world::World;

/// `KITE_FUZZ_ROUNDS` asks for more.
const ROUNDS: u64 = 40;
const CASES_A_ROUND: u32 = 150;

/// Everything that two honest nodes said while they opened, paid, failed to agree and closed.
fn corpus(base: &World) -> Vec<Vec<u8>> {
    let mut world = base.again();
    world.pay(FLOODER, NODE, 30_000_000);
    world.pay(NODE, FLOODER, 3_000_000);
    let channel_id = world.channel(FLOODER, NODE).expect("it is open").channel_id;
    world.ask(FLOODER, Command::CloseChannel { channel_id });
    world.settle();
    let said = [heard(base), heard(&world)].concat();
    assert!(said.len() > 30, "{}", said.len());
    said
}

fn heard(world: &World) -> Vec<Vec<u8>> {
    let tap = world.tapped(NODE, FLOODER).expect("they are connected");
    tap.heard.concat()
}

/// One message, broken in one way or another.
fn broken(random: &mut Random, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut message = corpus[random.below(corpus.len())].clone();
    let byte = |random: &mut Random| random.next().to_le_bytes()[0];
    match random.below(8) {
        // Whole, at a time when nobody expects it.
        0 => {}
        1 => message.truncate(random.below(message.len())),
        2 => (0..random.below(200)).for_each(|_| message.push(byte(random))),
        3 => message = (0..random.below(400)).map(|_| byte(random)).collect(),
        4 => {
            let known = [1, 16, 17, 18, 32, 33, 34, 35, 36, 38, 39, 128, 130, 131, 132, 133, 134, 135, 136];
            message[..2].copy_from_slice(&[0, known[random.below(19)]]);
        }
        5 => {
            // Numbers at their limits.
            let at = 2 + random.below(message.len().saturating_sub(10).max(1));
            let end = message.len().min(at + 8);
            let value = if random.coin() { 0xff } else { 0 };
            message[at..end].fill(value);
        }
        _ => {
            for _ in 0..=random.below(4) {
                let at = random.below(message.len());
                message[at] ^= 1 << random.below(8);
            }
        }
    }
    message
}

fn round(base: &World, corpus: &[Vec<u8>], seed: u64) {
    let mut random = Random::new(seed);
    let mut world = base.again();
    for _ in 0..CASES_A_ROUND {
        match random.below(24) {
            0 if world.channel(NODE, FLOODER).is_some_and(|channel| channel.is_usable) => {
                world.ask_to_pay(FLOODER, NODE, 1_000_000);
            }
            1 => world.cut(),
            2 => world.mine(1),
            3 => world.open_channel(FLOODER, NODE),
            4 if random.below(8) == 0 => {
                world.crash(NODE);
                world.start(NODE);
            }
            _ => world.deliver(u32::try_from(random.below(4)).unwrap_or(0)),
        }
        if !world.is_connected(NODE, FLOODER) {
            world.connect();
        }
        // Where the two have shaken hands; the honest half of the peer may have hung up for good.
        if world.tapped(NODE, FLOODER).is_some_and(|tap| tap.is_open()) {
            world.say(FLOODER, NODE, &broken(&mut random, corpus));
        }
    }
    world.settle();
    world.cut();
    world.crash(NODE);
    world.start(NODE);
    world.connect();
    world.mine(6);
    assert!(world.pay(NODE, HONEST, 2_000_000), "seed {seed}: {}", world.story());
}

#[test]
fn nothing_that_a_peer_says_at_any_time_breaks_the_wallet() {
    let (base, _) = with_channels();
    let corpus = corpus(&base);
    let asked = std::env::var("KITE_FUZZ_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    for seed in 0..asked.unwrap_or(ROUNDS) {
        round(&base, &corpus, seed);
    }
}
