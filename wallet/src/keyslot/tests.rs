use super::*;
use kite_core::store::VaultError;
use std::sync::atomic::{AtomicU8, Ordering};

/// Bytes that count up: each call gives others.
struct Counting(AtomicU8);

impl Entropy for Counting {
    fn bytes(&self) -> Result<[u8; 32], EntropyError> {
        Ok([self.0.fetch_add(1, Ordering::Relaxed); 32])
    }
}

struct Empty;

impl Entropy for Empty {
    fn bytes(&self) -> Result<[u8; 32], EntropyError> {
        Err(EntropyError { reason: "empty".into() })
    }
}

fn entropy() -> Counting {
    Counting(AtomicU8::new(1))
}

const UNLOCK: Unlock<'static> = Unlock::Passphrase("correct horse");

fn slot() -> (StorageKey, Vec<u8>) {
    create(&UNLOCK, KdfCost::TEST_ONLY, &entropy()).unwrap()
}

#[test]
fn the_passphrase_opens_what_it_made() {
    let (key, slot) = slot();
    assert_eq!(slot.len(), SLOT_LEN);
    assert_eq!(open(&slot, &UNLOCK).unwrap().as_bytes(), key.as_bytes());
    assert!(!slot.windows(32).any(|window| window == key.as_bytes()));
}

#[test]
fn the_cost_of_real_wallets_works() {
    let (key, slot) = create(&UNLOCK, KdfCost::WALLET, &entropy()).unwrap();
    assert_eq!(open(&slot, &UNLOCK).unwrap().as_bytes(), key.as_bytes());
}

#[test]
fn another_passphrase_is_wrong_and_not_damage() {
    let (_, slot) = slot();
    for wrong in ["", "correct hors", "Correct horse", "correct horse "] {
        assert_eq!(open(&slot, &Unlock::Passphrase(wrong)).unwrap_err(), SlotError::WrongPassphrase);
    }
}

#[test]
fn the_same_letters_composed_otherwise_are_the_same_passphrase() {
    let (_, slot) = create(&Unlock::Passphrase("caf\u{e9}"), KdfCost::TEST_ONLY, &entropy()).unwrap();
    assert!(open(&slot, &Unlock::Passphrase("cafe\u{301}")).is_ok());
}

#[test]
fn every_altered_or_missing_byte_is_damage_and_not_a_wrong_passphrase() {
    let (_, slot) = slot();
    for i in 1..slot.len() {
        let mut altered = slot.clone();
        altered[i] ^= 1;
        assert_eq!(open(&altered, &UNLOCK).unwrap_err(), SlotError::Damaged, "byte {i}");
        assert_eq!(open(&slot[..i], &UNLOCK).unwrap_err(), SlotError::Damaged, "length {i}");
    }
    assert_eq!(open(&[], &UNLOCK).unwrap_err(), SlotError::Damaged);
    let mut newer = slot;
    newer[0] = 2;
    assert_eq!(open(&newer, &UNLOCK).unwrap_err(), SlotError::NewerVersion { version: 2 });
}

#[test]
fn a_slot_that_would_exhaust_the_device_is_refused() {
    let (_, mut slot) = slot();
    slot[2..6].copy_from_slice(&u32::MAX.to_be_bytes());
    let end = SLOT_LEN - DIGEST_LEN;
    let forged = digest(&slot[..end]);
    slot[end..].copy_from_slice(&forged);
    assert_eq!(open(&slot, &UNLOCK).unwrap_err(), SlotError::Damaged);
}

#[test]
fn a_platform_key_opens_its_slot_and_no_other() {
    let unlock = Unlock::PlatformKey(&[7; 32]);
    let (key, slot) = create(&unlock, KdfCost::TEST_ONLY, &entropy()).unwrap();
    assert_eq!(open(&slot, &unlock).unwrap().as_bytes(), key.as_bytes());
    assert_eq!(open(&slot, &Unlock::PlatformKey(&[8; 32])).unwrap_err(), SlotError::WrongPassphrase);
    assert_eq!(open(&slot, &UNLOCK).unwrap_err(), SlotError::OtherKind { expected: "a key of this device" });
}

#[test]
fn without_randomness_nothing_is_made() {
    assert!(matches!(create(&UNLOCK, KdfCost::TEST_ONLY, &Empty), Err(SlotError::Entropy(_))));
    assert!(new_words(&Empty).is_err());
}

#[test]
fn words_read_as_people_write_them() {
    let words = new_words(&entropy()).unwrap();
    assert_eq!(words.word_count(), 12);
    let shouted = format!("\n  {} ", words.to_string().to_uppercase().replace(' ', "  \t"));
    assert_eq!(check_words(&shouted), Ok(words.clone()));

    let mut list: Vec<_> = words.words().collect();
    list.pop();
    assert_eq!(check_words(&list.join(" ")), Err(MnemonicError::Count { count: 11 }));
    list.push("bitcoinn");
    assert_eq!(check_words(&list.join(" ")), Err(MnemonicError::UnknownWord { position: 12 }));
    assert_eq!(check_words(&["zoo"; 12].join(" ")), Err(MnemonicError::Checksum));
}

#[test]
fn words_give_the_seed_of_the_official_vector() {
    // BIP 39, test vectors (trezor/python-mnemonic), without a passphrase.
    let words = check_words(&format!("{} about", ["abandon"; 11].join(" "))).unwrap();
    let seed = seed_of(&words);
    assert_eq!(seed.as_bytes()[..8], [0x5e, 0xb0, 0x0b, 0xbd, 0xdc, 0xf0, 0x69, 0x08]);
}

#[test]
fn sealed_words_come_out_of_the_records_and_stay_there_for_nobody_else() {
    let (key, _) = slot();
    let words = new_words(&entropy()).unwrap();
    let sealed = seal_words(&words, &key, 1, [5; 12]);
    let mut records = vec![(vec![1; 16], vec![2]), sealed.clone()];
    assert_eq!(take_words(&mut records, &key).unwrap(), sealed);
    assert_eq!(records, [(vec![1; 16], vec![2])]);
    assert_eq!(take_words(&mut records, &key).unwrap_err(), VaultError::Damaged);
    assert_eq!(open_words(&sealed, &key, 1).unwrap(), words);
    assert!(open_words(&sealed, &key, 0).is_err());

    let (other, _) = create(&UNLOCK, KdfCost::TEST_ONLY, &Counting(AtomicU8::new(100))).unwrap();
    assert!(open_words(&sealed, &other, 1).is_err());
}

#[test]
fn nothing_secret_is_printed() {
    let (key, _) = slot();
    assert_eq!(format!("{key:?} {UNLOCK:?}"), "StorageKey(secret) Unlock(secret)");
}
