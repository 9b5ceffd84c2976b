//! Swift, as UniFFI makes it, and with one thing that it leaves out: a task that is cancelled stops waiting. What UniFFI makes
//! would wait to the end, and for the next event that can be for ever.

use crate::{docs, messages};
use anyhow::{Context as _, ensure};
use std::fs;
use std::path::Path;
use uniffi_bindgen::bindings::{SwiftBindingsOptions, generate_swift_bindings};

/// What waits for an asynchronous call, in place of UniFFI's own.
const CALL_ASYNC: &str = include_str!("call_async.swift");
const ITS_NAME: &str = "fileprivate func uniffiRustCallAsync<F, T>(";
const ITS_END: &str = "\n}\n";
const CANCELLED: &str = "fatalError(\"Cancellation not supported yet\")";

/// Writes `Kite.swift` into `sources`, and into `headers` the C header with its module map.
///
/// # Errors
/// When the library cannot be read, a folder cannot be written, or UniFFI makes something else than it did.
pub fn generate(library: &str, config: &str, sources: &str, headers: &str) -> anyhow::Result<()> {
    let into = |folder: &str| {
        fs::create_dir_all(folder).with_context(|| folder.to_owned())?;
        anyhow::Ok(SwiftBindingsOptions {
            source: library.into(),
            out_dir: folder.into(),
            module_name: Some("KiteFFI".to_owned()),
            modulemap_filename: Some("module.modulemap".to_owned()),
            config: Some(config.into()),
            ..SwiftBindingsOptions::default()
        })
    };
    generate_swift_bindings(SwiftBindingsOptions {
        generate_headers: true,
        generate_modulemap: true,
        ..into(headers)?
    })?;
    generate_swift_bindings(SwiftBindingsOptions { generate_swift_sources: true, ..into(sources)? })?;
    let file = Path::new(sources).join("Kite.swift");
    let named = || file.display().to_string();
    let text = fs::read_to_string(&file).with_context(named)?;
    let text = messages::swift(&docs::named(&cancellable(&text)?, "swift")).with_context(named)?;
    fs::write(&file, text).with_context(named)
}

/// The same code, in which calls that can fail end when their task is cancelled.
fn cancellable(text: &str) -> anyhow::Result<String> {
    let (before, rest) = text.split_once(ITS_NAME).context("UniFFI has another function that awaits")?;
    let (_, after) = rest.split_once(ITS_END).context("the function that awaits has no end")?;
    let text = [before, CALL_ASYNC, after].concat();
    ensure!(text.matches(CANCELLED).count() == 1, "UniFFI deals otherwise with what was cancelled");
    let text = text.replace(CANCELLED, "throw CancellationError()");
    let mut lines = Vec::new();
    for line in text.lines() {
        lines.push(line.to_owned());
        if line.trim_start().starts_with("freeFunc: ffi_") {
            lines.push(
                line.replace("freeFunc", "cancelFunc").replace("_rust_future_free_", "_rust_future_cancel_"),
            );
        }
    }
    lines.push(String::new());
    Ok(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::cancellable;

    const MADE: &str = "import Foundation\n\
        fileprivate func uniffiRustCallAsync<F, T>(\n    its: Arguments\n) {\n    its()\n}\n\
        fatalError(\"Cancellation not supported yet\")\n\
        \u{20}   freeFunc: ffi_kite_wallet_rust_future_free_void,\n";

    #[test]
    fn every_call_can_be_cancelled() {
        let text = cancellable(MADE).expect("what UniFFI makes");
        assert!(text.starts_with("import Foundation\n"));
        assert!(text.contains("withTaskCancellationHandler") && !text.contains("its()"));
        assert!(text.contains("throw CancellationError()") && !text.contains("fatalError"));
        assert!(text.contains("    cancelFunc: ffi_kite_wallet_rust_future_cancel_void,\n"));
    }

    #[test]
    fn what_uniffi_makes_otherwise_is_noticed() {
        assert!(cancellable(&MADE.replace("CallAsync", "CallLater")).is_err());
        assert!(cancellable(&MADE.replace(" yet", "")).is_err());
    }
}
