//! Values, errors and objects on their way to and from JavaScript.

use std::future::Future;
use std::sync::Arc;

use js_sys::{Error, Function, Object, Promise, Reflect, TypeError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::{JsCast, JsValue};

/// An object that JavaScript sees as an instance of a class.
pub trait Class {
    /// The instance for this object.
    fn into_instance(self: Arc<Self>) -> JsValue;
}

/// An error that JavaScript sees as an `Error` with `kind` and the error's fields.
pub trait Thrown {
    /// The `Error`.
    fn into_error(self) -> JsValue;
}

/// A value as JavaScript sees it: 64-bit numbers as `bigint`, an unset value as `undefined`.
///
/// # Errors
/// The `TypeError` to throw, when a value has no counterpart in JavaScript.
pub fn to_js<T: Serialize>(value: &T) -> Result<JsValue, JsValue> {
    let serializer = Serializer::new().serialize_large_number_types_as_bigints(true);
    value.serialize(&serializer).map_err(|error| TypeError::new(&error.to_string()).into())
}

/// The value of the argument `name`.
///
/// # Errors
/// The `TypeError` to throw, when JavaScript gave something else than the declared type.
pub fn from_js<T: DeserializeOwned>(name: &str, value: JsValue) -> Result<T, JsValue> {
    serde_wasm_bindgen::from_value(value).map_err(|error| TypeError::new(&format!("{name}: {error}")).into())
}

/// An `Error` of this class with these fields.
pub fn error<T: Serialize>(class: &str, text: &str, fields: &T) -> JsValue {
    let error = Error::new(text);
    error.set_name(class);
    match to_js(fields).map(JsCast::dyn_into::<Object>) {
        Ok(Ok(fields)) => Object::assign(&error, &fields).into(),
        Ok(Err(_)) | Err(_) => error.into(),
    }
}

/// A promise of what this future gives.
pub fn promise(future: impl Future<Output = Result<JsValue, JsValue>> + 'static) -> Promise {
    wasm_bindgen_futures::future_to_promise(future)
}

/// Calls the method `name` of a JavaScript object. What it throws is passed to the console and no further: a listener's
/// mistake is not the wallet's.
pub fn call(object: &JsValue, name: &str, arguments: &[JsValue]) {
    let called = Reflect::get(object, &JsValue::from_str(name))
        .and_then(|method| method.dyn_into::<Function>())
        .and_then(|method| method.apply(object, &arguments.iter().collect()));
    if let Err(thrown) = called {
        Reflect::get(&js_sys::global(), &JsValue::from_str("reportError"))
            .and_then(|report| report.dyn_into::<Function>())
            .and_then(|report| report.call1(&JsValue::UNDEFINED, &thrown))
            .ok();
    }
}

/// Whether a JavaScript object has all these methods.
///
/// # Errors
/// The `TypeError` to throw, when one is missing.
pub fn require_methods(name: &str, object: &JsValue, methods: &[&str]) -> Result<(), JsValue> {
    for method in methods {
        let found = Reflect::get(object, &JsValue::from_str(method)).is_ok_and(|value| value.is_function());
        if !found {
            return Err(TypeError::new(&format!("{name}: has no method {method}")).into());
        }
    }
    Ok(())
}
