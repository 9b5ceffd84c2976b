//! `#[api]`: one declaration, expanded to UniFFI (feature `uniffi`) and wasm-bindgen (feature `wasm`, on wasm only).
//!
//! | declaration | Kotlin, Swift, Python | TypeScript |
//! | --- | --- | --- |
//! | `#[api(record)] struct` | record | interface, camelCase |
//! | `#[api(enumeration)] enum` | enum | union of strings, or of objects with `type` when a variant has fields |
//! | `#[api(error)] enum` | error | `Error` with `kind` and the fields |
//! | `#[api(object)] struct`, `#[api] impl` | object | class; a function without `self` that gives `Arc<Self>` is a constructor |
//! | `#[api(listener)] trait` | interface the app implements | interface the app implements |
//! | `#[api] fn` | function | function |
//!
//! What may cross: `String`, `bool`, `u8` to `u32`, `u64` (a `bigint`), `Option`, `Vec`, and types declared this way,
//! all owned. `Vec<u8>` is refused: bytes cross as hex. An `async fn` is a promise in JavaScript.

mod data;
mod function;
mod listener;
mod name;
mod object;
mod types;

use proc_macro::TokenStream;
use syn::{Item, parse_macro_input};

/// Declares a part of the API. See the crate's documentation.
#[proc_macro_attribute]
pub fn api(kind: TokenStream, item: TokenStream) -> TokenStream {
    let kind = kind.to_string();
    let item = parse_macro_input!(item as Item);
    let expanded = match (kind.as_str(), item) {
        ("record", Item::Struct(item)) => data::record(item),
        ("enumeration", Item::Enum(item)) => data::enumeration(item),
        ("error", Item::Enum(item)) => data::error(item),
        ("object", Item::Struct(item)) => object::class(item),
        ("listener", Item::Trait(item)) => listener::listener(item),
        ("", Item::Impl(item)) => object::methods(item),
        ("", Item::Fn(item)) => function::free(item),
        (_, item) => Err(syn::Error::new_spanned(
            item,
            "#[api(record)] struct, #[api(enumeration)] enum, #[api(error)] enum, #[api(object)] struct, \
             #[api(listener)] trait, #[api] impl or #[api] fn",
        )),
    };
    expanded.unwrap_or_else(syn::Error::into_compile_error).into()
}
