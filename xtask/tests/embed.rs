//! The integrator's guide shows what is run: its snippets are files that tests compile and run, and the tests that it names exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold no code of ours.
const NOT_OURS: &[&str] = &["target", "node_modules", "pkg", "dist", ".git", ".cache"];
/// What a test is called by, and what ends its name.
const TESTS: [(&str, &str, char); 5] = [
    ("rs", "fn ", '('),
    ("kt", "fun ", '('),
    ("py", "def ", '('),
    ("swift", "func ", '('),
    ("mjs", "test('", '\''),
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
fn every_test_that_the_rules_name_exists() {
    let page = fs::read_to_string(root().join("docs/embed/rules.md")).expect("the rules");
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() >= 8, "{rows:?}");
    let tests = tests();
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        assert_eq!(cells.len(), 5, "{row}");
        for name in cells[1..].iter().flat_map(|cell| cell.split('`').skip(1).step_by(2)) {
            let is_scenario = root().join(format!("scenarios/{name}.json")).exists();
            assert!(is_scenario || tests.contains(name), "no test is named {name}");
        }
    }
}

/// The names of all functions, and of all tests in JavaScript.
fn tests() -> BTreeSet<String> {
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
            let language = path.extension().and_then(|extension| extension.to_str());
            let Some((_, start, end)) = TESTS.iter().find(|(known, ..)| Some(*known) == language) else {
                continue;
            };
            let text = fs::read_to_string(&path).expect("source files are text");
            let named = text.split(start).skip(1).filter_map(|rest| rest.split(*end).next());
            names.extend(named.map(str::to_owned));
        }
    }
    names
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a member stands in the workspace").to_path_buf()
}
