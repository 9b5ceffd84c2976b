//! The cases on SQLite, and the locked file.

use kite_conformance::{CASES, Make, MakeStore, refuses_what_has_no_room, works_again_with_room};
use kite_wallet::platform::native::{FileLock, NativeClock, OsEntropy, SqliteStore};
use kite_wallet::platform::{Clock as _, Entropy as _, Lock as _, LockError, Store};
use std::path::Path;
use std::sync::Arc;

struct Folder {
    path: std::path::PathBuf,
    most_pages: Option<u32>,
}

impl MakeStore for Folder {
    fn store(&self) -> Arc<dyn Store> {
        let store = SqliteStore::new(&self.path);
        Arc::new(match self.most_pages {
            Some(pages) => store.with_most_pages(pages),
            None => store,
        })
    }
}

fn make(path: &Path, most_pages: Option<u32>) -> Make {
    Arc::new(Folder { path: path.join("new/wallet"), most_pages })
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_passes_every_case() {
    let mut failed = Vec::new();
    for (name, case) in CASES {
        let folder = folder();
        if let Err(reason) = case(make(folder.path(), None)).await {
            failed.push(format!("{name}: {reason}"));
        }
    }
    assert!(CASES.len() >= 11, "cases were lost");
    assert!(failed.is_empty(), "{failed:#?}");
}

#[tokio::test]
async fn sqlite_says_when_there_is_no_room() {
    let folder = folder();
    refuses_what_has_no_room(make(folder.path(), Some(256))).await.expect("full");
    works_again_with_room(make(folder.path(), None)).await.expect("room again");
}

#[tokio::test]
async fn a_damaged_file_is_an_error() {
    let folder = folder();
    std::fs::write(folder.path().join("wallet.sqlite"), vec![7; 8192]).expect("written");
    let error = SqliteStore::new(folder.path()).open().await.expect_err("no database");
    assert!(error.to_string().starts_with("the store failed"), "{error}");
}

#[tokio::test]
async fn the_lock_is_one_and_comes_back() {
    let folder = folder();
    let (first, second) = (FileLock::new(folder.path()), FileLock::new(folder.path()));
    let held = first.acquire().await.expect("the lock");
    assert_eq!(second.acquire().await.err(), Some(LockError::Taken));
    assert_eq!(first.acquire().await.err(), Some(LockError::Taken));
    drop(held);
    assert!(second.acquire().await.is_ok());
}

#[tokio::test]
async fn the_clock_goes_on_and_wakes_in_time() {
    let clock = NativeClock;
    let before = clock.now();
    assert!(before.unix.0 > 1_700_000_000);
    clock.sleep_until(before.mono.plus_millis(30)).await;
    let slept = clock.now().mono.0 - before.mono.0;
    assert!((30..5000).contains(&slept), "{slept} ms");
    clock.sleep_until(before.mono).await;
}

#[test]
fn randomness_differs() {
    assert_ne!(OsEntropy.bytes().expect("randomness"), OsEntropy.bytes().expect("randomness"));
}
