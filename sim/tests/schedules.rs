//! A handful of random schedules: many more run in `cargo xtask sim`.

use kite_sim::schedule::{Bases, Schedule};

const SEEDS: u64 = 24;

#[test]
fn random_schedules_pass_and_the_same_seed_gives_the_same_bytes() {
    let bases = Bases::new();
    let (mut paid, mut alone, mut transcripts) = (0, 0, std::collections::BTreeSet::new());
    for seed in 0..SEEDS {
        let schedule = Schedule::of_seed(seed);
        let run =
            || schedule.run(&bases).unwrap_or_else(|failure| panic!("seed {seed} {failure}\n{schedule}"));
        let outcome = run();
        assert_eq!(run(), outcome, "seed {seed}");
        paid += outcome.paid;
        alone += outcome.closes.alone;
        transcripts.insert(outcome.transcript);
    }
    assert!(paid > 24, "{paid} payments");
    assert!(alone > 3, "{alone} closes by one side alone");
    assert!(transcripts.len() > 20, "chance decides nothing: {}", transcripts.len());
}
