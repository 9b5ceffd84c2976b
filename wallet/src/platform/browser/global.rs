//! What a page and a worker both have, without asking which of the two this is.

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;

/// The value at this path below the global object; unset if a part is missing.
pub fn find(path: &[&str]) -> Option<JsValue> {
    let mut value: JsValue = js_sys::global().into();
    for name in path {
        value = Reflect::get(&value, &JsValue::from_str(name)).ok()?;
        if value.is_undefined() || value.is_null() {
            return None;
        }
    }
    Some(value)
}

/// What the promise of a method without arguments gives; unset if there is no such method, or it fails.
pub async fn ask(object: &JsValue, method: &str) -> Option<JsValue> {
    let method = Reflect::get(object, &JsValue::from_str(method)).ok()?.dyn_into::<Function>().ok()?;
    let promise = method.call0(object).ok()?.dyn_into::<Promise>().ok()?;
    JsFuture::from(promise).await.ok()
}

/// What was thrown, in words.
pub fn words(thrown: &JsValue) -> String {
    let field =
        |name: &str| Reflect::get(thrown, &JsValue::from_str(name)).ok().and_then(|text| text.as_string());
    match (field("name"), field("message")) {
        (Some(name), Some(message)) => format!("{name}: {message}"),
        _ => format!("{thrown:?}"),
    }
}
