//! The chain source against a server that is honest, slow, broken or lying.

mod support;

use bitcoin::hashes::{Hash, sha256};
use bitcoin::transaction::Version;
use bitcoin::{Network, OutPoint, ScriptBuf, Transaction};
use kite_core::chain::{BlockId, ChainFact, Checkpoint, HeaderChain, Urgency};
use kite_core::types::{FeeratePerKw, UnixTime};
use kite_wallet::chain::{ChainConfig, ChainError, ChainSource, ChainView, Look, Published, Publisher};
use kite_wallet::platform::Clock;
use std::sync::Arc;
use std::time::Duration;
use support::clock::{Ahead, TokioClock};
use support::device::http;
use support::esplora::{Esplora, Fault};
use support::world::{payment, spend};

const LATE: UnixTime = UnixTime(4_000_000_000);

/// What a node does with facts, as far as a source can see it.
struct Observer {
    chain: HeaderChain,
    watches: Vec<ScriptBuf>,
    outputs: Vec<(ScriptBuf, OutPoint)>,
    source: ChainSource,
    /// Why something could not be read in the last look.
    trouble: Option<ChainError>,
}

impl Observer {
    fn new(server: &Esplora, watches: &[ScriptBuf]) -> Self {
        Self::patient(server, watches, 400)
    }

    fn patient(server: &Esplora, watches: &[ScriptBuf], timeout_millis: u64) -> Self {
        let config = ChainConfig { timeout_millis, ..ChainConfig::new(&server.url, Network::Regtest) };
        Self::with(config, watches, Arc::new(TokioClock::new()))
    }

    fn with(config: ChainConfig, watches: &[ScriptBuf], clock: Arc<dyn Clock>) -> Self {
        Self {
            chain: HeaderChain::new(Network::Regtest, Checkpoint::genesis(Network::Regtest)),
            watches: watches.to_vec(),
            outputs: Vec::new(),
            trouble: None,
            source: ChainSource::new(config, http(), clock).unwrap(),
        }
    }

    fn view(&self) -> ChainView {
        let height = self.chain.height();
        let back = [0, 1, 2, 3, 4, 6, 10, 18, 34, 66, 130];
        let heights = back.into_iter().filter_map(|back| height.checked_sub(back)).chain([0]);
        let known = heights
            .map(|height| BlockId { height, hash: self.chain.header(height).unwrap().block_hash() })
            .collect();
        ChainView { known, watches: self.watches.clone(), outputs: self.outputs.clone() }
    }

    async fn look(&mut self) -> Result<Look, ChainError> {
        let view = self.view();
        self.source.look(&view).await
    }

    /// Looks until there is no more, believes headers, and gives the other facts.
    async fn catch_up(&mut self) -> Result<Vec<ChainFact>, ChainError> {
        let mut facts = Vec::new();
        loop {
            let look = self.look().await?;
            self.trouble = look.trouble;
            for fact in look.facts {
                match fact {
                    ChainFact::Headers(headers) => {
                        self.chain.accept(&headers, LATE).unwrap();
                    }
                    other => facts.push(other),
                }
            }
            if !look.more {
                assert!(!look.blind || self.trouble.is_some() && !synced(&facts));
                return Ok(facts);
            }
        }
    }
}

fn script(number: u8) -> ScriptBuf {
    ScriptBuf::from([vec![0, 20], vec![number; 20]].concat())
}

fn histories(facts: &[ChainFact]) -> Vec<(ScriptBuf, usize, usize)> {
    let mut found: Vec<_> = facts
        .iter()
        .filter_map(|fact| match fact {
            ChainFact::History(history) => {
                let proven = history.transactions.iter().filter(|seen| seen.proof.is_some()).count();
                Some((history.script_pubkey.clone(), history.transactions.len(), proven))
            }
            _ => None,
        })
        .collect();
    found.sort();
    found
}

fn synced(facts: &[ChainFact]) -> bool {
    facts.iter().any(|fact| matches!(fact, ChainFact::Synced { .. }))
}

