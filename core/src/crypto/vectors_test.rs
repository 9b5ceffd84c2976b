//! The official vectors of BOLT 3, Appendices D and E.

use super::{SecretStore, ShaChainError, derive, ec, per_commitment_secret, sha_chain::FIRST_INDEX};
use bitcoin::secp256k1::{PublicKey, SecretKey};
use serde::Deserialize;

fn bytes(text: &str) -> [u8; 32] {
    hex::decode(text).unwrap().try_into().unwrap()
}

fn key(text: &str) -> SecretKey {
    SecretKey::from_slice(&bytes(text)).unwrap()
}

#[derive(Deserialize)]
struct File<T> {
    source: String,
    cases: Vec<T>,
}

#[derive(Deserialize)]
struct Generation {
    name: String,
    seed: String,
    index: u64,
    output: String,
}

#[derive(Deserialize)]
struct Storage {
    name: String,
    inserts: Vec<Insert>,
}

#[derive(Deserialize)]
struct Insert {
    index: u64,
    secret: String,
    ok: bool,
}

#[test]
fn appendix_d_generation() {
    let file: File<Generation> =
        serde_json::from_str(include_str!("../../tests/vectors/bolt03/secret_generation.json")).unwrap();
    assert!(file.source.contains("a377265"));
    assert_eq!(file.cases.len(), 5);
    for case in file.cases {
        let secret = per_commitment_secret(&bytes(&case.seed), case.index);
        assert_eq!(hex::encode(secret), case.output, "{}", case.name);
    }
}

#[test]
fn appendix_d_storage() {
    let file: File<Storage> =
        serde_json::from_str(include_str!("../../tests/vectors/bolt03/secret_storage.json")).unwrap();
    assert_eq!(file.cases.len(), 9);
    let mut refused = 0;
    for case in file.cases {
        let mut store = SecretStore::new();
        for insert in case.inserts {
            let before = store.clone();
            match store.insert(insert.index, bytes(&insert.secret)) {
                Ok(_) => {
                    assert!(insert.ok, "{}: {} should be refused", case.name, insert.index);
                    assert_eq!(store.get(insert.index), Some(bytes(&insert.secret)));
                }
                Err(error) => {
                    assert!(!insert.ok, "{}: {error}", case.name);
                    assert!(matches!(error, ShaChainError::DoesNotDerive { .. }), "{error}");
                    assert!(store == before, "{}: changed by a refused secret", case.name);
                    refused += 1;
                }
            }
        }
    }
    assert_eq!(refused, 8);
}

#[test]
fn appendix_e_key_derivation() {
    #[derive(Deserialize)]
    struct Derivation {
        base_secret: String,
        per_commitment_secret: String,
        base_point: PublicKey,
        per_commitment_point: PublicKey,
        localpubkey: PublicKey,
        localprivkey: String,
        revocationpubkey: PublicKey,
        revocationprivkey: String,
    }
    let case: Derivation =
        serde_json::from_str(include_str!("../../tests/vectors/bolt03/key_derivation.json")).unwrap();
    let (base, point) = (&case.base_point, &case.per_commitment_point);
    let (base_secret, secret) = (key(&case.base_secret), key(&case.per_commitment_secret));
    assert_eq!(ec::public_key(&base_secret), *base);
    assert_eq!(ec::public_key(&secret), *point);
    assert_eq!(derive::derive_public_key(base, point), Ok(case.localpubkey));
    assert_eq!(derive::derive_private_key(&base_secret, base, point), Ok(key(&case.localprivkey)));
    assert_eq!(derive::derive_revocation_public_key(base, point), Ok(case.revocationpubkey));
    assert_eq!(
        derive::derive_revocation_private_key(&base_secret, &secret),
        Ok(key(&case.revocationprivkey))
    );
}

