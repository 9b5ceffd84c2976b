//! `cargo xtask size`: how large everything is that ships.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::bindings;
use crate::ceiling;
use crate::kotlin::pages;
use crate::npm;
use crate::places;
use crate::wasm;
use crate::wheel;

/// Where the scripts put what only a machine with the tools of Android or Apple can build.
const BUILT_ELSEWHERE: &[(&str, &str)] = &[
    ("android/wallet/src/main/jniLibs", "android/scripts/build-native.sh"),
    ("ios/KiteFFI.xcframework", "ios/build-xcframework.sh"),
];

/// Builds what is missing and prints the size of each artifact beside its ceiling.
///
/// # Errors
/// When something cannot be built, or is larger than its ceiling.
pub fn size() -> Outcome {
    wasm::ready()?;
    let native = bindings::shipped_library()?;
    wheel::make(&native, &bindings::python_module()?)?;
    npm::pack()?;
    wasm::size()?;
    for (folder, script) in BUILT_ELSEWHERE {
        let libraries = libraries(&places::root().join(folder));
        if libraries.is_empty() {
            println!("{folder}: not built here ({script})");
        }
        for library in libraries {
            println!("{}:", library.strip_prefix(places::root()).unwrap_or(&library).display());
            // An archive holds every function of every dependency: what an app links of it is what the others show.
            let is_linked = library.extension().is_some_and(|kind| kind == "so");
            ceiling::check(&library, if is_linked { bindings::CEILING_BYTES } else { u64::MAX })?;
            if is_linked {
                pages::check(&library)?;
            }
        }
    }
    Ok(())
}

/// All files of a folder that machine code is in.
fn libraries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut found: Vec<PathBuf> = entries
        .flat_map(|entry| match entry.path() {
            path if path.is_dir() => libraries(&path),
            path => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|kind| kind == "so" || kind == "a"))
        .collect();
    found.sort();
    found
}
