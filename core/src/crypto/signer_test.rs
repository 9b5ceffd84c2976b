//! Each rule of the signer refuses what it should, and every key signs for what it should.

use super::{
    ChannelKeys, ChannelSigner, ClaimInput, ClaimKey, HtlcToSign, RemoteSigned, RevocationState, SignerError,
    derive, ec, per_commitment_secret, sha_chain::FIRST_INDEX,
};
use crate::types::CommitmentNumber;
use bitcoin::{
    Amount, EcdsaSighashType, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness,
    absolute::LockTime,
    hashes::Hash,
    secp256k1::{PublicKey, SecretKey, ecdsa::Signature},
    sighash::SighashCache,
    transaction::Version,
};

const AMOUNT: Amount = Amount::from_sat(100_000);

fn key(byte: u8) -> SecretKey {
    SecretKey::from_slice(&[byte; 32]).unwrap()
}

fn keys() -> ChannelKeys {
    ChannelKeys {
        funding: key(1),
        revocation_base: key(2),
        payment: key(3),
        delayed_payment_base: key(4),
        htlc_base: key(5),
        commitment_seed: [6; 32],
    }
}

fn signer() -> ChannelSigner {
    ChannelSigner::new(keys())
}

fn script() -> ScriptBuf {
    ScriptBuf::from_bytes(vec![0x51])
}

fn tx(value: u64, inputs: usize) -> Transaction {
    let input = TxIn {
        previous_output: OutPoint::default(),
        script_sig: ScriptBuf::new(),
        sequence: Sequence::MAX,
        witness: Witness::new(),
    };
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![input; inputs],
        output: vec![TxOut { value: Amount::from_sat(value), script_pubkey: script() }; inputs],
    }
}

fn number(number: u64) -> CommitmentNumber {
    CommitmentNumber(number)
}

fn state(newest: u64, may_broadcast: bool) -> RevocationState {
    RevocationState { newest_validated: number(newest), may_broadcast }
}

fn verifies(signature: &Signature, tx: &Transaction, input: usize, flag: EcdsaSighashType, by: &PublicKey) {
    let digest = SighashCache::new(tx).p2wsh_signature_hash(input, &script(), AMOUNT, flag).unwrap();
    ec::verify_ecdsa(&digest.to_byte_array(), signature, by).unwrap();
}

#[test]
fn a_secret_is_released_only_for_a_commitment_before_the_newest_validated() {
    let signer = signer();
    for newest in 0..5 {
        for n in 0..8 {
            let released = signer.release_secret(number(n), &state(newest, false));
            if n < newest {
                assert_eq!(released, Ok(per_commitment_secret(&[6; 32], FIRST_INDEX - n)));
            } else {
                let refused = SignerError::NotRevoked { number: number(n), newest_validated: number(newest) };
                assert_eq!(released, Err(refused));
            }
        }
    }
}

#[test]
fn no_secret_is_released_once_a_commitment_may_be_published() {
    let signer = signer();
    for newest in 0..5 {
        for n in 0..8 {
            let refused = match signer.release_secret(number(n), &state(newest, true)) {
                Err(SignerError::MayBeBroadcast { number }) => number.0 == n && n < newest,
                Err(SignerError::NotRevoked { number, .. }) => number.0 == n && n >= newest,
                _ => false,
            };
            assert!(refused, "{n} of {newest}");
        }
    }
}

#[test]
fn a_released_secret_is_that_of_the_point() {
    let signer = signer();
    for n in [0, 1, 2, 1000] {
        let secret = signer.release_secret(number(n), &state(n + 1, false)).unwrap();
        let point = signer.per_commitment_point(number(n)).unwrap();
        assert_eq!(ec::public_key(&SecretKey::from_slice(&secret).unwrap()), point);
    }
}

