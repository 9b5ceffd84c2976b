//! Every kind of transaction that Kite publishes is taken by the mempool of a full node, in the order in which it was
//! published, and after each the mempool holds what the simulator's chain holds: Kite's transactions are relayed, its
//! replacements replace, its packages pay for their parents.

use kite_core::node::Command;
use kite_interop::full_node::{FullNode, Kind, Taken};
use kite_sim::closes::Closes;

/// A full node follows, and took at least one of each kind.
fn follows(closes: &Closes, kinds: &[Kind]) -> Taken {
    follows_as(FullNode::start(), closes, kinds)
}

fn follows_as(node: FullNode, closes: &Closes, kinds: &[Kind]) -> Taken {
    let taken = node.follow(&closes.world.chain);
    for kind in kinds {
        assert!(taken.kinds.contains_key(kind), "no {kind:?}: {taken:?}");
    }
    taken
}

/// Mempools are full from now on: less than 2,000 sat for 1000 weight units is not relayed. What strangers fill them with
/// comes from the coins of so many blocks.
fn fill_mempools(closes: &mut Closes) {
    closes.world.mine_at_once(40);
    closes.world.chain.ask_for(2_000);
}

#[test]
fn a_funding_transaction_and_a_cooperative_close() {
    let mut closes = Closes::new();
    let channel_id = closes.world.node(0).channels()[0].channel_id;
    closes.world.command(0, Command::CloseChannel { channel_id });
    closes.world.mine(3);
    follows(&closes, &[Kind::Plain, Kind::Funding, Kind::CooperativeClose]);
}

/// Each closer takes what is its own, after its delay or at once, and settles HTLCs both ways, in both of their stages.
#[test]
fn a_close_alone_with_htlcs_both_ways() {
    let mut kinds = std::collections::BTreeSet::new();
    for closer in 0..2 {
        for pieces in [2, 6] {
            let mut closes = Closes::new();
            for (by, msat) in [(0, 50_000_000), (1, 60_000_000), (0, 100_000), (1, 7_000_000)] {
                closes.pay(by, msat, pieces);
            }
            closes.force_close(closer);
            closes.world.settle();
            closes.run_out();
            closes.check("a full node is to follow");
            let taken = follows(&closes, &[Kind::Commitment, Kind::Delayed, Kind::ToRemote]);
            kinds.extend(taken.kinds.into_keys());
        }
    }
    let htlcs = [Kind::HtlcSuccess, Kind::ClaimWithPreimage, Kind::ClaimAfterTimeout];
    assert!(htlcs.iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
}

#[test]
fn an_htlc_that_the_peer_keeps() {
    let mut closes = Closes::new();
    closes.pay(0, 50_000_000, 4);
    closes.world.crash(1);
    closes.world.cut();
    for _ in 0..40 {
        closes.world.chain.mine(7);
        closes.world.mine(1);
    }
    follows(&closes, &[Kind::Commitment, Kind::HtlcTimeout, Kind::Delayed]);
}

/// Mempools fill before a close: the commitment is taken only with its child, which is replaced while fees rise further.
#[test]
fn a_commitment_with_a_child_that_pays_for_it() {
    let mut closes = Closes::new();
    closes.world.cut();
    closes.feerates(5_000);
    fill_mempools(&mut closes);
    closes.force_close(0);
    closes.world.settle();
    for sat_per_kw in [9_000, 15_000] {
        closes.feerates(sat_per_kw);
        closes.world.mine_nothing(1);
    }
    closes.world.mine(1);
    let kinds = [Kind::Commitment, Kind::AnchorChild];
    let taken = follows_as(FullNode::start_small(), &closes, &kinds);
    assert_eq!(taken.packages, 1, "{taken:?}");
    assert!(taken.replacements.contains_key(&Kind::AnchorChild), "{taken:?}");
}

/// A revoked commitment with an HTLC; no miner takes the claims, so that each is replaced again and again.
#[test]
fn penalties_and_all_their_replacements() {
    for cheater in 0..2 {
        let (mut closes, _) = Closes::cheated(cheater, 0);
        closes.world.mine_nothing(140);
        closes.world.mine(1);
        let taken = follows(&closes, &[Kind::Commitment, Kind::Penalty, Kind::ToRemote]);
        assert!(taken.replacements[&Kind::Penalty] > 12, "{taken:?}");
    }
}

#[test]
fn a_reorganisation_that_brings_a_revoked_commitment() {
    let (mut closes, commitment) = Closes::closed_together_after_a_payment();
    closes.world.crash(0);
    closes.world.chain.reorg_for(5, &commitment);
    closes.world.mine(3);
    follows(&closes, &[Kind::CooperativeClose, Kind::Penalty, Kind::ToRemote]);
}

/// Mempools fill after both agreed on a fee: the closing transaction is taken only with the child that pays for it.
#[test]
fn a_closing_transaction_that_only_its_child_brings_in() {
    let mut closes = Closes::new();
    fill_mempools(&mut closes);
    let channel_id = closes.world.node(0).channels()[0].channel_id;
    closes.world.command(0, Command::CloseChannel { channel_id });
    closes.world.crash(1);
    closes.feerates(5_000);
    closes.world.mine_nothing(13);
    closes.feerates(9_000);
    closes.world.mine_nothing(1);
    closes.world.mine(1);
    let kinds = [Kind::CooperativeClose, Kind::ClosingChild];
    let taken = follows_as(FullNode::start_small(), &closes, &kinds);
    assert_eq!(taken.packages, 1, "{taken:?}");
    assert_eq!(taken.replacements.get(&Kind::ClosingChild), Some(&1), "{taken:?}");
}
