//! Web Locks.

use super::super::{Held, Lock, LockError, Pending};
use super::global::{find, words};
use futures::channel::oneshot;
use js_sys::{Function, Object, Promise, Reflect};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};

/// An exclusive Web Lock. The browser gives it back when the page or worker ends, however it ends.
#[derive(Debug, Clone)]
pub struct WebLock {
    name: String,
}

struct HeldLock {
    /// Ends the promise for whose time the lock is held.
    release: Function,
}

impl Held for HeldLock {}

impl Drop for HeldLock {
    fn drop(&mut self) {
        // A promise's own resolve function throws nothing.
        let _ = self.release.call0(&JsValue::UNDEFINED);
    }
}

impl WebLock {
    /// The lock of the wallet in this database.
    pub fn new(database: &str) -> Self {
        Self { name: format!("kite:{database}") }
    }

    async fn take(&self) -> Result<HeldLock, LockError> {
        let failed = |reason: &str| LockError::Failed { reason: reason.to_owned() };
        let locks = find(&["navigator", "locks"]).ok_or_else(|| failed("this browser has no Web Locks"))?;
        let request = Reflect::get(&locks, &JsValue::from_str("request"))
            .and_then(|request| request.dyn_into::<Function>())
            .map_err(|_| failed("this browser has no Web Locks"))?;
        let options = Object::new();
        Reflect::set(&options, &JsValue::from_str("ifAvailable"), &JsValue::TRUE)
            .map_err(|thrown| failed(&words(&thrown)))?;
        let (answer, answered) = oneshot::channel();
        let answer = Rc::new(RefCell::new(Some(answer)));
        let say = move |given: Option<Function>| {
            if let Some(answer) = answer.borrow_mut().take() {
                // Nobody waits when the future was dropped; the release function goes with it, and must be called.
                if let Err(Some(release)) = answer.send(given) {
                    drop(HeldLock { release });
                }
            }
        };
        let granted = Closure::once_into_js(move |lock: JsValue| -> JsValue {
            if lock.is_null() {
                say(None);
                return JsValue::UNDEFINED;
            }
            Promise::new(&mut |resolve, _| say(Some(resolve.unchecked_into()))).into()
        });
        let requested = request
            .call3(&locks, &JsValue::from_str(&self.name), &options, &granted)
            .map_err(|thrown| failed(&words(&thrown)))?;
        // It is settled when the lock was given back. If it was refused, the callback is dropped and the answer with it.
        let requested = wasm_bindgen_futures::JsFuture::from(Promise::resolve(&requested));
        wasm_bindgen_futures::spawn_local(async {
            let _ = requested.await;
        });
        match answered.await {
            Ok(Some(release)) => Ok(HeldLock { release }),
            Ok(None) => Err(LockError::Taken),
            Err(_) => Err(failed("the browser refused the lock")),
        }
    }
}

impl Lock for WebLock {
    fn acquire(&self) -> Pending<'_, Result<Box<dyn Held>, LockError>> {
        Box::pin(async { self.take().await.map(|held| Box::new(held) as Box<dyn Held>) })
    }
}
