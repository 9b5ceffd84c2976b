//! `kite-ffi generate …` is UniFFI's own generator, with docs and messages as each language wants them; `kite-ffi list
//! LIBRARY` prints what a library offers.

mod docs;
mod list;
mod messages;
mod types;

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().map(String::as_str) == Some("list") {
        let library = arguments.get(1).context("usage: kite-ffi list LIBRARY")?;
        std::io::stdout().write_all(list::list(library)?.as_bytes())?;
        return Ok(());
    }
    uniffi::uniffi_bindgen_main();
    let option = |name| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)).with_context(|| format!("say {name}"))
    };
    finish(Path::new(option("--out-dir")?), option("--language")?)
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
            Some("swift") if language == "swift" => messages::swift,
            _ => continue,
        };
        let text = docs::named(&fs::read_to_string(&path)?, language);
        let text = finished(&text).with_context(|| format!("{}", path.display()))?;
        fs::write(&path, text).with_context(|| format!("{}", path.display()))?;
    }
    Ok(())
}