#[tokio::test]
async fn headers_histories_proofs_and_fees_reach_the_node_and_hold() {
    let server = Esplora::start().await;
    {
        let mut world = server.world.lock().unwrap();
        world.mine_many(37);
        for sat in 1_000..1_006 {
            world.pay(&script(1), sat);
        }
        world.mine(0);
        world.pay(&script(2), 5_000);
    }
    let mut observer = Observer::new(&server, &[script(1), script(2), script(3)]);
    let facts = observer.catch_up().await.unwrap();
    assert_eq!(observer.chain.tip().hash, server.world.lock().unwrap().tip());
    assert_eq!(histories(&facts), [(script(1), 6, 6), (script(2), 1, 0), (script(3), 0, 0)]);
    assert!(synced(&facts));
    for fact in &facts {
        if let ChainFact::History(history) = fact {
            for seen in &history.transactions {
                assert_eq!(seen.tx.input[0].witness.len(), 2);
                if let Some(proof) = &seen.proof {
                    assert_eq!(proof.check(&seen.tx, &observer.chain).unwrap().height, 38);
                }
            }
        }
    }
    let rates = facts.iter().find_map(|fact| match fact {
        ChainFact::FeeRates(rates) => Some(*rates),
        _ => None,
    });
    let rates = rates.unwrap();
    let per_kw = |urgency| rates.at(urgency);
    assert_eq!(per_kw(Urgency::Background), FeeratePerKw::from_sat_per_kw(500));
    assert_eq!(per_kw(Urgency::Normal), FeeratePerKw::from_sat_per_kw(2_000));
    assert_eq!(per_kw(Urgency::Urgent), FeeratePerKw::from_sat_per_kw(5_125));
}

#[tokio::test]
async fn what_was_told_is_not_told_again_and_little_is_asked() {
    let server = Esplora::start().await;
    server.world.lock().unwrap().mine_many(3);
    let mut observer = Observer::new(&server, &[script(1), script(2)]);
    observer.catch_up().await.unwrap();
    server.take_requests();
    let facts = observer.catch_up().await.unwrap();
    assert_eq!(histories(&facts), []);
    assert!(synced(&facts));
    assert_eq!(server.take_requests().len(), 4, "two tips and two scripts");

    server.world.lock().unwrap().pay(&script(2), 700);
    assert_eq!(histories(&observer.catch_up().await.unwrap()), [(script(2), 1, 0)]);
    server.world.lock().unwrap().mine(0);
    server.take_requests();
    assert_eq!(histories(&observer.catch_up().await.unwrap()), [(script(2), 1, 1)]);
    let requests = server.take_requests();
    assert!(requests.len() <= 10, "{requests:?}");
}

#[tokio::test]
async fn a_reorganisation_is_followed_and_its_victims_are_told_again() {
    let server = Esplora::start().await;
    server.world.lock().unwrap().mine_many(30);
    let before = server.world.lock().unwrap().clone();
    server.world.lock().unwrap().pay(&script(1), 700);
    server.world.lock().unwrap().mine_many(4);
    let mut observer = Observer::new(&server, &[script(1)]);
    assert_eq!(histories(&observer.catch_up().await.unwrap()), [(script(1), 1, 1)]);

    let mut other = before;
    (0..25).for_each(|_| other.mine(9));
    *server.world.lock().unwrap() = other;
    assert_eq!(histories(&observer.catch_up().await.unwrap()), [(script(1), 0, 0)]);
    assert_eq!(observer.chain.tip().hash, server.world.lock().unwrap().tip());
}

#[tokio::test]
async fn long_histories_are_read_page_by_page() {
    let server = Esplora::start().await;
    {
        let mut world = server.world.lock().unwrap();
        (0..63).for_each(|i| {
            world.pay(&script(1), 1_000 + i);
        });
        world.mine(0);
        world.pay(&script(1), 9_999);
    }
    let mut observer = Observer::patient(&server, &[script(1)], 60_000);
    let facts = observer.catch_up().await.unwrap();
    assert_eq!(histories(&facts), [(script(1), 64, 63)]);
}

