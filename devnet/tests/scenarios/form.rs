//! What a scenario may say. What is written here is all there is: an unknown field is an error.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::{env, fs};

use serde::Deserialize;
use serde_json::{Map, Value};

/// A chapter in the life of one wallet.
#[derive(Debug)]
pub struct Scenario {
    pub name: String,
    pub steps: Vec<Step>,
}

/// The file of a chapter.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Chapter {
    about: String,
    steps: Vec<Line>,
}

/// One step as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    r#do: Option<String>,
    until: Option<String>,
    hear: Option<Value>,
    world: Option<String>,
    example: Option<String>,
    with: Option<Map<String, Value>>,
    expect: Option<Value>,
    fails: Option<Map<String, Value>>,
    r#as: Option<String>,
    #[serde(default)]
    varies: Vec<String>,
}

/// One step, understood.
#[derive(Debug)]
pub struct Step {
    pub what: What,
    /// The variable that holds what the step gives.
    pub name: Option<String>,
    /// Names of fields that differ from run to run, or from platform to platform.
    pub varies: Vec<String>,
}

#[derive(Debug)]
pub enum What {
    /// A call of `docs/api.txt`; with `patience`, again and again until the answer is the expected one.
    Call { call: String, with: Map<String, Value>, outcome: Outcome, patience: bool },
    /// The next event.
    Hear(Value),
    /// A route of the devnet's control interface.
    World { path: String, with: Map<String, Value> },
    /// What `docs/embed` shows in this language.
    Example { name: String, with: Map<String, Value>, expect: Option<Value> },
}

#[derive(Debug)]
pub enum Outcome {
    Answer(Option<Value>),
    Failure(Value),
}

/// The folder of the scenarios.
pub fn folder() -> PathBuf {
    // Cargo sets it at run time; what was built in would name another clone when a target folder is shared.
    let devnet = env::var_os("CARGO_MANIFEST_DIR").expect("run by cargo");
    PathBuf::from(devnet).join("../scenarios")
}

/// All scenarios, in the order in which the wallet lives through them.
pub fn scenarios() -> Vec<Scenario> {
    let entries = fs::read_dir(folder()).expect("the folder of the scenarios");
    let files: BTreeMap<u32, PathBuf> = entries
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| (number(&path), path))
        .collect();
    files.into_values().map(read).collect()
}

fn number(path: &std::path::Path) -> u32 {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("a name");
    let (number, _) = stem.split_once('-').unwrap_or_else(|| panic!("{stem}: not NUMBER-NAME"));
    number.parse().unwrap_or_else(|_| panic!("{stem}: not NUMBER-NAME"))
}

fn read(path: PathBuf) -> Scenario {
    let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
    let text = fs::read_to_string(&path).expect("a text");
    let chapter: Chapter = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(!chapter.about.is_empty(), "{name}: says nothing about itself");
    let step = |(at, line)| understand(line).unwrap_or_else(|why| panic!("{name}, step {}: {why}", at + 1));
    Scenario { steps: chapter.steps.into_iter().enumerate().map(step).collect(), name }
}

fn understand(line: Line) -> Result<Step, &'static str> {
    let (with, waits) = (line.with.unwrap_or_default(), line.until.is_some());
    let verbs =
        [line.r#do.is_some(), waits, line.hear.is_some(), line.world.is_some(), line.example.is_some()];
    if verbs.into_iter().filter(|said| *said).count() != 1 {
        return Err("one of `do`, `until`, `hear`, `world` and `example`");
    }
    let only_calls = line.expect.is_none() && line.fails.is_none();
    let what = match (line.r#do.or(line.until), line.hear, line.world, line.example) {
        (Some(call), ..) => {
            let outcome = match (line.expect, line.fails) {
                (answer, None) => Outcome::Answer(answer),
                (None, Some(failure)) => Outcome::Failure(Value::Object(failure)),
                (Some(_), Some(_)) => return Err("`expect` and `fails`"),
            };
            if waits && matches!(outcome, Outcome::Answer(None)) {
                return Err("`until` needs `expect` or `fails`");
            }
            What::Call { call, with, outcome, patience: waits }
        }
        (_, Some(event), ..) if only_calls && with.is_empty() => What::Hear(event),
        (_, _, Some(path), _) if only_calls => What::World { path, with },
        (_, _, _, Some(name)) if line.fails.is_none() => What::Example { name, with, expect: line.expect },
        _ => return Err("a field that does not go with it"),
    };
    Ok(Step { what, name: line.r#as, varies: line.varies })
}
