//! A peer that is connected and deaf: it takes what it is sent, and answers nothing.

use kite_core::node::Event;
use kite_sim::closes::Closes;
use kite_sim::world::GIVES_UP_WITHIN_SECS;

/// Whether host 0 was told that its payment arrived.
fn is_sent(closes: &Closes) -> bool {
    closes.world.hosts[0].events().any(|event| {
        matches!(event, Event::PaymentSent { payment_hash, .. } if *payment_hash == closes.payments[0].1)
    })
}

/// BOLT 1, The `ping` and `pong` Messages.
#[test]
fn a_deaf_peer_costs_its_connection_and_nothing_else() {
    for deaf in 0..2 {
        let mut closes = Closes::new();
        closes.world.deafen(deaf);
        closes.pay(0, 50_000_000, 0);
        closes.world.settle();
        assert!(closes.world.is_connected(0, 1), "nobody has noticed yet");
        closes.world.pass(GIVES_UP_WITHIN_SECS + 1);
        assert!(!closes.world.talks_to_the_deaf(), "{}", closes.world.story());
        closes.world.hear_again();
        closes.world.connect();
        closes.world.mine(6);
        assert!(is_sent(&closes), "{}", closes.world.story());
        for host in 0..2 {
            assert!(closes.world.node(host).channels()[0].is_usable, "{}", closes.world.story());
        }
    }
}

/// BOLT 2, `cltv_expiry_delta` Selection: as long as no time passes the connection looks well, and blocks come.
#[test]
fn a_deaf_peer_holds_up_no_deadline() {
    let (mut both_outcomes, mut closed) = ([0, 0], 0);
    for deaf in 0..2 {
        for pieces in 0..=12 {
            let mut closes = Closes::new();
            closes.pay(0, 50_000_000, pieces);
            closes.world.deafen(deaf);
            // Time stands still: whoever closes does so because of the blocks, and while it is connected.
            closes.world.mine(60);
            let is_over = !closes.world.node(1 - deaf).channels()[0].is_usable;
            closed += usize::from(is_over);
            closes.world.hear_again();
            closes.world.connect();
            if !is_over {
                closes.force_close(1 - deaf);
            }
            closes.run_out();
            closes.check(&format!("{deaf} is deaf after {pieces} pieces"));
            both_outcomes[usize::from(is_sent(&closes))] += 1;
        }
    }
    assert!(both_outcomes.iter().all(|count| *count > 0), "{both_outcomes:?}");
    assert!(closed > 4, "{closed} were closed at a deadline");
}