#[tokio::test]
async fn every_misbehaviour_is_a_typed_error_and_the_next_look_recovers() {
    type Expected = fn(&ChainError) -> bool;
    let faults: Vec<(&str, Fault, Expected)> = vec![
        ("/blocks", Fault::Hang, |error| matches!(error, ChainError::TimedOut { millis: 400 })),
        ("/scripthash", Fault::HangInBody, |error| matches!(error, ChainError::TimedOut { .. })),
        ("/blocks", Fault::Close, |error| matches!(error, ChainError::Unreachable { .. })),
        ("/blocks", Fault::NotHttp, |error| matches!(error, ChainError::Unreachable { .. })),
        ("/blocks", Fault::AnnounceHuge, |error| matches!(error, ChainError::TooLarge { .. })),
        ("/blocks/tip", Fault::Endless, |error| matches!(error, ChainError::TooLarge { .. })),
        ("/scripthash", Fault::Endless, |error| {
            matches!(error, ChainError::TooLarge { .. } | ChainError::TimedOut { .. })
        }),
        ("/blocks", Fault::Body(b"<html>".to_vec()), |error| matches!(error, ChainError::Garbage { .. })),
        ("/blocks", Fault::Body(vec![0xff, 0xfe]), |error| matches!(error, ChainError::Garbage { .. })),
        (
            "/blocks",
            Fault::Status(500, "oops"),
            |error| matches!(error, ChainError::Refused { status: 500, message, .. } if message == "oops"),
        ),
        ("/scripthash", Fault::Body(b"[{}]".to_vec()), |error| matches!(error, ChainError::Garbage { .. })),
        ("/scripthash", Fault::Body("[".repeat(100_000).into()), |error| {
            matches!(error, ChainError::Garbage { .. })
        }),
        ("/fee-estimates", Fault::Body(br#"{"x":"y"}"#.to_vec()), |error| {
            matches!(error, ChainError::Garbage { .. })
        }),
        ("/fee-estimates", Fault::Status(503, "busy"), |error| {
            matches!(error, ChainError::Refused { status: 503, .. })
        }),
        ("/fee-estimates", Fault::Hang, |error| matches!(error, ChainError::TimedOut { .. })),
        ("/tx/", Fault::Body(br#"{"block_height":9,"merkle":[],"pos":0}"#.to_vec()), |error| {
            matches!(error, ChainError::Changed)
        }),
    ];
    for (prefix, fault, expected) in faults {
        let server = Esplora::start().await;
        server.world.lock().unwrap().pay(&script(1), 700);
        server.world.lock().unwrap().mine(0);
        let mut observer = Observer::new(&server, &[script(1)]);
        server.fail(prefix, fault);
        let found = observer.catch_up().await;
        let error = match found.as_ref().map(|_| observer.trouble.clone()) {
            Ok(Some(ChainError::Unread { script: unread, reason })) => {
                assert_eq!(unread, script(1));
                *reason
            }
            Ok(trouble) => trouble.unwrap(),
            Err(error) => error.clone(),
        };
        assert!(expected(&error), "{prefix}: {error:?}");
        server.behave();
        let mut facts = found.unwrap_or_default();
        facts.extend(observer.catch_up().await.unwrap());
        assert_eq!(histories(&facts), [(script(1), 1, 1)], "{prefix}");
        assert_eq!(observer.trouble, None);
        assert!(
            synced(&facts) && facts.iter().any(|fact| matches!(fact, ChainFact::FeeRates(_))),
            "{prefix}"
        );
    }
}

/// What was read but not returned is told by the next look.
#[tokio::test]
async fn a_look_that_comes_to_nothing_has_told_nothing() {
    let server = Esplora::start().await;
    server.world.lock().unwrap().pay(&script(1), 700);
    let mut observer = Observer::new(&server, &[script(1)]);
    server.fail("/fee-estimates", Fault::Hang);
    let look = tokio::time::timeout(Duration::from_millis(200), observer.look());
    assert!(look.await.is_err(), "it waits for fees");
    assert!(server.take_requests().contains(&"/fee-estimates".into()));
    server.behave();
    assert_eq!(histories(&observer.catch_up().await.unwrap()), [(script(1), 1, 0)]);
}

