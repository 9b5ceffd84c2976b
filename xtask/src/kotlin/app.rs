//! The sample app, `android/app`: all of it compiled as Android has it, and its screens drawn and touched on this machine.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::{RUNNER, compile, java, property, test_classes};
use crate::Outcome;
use crate::install;
use crate::jars::Jars;
use crate::places;
use crate::report::Report;
use crate::shell::{self, command};

const NEEDED: &[install::Need] = &[
    ("unzip", "unzip"),
    // What Compose draws with.
    ("/usr/lib/x86_64-linux-gnu/libGL.so.1", "libgl1"),
    ("/usr/lib/x86_64-linux-gnu/libX11.so.6", "libx11-6"),
    ("/usr/lib/x86_64-linux-gnu/libfontconfig.so.1", "libfontconfig1"),
    ("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "fonts-dejavu-core"),
    ("/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf", "fonts-dejavu-core"),
];
const SOURCES: &str = "android/app/src/main/kotlin";
/// Without the part that only Android has.
const DRAWN: [&str; 2] =
    ["android/app/src/main/kotlin/kite/app/model", "android/app/src/main/kotlin/kite/app/ui"];
const TESTS: [&str; 3] = [
    "android/app/src/test/kotlin",
    "android/app/src/desktopTest/kotlin",
    "android/wallet/src/testing/kotlin",
];
const PACKAGES: [(&str, &str); 2] = [(TESTS[0], "kite.app.model"), (TESTS[1], "kite.app.ui")];

/// Compiles the app and runs its tests. `wallet`: the jars of the library; `native`: the folder of the native one;
/// `devnet`: the program of the nodes.
///
/// # Errors
/// When something cannot be had, does not compile or cannot be started.
pub fn test(report: &mut Report, jars: &Jars, wallet: &[&Path], (native, devnet): (&Path, &Path)) -> Outcome {
    install::apt(NEEDED)?;
    let folder = places::native_target().join("kotlin");
    println!("compiling the sample app (about a minute)");
    compile_for_android(jars, wallet, &folder)?;
    let [app, tests] = compile_to_draw(jars, wallet, &folder)?;

    let programs: Vec<&Path> = [&*app, &*tests].into_iter().chain(wallet.iter().copied()).collect();
    let mut test = java(&jars.class_path(&["library", "app", "desktop", "test"], &programs)?);
    test.args(["-Xmx1g", "-Djava.awt.headless=true"]).arg(property("jna.library.path", native));
    test.arg(property("kite.devnet", devnet)).arg(property("kite.pictures", &folder.join("pictures")));
    test.arg(RUNNER);
    for (tests, package) in PACKAGES {
        test.args(test_classes(tests, package)?);
    }
    report.step(&mut test, false)
}

/// Models, screens and platform, against Android's own classes and the Compose that phones have.
fn compile_for_android(jars: &Jars, wallet: &[&Path], folder: &Path) -> Outcome {
    let mut classes = folder.join("android");
    fs::create_dir_all(&classes).map_err(|error| format!("{}: {error}", classes.display()))?;
    let mut path: Vec<PathBuf> = wallet.iter().map(|jar| jar.to_path_buf()).collect();
    for library in jars.files(&["platform"]) {
        path.push(if library.extension().is_some_and(|kind| kind == "aar") {
            classes_of(&library, &classes)?
        } else {
            library
        });
    }
    let path: Vec<&Path> = path.iter().map(PathBuf::as_path).collect();
    classes.set_extension("jar");
    let class_path = jars.class_path(&["library", "app"], &path)?;
    compile(jars, &[places::root().join(SOURCES)], &classes, &class_path, &["-Werror", &plugin(jars)?])
}

/// Models and screens against the Compose of desktops, and the tests.
fn compile_to_draw(jars: &Jars, wallet: &[&Path], folder: &Path) -> Outcome<[PathBuf; 2]> {
    let [app, tests] = ["app-drawn.jar", "app-tests.jar"].map(|name| folder.join(name));
    let plugin = plugin(jars)?;
    let class_path = jars.class_path(&["library", "app", "desktop"], wallet)?;
    let sources = DRAWN.map(|sources| places::root().join(sources));
    compile(jars, &sources, &app, &class_path, &["-Werror", &plugin])?;
    let programs: Vec<&Path> = wallet.iter().copied().chain([&*app]).collect();
    let class_path = jars.class_path(&["library", "app", "desktop", "test"], &programs)?;
    // The tests of a module may see what is internal to it.
    let friend = format!("-Xfriend-paths={}", app.display());
    let sources = TESTS.map(|sources| places::root().join(sources));
    compile(jars, &sources, &tests, &class_path, &["-Werror", &plugin, &friend])?;
    Ok([app, tests])
}

/// What makes functions composable.
fn plugin(jars: &Jars) -> Outcome<String> {
    let plugin = jars.files(&["compose"]).next().ok_or("the list of jars has no plugin of Compose")?;
    Ok(format!("-Xplugin={}", plugin.display()))
}

/// The classes in a library as Android packs it.
fn classes_of(library: &Path, folder: &Path) -> Outcome<PathBuf> {
    let name = library.file_stem().ok_or("a library has a file name")?;
    let jar = folder.join(name).with_extension("classes.jar");
    let file = File::create(&jar).map_err(|error| format!("{}: {error}", jar.display()))?;
    shell::run(command("unzip", &["-p"]).arg(library).arg("classes.jar").stdout(Stdio::from(file)))?;
    Ok(jar)
}

#[cfg(test)]
mod tests {
    use super::{PACKAGES, test_classes};

    #[test]
    fn the_tests_of_the_app_are_found() {
        for (tests, package) in PACKAGES {
            assert!(!test_classes(tests, package).expect("the folder of the tests").is_empty());
        }
    }
}
