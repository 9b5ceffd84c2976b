//! The fence keeps a second tab, process or copy from writing (contract P8).

use crate::cases::{Make, Verdict, batch, commit, open, put, refused, same};
use kite_core::store::{Batch, Stored};
use kite_wallet::platform::StoreError;

fn take(from: u64, to: u64) -> Batch {
    Batch { seq: 1, expect_fence: from, fence: to, ops: vec![put(b"owner", &to.to_be_bytes())] }
}

/// A batch with a wrong fence leaves no trace.
pub async fn a_wrong_fence_writes_nothing(make: Make) -> Verdict {
    let store = make.store();
    open(&store).await?;
    commit(&store, take(0, 7)).await?;
    for wrong in [0, 6, 8, 1 << 40] {
        let error = refused(&store, Batch { ops: vec![put(b"bad", b"bad")], ..take(wrong, 9) }).await?;
        same("error", &error, &StoreError::FenceLost)?;
        let expected = Stored { fence: 7, records: vec![(b"owner".to_vec(), 7_u64.to_be_bytes().to_vec())] };
        same("stored", &open(&store).await?, &expected)?;
    }
    Ok(())
}

/// After an error nothing is written until the store was opened again (contract P4).
pub async fn after_an_error(make: Make) -> Verdict {
    let store = make.store();
    open(&store).await?;
    refused(&store, take(3, 4)).await?;
    refused(&store, batch(0, vec![put(b"a", b"1")])).await?;
    same("stored", &open(&store).await?, &Stored::default())?;
    commit(&store, batch(0, vec![put(b"a", b"1")])).await
}

/// Whoever takes the next generation shuts out whoever had the last, at once and for good.
pub async fn takeover(make: Make) -> Verdict {
    let (first, second) = (make.store(), make.store());
    open(&first).await?;
    commit(&first, take(0, 1)).await?;
    same("seen by the second", &open(&second).await?.fence, &1)?;
    commit(&second, take(1, 2)).await?;
    let error = refused(&first, batch(1, vec![put(b"a", b"old")])).await?;
    same("the first", &error, &StoreError::FenceLost)?;
    commit(&second, batch(2, vec![put(b"a", b"new")])).await?;
    same("fence", &open(&make.store()).await?.fence, &2)
}

/// Of two that take the same generation at the same moment, exactly one gets it.
pub async fn race(make: Make) -> Verdict {
    for generation in 0..20 {
        let (first, second) = (make.store(), make.store());
        open(&first).await?;
        open(&second).await?;
        let next = generation + 1;
        let (one, two) =
            futures::join!(first.commit(take(generation, next)), second.commit(take(generation, next)));
        let won = [&one, &two].iter().filter(|outcome| outcome.is_ok()).count();
        let lost = [&one, &two].iter().filter(|outcome| ***outcome == Err(StoreError::FenceLost)).count();
        same(&format!("won and lost, of {one:?} and {two:?}"), &(won, lost), &(1, 1))?;
        first.close().await;
        second.close().await;
    }
    same("fence", &open(&make.store()).await?.fence, &20)
}