#[tokio::test]
async fn blocks_that_come_back_after_a_reorganisation_are_told_again() {
    let server = Esplora::start().await;
    server.world.lock().unwrap().mine_many(3);
    let mut other = server.world.lock().unwrap().clone();
    server.world.lock().unwrap().pay(&script(1), 700);
    server.world.lock().unwrap().mine(0);
    let mut observer = Observer::new(&server, &[script(1)]);
    assert_eq!(histories(&observer.catch_up().await.unwrap()), [(script(1), 1, 1)]);

    (0..2).for_each(|_| other.mine(9));
    let before = std::mem::replace(&mut *server.world.lock().unwrap(), other);
    server.fail("/scripthash", Fault::Status(503, "busy"));
    assert_eq!(histories(&observer.catch_up().await.unwrap()), []);
    assert_eq!(observer.chain.tip().hash, server.world.lock().unwrap().tip(), "the node undid the payment");

    *server.world.lock().unwrap() = before;
    server.world.lock().unwrap().mine_many(2);
    server.behave();
    assert_eq!(histories(&observer.catch_up().await.unwrap()), [(script(1), 1, 1)]);
}

/// Servers write versions without a sign.
#[tokio::test]
async fn a_transaction_of_any_version_is_read() {
    let server = Esplora::start().await;
    for (sat, version) in [(700, i32::MIN), (701, -1), (702, 3)] {
        let tx = Transaction { version: Version(version), ..payment(&script(1), sat) };
        server.world.lock().unwrap().mempool.push(tx);
    }
    server.world.lock().unwrap().mine(0);
    let mut observer = Observer::new(&server, &[script(1)]);
    assert_eq!(histories(&observer.catch_up().await.unwrap()), [(script(1), 3, 3)]);
}

fn under(script: &ScriptBuf) -> String {
    format!("/scripthash/{}", sha256::Hash::hash(script.as_bytes()))
}

/// What strangers pay to a script is as large as they like, and what a server makes of it is out of our hands.
#[tokio::test]
async fn a_script_that_cannot_be_read_costs_its_own_history_and_no_output_of_a_channel() {
    let faults = [
        Fault::Status(504, "too long"),
        Fault::Body(b"[{}]".to_vec()),
        Fault::Hang,
        Fault::Close,
        Fault::AnnounceHuge,
    ];
    for fault in faults {
        let server = Esplora::start().await;
        let funding = OutPoint { txid: server.world.lock().unwrap().pay(&script(1), 700), vout: 0 };
        server.world.lock().unwrap().mine(0);
        server.world.lock().unwrap().mempool.push(spend(funding));
        server.world.lock().unwrap().pay(&script(2), 701);
        server.world.lock().unwrap().mine(0);
        let mut observer = Observer::new(&server, &[script(1), script(2)]);
        observer.outputs = vec![(script(1), funding)];
        server.fail(&under(&script(1)), fault);
        let facts = observer.catch_up().await.unwrap();
        assert_eq!(histories(&facts), [(script(1), 2, 2), (script(2), 1, 1)]);
        for fact in &facts {
            let ChainFact::History(history) = fact else { continue };
            for seen in &history.transactions {
                let proof = seen.proof.as_ref().unwrap();
                assert!(proof.check(&seen.tx, &observer.chain).is_ok());
            }
        }
        assert!(synced(&facts));
        let is_it = |trouble: &ChainError| matches!(trouble, ChainError::Unread { script: unread, .. } if *unread == script(1));
        assert!(observer.trouble.as_ref().is_some_and(is_it));

        // It is told once, and the trouble as long as it lasts.
        let facts = observer.catch_up().await.unwrap();
        assert_eq!(histories(&facts), []);
        assert!(synced(&facts) && observer.trouble.as_ref().is_some_and(is_it));
        server.behave();
        observer.catch_up().await.unwrap();
        assert_eq!(observer.trouble, None);
    }
}

