//! `kite` itself against real nodes and a real chain server: everything an owner does at a terminal.

mod owner;
mod terminal;

use std::str::FromStr as _;
use std::time::{Duration, Instant};

use bitcoin::hashes::{Hash as _, sha256};
use bitcoin::{Address, Amount, Network};
use kite_devnet::peers::NewInvoice;
use kite_devnet::{World, WorldOptions};
use ldk_node::lightning::types::payment::{PaymentHash, PaymentPreimage};
use ldk_node::lightning_invoice::{Bolt11InvoiceDescription, Description};
use ldk_node::payment::PaymentStatus;
use owner::{Owner, PASSPHRASE, is_in};
use serde_json::{Value, json};

const FUNDS_SAT: u64 = 1_000_000;
const CHANNEL_SAT: u64 = 500_000;
/// Nothing listens there.
const NOWHERE: &str = "http://127.0.0.1:9";
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_does_everything_at_a_terminal() {
    let world = World::start(WorldOptions::default()).await.expect("a world");
    let owner = Owner::new(&world.esplora_url());
    let words = makes_a_wallet(&owner).await;
    confirms_the_words_at_a_terminal(owner.esplora()).await;
    opens_it_with_its_passphrase_only(&owner).await;
    gets_coins(&owner, &world).await;
    opens_a_channel(&owner, &world).await;
    pays(&owner, &world).await;
    pays_as_the_guide_says(&owner, &world).await;
    stops_while_a_payment_is_under_way(&owner, &world).await;
    learns_why_nothing_is_paid(&owner, &world).await;
    is_paid(&owner, &world).await;
    watches(&owner, &world).await;
    asks_the_doctor(&owner).await;
    pays_on_chain(&owner, &world).await;
    reads_the_history(&owner).await;
    closes(&owner, &world).await;
    brings_the_coins_back_from_words(&owner, &words).await;
    closes_alone(&owner, &world).await;
    world.stop().await;
}

async fn makes_a_wallet(owner: &Owner) -> String {
    let missing = owner.error(2, "settingMissing", "init").await;
    assert_eq!(missing["flag"], "--network");
    let esplora = owner.esplora();
    owner.error(2, "mainnetNotAccepted", &format!("init --network bitcoin --esplora {esplora}")).await;
    owner.error(2, "invalidInput", &format!("init --network mars --esplora {esplora}")).await;
    owner.error(2, "invalidInput", "init --network regtest --esplora ftp://example.org").await;
    let init = format!("init --network regtest --esplora {esplora}");
    let short = owner.kite_with(&format!("{init} --json"), &[("KITE_PASSPHRASE", "tea")], "").await;
    assert_eq!(short.error(2, "invalidInput")["field"], "passphrase");
    owner.error(5, "noWallet", &format!("info --network regtest --esplora {esplora}")).await;
    assert!(!owner.wallet().exists(), "nothing is left of what was refused");

    let made = owner.json(&init).await;
    assert_eq!(
        (made["network"].as_str(), made["nodeId"].as_str().map(str::len)),
        (Some("regtest"), Some(66))
    );
    let words = made["mnemonic"].as_str().expect("words").to_owned();
    assert_eq!(words.split(' ').count(), 12);
    owner.error(5, "alreadyExists", &init).await;
    assert!(is_in(&owner.wallet(), "kite.toml") && is_in(&owner.wallet(), "wallet.sqlite"));
    for file in owner.files() {
        let bytes = std::fs::read(owner.wallet().join(&file)).expect("read");
        for secret in [PASSPHRASE, &words] {
            let is_there = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!is_there, "a secret is in {file:?}");
        }
    }
    words
}

