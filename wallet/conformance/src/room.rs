//! A device without room. The host has to make one: a limit of pages, or a browser's quota.

use crate::cases::{Make, Verdict, batch, commit, open, put, refused, same};
use kite_core::store::Op;
use kite_wallet::platform::StoreError;

/// Writes a little, then more than there is room for: the second batch is refused as a whole. Run this with room for
/// 1 MB and no more.
pub async fn refuses_what_has_no_room(make: Make) -> Verdict {
    let store = make.store();
    open(&store).await?;
    commit(&store, batch(0, vec![put(b"little", b"1")])).await?;
    let ops: Vec<Op> = (0..64_u8).map(|number| put(&[number; 8], &noise(number))).collect();
    let error = refused(&store, batch(0, ops)).await?;
    same("error", &error, &StoreError::Full)?;
    let halted = refused(&store, batch(0, vec![put(b"little", b"2")])).await?;
    same("afterwards", &matches!(halted, StoreError::Failed { .. }), &true)?;
    same("records", &open(&make.store()).await?.records, &vec![(b"little".to_vec(), b"1".to_vec())])
}

/// The same database with room again: what was there before is there, and it takes more.
pub async fn works_again_with_room(make: Make) -> Verdict {
    let store = make.store();
    same("records", &open(&store).await?.records, &vec![(b"little".to_vec(), b"1".to_vec())])?;
    commit(&store, batch(0, vec![put(b"little", b"2")])).await?;
    same("records", &open(&store).await?.records, &vec![(b"little".to_vec(), b"2".to_vec())])
}

/// 256 KiB that no database can compress.
fn noise(seed: u8) -> Vec<u8> {
    let mut state = u32::from(seed).wrapping_mul(2_654_435_761).wrapping_add(1);
    (0..256 * 1024)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state.to_le_bytes()[0]
        })
        .collect()
}
