//! `kite-ffi generate …` is UniFFI's own generator; `kite-ffi list LIBRARY` prints what a library offers.

mod list;
mod types;

use std::io::Write as _;

use anyhow::Context as _;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some("list") {
        uniffi::uniffi_bindgen_main();
        return Ok(());
    }
    let library = arguments.next().context("usage: kite-ffi list LIBRARY")?;
    std::io::stdout().write_all(list::list(&library)?.as_bytes())?;
    Ok(())
}
