//! Writes the inputs that fuzzing begins with: the official vectors, and what real nodes say and store.

use bitcoin::consensus::encode::serialize;
use bitcoin::secp256k1::{PublicKey, Secp256k1, SecretKey};
use kite_core::gossip::Graph;
use kite_core::store::{RecordKind, Shelf, Vault};
use kite_core::transport::Connection;
use kite_sim::random::Random;
use kite_sim::schedule::{Base, Bases};
use kite_sim::world::World;
use serde_json::Value;
use std::io::Result;
use std::path::{Path, PathBuf};

const SCHEDULES: u64 = 72;

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let vectors = root.join("../core/tests/vectors");
    let out = Corpora { root: root.join("corpus") };
    let bases = Bases::new();
    let said = said(&bases);
    wire(&out, &vectors, &said)?;
    transport(&out, &vectors)?;
    for hex in bytes_of(&vectors.join("bolt04"))? {
        for which in 0..4 {
            out.write("onion", &[&[which], hex.as_slice()].concat())?;
        }
    }
    for text in
        strings_of(&vectors.join("bolt11"))?.iter().filter(|text| text.to_lowercase().starts_with("ln"))
    {
        out.write("invoice", text.as_bytes())?;
    }
    stores(&out, &bases)?;
    chain(&out, &bases)?;
    out.write("gossip", &Graph::default().to_bytes())?;
    out.write("gossip", &small_graph())?;
    node_bytes(&out, &said)?;
    for seed in 0..SCHEDULES {
        let mut random = Random::new(seed);
        let length = 40 + random.below(120);
        let bytes: Vec<u8> = (0..length).map(|_| random.next().to_le_bytes()[0]).collect();
        out.write("sim_consistency", &bytes)?;
    }
    Ok(())
}

struct Corpora {
    root: PathBuf,
}

impl Corpora {
    fn write(&self, target: &str, bytes: &[u8]) -> Result<()> {
        use bitcoin::hashes::{Hash, sha1};
        let folder = self.root.join(target);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(sha1::Hash::hash(bytes).to_string()), bytes)
    }
}

fn wire(out: &Corpora, vectors: &Path, said: &[Vec<u8>]) -> Result<()> {
    let mut messages = bytes_of(&vectors.join("bolt01"))?;
    messages.extend(bytes_of(&vectors.join("bolt07"))?);
    messages.iter().chain(said).try_for_each(|message| out.write("wire", message))
}

fn transport(out: &Corpora, vectors: &Path) -> Result<()> {
    for act in bytes_of(&vectors.join("bolt08"))? {
        for mode in [0, 1] {
            out.write("transport", &[&[mode], piece(&act).as_slice()].concat())?;
        }
    }
    // What a peer says that the target itself answers.
    let secret = |byte: u8| SecretKey::from_slice(&[byte; 32]).expect("far below the order of the curve");
    let ours = PublicKey::from_secret_key(&Secp256k1::new(), &secret(1));
    let (mut peer, act_one) = Connection::initiator(&secret(3), ours, secret(4));
    let act_two = Connection::responder(&secret(1), secret(2)).receive(&act_one).expect("act one");
    let act_three = peer.receive(&act_two).expect("act two");
    let hello = peer.encrypt(b"hello").expect("a session");
    out.write("transport", &[vec![0], piece(&act_one), piece(&act_three), piece(&hello)].concat())?;
    for mode in [2, 6] {
        out.write("transport", &[vec![mode], piece(b"hello"), piece(&[0; 300])].concat())?;
    }
    Ok(())
}

fn stores(out: &Corpora, bases: &Bases) -> Result<()> {
    let host = &bases.world(Base::TwoChannels).hosts[0];
    let (_, records) = Shelf::open(Vault::new(&[1; 32]), &host.disk.stored()).expect("a wallet's own store");
    for (name, content) in &records {
        let which = [&[u8::try_from(name.which.len()).unwrap_or(0)], name.which.as_slice()].concat();
        let record = [vec![name.kind as u8], which, piece(content)].concat();
        for mode in [2, 3] {
            out.write("stored", &[vec![mode], record.clone()].concat())?;
        }
        if let (RecordKind::Channel, Some((_, row))) = (name.kind, name.number()) {
            let length = u8::try_from(row.len()).unwrap_or(0);
            out.write("channel_rows", &[vec![length], row.to_vec(), piece(content)].concat())?;
        }
        if name.kind == RecordKind::Payment {
            let progress = records
                .iter()
                .find(|(other, _)| other.kind == RecordKind::PaymentProgress && other.which == name.which);
            if let Some((_, progress)) = progress {
                out.write("stored", &[vec![1], piece(content), progress.clone()].concat())?;
            }
        }
    }
    for (key, value) in host.disk.stored().records.into_iter().take(3) {
        out.write("stored", &[vec![0], key, value].concat())?;
    }
    Ok(())
}

