//! The Kotlin library on the JVM: the code of an Android app against the library as phones have it, built for this machine.

mod app;
pub mod pages;
#[cfg(test)]
mod permissions;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Outcome;
use crate::bindings;
use crate::install;
use crate::jars::Jars;
use crate::places;
use crate::report::Report;
use crate::shared;
use crate::shell::{self, command};

const JAVA: &[install::Need] = &[("java", "default-jre-headless")];
const PACKAGE: &str = "kite.wallet";
const SOURCES: &str = "android/wallet/src/main/kotlin";
const TESTS: &str = "android/wallet/src/test/kotlin";
/// What its tests and those of the sample app use.
const TESTING: &str = "android/wallet/src/testing/kotlin";
/// What the integrator's guide shows.
const SNIPPET: &str = "docs/embed/snippets/Pay.kt";
const RULES: &[&str] = &["android/wallet/consumer-rules.pro", "android/wallet/src/test/app.pro"];
const RUNNER: &str = "org.junit.runner.JUnitCore";
/// The classes of the tests that need a devnet.
const WITH_NODES: [&str; 2] = [".PaymentTest", ".ScenarioTest"];

/// Generates, compiles and runs every test of the library and of the sample app; then those of the library that need no network
/// in an app made smaller.
///
/// # Errors
/// When something cannot be had, does not compile or cannot be started.
pub fn stage(report: &mut Report) -> Outcome {
    install::apt(JAVA)?;
    let jars = Jars::ready()?;
    let library = bindings::shipped_library()?;
    let library = library.parent().ok_or("a library is in a folder")?;
    let devnet = shared::devnet()?;
    let compiled = compile_all(&jars)?;

    let programs: Vec<&Path> = compiled.iter().map(PathBuf::as_path).collect();
    let mut test = java(&jars.class_path(&["library", "test"], &programs)?);
    test.arg(property("jna.library.path", library)).arg(property("kite.devnet", &devnet));
    test.arg(property("kite.scenarios", &places::root().join("scenarios")));
    report.step(test.arg(RUNNER).args(test_classes(TESTS, PACKAGE)?), false)?;

    let [bindings, main, _] = &compiled;
    app::test(report, &jars, &[bindings, main], (library, &devnet))?;

    let app = shrink(&jars, &compiled)?;
    let mut test = java(&jars.class_path(&["test"], &[&app])?);
    let classes = test_classes(TESTS, PACKAGE)?.into_iter();
    let alone = classes.filter(|class| !WITH_NODES.iter().any(|test| class.ends_with(test)));
    test.arg(property("jna.library.path", library));
    test.arg(property("kite.scenarios", &places::root().join("scenarios")));
    report.step(test.arg(RUNNER).args(alone), false)
}

/// What was generated, what was written, and the tests, each in a jar.
fn compile_all(jars: &Jars) -> Outcome<[PathBuf; 3]> {
    let folder = places::native_target().join("kotlin");
    places::remove(&folder)?;
    let generated = folder.join("generated");
    let (library, program) = shared::library()?;
    bindings::generate(&program, &library, "kotlin", &generated)?;

    let [bindings, main, tests] = ["bindings.jar", "main.jar", "tests.jar"].map(|name| folder.join(name));
    let root = places::root();
    println!("compiling the Kotlin (about a minute)");
    compile(jars, &[generated], &bindings, &jars.class_path(&["library"], &[])?, &[])?;
    let class_path = jars.class_path(&["library", "android"], &[&bindings])?;
    compile(jars, &[root.join(SOURCES)], &main, &class_path, &["-Werror", "-Xexplicit-api=strict"])?;
    let class_path = jars.class_path(&["library", "test"], &[&bindings, &main])?;
    compile(
        jars,
        &[root.join(TESTS), root.join(TESTING), root.join(SNIPPET)],
        &tests,
        &class_path,
        &["-Werror"],
    )?;
    Ok([bindings, main, tests])
}

/// Kotlin's compiler, on files and folders of sources; `-no-stdlib` because the standard library is in the class path.
fn compile(jars: &Jars, sources: &[PathBuf], jar: &Path, class_path: &OsStr, options: &[&str]) -> Outcome {
    let mut compiler = java(&jars.class_path(&["compiler", "library"], &[])?);
    // It runs for a minute on two cores: too short to be worth compiling itself again and again.
    compiler.args(["-Xmx1g", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]);
    compiler.arg("org.jetbrains.kotlin.cli.jvm.K2JVMCompiler");
    compiler.args(["-no-stdlib", "-no-reflect", "-jvm-target", "17"]).args(options);
    let module = jar.file_stem().unwrap_or_default();
    compiler.arg("-module-name").arg(module).arg("-cp").arg(class_path).arg("-d").arg(jar).args(sources);
    shell::run(&mut compiler)
}

/// The tests as an app that Android's shrinker went over: it renames and removes all that the library's rules do not keep.
fn shrink(jars: &Jars, programs: &[PathBuf]) -> Outcome<PathBuf> {
    println!("making an app smaller (about half a minute)");
    let app = places::native_target().join("kotlin/app.jar");
    let mut shrinker = java(&jars.class_path(&["shrinker"], &[])?);
    shrinker
        .args(["-Xmx1g", "com.android.tools.r8.R8", "--classfile", "--release", "--lib"])
        .arg(java_home()?);
    for jar in jars.files(&["test"]) {
        shrinker.arg("--lib").arg(jar);
    }
    for rules in RULES {
        shrinker.arg("--pg-conf").arg(places::root().join(rules));
    }
    shrinker.arg("--output").arg(&app).args(programs).args(jars.files(&["library"]));
    shell::run(&mut shrinker)?;
    Ok(app)
}

/// Where the classes of Java itself are.
fn java_home() -> Outcome<String> {
    // It speaks on the error stream.
    let told = shell::output(&mut command("sh", &["-c", "java -XshowSettings:properties -version 2>&1"]))?;
    let home = told.lines().find_map(|line| line.trim().strip_prefix("java.home = "));
    home.map(str::to_owned).ok_or_else(|| "java does not say where it is".to_owned())
}

/// Java with a class path, which is too long for its command line as it is printed.
fn java(class_path: &OsStr) -> Command {
    let mut java = command::<&str>("java", &[]);
    java.env("CLASSPATH", class_path);
    java
}

fn property(name: &str, path: &Path) -> std::ffi::OsString {
    let mut property = std::ffi::OsString::from(format!("-D{name}="));
    property.push(path);
    property
}

/// The classes of the files named `…Test.kt`: a new one is in from its first commit.
fn test_classes(tests: &str, package: &str) -> Outcome<Vec<String>> {
    let folder = places::root().join(tests).join(package.replace('.', "/"));
    let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut classes: Vec<String> = names
        .filter_map(|name| name.strip_suffix(".kt").filter(|stem| stem.ends_with("Test")).map(str::to_owned))
        .map(|class| format!("{package}.{class}"))
        .collect();
    classes.sort();
    Ok(classes)
}

#[cfg(test)]
mod tests {
    use super::{PACKAGE, TESTS, test_classes};

    #[test]
    fn the_files_of_tests_are_found() {
        let classes = test_classes(TESTS, PACKAGE).expect("the folder of the tests");
        assert!(classes.contains(&"kite.wallet.PaymentTest".to_owned()));
        assert!(!classes.iter().any(|class| class.contains("World")));
    }
}
