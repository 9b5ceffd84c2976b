//! Counting what the test runners report.

use std::process::Command;

use crate::Outcome;
use crate::shell;

/// What one or more test runners said.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Report {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed, and steps that broke without naming a failed test.
    pub failed: u64,
    /// Tests that were left out.
    pub ignored: u64,
    /// The closing lines of the runners.
    pub closing: Vec<String>,
    /// The steps that went wrong.
    pub broken: Vec<String>,
}

impl Report {
    /// Runs one step, with its output on the terminal, and counts what it reports.
    ///
    /// # Errors
    /// Never for a failing test, which is counted; only when the step cannot be started.
    pub fn step(&mut self, command: &mut Command, both: bool) -> Outcome {
        let name = shell::line(command);
        println!("\n$ {name}");
        let before = self.failed;
        let mut unittest = 0;
        let ended_well = shell::watch(command, both, |line| self.read(line, &mut unittest))?;
        if !ended_well {
            if self.failed == before {
                self.failed += 1;
            }
            self.broken.push(name);
        }
        Ok(())
    }

    /// Counts what is no test runner's: so much went well, and these did not.
    pub fn count(&mut self, passed: usize, broken: Vec<String>) {
        let passed = passed as u64;
        let failed = broken.len() as u64;
        let line = format!("{passed} passed, {failed} failed");
        println!("{line}");
        self.passed += passed;
        self.failed += failed;
        self.closing.push(line);
        self.broken.extend(broken);
    }

    /// Notes that a step could not be run at all.
    pub fn broke(&mut self, reason: String) {
        eprintln!("xtask: {reason}");
        self.failed += 1;
        self.broken.push(reason);
    }

    /// Adds another report to this one.
    pub fn add(&mut self, other: Report) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
        self.closing.extend(other.closing);
        self.broken.extend(other.broken);
    }

    /// Whether nothing failed.
    pub fn is_green(&self) -> bool {
        self.failed == 0 && self.broken.is_empty()
    }

    fn read(&mut self, line: &str, unittest: &mut u64) {
        let counted = if let Some(rest) = line.strip_prefix("test result: ") {
            self.passed += number_before(rest, "passed");
            self.failed += number_before(rest, "failed");
            self.ignored += number_before(rest, "ignored");
            true
        } else if let Some(rest) = line.strip_prefix("Ran ") {
            // Python's unittest: "Ran 5 tests in 0.1s", then "OK" or "FAILED (failures=1, errors=2)".
            *unittest = rest.split(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0);
            true
        } else if *unittest > 0 && (line == "OK" || line.starts_with("OK (") || line.starts_with("FAILED ("))
        {
            let bad = number_after(line, "failures=") + number_after(line, "errors=");
            let skipped = number_after(line, "skipped=");
            self.failed += bad;
            self.ignored += skipped;
            self.passed += unittest.saturating_sub(bad + skipped);
            *unittest = 0;
            true
        } else if let Some((word, count)) = node(line) {
            match word {
                "pass" => self.passed += count,
                "fail" | "cancelled" => self.failed += count,
                "skipped" | "todo" => self.ignored += count,
                _ => return,
            }
            count > 0
        } else if let Some((passed, failed)) = junit(line) {
            self.passed += passed;
            self.failed += failed;
            true
        } else if let Some((passed, failed)) = plain(line) {
            self.passed += passed;
            self.failed += failed;
            true
        } else if let Some(outcome) = xctest(line) {
            match outcome {
                "passed" => self.passed += 1,
                "skipped" => self.ignored += 1,
                _ => self.failed += 1,
            }
            // One line a test: only those that tell something are worth repeating.
            outcome != "passed"
        } else {
            false
        };
        // A target without tests has nothing to say.
        if counted && !line.contains(" 0 passed; 0 failed; 0 ignored") {
            self.closing.push(line.to_owned());
        }
    }
}

/// A closing line of Node's test runner: `# pass 5`, or `ℹ pass 5` on a terminal.
fn node(line: &str) -> Option<(&str, u64)> {
    let (word, count) = line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ "))?.split_once(' ')?;
    Some((word, count.parse().ok()?))
}

/// The closing line of JUnit: `OK (5 tests)`, or `Tests run: 5,  Failures: 2`.
fn junit(line: &str) -> Option<(u64, u64)> {
    if let Some(rest) = line.strip_prefix("OK (") {
        let count = rest.strip_suffix(" tests)").or_else(|| rest.strip_suffix(" test)"))?;
        return Some((count.parse().ok()?, 0));
    }
    let (run, failures) = line.strip_prefix("Tests run: ")?.split_once(",  Failures: ")?;
    let (run, failed): (u64, u64) = (run.parse().ok()?, failures.parse().ok()?);
    Some((run.saturating_sub(failed), failed))
}

