//! What a store gives back: damaged, old, of somebody else. A node loads or says why not, and never panics.

use crate::Pieces;
use bitcoin::Network;
use kite_core::channel::{Channel, RowName};
use kite_core::crypto::Seed;
use kite_core::node::{Input, Node, NodeConfig, Output};
use kite_core::payment::PaymentRecord;
use kite_core::store::{Batch, FRESH_LEN, Op, RecordKind, RecordName, Shelf, Stored, Vault};
use kite_core::types::{Instant, Now, UnixTime};
use kite_sim::schedule::{Base, Bases};
use std::cell::OnceCell;

/// What the simulator seals the first host's records with.
const STORAGE_KEY: [u8; 32] = [1; 32];
const NOW: Now = Now { mono: Instant(1_000), unix: UnixTime(1_700_200_000) };

/// Where the bytes go: a record as it is sealed, records that were sealed by whoever has the key, or payments.
pub fn stored(bytes: &[u8]) {
    let mut pieces = Pieces(bytes);
    match pieces.byte() % 4 {
        0 => sealed(pieces),
        1 => {
            let (terms, progress) = (pieces.piece(), pieces.0);
            if let Ok(payment) = PaymentRecord::from_bytes(terms, progress) {
                let again =
                    PaymentRecord::from_bytes(&payment.terms_to_bytes(), &payment.progress_to_bytes());
                assert_eq!(again.as_ref(), Ok(&payment));
            }
        }
        which => with_key(pieces, which == 2),
    }
}

/// Whoever has no key.
fn sealed(mut pieces: Pieces<'_>) {
    let vault = Vault::new(&STORAGE_KEY);
    let key = pieces.take(16);
    let _ = vault.open(key, pieces.0, u64::MAX);
    let stored = Stored { fence: 1, records: vec![(key.to_vec(), pieces.0.to_vec())] };
    let _ = Shelf::open(vault, &stored);
}

/// Whoever has the key: records over those of a wallet that lives, or alone.
fn with_key(mut pieces: Pieces<'_>, is_alone: bool) {
    let mut stored = if is_alone { Stored::default() } else { of_a_wallet() };
    let vault = Vault::new(&STORAGE_KEY);
    while !pieces.is_empty() {
        let Ok(kind) = RecordKind::try_from(pieces.byte() % 14) else { continue };
        let length = usize::from(pieces.byte() % 40);
        let name = RecordName::of(kind, pieces.take(length));
        let (key, value) = vault.seal(&name, pieces.piece(), stored.fence, [3; FRESH_LEN]);
        stored.records.retain(|(other, _)| *other != key);
        stored.records.push((key, value));
    }
    let seed = Seed::new([1; 64]);
    let config = NodeConfig::new(Network::Regtest);
    let Ok(mut node) = Node::load(&seed, &STORAGE_KEY, [5; 32], config, &stored, NOW) else { return };
    // It reads back what it makes of it.
    for _ in 0..200 {
        match node.poll_output() {
            Output::Idle { .. } => break,
            Output::Persist(batch) => {
                apply(&mut stored, &batch);
                node.handle_input(NOW, Input::Persisted { seq: batch.seq });
            }
            _ => {}
        }
    }
    let _ = (node.balance(), node.channels(), node.watches());
    let again = Node::load(&seed, &STORAGE_KEY, [6; 32], NodeConfig::new(Network::Regtest), &stored, NOW);
    if let Err(error) = again {
        panic!("a node wrote what it cannot read: {error}");
    }
}

fn apply(stored: &mut Stored, batch: &Batch) {
    stored.fence = batch.fence;
    for op in &batch.ops {
        let (Op::Put { key, .. } | Op::Delete { key }) = op;
        stored.records.retain(|(other, _)| other != key);
        if let Op::Put { key, value } = op {
            stored.records.push((key.clone(), value.clone()));
        }
    }
}

fn of_a_wallet() -> Stored {
    thread_local!(static STORED: OnceCell<Stored> = const { OnceCell::new() });
    STORED.with(|stored| {
        stored.get_or_init(|| Bases::new().world(Base::TwoChannels).hosts[0].disk.stored()).clone()
    })
}

/// The rows of a channel that lives, some of them replaced.
pub fn channel_rows(bytes: &[u8]) {
    let mut rows = rows_of_a_channel();
    let mut pieces = Pieces(bytes);
    while !pieces.is_empty() {
        let length = usize::from(pieces.byte() % 12);
        let Ok(name) = RowName::from_bytes(pieces.take(length)) else { continue };
        rows.retain(|(other, _)| *other != name);
        rows.push((name, pieces.piece().to_vec()));
    }
    let Ok(channel) = Channel::from_rows(rows) else { return };
    let written = channel.to_rows();
    let again = Channel::from_rows(written.clone());
    assert_eq!(again.as_ref().map(Channel::to_rows), Ok(written), "a channel reads back as another");
}

type Rows = Vec<(RowName, Vec<u8>)>;

fn rows_of_a_channel() -> Rows {
    thread_local!(static ROWS: OnceCell<Rows> = const { OnceCell::new() });
    ROWS.with(|rows| {
        rows.get_or_init(|| {
            let vault = Vault::new(&STORAGE_KEY);
            let (_, records) = Shelf::open(vault, &of_a_wallet()).expect("a wallet's own store");
            let of_the_first = |(name, content): (RecordName, Vec<u8>)| {
                let (index, row) = name.number()?;
                let is_meant = name.kind == RecordKind::Channel && index == 0;
                Some((RowName::from_bytes(row).ok().filter(|_| is_meant)?, content))
            };
            records.into_iter().filter_map(of_the_first).collect()
        })
        .clone()
    })
}