/// The longest history that strangers have made is as long a minute later. What is known of a channel does not wait for it.
#[tokio::test]
async fn a_history_that_cannot_be_read_is_asked_for_ever_more_seldom() {
    let server = Esplora::start().await;
    let funding = OutPoint { txid: server.world.lock().unwrap().pay(&script(1), 700), vout: 0 };
    server.world.lock().unwrap().mine(0);
    let clock = Arc::new(Ahead::new());
    let regtest = ChainConfig::new(&server.url, Network::Regtest);
    let config = ChainConfig { scripts_millis: 60_000, ..regtest };
    let mut observer = Observer::with(config, &[script(1), script(2)], clock.clone());
    observer.outputs = vec![(script(1), funding)];
    for number in 1..3 {
        server.fail(&under(&script(number)), Fault::Status(504, "too long"));
    }
    let (due, early) = ([0, 1, 3, 7, 15, 31, 63, 123, 183], [2, 6, 14, 30, 62, 64, 122, 182]);
    let mut at_secs: Vec<u64> =
        due.iter().chain(&early).flat_map(|minute| [minute * 60, minute * 60 + 20]).collect();
    at_secs.sort_unstable();
    let mut asked = [Vec::new(), Vec::new()];
    let mut before = 0;
    for second in at_secs {
        clock.pass((second - before) * 1_000);
        before = second;
        let is_spent = second == 62 * 60;
        if is_spent {
            server.world.lock().unwrap().mempool.push(spend(funding));
            server.world.lock().unwrap().mine(0);
        }
        server.take_requests();
        let facts = observer.catch_up().await.unwrap();
        let requests = server.take_requests();
        for (number, asked) in (1..3).zip(&mut asked) {
            if requests.iter().any(|path| path.starts_with(&under(&script(number)))) {
                asked.push(second);
            }
        }
        let expected = match is_spent {
            true => vec![(script(1), 2, 2)],
            false if second == 0 => vec![(script(1), 1, 1)],
            false => vec![],
        };
        assert_eq!(histories(&facts), expected, "{second}");
        assert_eq!(synced(&facts), second % 60 == 0, "{second}");
        assert!(observer.trouble.is_some(), "{second}");
    }
    let due = due.map(|minute| minute * 60);
    assert_eq!(asked, [due, due]);
    server.behave();
    clock.pass(3_600_000);
    observer.catch_up().await.unwrap();
    assert_eq!(observer.trouble, None);
}

#[tokio::test]
async fn who_knows_nothing_of_a_channels_output_is_not_in_step_with_the_chain() {
    let server = Esplora::start().await;
    let funding = OutPoint { txid: server.world.lock().unwrap().pay(&script(1), 700), vout: 0 };
    server.world.lock().unwrap().pay(&script(2), 701);
    server.world.lock().unwrap().mine(0);
    let mut observer = Observer::new(&server, &[script(1), script(2)]);
    server.fail(&under(&script(1)), Fault::Status(504, "too long"));
    assert!(synced(&observer.catch_up().await.unwrap()), "a script of the wallet");

    observer.outputs = vec![(script(1), funding)];
    server.fail(&format!("/tx/{}/outspend", funding.txid), Fault::Hang);
    let facts = observer.catch_up().await.unwrap();
    assert!(!synced(&facts) && observer.trouble.is_some());
    server.behave();
    let facts = observer.catch_up().await.unwrap();
    assert!(synced(&facts));
    assert_eq!(histories(&facts), [(script(1), 1, 1)]);
}

/// No answer is too large, but all of them together are.
#[tokio::test]
async fn what_one_look_may_bring_is_bounded() {
    let server = Esplora::start().await;
    let scripts: Vec<ScriptBuf> = (0..6).map(script).collect();
    let mut observer = Observer::patient(&server, &scripts, 60_000);
    server.fail("/scripthash", Fault::Body(format!("[{}]", " ".repeat(12 << 20)).into()));
    assert_eq!(histories(&observer.catch_up().await.unwrap()).len(), 5);
    let Some(ChainError::Unread { reason, .. }) = observer.trouble.take() else { panic!("all were read") };
    assert!(matches!(*reason, ChainError::TooLarge { .. }));
    server.behave();
    assert_eq!(histories(&observer.catch_up().await.unwrap()).len(), 1);
}

