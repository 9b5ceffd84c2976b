//! The scenarios in Rust, and whether they are well formed: see `scenarios/README.md`.

mod calls;
mod complete;
mod form;
#[path = "../judge/mod.rs"]
mod judge;
mod life;
mod log;
#[path = "../../../docs/embed/snippets/pay.rs"]
mod pay;

use std::time::Duration;
use std::{env, fs};

use kite_devnet::{World, WorldOptions};
use life::Life;

/// Set to write the logs anew, after a change that is meant.
const WRITE: &str = "KITE_WRITE_LOGS";

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_lives_through_all_scenarios_and_each_log_is_the_shared_one() {
    let world =
        World::start(WorldOptions { judge: Some(judge::judge()), ..WorldOptions::default() }).await.unwrap();
    let mut life = Life::new(&world);
    for scenario in form::scenarios() {
        let living = life.live(&scenario);
        let log = tokio::time::timeout(Duration::from_secs(120), living).await;
        let log = log.unwrap_or_else(|_| panic!("{} does not end", scenario.name));
        let path = form::folder().join(format!("{}.log", scenario.name));
        if env::var_os(WRITE).is_some() {
            fs::write(&path, &log).unwrap();
        }
        let shared = fs::read_to_string(&path).unwrap();
        for (at, (found, expected)) in log.lines().zip(shared.lines()).enumerate() {
            assert_eq!(found, expected, "{}.log, line {}", scenario.name, at + 1);
        }
        assert_eq!(log, shared, "{}.log", scenario.name);
    }
    world.stop().await;
}
