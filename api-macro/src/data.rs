//! Records, enumerations and errors.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, Fields, FieldsNamed, ItemEnum, ItemStruct};

use crate::name::{camel, has_docs, js_doc, js_doc_with_fields};
use crate::types::{optional, type_script};

/// `#[api(record)]`
pub fn record(mut item: ItemStruct) -> Result<TokenStream, Error> {
    let Fields::Named(fields) = &mut item.fields else {
        return Err(Error::new_spanned(item, "a record has named fields"));
    };
    let body = members(fields, "  ", ";\n")?;
    unset_by_default(fields);
    let script = format!("{}export interface {} {{\n{body}}}\n", js_doc(&item.attrs, ""), item.ident);
    let section = section(&script);
    Ok(quote! {
        #[cfg_attr(feature = "uniffi", derive(::uniffi::Record))]
        #[derive(::kite_api::expansion::serde::Serialize, ::kite_api::expansion::serde::Deserialize)]
        #[serde(crate = "::kite_api::expansion::serde", rename_all = "camelCase")]
        #item
        #section
    })
}

/// `#[api(enumeration)]`
pub fn enumeration(item: ItemEnum) -> Result<TokenStream, Error> {
    let plain = item.variants.iter().all(|variant| matches!(variant.fields, Fields::Unit));
    let union = union(&item, if plain { None } else { Some("type") })?;
    let section = section(&format!("{}export type {} =\n{union};\n", js_doc(&item.attrs, ""), item.ident));
    let form = if plain {
        quote!(rename_all = "camelCase")
    } else {
        quote!(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")
    };
    Ok(quote! {
        #[cfg_attr(feature = "uniffi", derive(::uniffi::Enum))]
        #[derive(::kite_api::expansion::serde::Serialize, ::kite_api::expansion::serde::Deserialize)]
        #[serde(crate = "::kite_api::expansion::serde", #form)]
        #item
        #section
    })
}

/// `#[api(error)]`
pub fn error(item: ItemEnum) -> Result<TokenStream, Error> {
    let name = &item.ident;
    let class = name.to_string();
    let union = union(&item, Some("kind"))?;
    let section =
        section(&format!("{}export type {class} = Error & (\n{union}\n);\n", js_doc(&item.attrs, "")));
    Ok(quote! {
        #[cfg_attr(feature = "uniffi", derive(::uniffi::Error), ::uniffi::export(Display))]
        #[derive(::kite_api::expansion::serde::Serialize, ::kite_api::expansion::serde::Deserialize)]
        #[serde(
            crate = "::kite_api::expansion::serde",
            tag = "kind",
            rename_all = "camelCase",
            rename_all_fields = "camelCase"
        )]
        #item
        #section
        #[cfg(all(feature = "wasm", target_family = "wasm"))]
        impl ::kite_api::js::Thrown for #name {
            fn into_error(self) -> ::kite_api::expansion::wasm_bindgen::JsValue {
                ::kite_api::js::error(#class, &::std::string::ToString::to_string(&self), &self)
            }
        }
    })
}

fn union(item: &ItemEnum, tag: Option<&str>) -> Result<String, Error> {
    let mut variants = Vec::new();
    for variant in &item.variants {
        let docs = match &variant.fields {
            Fields::Named(fields) => js_doc_with_fields(&variant.attrs, fields, "  "),
            _ => js_doc(&variant.attrs, "  "),
        };
        let name = camel(&variant.ident.to_string());
        let fields = match &variant.fields {
            Fields::Unit => String::new(),
            Fields::Named(fields) => format!("; {}", members(fields, "", "; ")?.trim_end_matches("; ")),
            Fields::Unnamed(_) => return Err(Error::new_spanned(variant, "a variant names its fields")),
        };
        variants.push(match tag {
            None => format!("{docs}  | \"{name}\""),
            Some(tag) => format!("{docs}  | {{ {tag}: \"{name}\"{fields} }}"),
        });
    }
    Ok(variants.join("\n"))
}

fn members(fields: &FieldsNamed, indent: &str, end: &str) -> Result<String, Error> {
    let mut text = String::new();
    for field in &fields.named {
        // Named fields have an identifier.
        let Some(ident) = &field.ident else { continue };
        if ["message", "kind", "type"].iter().any(|reserved| ident == reserved) && indent.is_empty() {
            return Err(Error::new_spanned(
                ident,
                "this name is taken in Kotlin or in TypeScript; use `reason`",
            ));
        }
        if indent.is_empty() && !has_docs(&field.attrs) {
            return Err(Error::new_spanned(ident, "say what this is: the docs of its case list it"));
        }
        let name = camel(&ident.to_string());
        // On one line, in a variant, the docs stand with the variant.
        let docs = if indent.is_empty() { String::new() } else { js_doc(&field.attrs, indent) };
        let question = if optional(&field.ty).is_some() { "?" } else { "" };
        text.push_str(&format!("{docs}{indent}{name}{question}: {}{end}", type_script(&field.ty)?));
    }
    Ok(text)
}

/// An app need not name what it leaves unset, as in TypeScript.
fn unset_by_default(fields: &mut FieldsNamed) {
    for field in fields.named.iter_mut().filter(|field| optional(&field.ty).is_some()) {
        field.attrs.push(syn::parse_quote!(#[cfg_attr(feature = "uniffi", uniffi(default = None))]));
    }
}

/// A piece of the TypeScript declarations.
pub fn section(script: &str) -> TokenStream {
    quote! {
        #[cfg(all(feature = "wasm", target_family = "wasm"))]
        const _: () = {
            use ::kite_api::expansion::wasm_bindgen::{self, prelude::wasm_bindgen};
            #[wasm_bindgen(wasm_bindgen = ::kite_api::expansion::wasm_bindgen, typescript_custom_section)]
            const SCRIPT: &'static str = #script;
        };
    }
}
