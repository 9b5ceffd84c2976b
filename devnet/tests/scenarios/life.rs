//! Lives through the scenarios.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::{Duration, Instant};

use kite_devnet::World;
use kite_wallet::api::{Event, EventEnvelope, WalletError};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::calls::{App, Arguments};
use crate::form::{Outcome, Scenario, Step, What};
use crate::log::{Log, without_unset};

/// How long an answer or an event may be awaited.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the world may refuse: a payment is known to one side a round trip before the other can spend it.
const WORLD_PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(100);

pub struct Life {
    app: App,
    control_url: String,
    variables: BTreeMap<String, Value>,
    log: Log,
    /// The step that is being taken.
    at: String,
    _folder: TempDir,
}

/// Says which step it was that failed.
impl Drop for Life {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Nobody can be told of a closed terminal.
            let _ = writeln!(std::io::stderr(), "at {}", self.at);
        }
    }
}

impl Life {
    pub fn new(world: &World) -> Self {
        let folder = tempfile::Builder::new().prefix("kite-scenarios-").tempdir().expect("a folder");
        let described = world.describe();
        let peers = described["peers"].as_array().expect("peers").iter();
        let name = |peer: &Value| peer["name"].as_str().expect("a name").to_owned();
        Self {
            app: App { folder: folder.path().to_owned(), esplora_url: world.esplora_url(), wallet: None },
            control_url: world.control_url(),
            variables: peers.map(|peer| (name(peer), peer.clone())).collect(),
            log: Log::new(),
            at: String::new(),
            _folder: folder,
        }
    }

    /// Takes every step of a scenario and gives its log.
    pub async fn live(&mut self, scenario: &Scenario) -> String {
        for (at, step) in scenario.steps.iter().enumerate() {
            self.at = format!("{}, step {}: {:?}", scenario.name, at + 1, step.what);
            let given = self.take(step).await;
            if let Some(name) = &step.name {
                self.variables.insert(name.clone(), given);
            }
        }
        self.log.take()
    }

    async fn take(&mut self, step: &Step) -> Value {
        match &step.what {
            What::Call { call, with, outcome, patience } => {
                let end = Instant::now() + if *patience { PATIENCE } else { Duration::ZERO };
                loop {
                    let given = self.call(call, with, *patience).await;
                    if is_as_expected(&given, outcome, self) {
                        return self.note_call(call, given, step);
                    }
                    assert!(Instant::now() < end, "{call} gives {given:?}");
                    tokio::time::sleep(PAUSE).await;
                }
            }
            What::Hear(expected) => {
                let EventEnvelope { seq, event, .. } = self.hear().await;
                let event = without_unset(json!(event));
                let expected = self.resolved(expected);
                assert!(matches(&expected, &event), "the next event is {event}");
                self.log.write(&json!({ "hear": event, "seq": seq }), &step.varies);
                event
            }
            What::World { path, with } => {
                let given = self.ask_world(path, &self.resolved(&Value::Object(with.clone()))).await;
                self.log.write(&json!({ "world": path }), &step.varies);
                given
            }
            What::Example { name, with, expect } => {
                let with = Arguments(self.resolved(&Value::Object(with.clone())));
                let given = self.app.example(name, with).await.unwrap_or_else(|error| panic!("{error}"));
                let expected =
                    expect.as_ref().is_none_or(|expected| matches(&self.resolved(expected), &given));
                assert!(expected, "{name} gives {given}");
                self.log.write(&json!({ "example": name, "gives": given }), &step.varies);
                given
            }
        }
    }

    async fn call(&mut self, call: &str, with: &Map<String, Value>, patience: bool) -> Result<Value, Value> {
        let with = Arguments(self.resolved(&Value::Object(with.clone())));
        if patience && let Some(wallet) = &self.app.wallet {
            // Looks at the chain now, and not when it would anyway. What is wrong is told by the call itself.
            let _ = wallet.refresh().await;
        }
        self.app.call(call, with).await.map_err(|error| failure(&error))
    }

    fn note_call(&mut self, call: &str, given: Result<Value, Value>, step: &Step) -> Value {
        let line = match &given {
            Ok(Value::Null) => json!({ "do": call }),
            Ok(answer) => json!({ "do": call, "gives": answer }),
            Err(failure) => json!({ "do": call, "fails": failure }),
        };
        self.log.write(&line, &step.varies);
        given.unwrap_or_else(|failure| failure)
    }

    /// The next event but for passing news, which depend on the network. It is handled.
    async fn hear(&self) -> EventEnvelope {
        let (wallet, end) = (self.app.wallet(), Instant::now() + PATIENCE);
        loop {
            let told = match tokio::time::timeout(Duration::from_secs(1), wallet.next_event()).await {
                Ok(told) => told.expect("an event"),
                Err(_) => {
                    assert!(Instant::now() < end, "no event comes");
                    let _ = wallet.refresh().await;
                    continue;
                }
            };
            if told.seq > 0 {
                wallet.event_handled(told.seq).await.expect("handled");
            }
            if told.seq > 0 || matches!(told.event, Event::Stopped { .. }) {
                return told;
            }
        }
    }

    async fn ask_world(&self, path: &str, body: &Value) -> Value {
        let (url, end) = (format!("{}{path}", self.control_url), Instant::now() + WORLD_PATIENCE);
        loop {
            let answer =
                reqwest::Client::new().post(&url).json(body).send().await.expect("the world answers");
            if answer.status().is_success() {
                return answer.json().await.expect("JSON");
            }
            let why = answer.text().await.unwrap_or_default();
            assert!(Instant::now() < end, "{path}: {why}");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The same with each `$name` and `$name.field` replaced by what it stands for.
    fn resolved(&self, value: &Value) -> Value {
        match value {
            Value::Object(fields) => {
                fields.iter().map(|(name, value)| (name.clone(), self.resolved(value))).collect()
            }
            Value::Array(values) => values.iter().map(|value| self.resolved(value)).collect(),
            Value::String(text) if text.starts_with('$') => self.variable(&text[1..]),
            other => other.clone(),
        }
    }

    fn variable(&self, path: &str) -> Value {
        let mut parts = path.split('.');
        let name = parts.next().unwrap_or_default();
        let start = self.variables.get(name).unwrap_or_else(|| panic!("no variable is named {name}"));
        let found = parts.try_fold(start, |value, part| match part.parse::<usize>() {
            Ok(at) => value.get(at),
            Err(_) => value.get(part),
        });
        found.unwrap_or_else(|| panic!("${path} is unset")).clone()
    }
}

/// An error as TypeScript has it: its kind, its fields and its message.
fn failure(error: &WalletError) -> Value {
    let mut failure = without_unset(json!(error));
    failure["message"] = json!(error.to_string());
    failure
}

fn is_as_expected(given: &Result<Value, Value>, outcome: &Outcome, life: &Life) -> bool {
    match (given, outcome) {
        (Ok(_), Outcome::Answer(None)) => true,
        (Ok(answer), Outcome::Answer(Some(expected))) => matches(&life.resolved(expected), answer),
        (Err(failure), Outcome::Failure(expected)) => matches(&life.resolved(expected), failure),
        _ => false,
    }
}

/// Whether all that is expected was found: of an object the named fields, of a list every entry. Null is unset.
fn matches(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            expected.iter().all(|(name, expected)| matches(expected, found.get(name).unwrap_or(&Value::Null)))
        }
        (Value::Array(expected), Value::Array(found)) => {
            expected.len() == found.len()
                && expected.iter().zip(found).all(|(one, other)| matches(one, other))
        }
        (expected, found) => expected == found,
    }
}
