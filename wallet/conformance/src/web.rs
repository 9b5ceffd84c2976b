//! The cases for the page of `xtask/tools/browser-tests.mjs`. Each promise fails with a text.

use crate::cases::{CASES, Case, Make, MakeStore, Verdict};
use crate::{indexeddb, room};
use bitcoin::secp256k1::{PublicKey, Secp256k1, SecretKey};
use futures::future::{Either, select};
use kite_wallet::platform::browser::{
    BrowserClock, BrowserEntropy, HttpClient, IndexedDbStore, WebLock, WebsocketDial,
};
use kite_wallet::platform::{
    Clock as _, Dial as _, Entropy as _, Held, Http as _, HttpAnswer, HttpError, HttpRequest, Lock as _,
    LockError, Store, nfkd,
};
use std::cell::RefCell;
use std::sync::Arc;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

struct Named(String);

impl MakeStore for Named {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(IndexedDbStore::new(&self.0))
    }
}

thread_local! {
    static HELD: RefCell<Option<Box<dyn Held>>> = const { RefCell::new(None) };
}

fn make(database: &str) -> Make {
    Arc::new(Named(database.to_owned()))
}

fn thrown(verdict: Verdict) -> Result<(), JsValue> {
    verdict.map_err(|reason| js_sys::Error::new(&reason).into())
}

/// Those of every store, and those of this one.
fn cases() -> impl Iterator<Item = &'static Case> {
    CASES.iter().chain(indexeddb::CASES)
}

/// The names of the cases.
#[wasm_bindgen]
pub fn names() -> Vec<String> {
    cases().map(|(name, _)| (*name).to_owned()).collect()
}

/// Runs a case on a database.
#[wasm_bindgen]
pub async fn run(name: String, database: String) -> Result<(), JsValue> {
    let Some((_, case)) = cases().find(|(known, _)| *known == name) else {
        return thrown(Err(format!("no case {name}")));
    };
    thrown(case(make(&database)).await)
}

/// With little room.
#[wasm_bindgen]
pub async fn full(database: String) -> Result<(), JsValue> {
    thrown(room::refuses_what_has_no_room(make(&database)).await)
}

/// With room again.
#[wasm_bindgen]
pub async fn again(database: String) -> Result<(), JsValue> {
    thrown(room::works_again_with_room(make(&database)).await)
}

/// Takes the lock and keeps it; whether it was there to be taken.
#[wasm_bindgen]
pub async fn lock(name: String) -> Result<bool, JsValue> {
    match WebLock::new(&name).acquire().await {
        Ok(held) => {
            HELD.with_borrow_mut(|kept| *kept = Some(held));
            Ok(true)
        }
        Err(LockError::Taken) => Ok(false),
        Err(error) => Err(js_sys::Error::new(&error.to_string()).into()),
    }
}

/// Gives the lock back.
#[wasm_bindgen]
pub fn unlock() {
    HELD.with_borrow_mut(|kept| *kept = None);
}

/// The clock goes on and wakes in time; randomness is there and differs.
#[wasm_bindgen]
pub async fn clock_and_entropy() -> Result<(), JsValue> {
    let clock = BrowserClock::new();
    let before = clock.now();
    clock.sleep_until(before.mono.plus_millis(50)).await;
    let after = clock.now();
    let slept = after.mono.0.saturating_sub(before.mono.0);
    let entropy = (BrowserEntropy.bytes(), BrowserEntropy.bytes());
    thrown(if !(50..5000).contains(&slept) {
        Err(format!("50 ms took {slept} ms"))
    } else if after.unix.0 < 1_700_000_000 {
        Err(format!("it is {} s since 1970", after.unix.0))
    } else if entropy.0.is_err() || entropy.0 == entropy.1 {
        Err(format!("randomness: {entropy:?}"))
    } else {
        Ok(())
    })
}

/// Two ways to write the same passphrase become one.
#[wasm_bindgen]
pub fn text() -> Result<(), JsValue> {
    let (composed, decomposed) = (nfkd("caf\u{e9} \u{fb01}"), nfkd("cafe\u{301} fi"));
    let same = composed == decomposed && decomposed.as_str() == "cafe\u{301} fi";
    thrown(if same { Ok(()) } else { Err(format!("{composed:?} and {decomposed:?}")) })
}

