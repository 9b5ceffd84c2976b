//! A locked file beside the database.

use super::super::{Held, Lock, LockError, Pending};
use super::folder;
use fs4::fs_std::FileExt as _;
use std::fs::File;
use std::path::PathBuf;

/// A locked file in the wallet's folder. The operating system gives it back when the process ends, however it ends.
#[derive(Debug, Clone)]
pub struct FileLock {
    folder: PathBuf,
}

struct HeldFile {
    // Closing a file gives its lock back.
    _file: File,
}

impl Held for HeldFile {}

impl FileLock {
    /// The lock of the wallet in this folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    fn take(&self) -> Result<HeldFile, LockError> {
        let failed = |error: std::io::Error| LockError::Failed { reason: error.to_string() };
        folder::make(&self.folder).map_err(failed)?;
        let path = self.folder.join("lock");
        let file = File::options().write(true).create(true).truncate(false).open(path).map_err(failed)?;
        if file.try_lock_exclusive().map_err(failed)? {
            Ok(HeldFile { _file: file })
        } else {
            Err(LockError::Taken)
        }
    }
}

impl Lock for FileLock {
    fn acquire(&self) -> Pending<'_, Result<Box<dyn Held>, LockError>> {
        Box::pin(async { self.take().map(|held| Box::new(held) as Box<dyn Held>) })
    }
}
