//! Where Debian's packages come from.

use crate::shell::{self, command};

/// Where they are fetched from when this machine's apt names no mirror.
const MIRROR: &str = "http://deb.debian.org/debian/";

/// The mirror that this machine's apt uses for Debian.
pub fn debian() -> String {
    let targets = ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"];
    let known = shell::output(&mut command("apt-get", &targets)).unwrap_or_default();
    let debian = known.lines().find(|uri| uri.trim_end_matches('/').ends_with("/debian"));
    debian.unwrap_or(MIRROR).to_owned()
}
