//! SQLite.

use super::super::{Pending, Store, StoreError};
use super::folder;
use kite_core::store::{Batch, Op, Stored};
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior, params};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a transaction waits for one of another process, which takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS record (key BLOB NOT NULL PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS fence (one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1), generation INTEGER NOT NULL);
    INSERT OR IGNORE INTO fence (one, generation) VALUES (1, 0);
";

/// A SQLite database in the wallet's folder. Cheap to clone; clones share one connection.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    folder: PathBuf,
    most_pages: Option<u32>,
    connection: Arc<Mutex<Option<Connection>>>,
}

impl SqliteStore {
    /// The store of the wallet in this folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), most_pages: None, connection: Arc::default() }
    }

    /// The same with a limit: a batch that needs more pages (4096 bytes each) fails with [`StoreError::Full`].
    #[must_use]
    pub fn with_most_pages(mut self, pages: u32) -> Self {
        self.most_pages = Some(pages);
        self
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&store)).await;
        done.map_err(|error| StoreError::Failed { reason: error.to_string() })?
    }

    fn connection(&self) -> MutexGuard<'_, Option<Connection>> {
        // A panic in between rolled its transaction back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> Result<Stored, StoreError> {
        let mut held = self.connection();
        // The old connection ends before the new one begins.
        drop(held.take());
        let mut connection = connect(&self.folder, self.most_pages)?;
        let stored = everything(&mut connection).map_err(failed)??;
        *held = Some(connection);
        Ok(stored)
    }

    fn write(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut held = self.connection();
        let Some(mut connection) = held.take() else {
            return Err(StoreError::Failed { reason: "the database is not open".to_owned() });
        };
        apply(&mut connection, batch)?;
        // Kept only after a success: whoever failed reads everything again first.
        *held = Some(connection);
        Ok(())
    }
}

impl Store for SqliteStore {
    fn open(&self) -> Pending<'_, Result<Stored, StoreError>> {
        Box::pin(self.blocking(Self::read))
    }

    fn commit(&self, batch: Batch) -> Pending<'_, Result<(), StoreError>> {
        Box::pin(self.blocking(move |store| store.write(&batch)))
    }

    fn is_persistent(&self) -> Pending<'_, bool> {
        Box::pin(async { true })
    }

    fn close(&self) -> Pending<'_, ()> {
        Box::pin(async {
            // Closing writes the log back, which may take a moment.
            let connection = self.connection().take();
            // It has nothing to tell that the next `open` would not tell.
            let _ = tokio::task::spawn_blocking(move || drop(connection)).await;
        })
    }
}

fn connect(place: &Path, most_pages: Option<u32>) -> Result<Connection, StoreError> {
    folder::make(place).map_err(|error| StoreError::Failed { reason: error.to_string() })?;
    let connection = Connection::open(place.join("wallet.sqlite")).map_err(failed)?;
    connection.busy_timeout(PATIENCE).map_err(failed)?;
    let journal: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).map_err(failed)?;
    if !journal.eq_ignore_ascii_case("wal") {
        return Err(StoreError::Failed {
            reason: format!("the journal is {journal} and not a write-ahead log"),
        });
    }
    // With FULL, a commit returns when the log is on the disk, and not only with the operating system.
    connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    if cfg!(target_vendor = "apple") {
        // There, an ordinary sync stops at the disk's own cache.
        connection.pragma_update(None, "fullfsync", true).map_err(failed)?;
        connection.pragma_update(None, "checkpoint_fullfsync", true).map_err(failed)?;
    }
    if let Some(pages) = most_pages {
        let limit = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
        connection.pragma_update_and_check(None, "max_page_count", pages, limit).map_err(failed)?;
    }
    connection.execute_batch(TABLES).map_err(failed)?;
    Ok(connection)
}

fn everything(connection: &mut Connection) -> rusqlite::Result<Result<Stored, StoreError>> {
    let transaction = connection.transaction()?;
    let fence = match fence(&transaction) {
        Ok(fence) => fence,
        Err(error) => return Ok(Err(error)),
    };
    let records = transaction
        .prepare("SELECT key, value FROM record")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Ok(Stored { fence, records }))
}

fn apply(connection: &mut Connection, batch: &Batch) -> Result<(), StoreError> {
    // Immediate: nobody can write between the look at the fence and the batch.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    if fence(&transaction)? != batch.expect_fence {
        return Err(StoreError::FenceLost);
    }
    let generation = i64::try_from(batch.fence)
        .map_err(|_| StoreError::Failed { reason: format!("a fence of {} is too large", batch.fence) })?;
    write(&transaction, generation, &batch.ops).map_err(failed)?;
    transaction.commit().map_err(failed)
}

fn write(transaction: &Transaction<'_>, generation: i64, ops: &[Op]) -> rusqlite::Result<()> {
    transaction.execute("UPDATE fence SET generation = ?1", params![generation])?;
    let mut put = transaction.prepare_cached("INSERT OR REPLACE INTO record (key, value) VALUES (?1, ?2)")?;
    let mut delete = transaction.prepare_cached("DELETE FROM record WHERE key = ?1")?;
    for op in ops {
        match op {
            Op::Put { key, value } => put.execute(params![key, value])?,
            Op::Delete { key } => delete.execute(params![key])?,
        };
    }
    Ok(())
}

fn fence(transaction: &Transaction<'_>) -> Result<u64, StoreError> {
    let generation: i64 =
        transaction.query_row("SELECT generation FROM fence", [], |row| row.get(0)).map_err(failed)?;
    u64::try_from(generation)
        .map_err(|_| StoreError::Failed { reason: format!("the stored fence is {generation}") })
}

fn failed(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full,
        _ => StoreError::Failed { reason: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Store as _;
    use super::SqliteStore;
    use kite_core::store::{Batch, Op};

    /// What SQLite calls FULL.
    const FULL: i64 = 2;

    #[tokio::test]
    async fn what_is_committed_is_on_the_disk() {
        let folder = std::env::temp_dir().join(format!("kite-durable-{}", std::process::id()));
        let store = SqliteStore::new(&folder);
        let expect_fence = store.open().await.expect("a store").fence;
        let ops = vec![Op::Put { key: vec![1], value: vec![2] }];
        let batch = Batch { seq: 1, expect_fence, fence: expect_fence + 1, ops };
        store.commit(batch).await.expect("committed");
        // How it syncs is a setting of the connection and not of the file: another one would tell nothing.
        let committed = store.connection().take().expect("open");
        let number = |name: &str| committed.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let journal = committed.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0));
        let syncs = ["synchronous", "fullfsync", "checkpoint_fullfsync"].map(number);
        drop(committed);
        std::fs::remove_dir_all(&folder).expect("removed");
        let on_apple = i64::from(cfg!(target_vendor = "apple"));
        assert_eq!(journal.as_deref(), Ok("wal"));
        assert_eq!(syncs, [Ok(FULL), Ok(on_apple), Ok(on_apple)]);
    }
}
