//! Every named scenario, with a crash around every batch, in four ways.

use kite_sim::scenarios::SCENARIOS;

#[test]
fn all_scenarios_pass_without_a_crash_and_twice_the_same() {
    for scenario in SCENARIOS {
        assert_eq!(scenario.run(), scenario.run(), "{}", scenario.name);
    }
    assert_eq!(SCENARIOS.len(), 28);
}

/// A share of the scenarios, so that tests run beside each other.
fn crash_everywhere(share: usize) {
    let runs: usize =
        SCENARIOS.iter().skip(share).step_by(4).map(|scenario| scenario.crash_everywhere()).sum();
    assert!(runs > 100, "{runs} runs");
}

#[test]
fn no_crash_harms_the_first_quarter() {
    crash_everywhere(0);
}

#[test]
fn no_crash_harms_the_second_quarter() {
    crash_everywhere(1);
}

#[test]
fn no_crash_harms_the_third_quarter() {
    crash_everywhere(2);
}

#[test]
fn no_crash_harms_the_fourth_quarter() {
    crash_everywhere(3);
}
