//! `kite-ffi generate …` is UniFFI's own generator; `kite-ffi swift LIBRARY CONFIG SOURCES HEADERS` makes the Swift of a library;
//! `kite-ffi list LIBRARY` prints what it offers.

mod list;
mod swift;
mod types;

use std::io::Write as _;

use anyhow::bail;

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
            Ok(())
        }
    }
}
