//! A peer that agrees on one closing fee after the other.

use crate::{FLOODER, HONEST, NODE, message};
use bitcoin::{Amount, Script, Transaction};
use kite_core::crypto::ChannelSigner;
use kite_core::node::{Command, Event};
use kite_sim::host::Act;
use kite_sim::world::World;

/// The flooder's signature of a closing transaction for any fee that it likes.
struct Closing {
    channel_id: [u8; 32],
    signer: ChannelSigner,
    funding: Amount,
    /// What both would have agreed on.
    tx: Transaction,
}

impl Closing {
    /// The node pays `more` satoshi than it offered.
    fn signed(&self, more: usize) -> Vec<u8> {
        let mut tx = self.tx.clone();
        let ours = tx.output.iter_mut().max_by_key(|output| output.value).expect("the node's output");
        ours.value -= Amount::from_sat(u64::try_from(more).expect("a small number"));
        let script = tx.input[0].witness.last().expect("the funding script").to_vec();
        let signature = self.signer.sign_closing(&tx, self.funding, Script::from_bytes(&script));
        let paid: Amount = tx.output.iter().map(|output| output.value).sum();
        let fee = (self.funding - paid).to_sat().to_be_bytes();
        let signature = signature.expect("it has one input").serialize_compact();
        message(39, &[&self.channel_id, &fee, &signature])
    }
}

/// The node has offered a fee that no mempool takes, and the flooder's answer is in our hands.
fn negotiating() -> (World, Closing) {
    let mut world = World::new(3);
    world.tapping = Some(|end, message_type| end == 0 || message_type != 39);
    // One coin for each channel.
    (0..2).for_each(|_| world.give_coins(NODE, Amount::from_sat(3_000_000)));
    world.connect();
    world.open_channel(NODE, FLOODER);
    world.open_channel(NODE, HONEST);
    world.mine(6);
    let channel = world.channel(FLOODER, NODE).expect("it is open");
    world.chain.ask_for(2_000);
    world.ask(NODE, Command::CloseChannel { channel_id: channel.channel_id });
    world.settle();
    let is_closing = |(host, tx): &&(usize, Transaction)| {
        *host == FLOODER && Some(tx.input[0].previous_output.txid) == channel.funding_txid
    };
    let tx = world.published.iter().find(is_closing).expect("the flooder agreed").1.clone();
    let signer = ChannelSigner::new(world.hosts[FLOODER].keys().channel_keys(channel.index));
    let (channel_id, funding) = (channel.channel_id.0, channel.capacity);
    (world, Closing { channel_id, signer, funding, tx })
}

/// Each fee would be two signatures, a stored state, a transaction to publish beside those that are urgent, and an event.
#[test]
fn a_peer_agrees_on_one_fee_over_a_connection() {
    let (mut world, closing) = negotiating();
    let (mut published, mut said) = (0, 0);
    for connection in 1..=5 {
        world.hosts[NODE].acts.clear();
        for more in 0..1_000 {
            world.say(FLOODER, NODE, &closing.signed(1 + more % 2));
            said += 1;
            let acts: Vec<Act> = world.hosts[NODE].acts.drain(..).collect();
            published += acts.iter().filter(|act| matches!(act, Act::Broadcast(_))).count();
            if acts.iter().any(|act| matches!(act, Act::Disconnect(_))) {
                break;
            }
        }
        assert_eq!(said, 2 * connection, "the second fee of a connection ends it");
        world.cut();
        world.connect();
        world.settle();
    }
    assert_eq!(published, 1, "the others pay no more");
    let told = world.hosts[NODE].events().filter(|event| matches!(event, Event::ChannelClosed { .. }));
    assert_eq!(told.count(), 1);
    assert_eq!(world.channel(NODE, FLOODER).map(|channel| channel.state), Some("negotiating"));
    world.chain.ask_for(250);
    assert!(world.pay(NODE, HONEST, 2_000_000), "{}", world.story());
}
