//! What only IndexedDB can get wrong: it promises little unless it is asked, and a request that succeeded may still be lost.

use crate::cases::{Case, Make, Verdict, batch, commit, delete, open, put, refused, same};
use js_sys::{Function, JsString};
use kite_core::store::{Batch, Stored};
use kite_wallet::platform::StoreError;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(module = "/src/indexeddb.js")]
extern "C" {
    #[wasm_bindgen(js_name = watchDurability)]
    fn watch_durability() -> Function;
    #[wasm_bindgen(js_name = abortAfterSuccess)]
    fn abort_after_success() -> Function;
}

/// The cases of this file.
pub const CASES: &[Case] = &[
    ("every_write_asks_for_strict_durability", |make| Box::pin(every_write_is_strict(make))),
    ("what_succeeded_and_was_aborted_is_not_acknowledged", |make| Box::pin(acknowledged_when_complete(make))),
];

/// Otherwise a browser may tell of a write that is only in its memory (contract P2).
async fn every_write_is_strict(make: Make) -> Verdict {
    let store = make.store();
    let watch = watch_durability();
    let written = async {
        open(&store).await?;
        commit(&store, Batch { seq: 1, expect_fence: 0, fence: 1, ops: vec![put(b"a", b"1")] }).await?;
        commit(&store, batch(1, vec![delete(b"a")])).await?;
        refused(&store, batch(0, vec![put(b"b", b"2")])).await.map(drop)
    };
    let written = written.await;
    let seen = ended(&watch)?;
    written?;
    same("durability", &seen.as_str(), &"strict strict strict")
}

/// All requests of a batch succeed, and then it is aborted: nothing of it counts.
async fn acknowledged_when_complete(make: Make) -> Verdict {
    let store = make.store();
    open(&store).await?;
    commit(&store, batch(0, vec![put(b"a", b"1")])).await?;
    let faults = abort_after_success();
    let error = refused(&store, batch(0, vec![put(b"a", b"2"), put(b"b", b"2"), delete(b"a")])).await;
    let aborted = ended(&faults)?;
    same("error", &matches!(error?, StoreError::Failed { .. }), &true)?;
    same("aborted", &aborted.as_str(), &"1")?;
    let expected = Stored { fence: 0, records: vec![(b"a".to_vec(), b"1".to_vec())] };
    same("stored", &open(&make.store()).await?, &expected)
}

/// Ends what watches or breaks, and gives what it tells. The cases after this one share its page.
fn ended(end: &Function) -> Result<String, String> {
    let told = end.call0(&JsValue::UNDEFINED).map_err(|error| format!("{error:?}"))?;
    Ok(JsString::from(told).into())
}
