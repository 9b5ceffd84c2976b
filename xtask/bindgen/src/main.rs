//! `kite-bindgen FILE.wasm FOLDER`: the package a browser imports, made from a compiled wasm file.

use std::path::PathBuf;

use anyhow::Context as _;
use wasm_bindgen_cli_support::Bindgen;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let file = arguments.next().context("usage: kite-bindgen FILE.wasm FOLDER")?;
    let folder = arguments.next().context("usage: kite-bindgen FILE.wasm FOLDER")?;
    let mut bindgen = Bindgen::new();
    bindgen
        .web(true)?
        .omit_default_module_path(false)
        .typescript(true)
        .remove_name_section(true)
        .remove_producers_section(true);
    bindgen.input_path(&file).generate(&folder).with_context(|| format!("{}", file.display()))
}