/// The command asks for three of the words that it showed, and again after a wrong one.
async fn confirms_the_words_at_a_terminal(esplora: &str) {
    let owner = Owner::new(esplora);
    let mut mistakes = 1;
    let answer = move |shown: &str, news: &str| {
        let (_, asked) = news.rsplit_once("Word ")?;
        let number: usize = asked.trim_end().strip_suffix(':')?.parse().ok()?;
        if mistakes > 0 {
            mistakes -= 1;
            return Some("nonsense".to_owned());
        }
        let mut texts = shown.split_whitespace().skip_while(|text| *text != number.to_string());
        texts.nth(1).map(str::to_owned)
    };
    let init = format!("init --network regtest --esplora {esplora}");
    let (shown, code) = owner.at_a_terminal(&init, answer).await;
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("That is not it") && shown.contains("Your words are confirmed"), "{shown}");
    assert_eq!(shown.matches("Word ").count(), 4, "{shown}");
    owner.json("info --offline").await;
}

async fn opens_it_with_its_passphrase_only(owner: &Owner) {
    let wrong = [("KITE_PASSPHRASE", "tea for three, please")];
    owner.kite_with("info --json", &wrong, "").await.error(3, "wrongPassphrase");
    owner.kite_with("info --json", &[], "").await.error(3, "passphraseNeeded");
    let file = owner.wallet().join("passphrase");
    std::fs::write(&file, format!("{PASSPHRASE}\n")).expect("written");
    let by_file = format!("info --json --passphrase-file {}", file.display());
    let info = owner.kite_with(&by_file, &wrong, "").await.json();
    assert_eq!((info["network"].as_str(), info["synced"].as_bool()), (Some("regtest"), Some(true)));
    std::fs::remove_file(file).expect("it is there");
    owner.error(2, "invalidInput", "info --network signet").await;

    // Without a chain server nothing is said that may be old, unless the owner asks for it.
    let nowhere = format!("balance --esplora {NOWHERE}");
    owner.error(4, "chainUnavailable", &nowhere).await;
    assert_eq!(owner.json(&format!("{nowhere} --offline")).await["totalMsat"], 0);
    let sick = owner.kite(&format!("doctor --json --esplora {NOWHERE}")).await;
    assert_eq!(sick.code, 4, "{sick:?}");
    assert_eq!(check(&sick.json(), "chain server")["status"], "fail");
    assert_eq!(check(&sick.json(), "wallet")["status"], "ok");
}

async fn gets_coins(owner: &Owner, world: &World) {
    let received = owner.json("receive").await;
    let address = address(&received["address"]);
    assert_eq!(received["uri"], format!("bitcoin:{address}"));
    let human = owner.kite("receive").await;
    assert!(human.stdout.starts_with("bcrt1") && human.stdout.trim() != address.to_string(), "{human:?}");
    world.fund(&address, Amount::from_sat(FUNDS_SAT)).await.expect("coins");
    world.mine(1).await.expect("a block");
    let balance = owner.json("balance").await;
    assert_eq!(
        (balance["onchainSat"].as_u64(), balance["totalMsat"].as_u64()),
        (Some(FUNDS_SAT), Some(FUNDS_SAT * 1_000))
    );
    let human = owner.kite("balance").await;
    assert!(human.stdout.contains("1 000 000 sat"), "{human:?}");
}

async fn opens_a_channel(owner: &Owner, world: &World) {
    let alice = node(world, "alice");
    owner.error(2, "confirmationNeeded", &format!("open {alice} {CHANNEL_SAT}")).await;
    let (id, _) = alice.split_once('@').expect("an address");
    owner.error(4, "connectionFailed", &format!("open {id}@127.0.0.1:9 {CHANNEL_SAT} --yes")).await;
    owner.error(2, "invalidInput", &format!("open alice {CHANNEL_SAT} --yes")).await;
    let poor = owner.error(1, "insufficientFunds", &format!("open {alice} 2_000_000 --yes")).await;
    let msat = |name: &str| poor[name].as_u64().expect("a number");
    assert!(msat("neededMsat") > 2_000_000_000 && msat("availableMsat") <= FUNDS_SAT * 1_000, "{poor}");
    owner.error(2, "amountOutOfRange", &format!("open {alice} 700 --yes")).await;
    let no = |_: &str, news: &str| news.contains("[y/n]").then(|| "n".to_owned());
    let (shown, code) = owner.at_a_terminal(&format!("open {alice} {CHANNEL_SAT}"), no).await;
    assert!(code == 1 && shown.contains("fee to miners") && shown.contains("nothing was done"), "{shown}");

    let channel = owner.json(&format!("open {alice} {CHANNEL_SAT} --yes")).await;
    assert_eq!(
        (channel["state"].as_str(), channel["capacitySat"].as_u64()),
        (Some("pending"), Some(CHANNEL_SAT))
    );
    let waiting = world.explorer().index().await.expect("a chain").waiting().len();
    assert_eq!(waiting, 1, "it is published when the command is over");
    world.mine(6).await.expect("blocks");
    let is_usable = |answer: &Value| answer["channels"][0]["usable"] == true;
    owner.until("the channel", "channels", is_usable).await;
    let human = owner.kite("channels").await;
    assert!(human.stdout.contains("ready") && human.stdout.contains(id), "{human:?}");
}

