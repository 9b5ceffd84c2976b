//! Batches are durable, in order, whole or nothing.

use crate::cases::{Make, Verdict, batch, commit, delete, open, put, refused, same};
use futures::FutureExt as _;
use kite_core::store::{Op, Stored};
use kite_wallet::platform::StoreError;

/// A new store holds nothing.
pub async fn a_new_store_is_empty(make: Make) -> Verdict {
    let store = make.store();
    same("new", &open(&store).await?, &Stored::default())?;
    same("opened twice", &open(&store).await?, &Stored::default())
}

/// What was written is there after opening again, by the same and by another handle.
pub async fn what_was_written_is_there(make: Make) -> Verdict {
    let store = make.store();
    open(&store).await?;
    commit(&store, batch(0, vec![put(b"a", b"1"), put(b"b", b"2")])).await?;
    commit(&store, batch(0, vec![])).await?;
    let expected =
        Stored { fence: 0, records: vec![(b"a".to_vec(), b"1".to_vec()), (b"b".to_vec(), b"2".to_vec())] };
    same("opened again", &open(&store).await?, &expected)?;
    store.close().await;
    same("by another", &open(&make.store()).await?, &expected)
}

/// Batches apply in their order.
pub async fn a_later_write_wins(make: Make) -> Verdict {
    let store = make.store();
    open(&store).await?;
    for turn in 0..50_u8 {
        commit(
            &store,
            batch(0, vec![put(b"k", &[turn]), put(&[turn], b"x"), delete(&[turn.wrapping_sub(1)])]),
        )
        .await?;
    }
    commit(&store, batch(0, vec![delete(b"never there"), delete(b"k")])).await?;
    same("records", &open(&store).await?.records, &vec![(vec![49], b"x".to_vec())])
}

/// Keys and values are any bytes; a value may be empty.
pub async fn any_bytes_are_kept(make: Make) -> Verdict {
    let store = make.store();
    open(&store).await?;
    let mut records: Vec<(Vec<u8>, Vec<u8>)> =
        (0..=255_u8).map(|byte| (vec![byte, 0, byte], vec![byte; 3])).collect();
    records.push((vec![0xff; 64], Vec::new()));
    records.sort();
    let ops: Vec<Op> = records.iter().map(|(key, value)| put(key, value)).collect();
    commit(&store, batch(0, ops)).await?;
    same("records", &open(&store).await?.records, &records)
}

/// Thousands of records and a value of a megabyte are still one batch.
pub async fn a_large_batch(make: Make) -> Verdict {
    let store = make.store();
    open(&store).await?;
    let mut records: Vec<(Vec<u8>, Vec<u8>)> = (0..3000_u32)
        .map(|number| (number.to_be_bytes().to_vec(), number.to_le_bytes().repeat(100)))
        .collect();
    records.push((b"large".to_vec(), vec![5; 1 << 20]));
    let ops: Vec<Op> = records.iter().map(|(key, value)| put(key, value)).collect();
    commit(&store, batch(0, ops)).await?;
    records.sort();
    same("records", &open(&store).await?.records, &records)
}

/// A commit whose future is dropped is applied wholly or not at all.
pub async fn a_dropped_commit(make: Make) -> Verdict {
    let store = make.store();
    open(&store).await?;
    let ops: Vec<Op> = (0..500_u32).map(|number| put(&number.to_be_bytes(), b"x")).collect();
    // Polled once, so that it has begun.
    let finished = store.commit(batch(0, ops)).now_or_never();
    let found = open(&make.store()).await?.records.len();
    if found == 500 || (found == 0 && finished.is_none()) {
        return Ok(());
    }
    Err(format!("{found} of 500 records are there"))
}

/// A closed store takes nothing, and opens again.
pub async fn a_closed_store(make: Make) -> Verdict {
    let store = make.store();
    let early = refused(&store, batch(0, vec![put(b"a", b"1")])).await?;
    same("before opening", &matches!(early, StoreError::Failed { .. }), &true)?;
    open(&store).await?;
    store.close().await;
    store.close().await;
    let late = refused(&store, batch(0, vec![put(b"a", b"1")])).await?;
    same("after closing", &matches!(late, StoreError::Failed { .. }), &true)?;
    same("opened again", &open(&store).await?, &Stored::default())?;
    commit(&store, batch(0, vec![put(b"a", b"1")])).await?;
    same("records", &open(&store).await?.records.len(), &1)
}
