//! Compiling for wasm32: with rustup's ready-made standard library, or with Debian's Rust and its library source.

use std::path::PathBuf;
use std::process::Command;

use crate::Outcome;
use crate::install;
use crate::places;
use crate::shell::{self, cargo, command};

const TARGET: &str = "wasm32-unknown-unknown";
/// libsecp256k1 is C: clang compiles it, whichever Rust is used.
const C_TOOLS: &[install::Need] = &[("clang-19", "clang-19"), ("llvm-ar-19", "llvm-19")];
const DEBIAN_RUST: &[install::Need] = &[
    ("/usr/share/doc/rustc-web", "rustc-web"),
    ("/usr/share/doc/rust-web-src", "rust-web-src"),
    ("wasm-ld-19", "lld-19"),
];

/// Which Rust compiles for wasm32.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toolchain {
    /// rustup's, when it has the target or can fetch it; Debian's otherwise.
    Auto,
    /// rustup's or nothing.
    Rustup,
    /// Debian's `rustc-web`, which builds the standard library from source.
    Debian,
}

impl Toolchain {
    /// Reads the value of `--toolchain`.
    ///
    /// # Errors
    /// When it is no known name.
    pub fn parse(name: &str) -> Outcome<Self> {
        match name {
            "auto" => Ok(Self::Auto),
            "rustup" => Ok(Self::Rustup),
            "debian" => Ok(Self::Debian),
            other => Err(format!("no toolchain `{other}`; there are: auto, rustup, debian")),
        }
    }

    /// Builds a `cdylib` for the browser and returns the `.wasm` file.
    ///
    /// # Errors
    /// When a tool is missing and cannot be installed, or the build fails.
    pub fn build(self, package: &str, features: &[&str], profile: &str) -> Outcome<PathBuf> {
        install::apt(C_TOOLS)?;
        let mut build = cargo(&["build", "--locked", "--package", package, "--lib", "--target", TARGET]);
        build.args(["--profile", profile]).args(features);
        let target = if self.takes_rustup()? {
            // Two compilers in one target folder would rebuild everything at each change between them.
            places::wasm_target()
        } else {
            debian(&mut build)?;
            places::wasm_target().join("debian")
        };
        build.env("CARGO_TARGET_DIR", &target);
        shell::run(&mut build)?;
        let folder = if profile == "dev" { "debug" } else { profile };
        Ok(target.join(TARGET).join(folder).join(format!("{}.wasm", package.replace('-', "_"))))
    }

    fn takes_rustup(self) -> Outcome<bool> {
        match self {
            Self::Debian => Ok(false),
            Self::Rustup if rustup_has_target() => Ok(true),
            Self::Rustup => Err(format!("rustup cannot provide {TARGET}; try --toolchain debian")),
            Self::Auto if rustup_has_target() => Ok(true),
            Self::Auto => {
                println!("rustup has no {TARGET} here: building with Debian's rustc-web");
                Ok(false)
            }
        }
    }
}

fn rustup_has_target() -> bool {
    let there = || {
        shell::output(&mut command("rustc", &["--print", "target-libdir", "--target", TARGET]))
            .is_ok_and(|folder| std::path::Path::new(folder.trim()).is_dir())
    };
    there()
        || (install::on_path("rustup")
            && shell::run(&mut command("rustup", &["target", "add", TARGET])).is_ok()
            && there())
}

fn debian(build: &mut Command) -> Outcome {
    install::apt(DEBIAN_RUST)?;
    let files = shell::output(&mut command("dpkg", &["-L", "rustc-web"]))?;
    let rustc = files
        .lines()
        .find(|file| file.ends_with("bin/rustc"))
        .ok_or("the package rustc-web has no rustc; reinstall it")?;
    build
        .args(["-Z", "build-std=std,panic_abort"])
        .env("RUSTC", rustc)
        // build-std is a nightly feature of cargo; Debian's compiler is a stable one.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld-19")
        .env_remove("RUSTUP_TOOLCHAIN");
    Ok(())
}
