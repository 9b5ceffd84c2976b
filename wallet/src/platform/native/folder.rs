//! The folder of a wallet.

use std::fs::DirBuilder;
use std::io;
use std::path::Path;

/// Makes the folder where it is not there, for its owner's eyes only: whoever can read the files of a wallet can try
/// passphrases on them for as long as it takes.
pub(super) fn make(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder)
}

#[cfg(all(test, unix))]
mod tests {
    use crate::platform::Lock as _;
    use crate::platform::Store as _;
    use crate::platform::native::{FileLock, SqliteStore};
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    #[tokio::test]
    async fn a_folder_that_is_made_is_for_its_owner_only() {
        let parent = std::env::temp_dir().join(format!("kite-folder-{}", std::process::id()));
        let (locked, stored) = (parent.join("locked"), parent.join("stored"));
        FileLock::new(&locked).acquire().await.expect("a lock");
        let store = SqliteStore::new(&stored);
        store.open().await.expect("a store");
        store.close().await;
        let mode = |folder| fs::metadata(folder).expect("there").permissions().mode() & 0o777;
        let modes = [mode(&locked), mode(&stored)];
        fs::remove_dir_all(&parent).expect("removed");
        assert_eq!(modes, [0o700, 0o700]);
    }
}