/// What became of a test of XCTest: `Test Case 'KiteTests.testTea' passed (0.1 seconds)`. Its closing lines count each suite again.
fn xctest(line: &str) -> Option<&str> {
    let (_, outcome) = line.strip_prefix("Test Case '")?.split_once("' ")?;
    outcome.split(' ').next().filter(|outcome| ["passed", "failed", "skipped"].contains(outcome))
}

/// The line `N passed, N failed`, alone.
fn plain(line: &str) -> Option<(u64, u64)> {
    let (passed, failed) = line.strip_suffix(" failed")?.split_once(" passed, ")?;
    Some((passed.parse().ok()?, failed.parse().ok()?))
}

fn number_before(line: &str, word: &str) -> u64 {
    line.split([';', '.'])
        .find_map(|part| part.trim().strip_suffix(word))
        .and_then(|count| count.trim().parse().ok())
        .unwrap_or(0)
}

fn number_after(line: &str, key: &str) -> u64 {
    let Some((_, rest)) = line.split_once(key) else { return 0 };
    rest.split(|letter: char| !letter.is_ascii_digit())
        .next()
        .and_then(|count| count.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::Report;

    fn read(lines: &[&str]) -> Report {
        let mut report = Report::default();
        let mut unittest = 0;
        for line in lines {
            report.read(line, &mut unittest);
        }
        report
    }

    #[test]
    fn cargo_test_lines_are_added_up() {
        let report = read(&[
            "running 12 tests",
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 7 filtered out; finished in 0.10s",
            "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        ]);
        assert_eq!((report.passed, report.failed, report.ignored), (15, 2, 1));
        assert_eq!(report.closing.len(), 2);
    }

    #[test]
    fn unittest_counts_failures_and_errors() {
        let good = read(&["Ran 5 tests in 0.100s", "", "OK"]);
        assert_eq!((good.passed, good.failed), (5, 0));
        let bad = read(&["Ran 7 tests in 0.100s", "", "FAILED (failures=1, errors=2, skipped=1)"]);
        assert_eq!((bad.passed, bad.failed, bad.ignored), (3, 3, 1));
    }

    #[test]
    fn nodes_closing_lines_are_counted() {
        let report = read(&[
            "# tests 9",
            "# pass 5",
            "# fail 1",
            "# cancelled 1",
            "# skipped 1",
            "# todo 1",
            "# Subtest: 7",
        ]);
        assert_eq!((report.passed, report.failed, report.ignored), (5, 2, 2));
        assert_eq!(read(&["ℹ pass 3", "ℹ duration_ms 35.5"]).passed, 3);
    }

    #[test]
    fn junits_closing_line_is_counted() {
        let good = read(&["", "OK (23 tests)", ""]);
        assert_eq!((good.passed, good.failed, good.closing.len()), (23, 0, 1));
        assert_eq!(read(&["OK (1 test)"]).passed, 1);
        let bad = read(&["FAILURES!!!", "Tests run: 5,  Failures: 2"]);
        assert_eq!((bad.passed, bad.failed), (3, 2));
    }

    #[test]
    fn each_test_of_xctest_is_counted_once() {
        let report = read(&[
            "Test Suite 'All tests' started at 2026-11-29 16:00:00.000",
            "Test Case 'WalletTests.testTea' started at 2026-11-29 16:00:00.000",
            "Test Case 'WalletTests.testTea' passed (0.1 seconds)",
            "Test Case 'WalletTests.testMilk' failed (0.2 seconds)",
            "Test Case 'WalletTests.testSugar' skipped (0.0 seconds)",
            "\t Executed 3 tests, with 1 test skipped and 1 failure (0 unexpected) in 0.3 (0.3) seconds",
        ]);
        assert_eq!((report.passed, report.failed, report.ignored), (1, 1, 1));
        assert_eq!(
            report.closing,
            [
                "Test Case 'WalletTests.testMilk' failed (0.2 seconds)",
                "Test Case 'WalletTests.testSugar' skipped (0.0 seconds)"
            ]
        );
    }

    #[test]
    fn the_plain_line_counts_and_prose_does_not() {
        assert_eq!(read(&["8 passed, 1 failed"]).passed, 8);
        assert_eq!(read(&["8 passed, 1 failed"]).failed, 1);
        assert_eq!(read(&["OK", "there were 8 passed, 1 failed"]), Report::default());
    }
}