async fn pays(owner: &Owner, world: &World) {
    let bill = invoice(world, "carol", Some(20_000_000)).await;
    owner.error(2, "confirmationNeeded", &format!("pay {bill}")).await;
    let dear = owner.error(1, "feeTooHigh", &format!("pay {bill} --yes --max-fee 0")).await;
    assert_eq!(dear["limitMsat"], 0);
    let paid = owner.json(&format!("pay {bill} --yes --note scones")).await;
    assert_eq!((&paid["status"], &paid["amountMsat"]), (&json!("succeeded"), &json!(20_000_000)));
    assert_eq!((&paid["hops"], &paid["note"]), (&json!(3), &json!("scones")));
    assert!(paid["feeMsat"].as_u64().is_some_and(|fee| fee > 0) && paid["preimage"].is_string());
    let again = owner.error(1, "alreadyPaid", &format!("pay {bill} --yes")).await;
    assert_eq!(again["id"], paid["id"]);

    let open_amount = invoice(world, "alice", None).await;
    owner.error(2, "amountRequired", &format!("pay {open_amount} --yes")).await;
    let human = owner.kite(&format!("pay {open_amount} --yes --amount 5_000")).await;
    assert_eq!(human.code, 0, "{human:?}");
    assert!(human.stderr.contains("payee") && human.stderr.contains("fee, at most"), "{human:?}");
    assert!(human.stdout.contains("5 000 sat") && human.stdout.contains("proof of payment"), "{human:?}");
}

/// The lines of `docs/embed`.
async fn pays_as_the_guide_says(owner: &Owner, world: &World) {
    let bill = invoice(world, "carol", Some(1_000_000)).await;
    let paid = owner
        .script("../docs/embed/snippets/pay.sh", &[("INVOICE", &bill), ("ESPLORA", owner.esplora())])
        .await;
    assert_eq!(paid.code, 0, "{paid:?}");
    assert_eq!(paid.json()["status"], "succeeded");
}

async fn learns_why_nothing_is_paid(owner: &Owner, world: &World) {
    owner.error(2, "invalidInvoice", "pay lnbcrt1nonsense --yes").await;
    owner.error(2, "invalidInput", "pay tea --yes").await;
    let large = invoice(world, "carol", Some(900_000_000)).await;
    owner.error(1, "insufficientFunds", &format!("pay {large} --yes")).await;
    // A wallet without channels is a payee that nobody finds a way to.
    let hermit = Owner::new(owner.esplora());
    hermit.json(&format!("init --network regtest --esplora {}", owner.esplora())).await;
    let unreachable = hermit.json("invoice 1000").await["invoice"].as_str().expect("text").to_owned();
    owner.kite(&format!("pay {unreachable} --yes --json")).await.error(1, "noRoute");
    // A payee that is not there: the way is known, and the payment fails on it.
    let bill = invoice(world, "carol", Some(1_000_000)).await;
    world.peer("carol").expect("carol").stop().await.expect("stopped");
    let failed = owner.kite(&format!("pay {bill} --yes --timeout 5 --json")).await.error(1, "paymentFailed");
    assert_eq!(failed["payment"]["status"], "failed");
    world.peer("carol").expect("carol").restart().await.expect("started");
    // An own invoice that nobody pays.
    owner.kite("invoice 1000 --expiry 1 --wait --json").await.failed_after_a_line(1, "notPaid");
}