#[test]
fn numbers_beyond_the_last_secret_are_errors() {
    let signer = signer();
    assert!(signer.per_commitment_point(number(FIRST_INDEX)).is_ok());
    for n in [FIRST_INDEX + 1, u64::MAX] {
        let out_of_range = SignerError::NumberOutOfRange { number: number(n) };
        assert_eq!(signer.per_commitment_point(number(n)), Err(out_of_range));
        let last = RemoteSigned { number: number(n - 1), txid: tx(1, 1).compute_txid() };
        let signed = signer.sign_remote_commitment(number(n), &tx(1, 1), AMOUNT, &script(), Some(&last));
        assert_eq!(signed.unwrap_err(), out_of_range);
    }
    let state = state(u64::MAX, false);
    let refused = signer.release_secret(number(FIRST_INDEX + 1), &state);
    assert_eq!(refused, Err(SignerError::NumberOutOfRange { number: number(FIRST_INDEX + 1) }));
}

#[test]
fn one_remote_commitment_is_signed_for_a_number() {
    let signer = signer();
    let sign = |n: u64, value: u64, last: Option<&RemoteSigned>| {
        signer.sign_remote_commitment(number(n), &tx(value, 1), AMOUNT, &script(), last)
    };
    let (signature, first) = sign(0, 10, None).unwrap();
    verifies(&signature, &tx(10, 1), 0, EcdsaSighashType::All, &signer.basepoints().funding_pubkey);
    assert_eq!(first, RemoteSigned { number: number(0), txid: tx(10, 1).compute_txid() });
    // The same again is the same again.
    assert_eq!(sign(0, 10, Some(&first)), Ok((signature, first)));
    let conflict = SignerError::RemoteConflict {
        number: number(0),
        signed: first.txid,
        asked: tx(11, 1).compute_txid(),
    };
    assert_eq!(sign(0, 11, Some(&first)), Err(conflict));
    let (_, second) = sign(1, 11, Some(&first)).unwrap();
    assert_eq!(second.number, number(1));
    assert!(matches!(sign(1, 12, Some(&second)), Err(SignerError::RemoteConflict { .. })));
}

#[test]
fn remote_commitments_are_signed_in_turn() {
    let signer = signer();
    let sign = |n: u64, last: Option<u64>| {
        let last = last.map(|n| RemoteSigned { number: number(n), txid: tx(10, 1).compute_txid() });
        signer.sign_remote_commitment(number(n), &tx(10, 1), AMOUNT, &script(), last.as_ref())
    };
    for (n, last) in
        [(1, None), (7, None), (4, Some(5)), (0, Some(5)), (7, Some(5)), (100, Some(5)), (0, Some(u64::MAX))]
    {
        let refused = SignerError::RemoteOutOfTurn { number: number(n), last: last.map(number) };
        assert_eq!(sign(n, last), Err(refused));
    }
    assert!(sign(5, Some(5)).is_ok() && sign(6, Some(5)).is_ok());
}

#[test]
fn of_ours_only_the_newest_is_signed_and_only_when_marked() {
    let signer = signer();
    let sign = |n: u64, state: RevocationState| {
        signer.sign_local_commitment(number(n), &tx(10, 1), AMOUNT, &script(), &state)
    };
    let signature = sign(3, state(3, true)).unwrap();
    verifies(&signature, &tx(10, 1), 0, EcdsaSighashType::All, &signer.basepoints().funding_pubkey);
    for (n, state) in [
        (3, state(3, false)),
        (2, state(3, true)),
        (0, state(3, true)),
        (4, state(3, true)),
        (2, state(3, false)),
    ] {
        assert_eq!(sign(n, state), Err(SignerError::NotToBePublished { number: number(n), state }));
    }
}

#[test]
fn what_may_be_published_is_never_revoked_and_what_is_revoked_never_published() {
    let signer = signer();
    for newest in 0..4 {
        for marked in [false, true] {
            for n in 0..6 {
                let state = state(newest, marked);
                let released = signer.release_secret(number(n), &state).is_ok();
                let signed =
                    signer.sign_local_commitment(number(n), &tx(1, 1), AMOUNT, &script(), &state).is_ok();
                assert!(!(released && signed));
                assert!(!signed || marked && n == newest);
                assert!(!released || !marked && n < newest);
            }
        }
    }
}

