//! Every committed input of every target, as an ordinary test. With `KITE_FUZZ_FOUND` also what fuzzing found there.

use kite_fuzz::{TARGETS, Target};
use std::path::Path;

fn replay(name: &str) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("a target");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    assert!(replay_all(&folder, *target) > 0, "the corpus of {name} is empty");
    let found = std::env::var_os("KITE_FUZZ_FOUND").map(|found| Path::new(&found).join(name));
    if let Some(found) = found.filter(|found| found.is_dir()) {
        replay_all(&found, *target);
    }
}

fn replay_all(folder: &Path, target: Target) -> usize {
    let entries = std::fs::read_dir(folder).expect("every target has a corpus");
    let replayed = entries.map(|entry| {
        let bytes = std::fs::read(entry.expect("a readable folder").path()).expect("a readable file");
        target(&bytes);
    });
    replayed.count()
}

macro_rules! corpora {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            replay(stringify!($name));
        })*

        #[test]
        fn every_target_is_replayed() {
            let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}

corpora! { wire transport onion invoice stored channel_rows chain gossip node_bytes sim_consistency }
