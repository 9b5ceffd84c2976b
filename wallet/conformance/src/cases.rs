//! The list of cases, and what they share.

use crate::{batches, fences};
use kite_core::store::{Batch, Op, Stored};
use kite_wallet::platform::{Pending, Store, StoreError};
use std::sync::Arc;

/// Makes one more handle on the same database. The database is a new one for each case.
pub type Make = Arc<dyn MakeStore>;

/// What is behind [`Make`].
pub trait MakeStore: kite_wallet::platform::MaybeSend + kite_wallet::platform::MaybeSync {
    /// One more handle, which is not open yet.
    fn store(&self) -> Arc<dyn Store>;
}

/// Nothing, or what went wrong.
pub type Verdict = Result<(), String>;

/// One case: its name, and what it does.
pub type Case = (&'static str, fn(Make) -> Pending<'static, Verdict>);

/// Every case that a database without limits passes.
pub const CASES: &[Case] = &[
    ("a_new_store_is_empty", |make| Box::pin(batches::a_new_store_is_empty(make))),
    ("what_was_written_is_there_after_opening_again", |make| {
        Box::pin(batches::what_was_written_is_there(make))
    }),
    ("a_later_write_wins", |make| Box::pin(batches::a_later_write_wins(make))),
    ("any_bytes_are_kept", |make| Box::pin(batches::any_bytes_are_kept(make))),
    ("a_large_batch_is_one_batch", |make| Box::pin(batches::a_large_batch(make))),
    ("a_dropped_commit_is_whole_or_nothing", |make| Box::pin(batches::a_dropped_commit(make))),
    ("a_closed_store_refuses_and_opens_again", |make| Box::pin(batches::a_closed_store(make))),
    ("a_wrong_fence_writes_nothing", |make| Box::pin(fences::a_wrong_fence_writes_nothing(make))),
    ("after_an_error_nothing_is_written_until_opened", |make| Box::pin(fences::after_an_error(make))),
    ("whoever_takes_the_fence_shuts_the_other_out", |make| Box::pin(fences::takeover(make))),
    ("of_two_at_once_one_wins", |make| Box::pin(fences::race(make))),
];

/// A write.
pub fn put(key: &[u8], value: &[u8]) -> Op {
    Op::Put { key: key.to_vec(), value: value.to_vec() }
}

/// A removal.
pub fn delete(key: &[u8]) -> Op {
    Op::Delete { key: key.to_vec() }
}

/// A batch that keeps the fence at `fence`.
pub fn batch(fence: u64, ops: Vec<Op>) -> Batch {
    Batch { seq: 1, expect_fence: fence, fence, ops }
}

/// Opens, with the records in the order of their keys.
pub async fn open(store: &Arc<dyn Store>) -> Result<Stored, String> {
    let mut stored = store.open().await.map_err(|error| format!("open: {error}"))?;
    stored.records.sort();
    Ok(stored)
}

/// Commits what must work.
pub async fn commit(store: &Arc<dyn Store>, batch: Batch) -> Verdict {
    store.commit(batch).await.map_err(|error| format!("commit: {error}"))
}

/// Commits what must fail.
pub async fn refused(store: &Arc<dyn Store>, batch: Batch) -> Result<StoreError, String> {
    match store.commit(batch).await {
        Ok(()) => Err("a batch was taken that must be refused".to_owned()),
        Err(error) => Ok(error),
    }
}

/// Compares.
pub fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Verdict {
    if found == expected {
        return Ok(());
    }
    // A large value says nothing in full.
    let short = |value: &T| format!("{value:?}").chars().take(200).collect::<String>();
    Err(format!("{what}: found {}, expected {}", short(found), short(expected)))
}