/// Asks a server that echoes `/echo`, has no `/missing`, sends `/endless` without end and never answers `/silent`.
#[wasm_bindgen]
pub async fn fetch(server: String, nobody: String) -> Result<(), JsValue> {
    thrown(ask(&server, nobody).await)
}

async fn ask(server: &str, nobody: String) -> Verdict {
    for url in ["", "esplora", "ftp://x", "http://", "http://x/?a=b", "http://x/?", "http://x/#a"] {
        if HttpClient.is_address(url) {
            return Err(format!("{url:?} is taken for a server"));
        }
    }
    if !["http://127.0.0.1:3000", "https://example.com/signet/api"]
        .iter()
        .all(|url| HttpClient.is_address(url))
    {
        return Err("a server's address is refused".to_owned());
    }
    let request = |path: &str, body: Option<&str>| {
        let (url, body) = (format!("{server}{path}"), body.map(str::to_owned));
        HttpClient.request(HttpRequest { url, body, limit: 1000 })
    };
    let echoed = Ok(HttpAnswer { status: 200, body: b"ping".to_vec() });
    if request("echo", Some("ping")).await != echoed {
        return Err("the echo differs".to_owned());
    }
    if !matches!(request("missing", None).await, Ok(HttpAnswer { status: 404, .. })) {
        return Err("what is missing is not 404".to_owned());
    }
    if request("endless", None).await != Err(HttpError::TooLarge) {
        return Err("an endless answer is not too large".to_owned());
    }
    let clock = BrowserClock::new();
    let patience = clock.sleep_until(clock.now().mono.plus_millis(200));
    if let Either::Left(_) = select(request("silent", None), patience).await {
        return Err("silence is an answer".to_owned());
    }
    match HttpClient.request(HttpRequest { url: nobody, body: None, limit: 1000 }).await {
        Err(HttpError::Unreachable { reason }) if !reason.is_empty() => Ok(()),
        other => Err(format!("nobody answers {other:?}")),
    }
}

/// Sends this many bytes to an echo through the proxy and reads them all back, then the end; an unreachable address is
/// an error with the proxy's reason.
#[wasm_bindgen]
pub async fn echo(proxy: String, address: String, nobody: String, length: u32) -> Result<(), JsValue> {
    thrown(carry(proxy, address, nobody, length).await)
}

async fn carry(proxy: String, address: String, nobody: String, length: u32) -> Verdict {
    let secret = SecretKey::from_slice(&[1; 32]).map_err(|error| error.to_string())?;
    let node_id = PublicKey::from_secret_key(&Secp256k1::new(), &secret);
    let dial = WebsocketDial::new(Some(proxy));
    let mut stream = dial.connect(node_id, address).await.map_err(|error| error.reason)?;
    let sent: Vec<u8> = (0..length).map(|place| place.to_le_bytes()[0] ^ place.to_le_bytes()[1]).collect();
    for piece in sent.chunks(1366) {
        stream.writer.write(piece.to_vec()).await.map_err(|error| error.reason)?;
    }
    let mut heard = Vec::new();
    while heard.len() < sent.len() {
        let piece = stream.reader.read().await.map_err(|error| error.reason)?;
        heard.extend(piece.ok_or("the stream ended early")?);
    }
    if heard != sent {
        return Err("the echo differs".to_owned());
    }
    stream.writer.close().await;
    if stream.reader.read().await != Ok(None) {
        return Err("no end after closing".to_owned());
    }
    match dial.connect(node_id, nobody).await {
        Err(error) if !error.reason.is_empty() => Ok(()),
        Err(_) => Err("no reason".to_owned()),
        // The websocket may open before the proxy knows; then the first read tells.
        Ok(mut stream) => match stream.reader.read().await {
            Err(error) if !error.reason.is_empty() => Ok(()),
            other => Err(format!("connected to nobody: {other:?}")),
        },
    }
}
