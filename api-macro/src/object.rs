//! Objects: the struct, and the methods an app calls.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens as _, format_ident, quote};
use syn::{
    Attribute, Error, FnArg, Ident, ImplItem, ImplItemFn, ItemImpl, ItemStruct, Signature, Type, Visibility,
    parse_quote,
};

use crate::function::{Bridge, bridge, uniffi_export};
use crate::name::docs;
use crate::types::{object, returned};

/// `#[api(object)]`
pub fn class(item: ItemStruct) -> Result<TokenStream, Error> {
    let name = &item.ident;
    let js_name = name.to_string();
    let class = format_ident!("{}Js", name);
    let module = format_ident!("{}_js", js_name.to_lowercase());
    let docs = docs(&item.attrs);
    Ok(quote! {
        #[cfg_attr(feature = "uniffi", derive(::uniffi::Object))]
        #item

        #[cfg(all(feature = "wasm", target_family = "wasm"))]
        #[doc(hidden)]
        pub use #module::#class;
        #[cfg(all(feature = "wasm", target_family = "wasm"))]
        #[doc(hidden)]
        mod #module {
            use ::kite_api::expansion::wasm_bindgen::{self, prelude::wasm_bindgen};
            #(#docs)*
            #[wasm_bindgen(wasm_bindgen = ::kite_api::expansion::wasm_bindgen, js_name = #js_name)]
            pub struct #class(pub(super) ::std::sync::Arc<super::#name>);

            impl ::std::fmt::Debug for #class {
                fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                    f.write_str(#js_name)
                }
            }
            impl ::kite_api::js::Class for super::#name {
                fn into_instance(self: ::std::sync::Arc<Self>) -> wasm_bindgen::JsValue {
                    #class(self).into()
                }
            }
        }
    })
}

/// `#[api] impl`
pub fn methods(item: ItemImpl) -> Result<TokenStream, Error> {
    let Type::Path(path) = &*item.self_ty else {
        return Err(Error::new_spanned(item.self_ty, "an object declared with #[api(object)]"));
    };
    let Some(name) = path.path.get_ident() else {
        return Err(Error::new_spanned(path, "an object of this module"));
    };
    let js_name = name.to_string();
    let class = format_ident!("{}Js", name);
    let mut bridges = Vec::new();
    let mut exported = item.clone();
    let mut with_async = false;
    for member in &mut exported.items {
        let ImplItem::Fn(method) = member else {
            return Err(Error::new_spanned(member, "only functions cross the API"));
        };
        if !matches!(method.vis, Visibility::Public(_)) {
            return Err(Error::new_spanned(&method.sig, "what is not public stands in a plain impl"));
        }
        with_async |= method.sig.asyncness.is_some();
        bridges.push(method_bridge(method, name)?);
        if method.sig.receiver().is_none() {
            method.attrs.push(constructor(method)?);
        }
    }
    let export = uniffi_export(with_async);
    Ok(quote! {
        #[cfg(not(feature = "uniffi"))]
        #item
        #[cfg(feature = "uniffi")]
        #[#export]
        #exported
        #[cfg(all(feature = "wasm", target_family = "wasm"))]
        const _: () = {
            use ::kite_api::expansion::wasm_bindgen::{self, prelude::wasm_bindgen};
            #[wasm_bindgen(wasm_bindgen = ::kite_api::expansion::wasm_bindgen, js_class = #js_name)]
            impl #class { #(#bridges)* }
        };
    })
}

fn constructor(method: &ImplItemFn) -> Result<Attribute, Error> {
    let gives_itself = returned(&method.sig.output).value.and_then(object).is_some();
    if !gives_itself {
        return Err(Error::new_spanned(
            &method.sig,
            "UniFFI has no static methods: declare a function, or give Arc<Self>",
        ));
    }
    Ok(parse_quote!(#[::uniffi::constructor]))
}

fn method_bridge(method: &ImplItemFn, object_name: &Ident) -> Result<TokenStream, Error> {
    let name = &method.sig.ident;
    let docs = docs(&method.attrs);
    let is_static = method.sig.receiver().is_none();
    if let Some(FnArg::Receiver(receiver)) = method.sig.inputs.first()
        && (receiver.reference.is_none() || receiver.mutability.is_some())
    {
        return Err(Error::new_spanned(receiver, "an object is shared: &self"));
    }
    // Outside the impl block there is no Self.
    let signature: Signature = syn::parse2(named(method.sig.to_token_stream(), object_name))?;
    let callee = if is_static { quote!(#object_name::#name) } else { quote!(object.#name) };
    let Bridge { parameters, attributes, output, body } = bridge(&signature, &callee)?;
    let (receiver, object) = if is_static {
        (TokenStream::new(), TokenStream::new())
    } else {
        // A promise keeps the object itself, not a borrow of the JavaScript instance.
        (quote!(&self,), quote!(let object = ::std::sync::Arc::clone(&self.0);))
    };
    Ok(quote! {
        #(#docs)*
        #[wasm_bindgen(#attributes)]
        pub fn #name(#receiver #parameters) -> #output { #object #body }
    })
}

/// The same with `Self` by its name.
fn named(tokens: TokenStream, object: &Ident) -> TokenStream {
    tokens
        .into_iter()
        .map(|token| match token {
            TokenTree::Ident(ident) if ident == "Self" => TokenTree::Ident(object.clone()),
            TokenTree::Group(group) => {
                TokenTree::Group(Group::new(group.delimiter(), named(group.stream(), object)))
            }
            other => other,
        })
        .collect()
}
