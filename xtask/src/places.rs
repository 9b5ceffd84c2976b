//! Where things are: the checkout, and the cache that all clones share.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::Outcome;

/// The root of the checkout this command was started in.
pub fn root() -> PathBuf {
    // `cargo run` sets it at run time; the build-time value would name another clone when a target folder is shared.
    let manifest = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest.parent().map_or_else(|| manifest.clone(), Path::to_path_buf)
}

/// The folder for everything that is built or fetched and can be thrown away.
pub fn cache() -> PathBuf {
    if let Some(folder) = env::var_os("KITE_CACHE") {
        return PathBuf::from(folder);
    }
    env::var_os("HOME")
        .map_or_else(|| root().join(".cache/kite"), |home| PathBuf::from(home).join(".cache/kite"))
}

/// Cargo's target folder for native builds.
pub fn native_target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| cache().join("target"), PathBuf::from)
}

/// Cargo's target folder for wasm builds: apart, because another compiler may make them.
pub fn wasm_target() -> PathBuf {
    let mut beside = native_target().into_os_string();
    beside.push("-wasm");
    PathBuf::from(beside)
}

/// One member of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its folder, relative to the root.
    pub folder: String,
    /// Its package name.
    pub name: String,
}

/// What a dynamic library of this package is called here.
pub fn library_name(package: &str) -> String {
    let (before, after) = match env::consts::OS {
        "macos" => ("lib", "dylib"),
        "windows" => ("", "dll"),
        _ => ("lib", "so"),
    };
    format!("{before}{}.{after}", package.replace('-', "_"))
}

/// Removes a folder, if it is there.
///
/// # Errors
/// When it is there and stays.
pub fn remove(folder: &Path) -> Outcome {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{}: {error}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// When a file, or the newest file below a folder, was changed; unset if there is none.
pub fn modified(path: &Path) -> Option<SystemTime> {
    let of_file = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    if !path.is_dir() {
        return of_file(path);
    }
    let entries = fs::read_dir(path).ok()?;
    entries.filter_map(|entry| modified(&entry.ok()?.path())).max()
}

/// The members listed in the root's `Cargo.toml`, in its order.
///
/// # Errors
/// When a manifest cannot be read or does not have the plain form used here.
pub fn members() -> Outcome<Vec<Member>> {
    let manifest = read(&root().join("Cargo.toml"))?;
    let list = manifest
        .split_once("members = [")
        .and_then(|(_, rest)| rest.split_once(']'))
        .map(|(list, _)| list)
        .ok_or("the root's Cargo.toml lists no members")?;
    quoted(list).map(|folder| Ok(Member { name: package_name(&folder)?, folder })).collect()
}

fn package_name(folder: &str) -> Outcome<String> {
    let manifest = read(&root().join(folder).join("Cargo.toml"))?;
    manifest
        .lines()
        .find_map(|line| line.strip_prefix("name = "))
        .map(|name| name.trim().trim_matches('"').to_owned())
        .ok_or_else(|| format!("{folder}/Cargo.toml has no name"))
}

fn quoted(list: &str) -> impl Iterator<Item = String> + '_ {
    list.split('"').skip(1).step_by(2).map(str::to_owned)
}

fn read(path: &Path) -> Outcome<String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::{members, quoted};

    #[test]
    fn members_are_read_from_the_workspace() {
        let members = members().expect("the manifests of this workspace");
        assert!(members.iter().any(|member| member.folder == "core" && member.name == "kite-core"));
        assert!(members.iter().any(|member| member.name == "xtask"));
    }

    #[test]
    fn quoted_takes_every_second_part() {
        assert_eq!(quoted("\"a\", \"b/c\",\n").collect::<Vec<_>>(), ["a", "b/c"]);
    }
}
