//! `cargo xtask mutants`: takes the rules of docs/security.md and docs/contract.md out, one after the other, and sees that
//! their tests fail. What is taken out stands in `xtask/mutants.txt`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;
use crate::places;
use crate::shell::{self, cargo};

/// A rule that is taken out, and the tests that must notice.
#[derive(Debug, Default, PartialEq, Eq)]
struct Mutant {
    /// The row of the page it belongs to.
    row: String,
    /// What is missing then.
    what: String,
    edits: Vec<Edit>,
    runs: Vec<Run>,
}

/// A text that occurs once in a file, and what stands there instead.
#[derive(Debug, Default, PartialEq, Eq)]
struct Edit {
    file: String,
    old: Vec<String>,
    new: Vec<String>,
}

/// Tests of one target of a package.
#[derive(Debug, Default, PartialEq, Eq)]
struct Run {
    package: String,
    /// `lib`, or a file or folder of `tests/`.
    target: String,
    tests: Vec<String>,
}

/// `[row]...`: the mutants of the named rows, or all.
///
/// # Errors
/// When a text is not where it was, a test fails without any change, or no test notices a change.
pub fn mutants(rows: &[String]) -> Outcome {
    let mut mutants = read(&places::root())?;
    if let Some(row) = rows.iter().find(|row| !mutants.iter().any(|mutant| mutant.row == **row)) {
        return Err(format!("no mutant of a row `{row}`: see xtask/mutants.txt"));
    }
    mutants.retain(|mutant| rows.is_empty() || rows.contains(&mutant.row));
    for edit in mutants.iter().flat_map(|mutant| &mutant.edits) {
        edit.applied_to(&places::root())?;
    }
    let copy = copy_of_the_sources()?;
    let mut unchanged = BTreeSet::new();
    for run in mutants.iter().flat_map(|mutant| &mutant.runs) {
        if unchanged.insert((run.arguments(), &run.tests))
            && let Some(test) = run.failing_in(&copy)?.first()
        {
            return Err(format!("`{test}` fails without any change"));
        }
    }
    let (mut unnoticed, mut failed) = (Vec::new(), BTreeSet::new());
    for mutant in &mutants {
        let red = mutant.noticed_in(&copy)?;
        let verdict = if red.is_empty() { "NOBODY NOTICED".to_owned() } else { red.join(", ") };
        println!("{:<12} {}: {verdict}", mutant.row, mutant.what);
        if red.is_empty() {
            unnoticed.push(format!("{}: {}", mutant.row, mutant.what));
        }
        failed.extend(red);
    }
    let named: BTreeSet<&str> = mutants.iter().flat_map(Mutant::tests).collect();
    unnoticed.extend(
        named.iter().filter(|test| !failed.contains(**test)).map(|test| format!("{test} never failed")),
    );
    if !unnoticed.is_empty() {
        let all = unnoticed.join("\n  ");
        return Err(format!("changes that nobody noticed, and tests that noticed none:\n  {all}"));
    }
    println!("\n{} changes, each noticed; {} tests, each failed", mutants.len(), named.len());
    Ok(())
}

impl Mutant {
    /// The names of its tests, without their modules.
    fn tests(&self) -> impl Iterator<Item = &str> {
        self.runs.iter().flat_map(|run| &run.tests).map(|test| last_part(test))
    }

    /// The tests that fail with it. The copy is as before afterwards.
    fn noticed_in(&self, copy: &Path) -> Outcome<Vec<String>> {
        let before: Vec<(PathBuf, String)> =
            self.edits.iter().map(|edit| edit.original(copy)).collect::<Outcome<_>>()?;
        // In turn, so that a file may be changed in several places.
        for edit in &self.edits {
            write(&copy.join(&edit.file), &edit.applied_to(copy)?)?;
        }
        let red: Outcome<Vec<Vec<String>>> = self.runs.iter().map(|run| run.failing_in(copy)).collect();
        for (path, text) in before.iter().rev() {
            write(path, text)?;
        }
        Ok(red.map_err(|reason| format!("{}: {}: {reason}", self.row, self.what))?.concat())
    }
}

impl Edit {
    fn original(&self, folder: &Path) -> Outcome<(PathBuf, String)> {
        let path = folder.join(&self.file);
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok((path, text))
    }

    fn applied_to(&self, folder: &Path) -> Outcome<String> {
        let (path, text) = self.original(folder)?;
        let old = self.old.join("\n");
        match text.matches(&old).count() {
            1 => Ok(text.replacen(&old, &self.new.join("\n"), 1)),
            count => Err(format!("{} has this {count} times, not once:\n{old}", path.display())),
        }
    }
}

impl Run {
    fn arguments(&self) -> Vec<&str> {
        let mut arguments = vec!["test", "--locked", "--no-fail-fast", "-p", &self.package];
        match self.target.as_str() {
            "lib" => arguments.push("--lib"),
            target => arguments.extend(["--test", target]),
        }
        arguments
    }

    /// Those of its tests that fail in this copy.
    fn failing_in(&self, copy: &Path) -> Outcome<Vec<String>> {
        let (is_built, said) = end_of(in_copy(copy, &self.arguments()).args(["--quiet", "--no-run"]))?;
        if !is_built {
            return Err(format!("it does not compile:\n{said}"));
        }
        let (ended_well, printed) = end_of(in_copy(copy, &self.arguments()).arg("--").args(&self.tests))?;
        let (red, count) = results(&printed);
        let all_ran = count >= self.tests.len();
        match (all_ran, ended_well, red.is_empty()) {
            (true, true, _) | (true, false, false) => Ok(red),
            _ => Err(format!("{count} tests of {} came to an end:\n{printed}", self.tests.join(", "))),
        }
    }
}

