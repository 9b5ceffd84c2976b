//! LDK is what tests, benches and the devnet talk to. Nothing that ships stands on it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The core, the wallet, and the libraries for other languages with the program that makes their bindings.
const SHIPPED: [&str; 5] = ["kite-core", "kite-wallet", "kite-wasm", "kite-uniffi", "kite-ffi"];

/// What reads and writes BOLT 11, and its types: a crate of its own, without the rest of LDK.
const ALLOWED: [(&str, &str); 2] =
    [("kite-core", "lightning-invoice"), ("lightning-invoice", "lightning-types")];

/// Name and version.
type Package = (String, String);

#[test]
fn nothing_under_the_core_the_wallet_or_the_bindings_is_ldk() {
    let locked = locked("Cargo.lock");
    let allowed: BTreeSet<_> =
        ALLOWED.iter().map(|(user, used)| ((*user).to_owned(), (*used).to_owned())).collect();
    let mut found = BTreeSet::new();
    for name in SHIPPED {
        let used = ldk_under(&locked, name);
        assert!(used.is_subset(&allowed), "{name} stands on LDK (who uses what): {used:?}");
        found.extend(used);
    }
    // Otherwise nothing was looked at, or the list above allows too much.
    assert_eq!(found, allowed);
}

#[test]
fn the_walk_finds_ldk_where_it_is() {
    let used = ldk_under(&locked("Cargo.lock"), "kite-devnet");
    for (user, used_by_it) in [("kite-devnet", "ldk-node"), ("ldk-node", "lightning")] {
        assert!(used.contains(&(user.to_owned(), used_by_it.to_owned())), "{used:?}");
    }
}

#[test]
fn there_is_one_version_of_bitcoin() {
    let versions: BTreeSet<Package> = ["Cargo.lock", "fuzz/Cargo.lock"]
        .into_iter()
        .flat_map(|lock| locked(lock).into_keys())
        .filter(|(name, _)| name == "bitcoin")
        .collect();
    assert_eq!(versions.len(), 1, "{versions:?}");
}

/// Every pair of a crate below `name` and a crate of LDK that it uses. The lock file knows all targets and features, and
/// what a member's own tests use: that may be no LDK either.
fn ldk_under(locked: &BTreeMap<Package, Vec<String>>, name: &str) -> BTreeSet<(String, String)> {
    let mut seen = BTreeSet::new();
    let mut left = vec![found(locked, name)];
    let mut pairs = BTreeSet::new();
    while let Some(package) = left.pop() {
        if !seen.insert(package) {
            continue;
        }
        for used in locked[package].iter().map(|used| found(locked, used)) {
            if used.0.starts_with("lightning") || used.0.starts_with("ldk") {
                pairs.insert((package.0.clone(), used.0.clone()));
            }
            left.push(used);
        }
    }
    pairs
}

/// A package as a lock file names it: the version follows where there are several.
fn found<'a>(locked: &'a BTreeMap<Package, Vec<String>>, named: &str) -> &'a Package {
    let mut words = named.split(' ');
    let (name, version) = (words.next(), words.next());
    let is_it =
        |package: &&Package| name == Some(&package.0) && version.is_none_or(|version| version == package.1);
    locked.keys().find(is_it).unwrap_or_else(|| panic!("{named} is not locked"))
}

/// The packages of a lock file, each with what it depends on.
fn locked(file: &str) -> BTreeMap<Package, Vec<String>> {
    let text = fs::read_to_string(root().join(file)).expect("the lock file is in the repository");
    let entries = text.split("[[package]]").skip(1);
    entries
        .map(|entry| {
            let field = |name| {
                let (_, rest) = entry.split_once(&format!("\n{name} = \"")).expect("every package has it");
                rest.split_once('"').expect("an end").0.to_owned()
            };
            let list = entry.split_once("\ndependencies = [").and_then(|(_, rest)| rest.split_once(']'));
            let list = list.map_or("", |(list, _)| list);
            let used = list.split('"').skip(1).step_by(2).map(str::to_owned).collect();
            ((field("name"), field("version")), used)
        })
        .collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a member stands in the workspace").to_path_buf()
}