fn chain(out: &Corpora, bases: &Bases) -> Result<()> {
    let mut chain = kite_sim::chain::Chain::new();
    chain.mine(2);
    let headers: Vec<u8> =
        (119..=chain.height()).flat_map(|height| serialize(chain.header(height))).collect();
    out.write("chain", &[vec![0], headers].concat())?;
    let coinbase = &chain.block(5).txdata[0];
    let proof = [vec![1, 5, 0], piece(&serialize(coinbase)), serialize(coinbase)].concat();
    out.write("chain", &proof)?;
    let funding =
        bases.world(Base::OneSided).chain.block(122).txdata.last().map(serialize).unwrap_or_default();
    out.write("chain", &[vec![1, 5, 1], vec![7; 32 * 5], piece(&[]), funding].concat())
}

/// Three nodes in a triangle, as `core/src/gossip/stored.rs` has it: with capacities and policies, and without.
fn small_graph() -> Vec<u8> {
    let node = |byte: u8| [&[2][..], &[byte; 32], &[byte % 2], &7u32.to_be_bytes()].concat();
    let channel = |block: u8, nodes: [u8; 2], flags: u8| {
        let end = |node: u8| u32::from(node).to_be_bytes();
        [&[0, 0, block, 0, 0, 1, 0, 0][..], &end(nodes[0]), &end(nodes[1]), &[flags], &9u32.to_be_bytes()]
            .concat()
    };
    let capacity = 1_000_000_000u64.to_be_bytes();
    let policy = [
        &8u32.to_be_bytes()[..],
        &1_000u32.to_be_bytes(),
        &100u32.to_be_bytes(),
        &40u16.to_be_bytes(),
        &1u64.to_be_bytes(),
        &900_000_000u64.to_be_bytes(),
    ]
    .concat();
    [
        &[1][..],
        &1_700_000_000u64.to_be_bytes(),
        &3u32.to_be_bytes(),
        &node(1),
        &node(2),
        &node(3),
        &3u32.to_be_bytes(),
        &channel(1, [0, 1], 0b10_1110),
        &capacity,
        &policy,
        &policy,
        &channel(2, [0, 2], 0b00_0100),
        &policy,
        &channel(3, [1, 2], 0b00_0001),
    ]
    .concat()
}

fn node_bytes(out: &Corpora, said: &[Vec<u8>]) -> Result<()> {
    for (index, message) in said.iter().enumerate() {
        let base = u8::try_from(index % 4).unwrap_or(0);
        // A payment under way, a few pieces of it, then the message.
        let acts = [vec![base, 10, 1, 60, 8, 3, 0], piece(message), vec![12, 13]].concat();
        out.write("node_bytes", &acts)?;
    }
    let lives: [&[u8]; 4] = [
        &[2, 10, 0, 50, 8, 2, 12, 10, 1, 90, 9, 5, 13, 11, 2, 14, 2],
        &[0, 14, 0, 8, 7, 11, 2, 11, 2, 10, 0, 90, 8, 7],
        &[3, 14, 2, 8, 1, 12, 7, 20, 3, 1, 7, 30, 40, 255],
        &[1, 15, 1, 0, 4, 1, 2, 3, 4, 13],
    ];
    lives.into_iter().try_for_each(|life| out.write("node_bytes", life))
}

/// What two nodes say while they open, pay, fail to, lose each other and close.
fn said(bases: &Bases) -> Vec<Vec<u8>> {
    let mut world = bases.world(Base::Balanced).again_as(|world| world.tapping = Some(|_, _| true));
    world.open_channel(1, 0);
    world.mine(6);
    world.pay(0, 1, 30_000_000);
    world.pay(1, 0, 200_000);
    let mut said = heard(&world);
    world.ask_to_pay(0, 1, 2_000_000);
    world.deliver(2);
    world.cut();
    world.connect();
    for channel in world.node(0).channels() {
        let channel_id = channel.channel_id;
        world.ask(0, kite_core::node::Command::CloseChannel { channel_id });
    }
    world.settle();
    said.extend(heard(&world));
    said.sort();
    said.dedup_by_key(|message| message.get(..2).map(<[u8]>::to_vec));
    said
}

fn heard(world: &World) -> Vec<Vec<u8>> {
    world.tapped(0, 1).map(|tap| tap.heard.concat()).unwrap_or_default()
}

/// Two bytes of length, and the bytes.
fn piece(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes(), &bytes[..usize::from(length)]].concat()
}

/// Every text in the JSON files of a folder.
fn strings_of(folder: &Path) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            gather(&serde_json::from_slice(&std::fs::read(path)?)?, &mut texts);
        }
    }
    Ok(texts)
}

/// Those of them that are bytes in hexadecimal digits.
fn bytes_of(folder: &Path) -> Result<Vec<Vec<u8>>> {
    let texts = strings_of(folder)?;
    Ok(texts.iter().filter(|text| text.len() > 3).filter_map(|text| unhex(text)).collect())
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let text = text.strip_prefix("0x").unwrap_or(text);
    let digits: Option<Vec<u8>> = text.chars().map(|digit| u8::try_from(digit.to_digit(16)?).ok()).collect();
    digits.map(|digits| digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

fn gather(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| gather(value, texts)),
        Value::Object(fields) => fields.values().for_each(|value| gather(value, texts)),
        _ => {}
    }
}
