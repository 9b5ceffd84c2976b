//! Where the wallet is, and on which network: flags, then the environment, then `kite.toml` in the wallet's folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use kite_wallet::api::WalletConfig;
use serde::{Deserialize, Serialize};

use crate::arguments::Given;
use crate::failure::Failure;

/// The file in the wallet's folder that remembers what the wallet was made with.
const FILE: &str = "kite.toml";

/// What `kite.toml` may hold.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Remembered {
    network: Option<String>,
    esplora_url: Option<String>,
    accept_young_mainnet: Option<bool>,
}

/// The wallet's folder: as given, or `.kite` in the owner's home.
///
/// # Errors
/// When there is no home.
pub fn folder(given: &Given) -> Result<PathBuf, Failure> {
    let at_home = || std::env::home_dir().map(|home| home.join(".kite"));
    given.wallet.clone().or_else(at_home).ok_or(Failure::SettingMissing {
        setting: "the wallet's folder",
        flag: "--wallet",
        variable: "KITE_WALLET",
    })
}

/// The configuration of the wallet, which may not be there yet.
///
/// # Errors
/// When a setting is nowhere, or `kite.toml` cannot be used.
pub fn config(given: &Given) -> Result<WalletConfig, Failure> {
    let folder = folder(given)?;
    let remembered = remembered(&folder.join(FILE))?;
    let network = given.network.clone().or(remembered.network).ok_or(Failure::SettingMissing {
        setting: "the network",
        flag: "--network",
        variable: "KITE_NETWORK",
    })?;
    let esplora_url = given.esplora.clone().or(remembered.esplora_url).ok_or(Failure::SettingMissing {
        setting: "the chain server",
        flag: "--esplora",
        variable: "KITE_ESPLORA",
    })?;
    let data = folder
        .into_os_string()
        .into_string()
        .map_err(|_| Failure::Usage { reason: "the name of the wallet's folder is not Unicode".into() })?;
    let accept_young_mainnet = given.accept_young_mainnet.then_some(true).or(remembered.accept_young_mainnet);
    Ok(WalletConfig { network, data, esplora_url, proxy_url: None, accept_young_mainnet })
}

/// Makes the folder of a new wallet, for its owner's eyes only.
///
/// # Errors
/// When it cannot be made.
pub fn make_folder(config: &WalletConfig) -> Result<(), Failure> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(&config.data).map_err(|error| cannot_use(Path::new(&config.data), &error))
}

/// Keeps what a wallet was made with beside it.
///
/// # Errors
/// When the file cannot be written.
pub fn remember(config: &WalletConfig) -> Result<(), Failure> {
    let path = Path::new(&config.data).join(FILE);
    let remembered = Remembered {
        network: Some(config.network.clone()),
        esplora_url: Some(config.esplora_url.clone()),
        accept_young_mainnet: config.accept_young_mainnet,
    };
    let text = toml::to_string(&remembered).map_err(|error| cannot_use(&path, &error))?;
    fs::write(&path, text).map_err(|error| cannot_use(&path, &error))
}

fn remembered(path: &Path) -> Result<Remembered, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => toml::from_str(&text).map_err(|error| cannot_use(path, &error.message())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Remembered::default()),
        Err(error) => Err(cannot_use(path, &error)),
    }
}

fn cannot_use(path: &Path, reason: &impl ToString) -> Failure {
    Failure::SettingsFile { path: path.display().to_string(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use super::{FILE, config, make_folder, remember};
    use crate::arguments::Given;
    use crate::failure::Failure;
    use std::fs;

    fn given(folder: &tempfile::TempDir, network: Option<&str>, esplora: Option<&str>) -> Given {
        Given {
            wallet: Some(folder.path().join("wallet")),
            network: network.map(str::to_owned),
            esplora: esplora.map(str::to_owned),
            ..Given::default()
        }
    }

    #[test]
    fn what_a_wallet_was_made_with_is_remembered_and_a_flag_counts_before_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let made = config(&given(&folder, Some("signet"), Some("http://one"))).expect("given");
        make_folder(&made).expect("a folder");
        remember(&made).expect("written");
        assert_eq!(config(&given(&folder, None, None)).expect("remembered"), made);
        let other = config(&given(&folder, None, Some("http://two"))).expect("both");
        assert_eq!((other.network.as_str(), other.esplora_url.as_str()), ("signet", "http://two"));
    }

    #[test]
    fn nothing_is_assumed() {
        let folder = tempfile::tempdir().expect("a folder");
        let missing = config(&given(&folder, None, Some("http://one")));
        assert!(matches!(missing, Err(Failure::SettingMissing { flag: "--network", .. })));
        let missing = config(&given(&folder, Some("regtest"), None));
        assert!(matches!(missing, Err(Failure::SettingMissing { flag: "--esplora", .. })));
        assert!(!folder.path().join("wallet").exists());
    }

    #[test]
    fn a_file_with_other_settings_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let given = given(&folder, Some("regtest"), Some("http://one"));
        fs::create_dir(folder.path().join("wallet")).expect("a folder");
        fs::write(folder.path().join("wallet").join(FILE), "netwrok = \"signet\"\n").expect("written");
        assert!(matches!(config(&given), Err(Failure::SettingsFile { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn the_folder_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let config = config(&given(&folder, Some("regtest"), Some("http://one"))).expect("given");
        make_folder(&config).expect("a folder");
        assert_eq!(fs::metadata(&config.data).expect("there").permissions().mode() & 0o777, 0o700);
    }
}
