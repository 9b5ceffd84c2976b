//! The tests that `docs/security.md` and `docs/contract.md` name exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold no code of ours.
const NOT_OURS: &[&str] = &["target", "node_modules", "pkg", "dist", ".git", ".cache"];

#[test]
fn every_test_that_the_security_list_names_exists() {
    let named = tests_named_in_the_last_column("docs/security.md");
    assert!(named.len() > 50, "the table is not read any more: {named:?}");
    assert_eq!(named.difference(&functions()).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn every_test_that_the_contract_names_exists() {
    let named = tests_named_in_the_last_column("docs/contract.md");
    assert!(named.len() > 15, "the table is not read any more: {named:?}");
    assert_eq!(named.difference(&functions()).collect::<Vec<_>>(), Vec::<&String>::new());
}

/// In backquotes, with or without the modules in front. What has a slash, a dot or an ellipsis names files.
fn tests_named_in_the_last_column(page: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(page)).expect("the page is in the repository");
    let rows = text.lines().filter(|line| line.starts_with('|'));
    let columns = rows.filter_map(|row| row.trim_end_matches('|').rsplit(" | ").next());
    columns
        .flat_map(|column| column.split('`').skip(1).step_by(2))
        .filter_map(|name| name.rsplit("::").next())
        .filter(|name| {
            name.contains('_') && name.chars().all(|letter| letter == '_' || letter.is_ascii_alphanumeric())
        })
        .map(str::to_owned)
        .collect()
}

/// Every function of every Rust file.
fn functions() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the repository").flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            if path.is_dir() {
                if !NOT_OURS.contains(&name.to_string_lossy().as_ref()) {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("source files are text");
                names.extend(text.split("fn ").skip(1).map(name_at_the_start));
            }
        }
    }
    names
}

fn name_at_the_start(text: &str) -> String {
    text.chars().take_while(|letter| *letter == '_' || letter.is_ascii_alphanumeric()).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a member stands in the workspace").to_path_buf()
}