#[tokio::test]
async fn absurd_fee_estimates_are_left_out() {
    let server = Esplora::start().await;
    for (body, known) in [("{}", false), (r#"{"6":-1.0,"2":0}"#, false), (r#"{"6":1e300}"#, true)] {
        server.fail("/fee-estimates", Fault::Body(body.into()));
        let facts = Observer::new(&server, &[]).catch_up().await.unwrap();
        assert_eq!(facts.iter().any(|fact| matches!(fact, ChainFact::FeeRates(_))), known, "{body}");
    }
}

#[tokio::test]
async fn a_server_that_falls_behind_or_is_on_another_network_is_told_apart() {
    let server = Esplora::start().await;
    server.world.lock().unwrap().mine_many(20);
    let mut observer = Observer::new(&server, &[]);
    observer.catch_up().await.unwrap();
    server.world.lock().unwrap().blocks.truncate(19);
    assert!(matches!(observer.look().await, Err(ChainError::Behind { .. })));

    let mut elsewhere = observer.view();
    elsewhere.known.iter_mut().for_each(|block| block.hash = bitcoin::hashes::Hash::hash(b"x"));
    server.world.lock().unwrap().mine_many(9);
    assert!(matches!(observer.source.look(&elsewhere).await, Err(ChainError::OtherNetwork)));
}

#[tokio::test]
async fn headers_that_the_node_refuses_are_not_given_for_ever() {
    let server = Esplora::start().await;
    server.world.lock().unwrap().mine_many(2);
    let mut observer = Observer::new(&server, &[]);
    assert!(observer.look().await.unwrap().more);
    assert!(matches!(observer.look().await, Err(ChainError::Disbelieved { .. })));
}

#[test]
fn addresses_that_are_no_web_servers_are_refused() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _guard = runtime.enter();
    for url in ["", "esplora", "ftp://x", "http://", "http://x/?a=b"] {
        let source =
            ChainSource::new(ChainConfig::new(url, Network::Regtest), http(), Arc::new(TokioClock::new()));
        assert!(matches!(source, Err(ChainError::InvalidUrl { .. })), "{url}");
    }
    for url in ["http://127.0.0.1:3000/", "https://example.com/signet/api"] {
        assert!(
            ChainSource::new(ChainConfig::new(url, Network::Regtest), http(), Arc::new(TokioClock::new()))
                .is_ok()
        );
    }
}

#[tokio::test]
async fn transactions_are_published_together_or_one_by_one_and_known_ones_are_fine() {
    let server = Esplora::start().await;
    let config = ChainConfig { timeout_millis: 400, ..ChainConfig::new(&server.url, Network::Regtest) };
    let publisher = Publisher::new(&config, http(), Arc::new(TokioClock::new())).unwrap();
    let package = [payment(&script(1), 1_000), payment(&script(1), 2_000)];
    assert_eq!(publisher.publish(&package).await, Ok(Published::Known));
    assert_eq!(server.take_requests(), ["/txs/package"]);
    assert_eq!(publisher.publish(&package[..1]).await, Ok(Published::Known), "known already");
    server.world.lock().unwrap().mine(0);
    assert_eq!(publisher.publish(&package).await, Ok(Published::Known), "confirmed already");

    *server.packages.lock().unwrap() = false;
    let package = [payment(&script(1), 3_000), payment(&script(1), 4_000)];
    assert_eq!(publisher.publish(&package).await, Ok(Published::Known));
    assert_eq!(server.published.lock().unwrap().len(), 4);

    let dust = [payment(&script(1), 100)];
    let Ok(Published::Refused { txid, reason }) = publisher.publish(&dust).await else { panic!("refused") };
    assert_eq!(txid, dust[0].compute_txid());
    assert!(reason.contains("dust"), "{reason}");

    server.fail("/tx", Fault::Hang);
    assert!(matches!(publisher.publish(&dust).await, Err(ChainError::TimedOut { .. })));
    server.behave();
    server.fail("/tx", Fault::Status(429, "slow down"));
    assert!(matches!(publisher.publish(&dust).await, Err(ChainError::Refused { status: 429, .. })));
}