#[test]
fn funding_signatures_are_for_one_input_only() {
    let signer = signer();
    for inputs in [0, 2] {
        let refused = SignerError::NoSuchInput { input_index: 0, inputs };
        let tx = tx(1, inputs);
        assert_eq!(signer.sign_closing(&tx, AMOUNT, &script()), Err(refused));
        let remote = signer.sign_remote_commitment(number(0), &tx, AMOUNT, &script(), None);
        assert_eq!(remote.unwrap_err(), refused);
        let local = signer.sign_local_commitment(number(0), &tx, AMOUNT, &script(), &state(0, true));
        assert_eq!(local, Err(refused));
        let htlc = HtlcToSign { tx: &tx, witness_script: &script(), amount: AMOUNT };
        assert_eq!(signer.sign_remote_htlcs(&ec::public_key(&key(9)), [htlc]), Err(refused));
    }
}

#[test]
fn remote_htlcs_are_signed_single_anyone_can_pay_with_the_derived_key() {
    let signer = signer();
    let point = ec::public_key(&key(9));
    let txs = [tx(1, 1), tx(2, 1), tx(3, 1)];
    let script = script();
    let htlcs = txs.iter().map(|tx| HtlcToSign { tx, witness_script: &script, amount: AMOUNT });
    let signatures = signer.sign_remote_htlcs(&point, htlcs).unwrap();
    let by = derive::derive_public_key(&signer.basepoints().htlc_basepoint, &point).unwrap();
    assert_eq!(signatures.len(), 3);
    for (signature, tx) in signatures.iter().zip(&txs) {
        verifies(signature, tx, 0, EcdsaSighashType::SinglePlusAnyoneCanPay, &by);
    }
    assert_eq!(signer.sign_remote_htlcs(&point, []), Ok(Vec::new()));
}

#[test]
fn every_claim_is_signed_by_its_key() {
    let signer = signer();
    let own = *signer.basepoints();
    let point = signer.per_commitment_point(number(7)).unwrap();
    let remote_point = ec::public_key(&key(9));
    let derived = |base: &PublicKey, point: &PublicKey| derive::derive_public_key(base, point).unwrap();
    let revocation = derive::derive_revocation_public_key(&own.revocation_basepoint, &remote_point).unwrap();
    let tx = tx(5, 3);
    for (claim, by) in [
        (ClaimKey::Anchor, own.funding_pubkey),
        (ClaimKey::Payment, own.payment_basepoint),
        (ClaimKey::Delayed(number(7)), derived(&own.delayed_payment_basepoint, &point)),
        (ClaimKey::LocalHtlc(number(7)), derived(&own.htlc_basepoint, &point)),
        (ClaimKey::RemoteHtlc(remote_point), derived(&own.htlc_basepoint, &remote_point)),
        (ClaimKey::Revocation([9; 32]), revocation),
    ] {
        let input = ClaimInput { tx: &tx, input_index: 2, witness_script: &script(), amount: AMOUNT };
        let signature = signer.sign_claim(&claim, &input).unwrap();
        verifies(&signature, &tx, 2, EcdsaSighashType::All, &by);
    }
    let input = ClaimInput { tx: &tx, input_index: 3, witness_script: &script(), amount: AMOUNT };
    let refused = SignerError::NoSuchInput { input_index: 3, inputs: 3 };
    assert_eq!(signer.sign_claim(&ClaimKey::Anchor, &input), Err(refused));
    let input = ClaimInput { input_index: 0, ..input };
    assert_eq!(signer.sign_claim(&ClaimKey::Revocation([0; 32]), &input), Err(SignerError::NotAKey));
}

#[test]
fn nothing_secret_is_printed() {
    let shown = format!("{:?} {:?}", signer(), ClaimKey::Revocation([9; 32]));
    assert!(shown.ends_with("Revocation(secret)"), "{shown}");
    for byte in ["01", "02", "03", "04", "05", "06", "09"] {
        assert!(!shown.contains(&byte.repeat(16)), "{shown}");
    }
    assert!(!shown.contains('['), "{shown}");
}

#[test]
fn signing_costs_what_it_must() {
    let signer = signer();
    let point = ec::public_key(&key(9));
    let before = ec::op_counts();
    signer.sign_remote_commitment(number(0), &tx(1, 1), AMOUNT, &script(), None).unwrap();
    signer.sign_remote_htlcs(&point, []).unwrap();
    signer.release_secret(number(0), &state(1, false)).unwrap();
    assert_eq!(ec::op_counts().since(before), ec::OpCounts { sign: 1, ..Default::default() });
}
