//! IndexedDB.

use super::super::{Pending, Store, StoreError};
use super::global::{ask, find};
use indexed_db_futures::database::Database;
use indexed_db_futures::error::{DomException, Error};
use indexed_db_futures::prelude::{Build as _, BuildPrimitive as _, QuerySource as _};
use indexed_db_futures::transaction::{
    Transaction, TransactionDurability, TransactionFinishKind, TransactionMode, TransactionOptions,
};
use js_sys::Uint8Array;
use kite_core::store::{Batch, Op, Stored};
use std::cell::RefCell;
use wasm_bindgen::JsValue;

const RECORDS: &str = "records";
const FENCE: &str = "fence";
const GENERATION: &str = "generation";

/// An IndexedDB database with durability `strict`.
#[derive(Debug)]
pub struct IndexedDbStore {
    name: String,
    database: RefCell<Option<Database>>,
}

impl IndexedDbStore {
    /// The store in the database of this name.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), database: RefCell::new(None) }
    }

    async fn read(&self) -> Result<Stored, StoreError> {
        self.shut();
        let database = Database::open(self.name.clone())
            .with_version(1_u8)
            .with_on_upgrade_needed(|_, database| {
                database.create_object_store(RECORDS).build()?;
                database.create_object_store(FENCE).build()?;
                Ok(())
            })
            .await
            .map_err(|error| StoreError::Failed { reason: error.to_string() })?;
        let stored = everything(&database).await;
        if stored.is_ok() {
            *self.database.borrow_mut() = Some(database);
        } else {
            database.close();
        }
        stored
    }

    async fn write(&self, batch: Batch) -> Result<(), StoreError> {
        let Some(database) = self.database.borrow_mut().take() else {
            return Err(StoreError::Failed { reason: "the database is not open".to_owned() });
        };
        // Whoever failed, or was dropped half-way, reads everything again before the next batch.
        match apply(&database, &batch).await {
            Ok(()) => {
                *self.database.borrow_mut() = Some(database);
                Ok(())
            }
            Err(error) => {
                database.close();
                Err(error_of(error))
            }
        }
    }

    fn shut(&self) {
        if let Some(database) = self.database.borrow_mut().take() {
            database.close();
        }
    }
}

impl Drop for IndexedDbStore {
    fn drop(&mut self) {
        self.shut();
    }
}

impl Store for IndexedDbStore {
    fn open(&self) -> Pending<'_, Result<Stored, StoreError>> {
        Box::pin(self.read())
    }

    fn commit(&self, batch: Batch) -> Pending<'_, Result<(), StoreError>> {
        Box::pin(self.write(batch))
    }

    fn is_persistent(&self) -> Pending<'_, bool> {
        Box::pin(async {
            let Some(storage) = find(&["navigator", "storage"]) else { return false };
            let yes = |answer: Option<JsValue>| answer.is_some_and(|answer| answer.is_truthy());
            // A worker can only look; a page can ask.
            yes(ask(&storage, "persisted").await) || yes(ask(&storage, "persist").await)
        })
    }

    fn close(&self) -> Pending<'_, ()> {
        Box::pin(async { self.shut() })
    }
}

/// Why a batch was not applied.
enum Refusal {
    Fence,
    Damaged(String),
    Aborted,
    Database(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

async fn everything(database: &Database) -> Result<Stored, StoreError> {
    let read = async {
        let transaction =
            database.transaction([RECORDS, FENCE]).with_mode(TransactionMode::Readonly).build()?;
        let fence = fence(&transaction).await?;
        let store = transaction.object_store(RECORDS)?;
        let keys = store.get_all_keys::<JsValue>().primitive()?;
        let values = store.get_all::<JsValue>().primitive()?;
        let keys: Vec<JsValue> = keys.await?.collect::<Result<_, Error>>()?;
        let values: Vec<JsValue> = values.await?.collect::<Result<_, Error>>()?;
        if keys.len() != values.len() {
            return Err(Refusal::Damaged(format!("{} keys and {} values", keys.len(), values.len())));
        }
        // Both come in the order of the keys.
        let records = keys.iter().zip(&values).map(|(key, value)| (bytes(key), bytes(value))).collect();
        Ok(Stored { fence, records })
    };
    read.await.map_err(error_of)
}

async fn apply(database: &Database, batch: &Batch) -> Result<(), Refusal> {
    let options = TransactionOptions::new().with_durability(TransactionDurability::Strict);
    // Two transactions that write to the same stores never overlap, in however many tabs. Dropped, this one aborts.
    let transaction = database
        .transaction([RECORDS, FENCE])
        .with_mode(TransactionMode::Readwrite)
        .with_options(options)
        .build()?;
    if fence(&transaction).await? != batch.expect_fence {
        return Err(Refusal::Fence);
    }
    let generation = JsValue::from_str(&batch.fence.to_string());
    drop(
        transaction
            .object_store(FENCE)?
            .put(generation)
            .with_key(JsValue::from_str(GENERATION))
            .primitive()?,
    );
    let store = transaction.object_store(RECORDS)?;
    for op in &batch.ops {
        // A request that fails aborts the transaction, which tells; nobody has to wait for each one.
        match op {
            Op::Put { key, value } => drop(store.put(binary(value)).with_key(binary(key)).primitive()?),
            Op::Delete { key } => drop(store.delete(binary(key)).primitive()?),
        }
    }
    // It commits by itself when nothing is asked of it any more. Done is its `complete`, not a request's `success`.
    loop {
        match transaction.on_done()?.await {
            TransactionFinishKind::Ok => return Ok(()),
            TransactionFinishKind::Abort => {
                return Err(transaction.error().map_or(Refusal::Aborted, Refusal::Database));
            }
            // A request failed. The abort that follows knows why.
            TransactionFinishKind::Err => {}
        }
    }
}

async fn fence(transaction: &Transaction<'_>) -> Result<u64, Refusal> {
    let store = transaction.object_store(FENCE)?;
    let stored: Option<String> = store.get(JsValue::from_str(GENERATION)).primitive()?.await?;
    stored.map_or(Ok(0), |text| {
        text.parse().map_err(|_| Refusal::Damaged(format!("the stored fence is {text:?}")))
    })
}

fn error_of(refusal: Refusal) -> StoreError {
    match refusal {
        Refusal::Fence => StoreError::FenceLost,
        Refusal::Damaged(reason) => StoreError::Failed { reason },
        Refusal::Aborted => StoreError::Failed { reason: "the transaction was aborted".to_owned() },
        Refusal::Database(Error::DomException(error)) if is_full(&error) => StoreError::Full,
        Refusal::Database(error) => StoreError::Failed { reason: error.to_string() },
    }
}

fn is_full(error: &DomException) -> bool {
    matches!(error, DomException::Other(error) if error.name() == "QuotaExceededError")
}

fn binary(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}

/// A key comes back as an ArrayBuffer, a value as the Uint8Array it was.
fn bytes(value: &JsValue) -> Vec<u8> {
    Uint8Array::new(value).to_vec()
}
