//! What several stages need of Rust, built as the stage builds it that tests it: nothing is compiled twice.

use std::path::PathBuf;

use crate::Outcome;
use crate::install;
use crate::places::{self, Member};
use crate::shell::{self, cargo};

/// Members whose tests belong to another stage than `native`, and that stage.
pub const ELSEWHERE: &[(&str, &str)] = &[
    ("kite-bench", "interop"),
    ("kite-cli", "interop"),
    ("kite-devnet", "interop"),
    ("kite-devnet-kernel", "interop"),
    ("kite-interop", "interop"),
];

/// What the devnet's chain is checked with: Bitcoin Core's own code, in C++.
pub const CPP_TOOLS: &[install::Need] =
    &[("cmake", "cmake"), ("g++", "g++"), ("/usr/include/boost/version.hpp", "libboost-dev")];

/// Builds the devnet for tests, and returns its program.
///
/// # Errors
/// When a tool is missing and cannot be installed, or the build fails.
pub fn devnet() -> Outcome<PathBuf> {
    install::apt(CPP_TOOLS)?;
    build_as("interop", &["--bin", "kite-devnet", "--test", "world"])?;
    Ok(places::native_target().join("debug/kite-devnet"))
}

/// Builds the library for other languages, with the metadata that their bindings are made of, and the program that makes
/// them. Returns both.
///
/// # Errors
/// When the build fails.
pub fn library() -> Outcome<(PathBuf, PathBuf)> {
    build_as("native", &["--lib", "--bin", "kite-ffi", "--test", "embed"])?;
    let folder = places::native_target().join("debug");
    Ok((folder.join(places::library_name("kite-uniffi")), folder.join("kite-ffi")))
}

/// Cargo chooses the features of dependencies for all packages at once that it is asked for, and those of tests count where
/// a test is built: asked for less than a stage asks for, it would compile most of them again.
fn build_as(stage: &str, targets: &[&str]) -> Outcome {
    shell::run(cargo(&["build", "--locked"]).args(packages(stage)?).args(targets))
}

/// The members that a stage tests, as arguments of cargo.
///
/// # Errors
/// When cargo does not tell the members.
pub fn packages(stage: &str) -> Outcome<Vec<String>> {
    Ok(of_stage(&places::members()?, stage))
}

/// The members of a stage. What is named nowhere is `native`: a new crate is in from its first commit.
fn of_stage(members: &[Member], stage: &str) -> Vec<String> {
    let stage_of = |name: &str| {
        ELSEWHERE.iter().find(|(member, _)| *member == name).map_or("native", |(_, stage)| stage)
    };
    members
        .iter()
        .filter(|member| stage_of(&member.name) == stage)
        .flat_map(|member| ["-p".to_owned(), member.name.clone()])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::of_stage;
    use crate::places::Member;

    #[test]
    fn a_new_member_is_tested_natively() {
        let member = |name: &str| Member { folder: name.to_owned(), name: name.to_owned() };
        let members = [member("kite-core"), member("kite-devnet")];
        assert_eq!(of_stage(&members, "native"), ["-p", "kite-core"]);
        assert_eq!(of_stage(&members, "interop"), ["-p", "kite-devnet"]);
    }
}
