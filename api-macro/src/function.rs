//! Functions, and what methods share with them: the way through JavaScript.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Error, FnArg, Ident, ItemFn, Pat, Signature, Type};

use crate::name::{camel, docs};
use crate::types::{self, optional, returned, type_script};

/// `#[api] fn`
pub fn free(item: ItemFn) -> Result<TokenStream, Error> {
    let name = &item.sig.ident;
    let export = uniffi_export(item.sig.asyncness.is_some());
    let bridge = bridge(&item.sig, &quote!(#name))?;
    let Bridge { parameters, attributes, output, body } = bridge;
    let outer = format_ident!("{}_js", name);
    let docs = docs(&item.attrs);
    Ok(quote! {
        #[cfg_attr(feature = "uniffi", #export)]
        #item
        #[cfg(all(feature = "wasm", target_family = "wasm"))]
        const _: () = {
            use ::kite_api::expansion::wasm_bindgen::{self, prelude::wasm_bindgen};
            #(#docs)*
            #[wasm_bindgen(wasm_bindgen = ::kite_api::expansion::wasm_bindgen, #attributes)]
            pub fn #outer(#parameters) -> #output { #body }
        };
    })
}

/// UniFFI's attribute.
pub fn uniffi_export(with_async: bool) -> TokenStream {
    if with_async { quote!(::uniffi::export(async_runtime = "tokio")) } else { quote!(::uniffi::export) }
}

/// The JavaScript side of one function.
pub struct Bridge {
    /// Its parameters, without `self`.
    pub parameters: TokenStream,
    /// What `#[wasm_bindgen]` is told.
    pub attributes: TokenStream,
    /// What it gives.
    pub output: TokenStream,
    /// What it does: reads the arguments, calls `callee`, makes the answer.
    pub body: TokenStream,
}

/// Builds the JavaScript side of a function that `callee` calls.
pub fn bridge(signature: &Signature, callee: &TokenStream) -> Result<Bridge, Error> {
    if !signature.generics.params.is_empty() {
        return Err(Error::new_spanned(&signature.generics, "no generics cross the API"));
    }
    let arguments = arguments(signature)?;
    let mut parameters = Vec::new();
    let mut reads = Vec::new();
    for (place, (ident, kind)) in arguments.iter().enumerate() {
        let name = camel(&ident.to_string());
        let trailing = arguments[place..].iter().all(|(_, kind)| optional(kind).is_some());
        let script = match optional(kind).filter(|_| trailing) {
            Some(inner) => {
                let script = type_script(inner)?;
                quote!(unchecked_optional_param_type = #script)
            }
            None => {
                let script = type_script(kind)?;
                quote!(unchecked_param_type = #script)
            }
        };
        parameters.push(quote! {
            #[wasm_bindgen(js_name = #name, #script)] #ident: ::kite_api::expansion::wasm_bindgen::JsValue
        });
        reads.push(match types::listener(kind) {
            Some(listener) => {
                let adapter = format_ident!("{}Js", listener.ident);
                quote!(let #ident: #kind = #adapter::read(#name, #ident)?;)
            }
            None => quote!(let #ident: #kind = ::kite_api::js::from_js(#name, #ident)?;),
        });
    }
    let names = arguments.iter().map(|(ident, _)| ident);
    let returned = returned(&signature.output);
    let wait = signature.asyncness.map(|_| quote!(.await));
    let fail = returned.fallible.then(|| quote!(.map_err(::kite_api::js::Thrown::into_error)?));
    let value = quote!(::kite_api::expansion::wasm_bindgen::JsValue);
    let waits = signature.asyncness.is_some();
    let answer = match returned.value {
        None if waits => quote!(#value::UNDEFINED),
        None => quote!(()),
        Some(kind) if types::object(kind).is_some() => quote!(::kite_api::js::Class::into_instance(given)),
        Some(_) => quote!(::kite_api::js::to_js(&given)?),
    };
    let given = returned.value.map(|_| quote!(let given =));
    let steps = quote! {
        #(#reads)*
        #given #callee(#(#names),*) #wait #fail;
        Ok(#answer)
    };
    let js_name = camel(&signature.ident.to_string());
    let mut attributes = quote!(js_name = #js_name);
    let script = returned.value.map_or_else(|| Ok("void".to_owned()), type_script)?;
    let (output, body) = if waits {
        let script = format!("Promise<{script}>");
        attributes.extend(quote!(, unchecked_return_type = #script));
        let promise = quote!(::kite_api::js::promise(async move { #steps }));
        (quote!(::kite_api::expansion::js_sys::Promise), promise)
    } else if returned.value.is_some() {
        attributes.extend(quote!(, unchecked_return_type = #script));
        (quote!(::std::result::Result<#value, #value>), steps)
    } else {
        (quote!(::std::result::Result<(), #value>), steps)
    };
    Ok(Bridge { parameters: quote!(#(#parameters),*), attributes, output, body })
}

fn arguments(signature: &Signature) -> Result<Vec<(&Ident, &Type)>, Error> {
    let mut arguments = Vec::new();
    for input in &signature.inputs {
        if let FnArg::Typed(typed) = input {
            let Pat::Ident(pattern) = &*typed.pat else {
                return Err(Error::new_spanned(typed, "an argument has a plain name"));
            };
            arguments.push((&pattern.ident, &*typed.ty));
        }
    }
    Ok(arguments)
}