#[test]
fn a_store_holds_every_secret_and_survives_storage() {
    let seed = [0x5a; 32];
    let mut store = SecretStore::new();
    for index in (FIRST_INDEX - 300..=FIRST_INDEX).rev() {
        assert_eq!(store.next_index(), Some(index));
        assert_eq!(store.get(index), None);
        store.insert(index, per_commitment_secret(&seed, index)).unwrap();
        let restored =
            SecretStore::from_slots(store.slots().map(|(index, secret)| (index, *secret))).unwrap();
        assert!(restored == store);
        for known in index..=FIRST_INDEX {
            assert_eq!(store.get(known), Some(per_commitment_secret(&seed, known)));
        }
    }
    assert_eq!(store.slots().len(), 9);
    assert_eq!(store.get(FIRST_INDEX + 1), None);
    assert_eq!(store.get(u64::MAX), None);
}

#[test]
fn the_last_secret_of_all_is_taken_and_none_after_it() {
    let seed = [3; 32];
    // What 2^48 - 1 insertions leave: slot b holds 2^b. Then index 0, the seed itself.
    let slots = (0..48).map(|bits| (1u64 << bits, per_commitment_secret(&seed, 1 << bits)));
    let mut store = SecretStore::from_slots(slots).unwrap();
    assert_eq!(store.insert(0, [4; 32]), Err(ShaChainError::DoesNotDerive { index: 0, earlier: 1 }));
    assert_eq!(store.insert(0, seed), Ok(48));
    assert_eq!(store.next_index(), None);
    assert_eq!(store.insert(0, seed), Err(ShaChainError::UnexpectedIndex { got: 0, expected: None }));
    assert_eq!(store.get(0xaaaa_aaaa_aaaa), Some(per_commitment_secret(&seed, 0xaaaa_aaaa_aaaa)));
    assert!(SecretStore::from_slots(store.slots().map(|(i, s)| (i, *s))).unwrap() == store);
}

#[test]
fn secrets_out_of_turn_are_refused() {
    let mut store = SecretStore::new();
    let secret = |index| per_commitment_secret(&[1; 32], index);
    for got in [0, FIRST_INDEX - 1, FIRST_INDEX + 1, u64::MAX] {
        let error = ShaChainError::UnexpectedIndex { got, expected: Some(FIRST_INDEX) };
        assert_eq!(store.insert(got, secret(got)), Err(error));
    }
    store.insert(FIRST_INDEX, secret(FIRST_INDEX)).unwrap();
    let error = ShaChainError::UnexpectedIndex { got: FIRST_INDEX, expected: Some(FIRST_INDEX - 1) };
    assert_eq!(store.insert(FIRST_INDEX, secret(FIRST_INDEX)), Err(error));
}

#[test]
fn impossible_slots_are_refused() {
    let load = |indexes: &[u64]| SecretStore::from_slots(indexes.iter().map(|index| (*index, [1; 32])));
    assert!(load(&[]).is_ok());
    assert!(load(&[FIRST_INDEX]).is_ok());
    assert!(load(&[FIRST_INDEX, FIRST_INDEX - 1]).is_ok());
    assert!(load(&[FIRST_INDEX - 2, FIRST_INDEX - 1]).is_ok());
    for (indexes, slot) in [
        (&[FIRST_INDEX - 1][..], 0),
        (&[FIRST_INDEX - 2][..], 1),
        (&[FIRST_INDEX, FIRST_INDEX - 3][..], 0),
        (&[FIRST_INDEX, FIRST_INDEX][..], 1),
        (&[u64::MAX][..], 0),
        (&[0][..], 0),
    ] {
        let error = load(indexes).unwrap_err();
        assert!(matches!(error, ShaChainError::BadSlots { slot: s, .. } if s == slot), "{indexes:?} {error}");
    }
    assert_eq!(load(&[5; 60]), Err(ShaChainError::TooManySlots { count: 50 }));
}

#[test]
fn a_store_does_not_print_its_secrets() {
    let mut store = SecretStore::new();
    store.insert(FIRST_INDEX, [0xab; 32]).unwrap();
    let shown = format!("{store:?}");
    assert!(!shown.contains("171") && !shown.contains("abab"), "{shown}");
}