/// The payee holds it: Ctrl-C does not end it, and the next start hears of its outcome.
async fn stops_while_a_payment_is_under_way(owner: &Owner, world: &World) {
    const HELD_MSAT: u64 = 2_000_000;
    let carol = world.peer("carol").expect("carol");
    let preimage = [7; 32];
    let hash = PaymentHash(sha256::Hash::hash(&preimage).to_byte_array());
    let held = carol.with(move |node| {
        let description = Bolt11InvoiceDescription::Direct(Description::empty());
        Ok(node.bolt11_payment().receive_for_hash(HELD_MSAT, &description, 600, hash)?)
    });
    let bill = held.await.expect("an invoice").to_string();
    let receivable = || {
        let capacity = |node: &ldk_node::Node| {
            Ok(node.list_channels().iter().map(|channel| channel.inbound_capacity_msat).sum::<u64>())
        };
        carol.with(capacity)
    };
    let before = receivable().await.expect("a number");
    let paying = owner.start(&format!("pay {bill} --yes --json"));
    let deadline = Instant::now() + PATIENCE;
    while receivable().await.expect("a number") == before {
        assert!(Instant::now() < deadline, "it does not arrive");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    paying.interrupt();
    assert_eq!(paying.code().await, 130);
    let newest = owner.json("history --limit 1 --offline").await;
    assert_eq!(newest["payments"][0]["status"], "inFlight", "{newest}");
    owner.error(6, "inFlight", &format!("pay {bill} --yes")).await;
    let claim = carol.with(move |node| {
        Ok(node.bolt11_payment().claim_for_hash(hash, HELD_MSAT, PaymentPreimage(preimage))?)
    });
    claim.await.expect("claimed");
    let is_paid = |history: &Value| history["payments"][0]["status"] == "succeeded";
    owner.until("the outcome", "history --limit 1", is_paid).await;
}

async fn is_paid(owner: &Owner, world: &World) {
    let mut waiting = owner.start("invoice 7000 --description scone --wait --json");
    let asked = waiting.json().await;
    assert_eq!(asked["amountMsat"], 7_000_000);
    // Somebody else has the wallet meanwhile.
    owner.error(3, "alreadyOpen", "balance").await;
    assert_eq!(owner.kite("doctor --json").await.code, 3);
    let paid = pay(world, "alice", asked["invoice"].as_str().expect("text")).await;
    assert_eq!(paid, PaymentStatus::Succeeded);
    let received = waiting.json().await;
    assert_eq!((&received["status"], &received["description"]), (&json!("succeeded"), &json!("scone")));
    assert_eq!(waiting.code().await, 0);
}

async fn watches(owner: &Owner, world: &World) {
    let asked = owner.json("invoice 3000").await;
    let mut watching = owner.start("watch --json");
    // What the commands before it brought about is told first.
    watching.event("channelReady").await;
    watching.event("paymentSent").await;
    let ours = owner.error(3, "alreadyOpen", "info").await;
    assert!(ours["message"].as_str().is_some_and(|text| text.contains("open in another")));
    loop {
        // The channel may be waking up still.
        if pay(world, "alice", asked["invoice"].as_str().expect("text")).await == PaymentStatus::Succeeded {
            break;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    loop {
        let event = watching.event("paymentReceived").await;
        if event["event"]["amountMsat"] == 3_000_000 {
            break;
        }
    }
    watching.interrupt();
    assert_eq!(watching.code().await, 0);
    // What was told does not come again.
    let mut watching = owner.start("watch --json");
    loop {
        let envelope = watching.json().await;
        assert_eq!(envelope["seq"], 0, "{envelope}");
        if envelope["event"]["type"] == "peerConnected" {
            break;
        }
    }
    watching.interrupt();
    assert_eq!(watching.code().await, 0);
}

async fn asks_the_doctor(owner: &Owner) {
    let report = owner.json("doctor").await;
    assert_eq!(report["healthy"], true, "{report}");
    for name in ["settings", "chain server", "wallet", "chain", "peers", "channels", "receiving", "backup"] {
        assert_eq!(check(&report, name)["status"], "ok", "{report}");
    }
    let human = owner.kite("doctor").await;
    assert_eq!((human.code, human.stderr.as_str()), (0, ""), "{human:?}");
    assert!(human.stdout.lines().any(|line| line.starts_with("ok    chain server")), "{human:?}");
    let wrong = owner.kite_with("doctor --json", &[("KITE_PASSPHRASE", "coffee")], "").await;
    assert_eq!(wrong.code, 3, "{wrong:?}");
    assert_eq!(check(&wrong.json(), "wallet")["status"], "fail");
}

async fn pays_on_chain(owner: &Owner, world: &World) {
    let to = world.peer("bob").expect("bob").new_address().await.expect("an address");
    owner.error(1, "feeTooHigh", &format!("pay {to} --amount 50_000 --max-fee 1 --yes")).await;
    let pay = format!("pay {to} --amount 50_000 --yes --idempotency-key rent");
    let paid = owner.json(&pay).await;
    assert_eq!((&paid["kind"], &paid["status"]), (&json!("onchain"), &json!("pending")));
    let waiting = async || world.explorer().index().await.expect("a chain").waiting().len();
    assert_eq!(waiting().await, 1, "it is published when the command is over");
    world.mine(1).await.expect("a block");
    // The same name never pays twice.
    assert_eq!(owner.json(&pay).await["txid"], paid["txid"]);
    assert_eq!(waiting().await, 0);
}

async fn reads_the_history(owner: &Owner) {
    let history = owner.json("history").await;
    let payments = history["payments"].as_array().expect("a list");
    let kinds: Vec<&str> = payments.iter().filter_map(|payment| payment["kind"].as_str()).collect();
    for kind in ["lightning", "onchain", "channelOpen"] {
        assert!(kinds.contains(&kind), "{history}");
    }
    assert_eq!(owner.json("history --limit 2").await["payments"].as_array().map(Vec::len), Some(2));
    let done = owner.kite("history --csv").await;
    let mut reader = csv::Reader::from_reader(done.stdout.as_bytes());
    let names = reader.headers().expect("a header").clone();
    let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().expect("RFC 4180");
    assert_eq!(rows.len(), payments.len());
    for (row, payment) in rows.iter().zip(payments) {
        let field = |name: &str| row.get(names.iter().position(|found| found == name).expect(name));
        assert_eq!(field("id"), payment["id"].as_str());
        assert_eq!(field("amountMsat"), Some(payment["amountMsat"].to_string().as_str()));
        assert_eq!(field("note"), Some(payment["note"].as_str().unwrap_or_default()));
    }
    let human = owner.kite("history").await;
    assert!(human.stdout.contains("channel opened") && human.stdout.contains("-20 000 sat"), "{human:?}");
}

async fn closes(owner: &Owner, world: &World) {
    owner.error(1, "notFound", "close 77 --yes").await;
    let before = owner.json("balance").await;
    let channel = owner.json("channels").await["channels"][0]["id"].as_str().expect("an id").to_owned();
    owner.error(2, "confirmationNeeded", &format!("close {channel}")).await;
    let closing = owner.json(&format!("close {channel} --yes")).await;
    assert_eq!(closing["close"]["closedBy"], "both", "{closing}");
    let txid = closing["closingTxid"].as_str().expect("a transaction");
    assert!(before["onchainSat"].as_u64() < before["totalMsat"].as_u64().map(|msat| msat / 1_000));
    world.mine(1).await.expect("a block");
    let is_back = |balance: &Value| {
        balance["onchainSat"].as_u64().map(|sat| sat * 1_000) == balance["totalMsat"].as_u64()
    };
    let after = owner.until("the coins", "balance", is_back).await;
    let sat = |balance: &Value| balance["totalMsat"].as_u64().expect("a number") / 1_000;
    assert!(sat(&after) <= sat(&before) && sat(&after) + 5_000 > sat(&before), "{before} {after}");
    let done = owner.kite("history --csv").await;
    assert!(
        done.stdout.lines().any(|line| line.contains(",channelClose,incoming,") && line.contains(txid)),
        "{done:?}"
    );
}

async fn brings_the_coins_back_from_words(owner: &Owner, words: &str) {
    let other = Owner::new(owner.esplora());
    let restore = format!("restore --network regtest --esplora {} --json", owner.esplora());
    let passphrase = [("KITE_PASSPHRASE", PASSPHRASE)];
    let wrong = other.kite_with(&restore, &passphrase, "abandon abandon").await.error(2, "invalidInput");
    assert_eq!(wrong["field"], "mnemonic");
    assert!(!other.wallet().exists());
    let made = other.kite_with(&restore, &passphrase, &format!("{words}\n")).await.json();
    assert_eq!(made["mnemonic"], Value::Null);
    assert_eq!(made["nodeId"], owner.json("info --offline").await["nodeId"]);
    let (here, there) = (owner.json("balance").await, other.json("balance").await);
    assert_eq!(here["onchainSat"], there["onchainSat"]);
}

async fn closes_alone(owner: &Owner, world: &World) {
    let alice = node(world, "alice");
    let mut opening = owner.start(&format!("open {alice} 100_000 --yes --wait --json"));
    let channel = loop {
        world.mine(1).await.expect("a block");
        if let Ok(channel) = tokio::time::timeout(Duration::from_secs(1), opening.json()).await {
            break channel;
        }
    };
    assert_eq!((channel["usable"].as_bool(), opening.code().await), (Some(true), 0));
    let id = channel["id"].as_str().expect("an id");
    let closing = owner.json(&format!("close {id} --force --yes")).await;
    assert!(closing["id"] == id && closing["closingTxid"].is_string(), "{closing}");
    world.mine(1).await.expect("a block");
    let is_seen = |answer: &Value| {
        answer["channels"].as_array().is_some_and(|channels| {
            channels.iter().any(|channel| channel["id"] == id && channel["close"]["closedBy"] == "wallet")
        })
    };
    let seen = owner.until("the close", "channels", is_seen).await;
    let closed = seen["channels"].as_array().expect("a list").iter().find(|channel| channel["id"] == id);
    let back_at = closed.expect("listed")["close"]["expectedHeight"].as_u64().expect("a height");
    let height = owner.json("info").await["height"].as_u64().expect("a height");
    assert!(back_at > height, "it comes back after a delay");
    world.mine(u32::try_from(back_at - height).expect("some blocks")).await.expect("blocks");
    let claims = |balance: &Value| balance["closingSat"] == 0;
    let mut watching = owner.start("watch --json");
    watching.event("synced").await;
    while world.explorer().index().await.expect("a chain").waiting().is_empty() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    world.mine(1).await.expect("a block");
    watching.interrupt();
    assert_eq!(watching.code().await, 0);
    owner.until("the coins", "balance", claims).await;
}

fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let found =
        report["checks"].as_array().and_then(|checks| checks.iter().find(|check| check["name"] == name));
    found.unwrap_or_else(|| panic!("no check {name}: {report}"))
}

fn address(text: &Value) -> Address {
    let address = Address::from_str(text.as_str().expect("text")).expect("an address");
    address.require_network(Network::Regtest).expect("of this network")
}

fn node(world: &World, name: &str) -> String {
    let peer = world.peer(name).expect("it is there");
    format!("{}@{}", peer.node_id(), peer.address())
}

async fn invoice(world: &World, name: &str, amount_msat: Option<u64>) -> String {
    let request = NewInvoice { amount_msat, description: "tea".into(), expiry_secs: 600 };
    world.peer(name).expect("it is there").invoice(request).await.expect("an invoice").to_string()
}

async fn pay(world: &World, name: &str, invoice: &str) -> PaymentStatus {
    let peer = world.peer(name).expect("it is there");
    match peer.pay(invoice, None).await {
        Ok(id) => peer.settled(id, PATIENCE).await.expect("an outcome").status,
        Err(_) => PaymentStatus::Failed,
    }
}