/// The tests that failed, and how many there were, from what the test runner printed.
fn results(printed: &str) -> (Vec<String>, usize) {
    let lines = printed.lines().filter_map(|line| line.strip_prefix("test ")?.rsplit_once(" ... "));
    let results: Vec<(&str, &str)> = lines.collect();
    let red = results.iter().filter(|(_, result)| *result == "FAILED");
    (red.map(|(test, _)| last_part(test).to_owned()).collect(), results.len())
}

fn last_part(test: &str) -> &str {
    test.rsplit("::").next().unwrap_or(test)
}

/// Whether it ended well, and what it printed.
fn end_of(command: &mut Command) -> Outcome<(bool, String)> {
    let output = command.output().map_err(|error| format!("{}: {error}", shell::line(command)))?;
    let printed = [output.stdout, output.stderr].concat();
    Ok((output.status.success(), String::from_utf8_lossy(&printed).into_owned()))
}

fn in_copy(copy: &Path, arguments: &[&str]) -> Command {
    let mut command = cargo(arguments);
    // Never the folder of other builds: cargo would take what was built here for its own.
    command.current_dir(copy).env("CARGO_TARGET_DIR", places::cache().join("mutants").join("target"));
    command
}

/// All files of the checkout as they are, in the cache. What has not changed is not written again, so that little is built.
fn copy_of_the_sources() -> Outcome<PathBuf> {
    let (root, copy) = (places::root(), places::cache().join("mutants").join("sources"));
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let listed = shell::output(&mut shell::command("git", &list))?;
    for file in listed.split_terminator('\0').filter(|file| root.join(file).is_file()) {
        let content = fs::read(root.join(file)).map_err(|error| format!("{file}: {error}"))?;
        if fs::read(copy.join(file)).ok().as_deref() != Some(content.as_slice()) {
            write(&copy.join(file), content)?;
        }
    }
    Ok(copy)
}

fn write(path: &Path, content: impl AsRef<[u8]>) -> Outcome {
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    folder.and_then(|()| fs::write(path, content)).map_err(|error| format!("{}: {error}", path.display()))
}

/// The list. A line tells by its beginning what it is: `== row what`, `@ file`, `- old`, `+ new`, `$ package target test...`;
/// `#` is for readers.
fn read(root: &Path) -> Outcome<Vec<Mutant>> {
    let path = root.join("xtask/mutants.txt");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut mutants: Vec<Mutant> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let broken = || format!("xtask/mutants.txt, line {}: {line}", number + 1);
        let (mark, rest) = line.split_once(' ').unwrap_or((line, ""));
        let mutant = mutants.last_mut();
        match (mark, mutant) {
            ("" | "#", _) => {}
            ("==", _) => {
                let (row, what) = rest.split_once(' ').ok_or_else(broken)?;
                mutants.push(Mutant { row: row.to_owned(), what: what.to_owned(), ..Mutant::default() });
            }
            ("@", Some(mutant)) => {
                mutant.edits.push(Edit { file: rest.to_owned(), ..Edit::default() });
            }
            ("-", Some(mutant)) => mutant.edits.last_mut().ok_or_else(broken)?.old.push(rest.to_owned()),
            ("+", Some(mutant)) => mutant.edits.last_mut().ok_or_else(broken)?.new.push(rest.to_owned()),
            ("$", Some(mutant)) => {
                let mut words = rest.split(' ').map(str::to_owned);
                let (package, target) = words.next().zip(words.next()).ok_or_else(broken)?;
                mutant.runs.push(Run { package, target, tests: words.collect() });
            }
            _ => return Err(broken()),
        }
    }
    Ok(mutants)
}

#[cfg(test)]
mod tests {
    use super::{Mutant, read, results};
    use crate::places;
    use std::collections::BTreeSet;
    use std::fs;

    fn mutants() -> Vec<Mutant> {
        read(&places::root()).expect("the list reads")
    }

    #[test]
    fn what_is_taken_out_stands_once_in_its_file_and_some_test_must_notice() {
        for mutant in mutants() {
            assert!(!mutant.edits.is_empty(), "{mutant:?}");
            assert!(mutant.runs.iter().any(|run| !run.tests.is_empty()), "{mutant:?}");
            for edit in &mutant.edits {
                edit.applied_to(&places::root()).unwrap_or_else(|reason| panic!("{reason}"));
            }
        }
    }

    /// The names in backquotes.
    fn quoted(text: &str) -> BTreeSet<String> {
        text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    #[test]
    fn every_test_of_the_security_list_has_a_rule_that_is_taken_out_or_stands_among_those_not_tried() {
        let page = fs::read_to_string(places::root().join("docs/security.md")).expect("the page");
        let (table, section) = page.split_once("## Seen to fail").expect("the section");
        let not_tried = quoted(section);
        let mut wrong = Vec::new();
        for row in table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| class")) {
            let id = row[2..].split([' ', ',']).next().unwrap_or_default();
            let named = quoted(row.rsplit('|').nth(1).unwrap_or_default());
            let of_row = mutants().into_iter().filter(|mutant| mutant.row == id).collect::<Vec<_>>();
            let tried = of_row.iter().flat_map(Mutant::tests).map(str::to_owned).collect();
            let missing = named.difference(&tried).filter(|test| !not_tried.contains(*test));
            let foreign = tried.difference(&named);
            wrong.extend(missing.chain(foreign).map(|test| format!("{id}: {test}")));
        }
        assert_eq!(wrong, Vec::<String>::new());
    }

    #[test]
    fn results_are_read_from_what_the_test_runner_prints() {
        let printed =
            "running 2 tests\ntest a::b ... ok\ntest a::c ... FAILED\n\ntest result: FAILED. 1 passed";
        assert_eq!(results(printed), (vec!["c".to_owned()], 2));
    }
}
