//! Every named scenario, with all streams cut instead of each delivery, and in orders that chance decides.

use kite_sim::scenarios::SCENARIOS;
use std::collections::BTreeSet;

const SEEDS: u64 = 3;

#[test]
fn in_random_order_all_is_well_and_the_same_seed_gives_the_same_bytes() {
    let mut orders = BTreeSet::new();
    for scenario in SCENARIOS {
        let prepared = scenario.prepare();
        for seed in 0..SEEDS {
            let bytes = scenario.run_at_random(&prepared, seed);
            orders.insert(bytes);
            if seed == 0 {
                assert_eq!(scenario.run_at_random(&prepared, seed), bytes, "{}", scenario.name);
            }
        }
    }
    assert!(orders.len() > SCENARIOS.len() * 2, "chance decides nothing: {}", orders.len());
}

/// A share of the scenarios, so that tests run beside each other.
fn cut_everywhere(share: usize) {
    let runs: u64 = SCENARIOS.iter().skip(share).step_by(2).map(|scenario| scenario.cut_everywhere()).sum();
    assert!(runs > 100, "{runs} runs");
}

#[test]
fn no_cut_harms_the_first_half() {
    cut_everywhere(0);
}

#[test]
fn no_cut_harms_the_second_half() {
    cut_everywhere(1);
}
