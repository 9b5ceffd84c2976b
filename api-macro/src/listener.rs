//! What the app implements and the wallet calls.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Error, FnArg, ItemTrait, Pat, ReturnType, TraitItem, parse_quote};

use crate::data::section;
use crate::name::{camel, js_doc};
use crate::types::type_script;

/// `#[api(listener)]`
pub fn listener(item: ItemTrait) -> Result<TokenStream, Error> {
    let name = &item.ident;
    let adapter = format_ident!("{}Js", name);
    let mut script = format!("{}export interface {name} {{\n", js_doc(&item.attrs, ""));
    let mut methods = Vec::new();
    let mut names = Vec::new();
    for member in &item.items {
        let TraitItem::Fn(method) = member else {
            return Err(Error::new_spanned(member, "a listener has only functions"));
        };
        let signature = &method.sig;
        if signature.asyncness.is_some() || !matches!(signature.output, ReturnType::Default) {
            return Err(Error::new_spanned(
                signature,
                "a listener's function is called and gives nothing back",
            ));
        }
        let mut parameters = Vec::new();
        let mut values = Vec::new();
        for input in &signature.inputs {
            if let FnArg::Typed(typed) = input {
                let Pat::Ident(pattern) = &*typed.pat else {
                    return Err(Error::new_spanned(typed, "an argument has a plain name"));
                };
                let ident = &pattern.ident;
                parameters.push(format!("{}: {}", camel(&ident.to_string()), type_script(&typed.ty)?));
                values.push(quote!(::kite_api::js::to_js(&#ident).unwrap_or_else(|thrown| thrown)));
            }
        }
        let js_name = camel(&signature.ident.to_string());
        let docs = js_doc(&method.attrs, "  ");
        script.push_str(&format!("{docs}  {js_name}({}): void;\n", parameters.join(", ")));
        methods.push(quote! { #signature { ::kite_api::js::call(&self.0, #js_name, &[#(#values),*]); } });
        names.push(js_name);
    }
    script.push_str("}\n");
    let section = section(&script);
    let mut native = item.clone();
    native.supertraits.push(parse_quote!(::std::marker::Send));
    native.supertraits.push(parse_quote!(::std::marker::Sync));
    Ok(quote! {
        #[cfg(not(target_family = "wasm"))]
        #[cfg_attr(feature = "uniffi", ::uniffi::export(with_foreign))]
        #native
        #[cfg(target_family = "wasm")]
        #item
        #section

        #[cfg(all(feature = "wasm", target_family = "wasm"))]
        #[doc(hidden)]
        pub struct #adapter(::kite_api::expansion::wasm_bindgen::JsValue);
        #[cfg(all(feature = "wasm", target_family = "wasm"))]
        impl ::std::fmt::Debug for #adapter {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(stringify!(#name))
            }
        }
        #[cfg(all(feature = "wasm", target_family = "wasm"))]
        impl #adapter {
            /// Reads the argument `name`.
            pub(crate) fn read(
                name: &str,
                value: ::kite_api::expansion::wasm_bindgen::JsValue,
            ) -> ::std::result::Result<::std::sync::Arc<dyn #name>, ::kite_api::expansion::wasm_bindgen::JsValue> {
                ::kite_api::js::require_methods(name, &value, &[#(#names),*])?;
                Ok(::std::sync::Arc::new(Self(value)))
            }
        }
        #[cfg(all(feature = "wasm", target_family = "wasm"))]
        impl #name for #adapter { #(#methods)* }
    })
}
