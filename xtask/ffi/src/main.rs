//! `kite-ffi generate …` is UniFFI's own generator, with docs and messages as each language wants them; `kite-ffi swift LIBRARY CONFIG
//! SOURCES HEADERS` makes the Swift of a library; `kite-ffi list LIBRARY` prints what it offers.

mod docs;
mod list;
mod messages;
mod swift;
mod types;

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["list", library] => Ok(std::io::stdout().write_all(list::list(library)?.as_bytes())?),
        ["swift", library, config, sources, headers] => swift::generate(library, config, sources, headers),
        ["list" | "swift", ..] => {
            bail!("usage: kite-ffi list LIBRARY, or kite-ffi swift LIBRARY CONFIG SOURCES HEADERS")
        }
        _ => {
            uniffi::uniffi_bindgen_main();
            let option = |name| {
                let at = words.iter().position(|word| *word == name);
                at.and_then(|at| words.get(at + 1)).with_context(|| format!("say {name}"))
            };
            finish(Path::new(option("--out-dir")?), option("--language")?)
        }
    }
}

/// Goes over every file that was generated in this language.
fn finish(folder: &Path, language: &str) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            finish(&path, language)?;
            continue;
        }
        let finished = match path.extension().and_then(|extension| extension.to_str()) {
            Some("kt") if language == "kotlin" => messages::kotlin,
            Some("py") if language == "python" => messages::python,
            _ => continue,
        };
        let text = docs::named(&fs::read_to_string(&path)?, language);
        let text = finished(&text).with_context(|| format!("{}", path.display()))?;
        fs::write(&path, text).with_context(|| format!("{}", path.display()))?;
    }
    Ok(())
}
