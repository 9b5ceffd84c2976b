//! Jars from Maven Central and Google's repository, pinned by their hash in `xtask/kotlin/jars.txt`.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::install;
use crate::places;
use crate::shell::{self, command};

/// Tried in this order; some mirrors of the first have what is in the second.
const REPOSITORIES: &[&str] = &["https://repo1.maven.org/maven2", "https://dl.google.com/android/maven2"];
const LIST: &str = "xtask/kotlin/jars.txt";
const TOOLS: &[install::Need] = &[("curl", "curl"), ("sha256sum", "coreutils")];

/// All of the list, on this machine.
#[derive(Debug)]
pub struct Jars(Vec<Jar>);

#[derive(Debug, PartialEq, Eq)]
struct Jar {
    purpose: String,
    sha256: String,
    path: String,
}

impl Jars {
    /// Brings what is not there yet (350 MB the first time) and checks all of it.
    ///
    /// # Errors
    /// When one cannot be had, or is not the one of the list.
    pub fn ready() -> Outcome<Self> {
        install::apt(TOOLS)?;
        let list = places::root().join(LIST);
        let text = fs::read_to_string(&list).map_err(|error| format!("{}: {error}", list.display()))?;
        let jars = parse(&text)?;
        let folder = folder();
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for jar in &jars {
            let file = jar.file();
            if !file.is_file() {
                jar.fetch(&file)?;
            }
            jar.check(&file)?;
        }
        Ok(Self(jars))
    }

    /// The files of the jars for these purposes.
    pub fn files(&self, purposes: &[&str]) -> impl Iterator<Item = PathBuf> {
        self.0.iter().filter(|jar| purposes.contains(&jar.purpose.as_str())).map(Jar::file)
    }

    /// The class path of the jars for these purposes and of these folders.
    ///
    /// # Errors
    /// When a path cannot be part of one.
    pub fn class_path(&self, purposes: &[&str], folders: &[&Path]) -> Outcome<OsString> {
        std::env::join_paths(folders.iter().map(|folder| folder.to_path_buf()).chain(self.files(purposes)))
            .map_err(|error| error.to_string())
    }
}

impl Jar {
    fn file(&self) -> PathBuf {
        folder().join(self.path.rsplit('/').next().unwrap_or(&self.path))
    }

    fn fetch(&self, file: &Path) -> Outcome {
        println!("fetching {}", self.path);
        let mut reasons = Vec::new();
        for repository in REPOSITORIES {
            match self.fetch_from(repository, file) {
                Ok(()) => return Ok(()),
                Err(reason) => reasons.push(reason),
            }
        }
        Err(format!("needed and not to be had: {}", reasons.join("; ")))
    }

    fn fetch_from(&self, repository: &str, file: &Path) -> Outcome {
        // What is half there never has the name that is looked for.
        let unfinished = file.with_extension(format!("{}.part", std::process::id()));
        let mut curl = command("curl", &["--fail", "--silent", "--show-error", "--location", "--retry", "3"]);
        curl.arg("--output").arg(&unfinished).arg(format!("{repository}/{}", self.path));
        let fetched = shell::run(&mut curl).and_then(|()| self.check(&unfinished)).and_then(|()| {
            fs::rename(&unfinished, file).map_err(|error| format!("{}: {error}", file.display()))
        });
        if fetched.is_err() {
            // It may not have come into being.
            let _ = fs::remove_file(&unfinished);
        }
        fetched
    }

    fn check(&self, file: &Path) -> Outcome {
        let printed = shell::output(command("sha256sum", &[file]).arg("--binary"))?;
        let found = printed.split_whitespace().next().unwrap_or_default();
        if found == self.sha256 {
            return Ok(());
        }
        Err(format!(
            "{} has the SHA-256 {found}, and {LIST} says {}; if the list is right, delete the file and run this again",
            file.display(),
            self.sha256
        ))
    }
}

fn folder() -> PathBuf {
    places::cache().join("jars")
}

fn parse(text: &str) -> Outcome<Vec<Jar>> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| match line.split_whitespace().collect::<Vec<_>>()[..] {
            [purpose, sha256, path] => {
                Ok(Jar { purpose: purpose.into(), sha256: sha256.into(), path: path.into() })
            }
            _ => Err(format!("{LIST}: not `purpose sha256 path`: {line}")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{LIST, parse};
    use crate::places;
    use std::fs;

    #[test]
    fn a_line_has_three_words() {
        let jars = parse("# for\n\ntest  ab  a/b/1/b-1.jar\n").expect("a list");
        assert_eq!(
            (jars.len(), jars[0].purpose.as_str(), jars[0].path.as_str()),
            (1, "test", "a/b/1/b-1.jar")
        );
        assert!(parse("test a/b/1/b-1.jar").is_err());
    }

    #[test]
    fn gradle_has_the_versions_that_are_tested() {
        let read =
            |path: &str| fs::read_to_string(places::root().join(path)).expect("a file of this checkout");
        let jars = parse(&read(LIST)).expect("the list");
        let catalog = read("android/gradle/libs.versions.toml");
        for (key, artifact) in [
            ("kotlin", "kotlin-compiler-embeddable"),
            ("coroutines", "kotlinx-coroutines-core-jvm"),
            ("jna", "jna"),
            ("junit", "junit"),
            ("json", "json"),
            ("activity", "activity-compose"),
            ("compose", "ui-android"),
            ("material3", "material3-android"),
            ("zxing", "core"),
        ] {
            let line = catalog.lines().find_map(|line| line.strip_prefix(&format!("{key} = ")));
            let version = line.expect("a version").trim_matches('"');
            let file = format!("/{artifact}/{version}/{artifact}-{version}.");
            assert!(jars.iter().any(|listed| listed.path.contains(&file)), "{LIST} has no {file}");
        }
    }
}
