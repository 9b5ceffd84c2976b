//! The integrator's guide shows what is run: its snippets are files that tests compile and run, and the tests that it names exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold no code of ours.
const NOT_OURS: &[&str] = &["target", "node_modules", "pkg", "dist", ".git", ".cache"];
/// A language: its title in the rules, the ends of its files' names, what a test is called by, and what ends its name.
const TESTS: [(&str, &[&str], &str, char); 5] = [
    ("Rust", &["rs"], "fn ", '('),
    ("TypeScript", &["mjs", "ts"], "test('", '\''),
    ("Kotlin", &["kt"], "fun ", '('),
    ("Swift", &["swift"], "func ", '('),
    ("Python", &["py"], "def ", '('),
];

#[test]
fn every_snippet_is_shown_as_it_is_run() {
    let folder = root().join("docs/embed");
    let page = fs::read_to_string(folder.join("README.md")).expect("the guide");
    let mut shown = BTreeSet::new();
    for part in page.split("<!-- snippets/").skip(1) {
        let (name, rest) = part.split_once(" -->\n```").expect("a fence after the name of a file");
        let (_, rest) = rest.split_once('\n').expect("a language");
        let (text, _) = rest.split_once("```\n").expect("an end");
        let file = fs::read_to_string(folder.join("snippets").join(name)).expect("a file of that name");
        assert_eq!(text, file, "docs/embed/README.md shows another {name}");
        shown.insert(name.to_owned());
    }
    let files = fs::read_dir(folder.join("snippets")).expect("the snippets");
    let files: BTreeSet<String> =
        files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned()).collect();
    assert!(files.len() >= 5, "{files:?}");
    assert_eq!(shown, files, "what the guide shows, and what there is");
}

#[test]
fn the_first_page_shows_one_of_them() {
    let page = fs::read_to_string(root().join("README.md")).expect("the first page");
    let (_, rest) = page.split_once("```ts\n").expect("a few lines of TypeScript");
    let (shown, _) = rest.split_once("```\n").expect("an end");
    let file = fs::read_to_string(root().join("docs/embed/snippets/pay.ts")).expect("the snippet");
    assert_eq!(shown, file, "README.md shows another pay.ts");
}

#[test]
fn every_test_that_the_rules_name_exists_in_its_language() {
    let page = fs::read_to_string(root().join("docs/embed/rules.md")).expect("the rules");
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| ---"))
        .map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    let [titles, rules @ ..] = &rows[..] else { panic!("no table of rules") };
    assert_eq!(titles[1..], TESTS.map(|(title, ..)| title));
    assert!(rules.len() >= 8, "{rules:?}");
    let tests = TESTS.map(|(_, ends, start, end)| tests(ends, start, end));
    for rule in rules {
        assert_eq!(rule.len(), titles.len(), "{rule:?}");
        for ((cell, tests), title) in rule[1..].iter().zip(&tests).zip(&titles[1..]) {
            assert!(!cell.is_empty(), "{}: nothing is said of {title}", rule[0]);
            for name in cell.split('`').skip(1).step_by(2) {
                let is_scenario = root().join(format!("scenarios/{name}.json")).exists();
                assert!(is_scenario || tests.contains(name), "no test in {title} is named {name}");
            }
        }
    }
}

/// The names of all functions in files with these ends; in JavaScript, of all tests.
fn tests(ends: &[&str], start: &str, end: char) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the repository").flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            if path.is_dir() {
                if !NOT_OURS.contains(&name.to_string_lossy().as_ref()) {
                    folders.push(path);
                }
                continue;
            }
            let extension = path.extension().and_then(|extension| extension.to_str());
            if !extension.is_some_and(|extension| ends.contains(&extension)) {
                continue;
            }
            let text = fs::read_to_string(&path).expect("source files are text");
            let named = text.split(start).skip(1).filter_map(|rest| rest.split(end).next());
            names.extend(named.map(str::to_owned));
        }
    }
    names
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a member stands in the workspace").to_path_buf()
}
