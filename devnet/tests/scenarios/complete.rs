//! Whether the scenarios speak of the API as it is, and of all of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use crate::form::{Outcome, Step, What, folder, scenarios};

/// What every step of `hear` and of `until` does.
const IN_EVERY_STEP: [&str; 3] = ["nextEvent", "eventHandled", "refresh"];

/// The parts of `docs/api.txt` that a scenario can name.
struct Api {
    /// The arguments of each call.
    calls: BTreeMap<String, Vec<String>>,
    errors: BTreeSet<String>,
    events: BTreeSet<String>,
}

/// Why a payment can fail: the codes of `PaymentFailure`, where the wallet names them.
fn codes() -> BTreeSet<String> {
    let wallet = folder().join("../wallet/src/api/payments.rs");
    let text = fs::read_to_string(wallet).expect("what names the codes");
    let (_, named) = text.split_once("fn failure_code(").expect("the function that names them");
    let (named, _) = named.split_once("\n}\n").expect("its end");
    let codes = named.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next());
    codes.map(str::to_owned).collect()
}

impl Api {
    fn read() -> Self {
        let text = fs::read_to_string(folder().join("../docs/api.txt")).expect("docs/api.txt");
        let tagged = |start: &str| {
            let names = text.lines().filter_map(|line| line.strip_prefix(start)?.split('"').next());
            names.map(str::to_owned).collect()
        };
        Self {
            calls: text.lines().filter_map(call).collect(),
            errors: tagged("WalletError = { kind: \""),
            events: tagged("Event = { type: \""),
        }
    }
}

/// `static Wallet.open(config: WalletConfig, passphrase: string): …` is `open` with `config` and `passphrase`.
fn call(line: &str) -> Option<(String, Vec<String>)> {
    let line = line.strip_prefix("static ").unwrap_or(line);
    let (name, rest) = line.strip_prefix("Wallet.").unwrap_or(line).split_once('(')?;
    let (arguments, _) = rest.split_once("): ")?;
    let names = arguments.split(", ").filter_map(|argument| Some(argument.split_once(": ")?.0.to_owned()));
    // Of another object.
    (!name.contains('.')).then(|| (name.to_owned(), names.collect()))
}

fn steps() -> Vec<(String, Step)> {
    let all = scenarios().into_iter();
    all.flat_map(|scenario| scenario.steps.into_iter().map(move |step| (scenario.name.clone(), step)))
        .collect()
}

fn text(value: &Value, field: &str) -> Option<String> {
    value.get(field)?.as_str().map(str::to_owned)
}

/// The names in the last table of `scenarios/README.md`: what no scenario can show, and why.
fn explained() -> BTreeSet<String> {
    let readme = fs::read_to_string(folder().join("README.md")).expect("README.md");
    let (_, table) = readme.rsplit_once("\n## ").expect("a last chapter");
    let names = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    names.map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn every_step_names_a_call_of_the_api_and_its_arguments() {
    let api = Api::read();
    for (scenario, step) in steps() {
        let What::Call { call, with, .. } = step.what else { continue };
        let arguments = api.calls.get(&call).unwrap_or_else(|| panic!("{scenario}: no call is named {call}"));
        for name in with.keys() {
            assert!(arguments.contains(name), "{scenario}: {call} has no argument {name}");
        }
    }
}

#[test]
fn every_call_error_event_and_code_has_a_step_or_a_reason_why_not() {
    let (api, codes) = (Api::read(), codes());
    assert!(codes.len() >= 8, "the codes were read: {codes:?}");
    assert!(api.calls.len() > 30 && api.errors.len() > 20 && api.events.len() > 10, "docs/api.txt was read");
    let mut shown: BTreeSet<String> = IN_EVERY_STEP.map(str::to_owned).into();
    for (_, step) in steps() {
        match step.what {
            What::Call { call, outcome, .. } => {
                shown.insert(call);
                if let Outcome::Failure(failure) = outcome {
                    shown.extend(text(&failure, "kind"));
                }
            }
            What::Hear(event) => {
                shown.extend(["type", "code"].iter().filter_map(|field| text(&event, field)))
            }
            What::World { .. } | What::Example { .. } => {}
        }
    }
    let all: BTreeSet<String> =
        api.calls.into_keys().chain(api.errors).chain(api.events).chain(codes).collect();
    let missing: BTreeSet<String> = all.difference(&shown).cloned().collect();
    assert_eq!(missing, explained(), "what no step shows, and what scenarios/README.md explains");
}

#[test]
fn whole_numbers_are_exact_in_every_language() {
    for (scenario, step) in steps() {
        match step.what {
            What::Call { with, outcome: Outcome::Answer(Some(value)) | Outcome::Failure(value), .. } => {
                assert_exact(&scenario, &Value::Object(with));
                assert_exact(&scenario, &value);
            }
            What::Call { with, .. } | What::World { with, .. } | What::Example { with, .. } => {
                assert_exact(&scenario, &Value::Object(with));
            }
            What::Hear(event) => assert_exact(&scenario, &event),
        }
    }
}

/// JavaScript reads numbers as 64-bit floating point.
fn assert_exact(scenario: &str, value: &Value) {
    match value {
        Value::Object(fields) => fields.values().for_each(|value| assert_exact(scenario, value)),
        Value::Array(values) => values.iter().for_each(|value| assert_exact(scenario, value)),
        Value::Number(number) => {
            let whole = number.as_u64().unwrap_or_else(|| panic!("{scenario}: {number} is no whole number"));
            assert!(whole <= 1 << 53, "{scenario}: {number} is too large for JavaScript's numbers");
        }
        _ => {}
    }
}
